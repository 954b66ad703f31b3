--- The numbers of an ascii file of Torch7: words between blanks, and one line end behind every group of values.

local torch, class = require "torch", require "torch.class"

local LONGEST_NUMBER = 64

---@class format.t7.Ascii
local Ascii = class("Ascii")

function Ascii:init(file, valid)
  self.valid, self.text, self.at = valid, file:read(0, file:size()), 1
end

--- The offset of the next byte.
function Ascii:position()
  return self.at - 1
end

--- How many values there can be in the rest of the file at the most.
function Ascii:room()
  return (#self.text - self.at + 1) / 2
end

local WORDS = { nan = 0 / 0, ["-nan"] = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

function Ascii:double()
  local first = self.text:find("[^ \t\r\n]", self.at) or self.at
  local word = self.text:sub(first, first + LONGEST_NUMBER):match "^[%w.+-]+" or ""
  local n = WORDS[word] or tonumber(word)
  self.valid(n, "expected a number")
  self.at = first + #word
  self:pass_line_end()
  return n
end

function Ascii:pass_line_end()
  if self.text:byte(self.at) == 10 then self.at = self.at + 1 end
end

function Ascii:int()
  local n = self:double()
  self.valid(n == math.floor(n) and math.abs(n) <= 2 ^ 53, "expected a whole number, got %s", n)
  return n
end

function Ascii:longs(count)
  local list = {}
  for i = 1, count do list[i] = self:int() end
  return list
end

function Ascii:chars(count)
  self.valid(count <= #self.text - self.at + 1, "%s bytes reach beyond the end", count)
  local chars = self.text:sub(self.at, self.at + count - 1)
  self.at = self.at + count
  if count > 0 then self:pass_line_end() end
  return chars
end

--- A row of elements; bytes are stored as they are.
---@param dtype torch.DType
---@param count number
---@return torch.Tensor
function Ascii:elements(dtype, count)
  local room = #self.text - self.at + 1
  if dtype == torch.uint8 or dtype == torch.int8 then
    self.valid(count >= 0 and count <= room, "a storage has %s elements", count)
    return torch.core.frombytes(self:chars(count), 0, { count }, dtype)
  end
  self.valid(count >= 0 and count <= (room + 1) / 2, "a storage has %s elements", count)
  local list = {}
  for i = 1, count do list[i] = self:double() end
  return torch.tensor(list, { dtype = dtype })
end

return Ascii
