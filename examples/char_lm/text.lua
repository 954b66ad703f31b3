--- A file's text as numbers, in batches. Its characters are bytes, so that any file will do; letters beyond ASCII are
--- several.
--
-- What ships is romeo_and_juliet.txt, William Shakespeare's play (1597), which is in the public domain.

local torch = require "torch"

---@class Text
---@field vocabulary string  the bytes that occur, in order
---@field train torch.Tensor  uint8, positions in the vocabulary from 0: the first nine tenths
---@field valid torch.Tensor  the rest
local Text = torch.class("Text(str path, int context)")

--- The text that ships.
Text.shipped = debug.getinfo(1, "S").source:match("^@(.*/)") .. "romeo_and_juliet.txt"

local function fail(text, ...)
  error("char_lm: " .. text:format(...), 0)
end

local function read(path)
  local good, text = pcall(torch.core.read_file, path)
  if not good then fail("%s", text:gsub("^.-read_file: ", "")) end
  if text == "" then fail("%s is empty", path) end
  return text
end

---@param opt table  path: of any file; context: characters that the model sees at once
function Text:init(opt)
  local text = read(opt.path)
  local least = 10 * (opt.context + 1)
  if #text < least then
    fail("%s has %d characters, too few for a context of %d: %d are the least", opt.path, #text, opt.context, least)
  end
  local bytes, ids = torch.core.frombytes(text, 0, { #text }, torch.uint8):unique { return_inverse = true }
  ids = (ids - 1):to(torch.uint8)
  local n = math.floor(0.9 * #text)
  self.vocabulary, self.context = string.char(unpack(bytes:tolist())), opt.context
  self.train, self.valid = ids:narrow(1, 1, n), ids:narrow(1, n + 1, #text - n)
end

-- Windows of `part` that begin at `starts` [N, 1]: inputs and, one further, targets, both [N, context] from 1.
function Text:_windows(part, starts)
  local ids = part:take(starts + torch.arange(self.context + 1)):to(torch.int64):add_(1)
  return ids:narrow(2, 1, self.context), ids:narrow(2, 2, self.context)
end

--- Windows from random places.
---@param n integer
---@return torch.Tensor x  [n, context]
---@return torch.Tensor y  [n, context]
function Text:batch(n)
  return self:_windows(self.train, torch.randint(1, self.train:size(1) - self.context + 1, { n, 1 }))
end

--- Goes through the part for validation by windows that do not overlap; if `count` is less than there are, by so many
--- of them, equally far apart.
---@param n integer       windows in a batch
---@param count? integer  Default: all.
---@return fun(): torch.Tensor?, torch.Tensor?
function Text:validation(n, count)
  local there = math.floor((self.valid:size(1) - 1) / self.context)
  count = math.min(count or there, there)
  local step = count > 0 and math.floor(there / count) * self.context
  local done = 0
  return function()
    if done >= count then return nil end
    local starts = torch.arange(done, math.min(done + n, count)):mul_(step):add_(1):unsqueeze(2)
    done = done + n
    return self:_windows(self.valid, starts)
  end
end

--- A text as ids.
---@param text string
---@return torch.Tensor  [1, #text]
function Text:encode(text)
  local ids = {}
  for i = 1, #text do
    local character = text:sub(i, i)
    ids[i] = self.vocabulary:find(character, 1, true)
      or fail("the model has not seen the character %q of the prompt", character)
  end
  return torch.tensor({ ids }, { dtype = torch.int64 })
end

--- The character of an id.
---@param id integer
---@return string
function Text:decode(id)
  return self.vocabulary:sub(id, id)
end

return Text
