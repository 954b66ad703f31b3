--- What readers of files share: errors that name the operation and the file, and the layouts that come from outside.

local torch, check = require "torch", require "torch.check"
local core = torch.core

local reader = {}

--- A check for what a file says: `valid(good, text, ...)` returns `good`, or fails with `operation: 'path' is damaged:
--- text`.
---@param operation string
---@param path string
---@return fun(good: any, text: string, ...): any
function reader.validator(operation, path)
  return function(good, text, ...)
    return check(good, "%s: '%s' is damaged: " .. text, operation, path, ...)
  end
end

--- Is `x` a whole number from 0 to 2^53?
function reader.is_count(x)
  return type(x) == "number" and x >= 0 and x <= 2 ^ 53 and x == math.floor(x)
end

--- Are all items of the list counts, and no more of them than a tensor has dimensions?
function reader.are_counts(list)
  for i = 1, #list do -- ipairs would stop at what is missing
    if not reader.is_count(list[i]) then return false end
  end
  return #list <= 64
end

--- The number of elements; nil where it is beyond 2^53.
---@param sizes integer[]
---@return integer?
function reader.numel(sizes)
  local product, empty = 1, false
  for _, n in ipairs(sizes) do
    empty = empty or n == 0
    product = product * math.max(n, 1)
    if product > 2 ^ 53 then return nil end
  end
  return empty and 0 or product
end

--- The view of a row of elements that sizes, strides and an offset describe, all counted in elements; nil where it
--- reaches beyond the row.
---@param row torch.Tensor  of one dimension
---@return torch.Tensor?
function reader.view(row, size, stride, offset)
  local numel, last = reader.numel(size), offset + 1
  if not numel then return nil end
  for d = 1, #size do last = last + (size[d] - 1) * stride[d] end
  if numel > 0 and last > row:numel() then return nil end
  if numel == 0 then return torch.empty(size, { dtype = row.dtype, device = row.device }) end
  return row:as_strided(size, stride, offset)
end

-- Unsigned integers of 2, 4 and 8 bytes, which are no dtypes here: read as the signed ones, then into the next wider.
local unsigned = {
  u2 = { torch.int16, torch.int32, 2LL ^ 16 - 1 },
  u4 = { torch.int32, torch.int64, 2LL ^ 32 - 1 },
  u8 = { torch.int64, torch.int64, -1LL },
}

--- The elements of an unsigned type: how they are read, and what makes them those numbers.
---@param name string  u2, u4 or u8: unsigned, with so many bytes
---@return torch.DType? dtype, function? widen  a tensor of this dtype to one of the numbers; nil where 2^63 is reached
function reader.unsigned(name)
  local read_as, wide, mask = unpack(unsigned[name] or {})
  if not read_as then return nil end
  return read_as, function(x)
    if name == "u8" then return not x:lt(0):any():item() and x or nil end
    return x:to(wide):bitwise_and(mask)
  end
end

--- An entry of a zip archive with the methods of an open file: `size()`, `read(offset, count)`, `tensor(...)`.
---@param zip userdata  from core.open_zip
---@param name string
---@param where string   how messages about its elements begin
function reader.entry(zip, name, where)
  local entry, head = {}, ""
  function entry:size() return zip:size(name) end
  -- Deflated bytes can be had from the first one on only: always twice as many, lest it take forever.
  function entry:read(offset, count)
    if offset + count > #head then head = zip:head(name, math.max(offset + count, 2 * #head)) end
    return head:sub(offset + 1, offset + count)
  end
  function entry:tensor(offset, dtype, sizes, mmap)
    return core.reinterpret(zip:tensor(name, mmap), offset, dtype, sizes, where)
  end
  return entry
end

return reader
