--- The numbers of a binary file of Torch7: little-endian, with longs of 8 or 4 bytes.

local torch, class = require "torch", require "torch.class"
local Stream = require "torch.format.stream"
local core = torch.core

local ITEM_SIZES = {}
for power, names in ipairs {
  { "uint8", "int8" }, { "int16", "float16" }, { "int32", "float32" }, { "int64", "float64" },
} do
  for _, name in ipairs(names) do ITEM_SIZES["torch." .. name] = 2 ^ (power - 1) end
end

---@class format.t7.Binary
local Binary = class("Binary")

function Binary:init(file, valid, long_size)
  self.file, self.valid, self.long_size = file, valid, long_size
  self.stream = Stream(file, 0, valid)
end

--- The offset of the next byte.
function Binary:position()
  return self.stream:position()
end

--- How many values there can be in the rest of the file at the most.
function Binary:room()
  return (self.file:size() - self:position()) / 4
end

function Binary:int()
  local n = self.stream:unsigned(4)
  return n < 2 ^ 31 and n or n - 2 ^ 32
end

-- Exact up to 2^53, on either side of 0.
function Binary:long()
  if self.long_size == 4 then return self:int() end
  local low = self.stream:unsigned(4)
  return low + 2 ^ 32 * self:int()
end

function Binary:longs(count)
  local list = {}
  for i = 1, count do list[i] = self:long() end
  return list
end

function Binary:double()
  return core.frombytes(self.stream:take(8), 0, {}, torch.float64):item()
end

function Binary:chars(count)
  return self.stream:take(count)
end

--- A row of elements.
---@param dtype torch.DType
---@param count number
---@return torch.Tensor
function Binary:elements(dtype, count)
  local long = dtype == torch.int64 and self.long_size == 4
  local stored = long and torch.int32 or dtype
  local position, item = self:position(), ITEM_SIZES[tostring(stored)]
  self.valid(count >= 0 and count * item <= self.file:size() - position, "a storage has %s elements", count)
  local x = self.file:tensor(position, stored, { count })
  self.stream = Stream(self.file, position + count * item, self.valid)
  return long and x:to(torch.int64) or x
end

return Binary
