--- Which parts of storages tensors use: what is written of tensors that share memory, such that they share it again.
--
-- Tensors of one storage and dtype have one blob, a row of the elements from the first to the last that any of them
-- uses. All tensors are noted first, then `finish` gives the blobs, and `place` tells where in them a tensor lies.

local torch, class = require "torch", require "torch.class"
local core = torch.core

---@class format.Blobs
local Blobs = class("Blobs")

function Blobs:init()
  self.parts, self.by_storage = {}, {}
end

local function key_of(x)
  return core.storage_id(x) .. tostring(x.dtype)
end

--- Notes what a tensor uses.
---@param x torch.Tensor
function Blobs:note(x)
  local key = key_of(x)
  local number = self.by_storage[key]
  if not number then
    number = #self.parts + 1
    self.by_storage[key], self.parts[number] = number, { first = math.huge, last = 0, any = x:detach() }
  end
  if x:numel() == 0 then return end
  local part, offset = self.parts[number], x:storage_offset()
  local last = offset + 1
  for d = 1, x:dim() do last = last + (x:size(d) - 1) * x:stride(d) end
  part.first, part.last = math.min(part.first, offset), math.max(part.last, last)
end

--- Cuts the blobs out of their storages, without a copy.
---@return torch.Tensor[] rows  of one dimension
function Blobs:finish()
  local rows = {}
  for i, part in ipairs(self.parts) do
    if part.last == 0 then part.first = 0 end
    rows[i] = part.any:as_strided({ part.last - part.first }, { 1 }, part.first)
  end
  return rows
end

--- Where a tensor lies that was noted.
---@param x torch.Tensor
---@return table place  blob: from 1; count: its elements; size, stride, offset: of the tensor in it, in elements
function Blobs:place(x)
  local number, size, stride = self.by_storage[key_of(x)], {}, {}
  for d = 1, x:dim() do
    size[d], stride[d] = x:size(d), x:stride(d)
  end
  local part = self.parts[number]
  local offset = math.max(x:storage_offset() - part.first, 0)
  return { blob = number, count = part.last - part.first, size = size, stride = stride, offset = offset }
end

return Blobs
