--- What functions of images share: what an image is, its dtype's range, and the way to floating batches and back.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local image = {}

--- Adds the function of a signature to a table; `body` gets the arguments by name.
---@param into table
---@param signature string
---@param body fun(opt: table): any
function image.define(into, signature, body)
  local read = torch.core.signature(signature)
  into[signature:match "^[%w_]+"] = function(...) return body(read(...)) end
end

local function sizes_of(x)
  return "(" .. table.concat(x:size(), ", ") .. ")"
end

--- Raises an error unless x has at least so many dimensions; returns its height and width.
---@param x torch.Tensor
---@param where string
---@param least? integer  Default: 2.
---@return integer height, integer width
function image.plane(x, where, least)
  check(torch.is_tensor(x), "%s: expected an image tensor, got a %s", where, class.type(x))
  check(x:dim() >= (least or 2), "%s: expected an image %s, got a tensor %s", where,
    (least or 2) == 2 and "(..., H, W)" or "(..., C, H, W)", sizes_of(x))
  return x:size(-2), x:size(-1)
end

--- Raises an error unless x has 1 or 3 channels; returns how many.
---@param x torch.Tensor
---@param where string
---@return integer
function image.colours(x, where)
  image.plane(x, where, 3)
  local channels = x:size(-3)
  check(channels == 1 or channels == 3, "%s: expected 1 or 3 channels, got %s in %s", where, channels, sizes_of(x))
  return channels
end

local LARGEST = { [torch.uint8] = 2 ^ 8 - 1, [torch.int8] = 2 ^ 7 - 1, [torch.int16] = 2 ^ 15 - 1,
  [torch.int32] = 2 ^ 31 - 1, [torch.int64] = 2 ^ 63 }

--- The value of white: 1 for floating numbers, the largest one for integers.
---@param dtype torch.dtype
---@return number
function image.white(dtype)
  for known, value in pairs(LARGEST) do
    if known == dtype then return value end
  end
  return 1
end

--- x in a dtype that has fractions: its own, or float32.
---@param x torch.Tensor
---@return torch.Tensor
function image.floating(x)
  return x.dtype.is_floating_point and x or x:to(torch.float32)
end

--- y in x's dtype: cut off, or rounded first.
---@param y torch.Tensor
---@param x torch.Tensor
---@param rounded? boolean
---@return torch.Tensor
function image.back(y, x, rounded)
  if y.dtype == x.dtype then return y end
  return (rounded and not x.dtype.is_floating_point and y:round() or y):to(x.dtype)
end

--- What `body` makes of x as a floating batch [N, C, H, W], with x's other dimensions and in its dtype, where integers
--- are rounded and kept within the dtype's range.
---@param x torch.Tensor
---@param where string
---@param body fun(batch: torch.Tensor): torch.Tensor
---@return torch.Tensor
function image.in_batch(x, where, body)
  image.plane(x, where, 3)
  local sizes = x:size()
  local batch = image.floating(x)
  if x:dim() ~= 4 then batch = batch:reshape(-1, sizes[#sizes - 2], sizes[#sizes - 1], sizes[#sizes]) end
  local y = image.back(body(batch), x, true)
  if x:dim() == 4 then return y end
  local new = { unpack(sizes, 1, #sizes - 3) }
  for d = 2, 4 do new[#new + 1] = y:size(d) end
  return y:reshape(new)
end

--- Height and width from one number or a list.
---@param size integer|integer[]
---@param where string
---@return integer height, integer width
function image.height_and_width(size, where)
  local list = type(size) == "number" and { size, size } or size
  check(type(list) == "table" and (#list == 1 or #list == 2), "%s: size is a number or a list of height and width",
    where)
  local height, width = list[1], list[2] or list[1]
  for _, n in ipairs { height, width } do
    check(type(n) == "number" and n >= 1 and n == math.floor(n), "%s: sizes are whole numbers from 1, got %s", where, n)
  end
  return height, width
end

--- The nearest whole number, the even one of two.
---@param x number
---@return integer
function image.rounded(x)
  local n = math.floor(x + 0.5)
  return n - x == 0.5 and n % 2 == 1 and n - 1 or n
end

return image
