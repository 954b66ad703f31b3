--- A list of names as examples of which letter follows which.
--
-- What ships, names.txt, are first names from history, myth and literature.

local torch, draw = require "torch", require "draw"

local END = "\n" -- before and behind each name; id 1

---@class NameList
---@field names string[]
---@field letters string   all that occur, END first: a letter's place is its id
---@field known table<string, boolean>
local NameList = torch.class("NameList(str path, int context)")

NameList.shipped = debug.getinfo(1, "S").source:match("^@(.*/)") .. "names.txt"

local function fail(text, ...)
  error("names: " .. text:format(...), 0)
end

--- opt.path: a file with one name in a line; opt.context: letters by which the next one is told.
function NameList:init(opt)
  local good, text = pcall(torch.core.read_file, opt.path)
  if not good then fail("%s", text:gsub("^.-read_file: ", "")) end
  self.names, self.known, self.context = {}, {}, opt.context
  local seen = {}
  for line in text:gmatch("[^\r\n]+") do
    local name = line:match("^%s*(.-)%s*$")
    if name ~= "" and not self.known[name] then
      table.insert(self.names, name)
      self.known[name] = true
      for letter in name:gmatch(".") do seen[letter] = true end
    end
  end
  if #self.names < 10 then fail("%s has %d names, 10 are the least", opt.path, #self.names) end
  local letters = {}
  for letter in pairs(seen) do letters[#letters + 1] = letter end
  table.sort(letters)
  self.letters = END .. table.concat(letters)
end

-- Appends the examples in a name: `context` ids for each letter and the end, and the id that follows.
function NameList:_add(name, x, y)
  local before = END:rep(self.context)
  for letter in (name .. END):gmatch(".") do
    local ids = {}
    for i = 1, self.context do ids[i] = self.letters:find(before:sub(i, i), 1, true) end
    x[#x + 1], y[#y + 1] = ids, self.letters:find(letter, 1, true)
    before = before:sub(2) .. letter
  end
end

local function set_of(list, names)
  local x, y = {}, {}
  for _, name in ipairs(names) do list:_add(name, x, y) end
  return torch.utils.data.TensorDataset(torch.tensor(x, { dtype = torch.int64 }),
    torch.tensor(y, { dtype = torch.int64 }))
end

--- The examples, [n, context] and [n]: those of a random tenth of the names are there to test with.
---@return utils.data.TensorDataset train
---@return utils.data.TensorDataset test
function NameList:split()
  local train, test = {}, {}
  local tenth = math.floor(#self.names / 10)
  for i, at in ipairs(torch.randperm(#self.names):tolist()) do
    table.insert(i <= tenth and test or train, self.names[at])
  end
  return set_of(self, train), set_of(self, test)
end

--- Names that a model makes up, all at once, letter by letter; none is longer than 30.
---@param model nn.Module
---@param n integer
---@param temperature number
---@return string[]
function NameList:invent(model, n, temperature)
  model:eval()
  local names = {}
  for i = 1, n do names[i] = "" end
  torch.no_grad(function()
    local ids = torch.ones(n, self.context, { dtype = torch.int64 })
    for _ = 1, 30 do
      local next_ids = draw(model(ids), temperature)
      ids = torch.cat({ ids:narrow(2, 2, self.context - 1), next_ids }, 2)
      for i, id in ipairs(next_ids:view(-1):tolist()) do names[i] = names[i] .. self.letters:sub(id, id) end
    end
  end)
  for i, name in ipairs(names) do names[i] = name:match("^[^\n]*") end
  return names
end

return NameList
