--- Images in other dtypes and ranges.

local torch, check = require "torch", require "torch.check"
local image = require "torch.vision.transforms.image"

local dtype = {}

--- Channels, height and width.
---@param x torch.Tensor
---@return integer channels, integer height, integer width
function dtype.get_dimensions(x)
  local height, width = image.plane(x, "get_dimensions")
  return x:dim() == 2 and 1 or x:size(-3), height, width
end

-- From one range of integers to another: the highest bits, or zeros behind them.
local function between_integers(x, to)
  local from, into = image.white(x.dtype) + 1, image.white(to) + 1
  if from == into then return x:to(to) end
  if from > into then return x:div(from / into, { rounding_mode = "trunc" }):to(to) end
  return x:to(to) * (into / from)
end

--- The image in another dtype and that dtype's range: 0..1 where it is floating, 0..255 in uint8.
image.define(dtype, "convert_image_dtype(Tensor image, any dtype=None)", function(opt)
  local x, to = opt.image, opt.dtype or torch.float32
  if x.dtype == to then return x end
  if x.dtype.is_floating_point then
    if to.is_floating_point then return x:to(to) end
    check(not (to == torch.int64 or to == torch.int32 and x.dtype == torch.float32),
      "convert_image_dtype: %s cannot hold all values of %s", tostring(x.dtype), tostring(to))
    return (x * (image.white(to) + 1 - 1e-3)):to(to) -- every value has the same share of 0..1
  end
  if to.is_floating_point then return x:to(to) / image.white(x.dtype) end
  return between_integers(x, to)
end)

--- An image of integers as floating numbers from 0 to 1; a plane (H, W) becomes an image with one channel.
---@param x torch.Tensor
---@return torch.Tensor
function dtype.to_tensor(x)
  image.plane(x, "to_tensor")
  return dtype.convert_image_dtype(x:dim() == 2 and x:unsqueeze(1) or x, torch.get_default_dtype())
end

local function channels_of(list, x, what)
  check(#list == 1 or #list == x:size(-3), "normalize: %s has %s numbers for %s channels", what, #list, x:size(-3))
  return torch.tensor(list, { dtype = x.dtype, device = x.device }):view(-1, 1, 1)
end

--- (x - mean) / std, per channel.
image.define(dtype, "normalize(Tensor tensor, float[] mean, float[] std, bool inplace=False)", function(opt)
  local x = opt.tensor
  image.plane(x, "normalize", 3)
  check(x.dtype.is_floating_point, "normalize: expected a floating image, got %s; convert_image_dtype makes one",
    tostring(x.dtype))
  for _, s in ipairs(opt.std) do check(s ~= 0, "normalize: std is 0") end
  local mean, std = channels_of(opt.mean, x, "mean"), channels_of(opt.std, x, "std")
  if opt.inplace then return x:sub_(mean):div_(std) end
  return (x - mean):div_(std)
end)

return dtype
