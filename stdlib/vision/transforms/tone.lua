--- Images blurred and sharpened, and functions of each pixel's value.

local torch, check = require "torch", require "torch.check"
local F = torch.nn.functional
local image = require "torch.vision.transforms.image"
local colour = require "torch.vision.transforms.colour"
local define = image.define

local tone = {}

-- One number for both directions, or x and y.
local function pair(value, what)
  local list = type(value) == "number" and { value } or value
  check(type(list) == "table" and (#list == 1 or #list == 2), "gaussian_blur: %s is a number or a list of x and y",
    what)
  return { list[1], list[2] or list[1] }
end

-- exp(-t^2 / (2 sigma^2)) at so many whole t around 0, with the sum 1.
local function bell(size, sigma)
  local weights, total = {}, 0
  for i = 1, size do
    weights[i] = math.exp(-0.5 * ((i - (size + 1) / 2) / sigma) ^ 2)
    total = total + weights[i]
  end
  for i = 1, size do weights[i] = weights[i] / total end
  return weights
end

-- The same window for every channel.
local function filtered(batch, window)
  local channels = batch:size(2)
  return F.conv2d(batch, window:expand(channels, 1, -1, -1), { groups = channels })
end

--- Means with normal weights over windows of odd size; `sigma` is in pixels (default: 0.15 size + 0.35). Edges are
--- mirrored. Both may differ in x and y.
define(tone, "gaussian_blur(Tensor img, any kernel_size, any sigma=None)", function(opt)
  local size = pair(opt.kernel_size, "kernel_size")
  for _, n in ipairs(size) do
    check(type(n) == "number" and n > 0 and n % 2 == 1, "gaussian_blur: kernel_size is odd, got %s", n)
  end
  local sigma = pair(opt.sigma or { size[1] * 0.15 + 0.35, size[2] * 0.15 + 0.35 }, "sigma")
  for _, s in ipairs(sigma) do check(s > 0, "gaussian_blur: sigma is above 0, got %s", s) end
  return image.in_batch(opt.img, "gaussian_blur", function(batch)
    local options = { dtype = batch.dtype, device = batch.device }
    local across = torch.tensor(bell(size[1], sigma[1]), options):view(1, 1, 1, -1)
    local down = torch.tensor(bell(size[2], sigma[2]), options):view(1, 1, -1, 1)
    local x, y = (size[1] - 1) / 2, (size[2] - 1) / 2
    return filtered(filtered(F.pad(batch, { x, x, y, y }, { mode = "reflect" }), across), down)
  end)
end)

--- A mix of the image and a blurred one: 0 is blurred, 1 the image itself, more is sharper.
define(tone, "adjust_sharpness(Tensor img, float sharpness_factor)", function(opt)
  local x, factor = opt.img, opt.sharpness_factor
  check(factor >= 0, "adjust_sharpness: the factor is not negative, got %s", factor)
  image.colours(x, "adjust_sharpness")
  local height, width = image.plane(x, "adjust_sharpness")
  if height <= 2 or width <= 2 then return x end
  local blurred = image.in_batch(x, "adjust_sharpness", function(batch)
    local window = torch.tensor({ { 1, 1, 1 }, { 1, 5, 1 }, { 1, 1, 1 } }, { dtype = batch.dtype,
      device = batch.device })
    local y = batch:clone()
    y:narrow(3, 2, height - 2):narrow(4, 2, width - 2):copy_(filtered(batch, window / 13)) -- edges stay as they are
    return y
  end)
  return colour.blend(x, blurred, factor)
end)

--- White minus the image.
---@param x torch.Tensor
---@return torch.Tensor
function tone.invert(x)
  image.colours(x, "invert")
  return (image.white(x.dtype) - x):to(x.dtype)
end

local function check_bytes(x, where)
  image.colours(x, where)
  check(x.dtype == torch.uint8, "%s: expected an image of uint8, got %s", where, tostring(x.dtype))
end

--- The highest `bits` of each byte.
define(tone, "posterize(Tensor img, int bits)", function(opt)
  check(opt.bits >= 0 and opt.bits <= 8, "posterize: bits is within 0..8, got %s", opt.bits)
  check_bytes(opt.img, "posterize")
  return opt.img:bitwise_and(256 - 2 ^ (8 - opt.bits))
end)

--- Values from `threshold` on inverted.
define(tone, "solarize(Tensor img, float threshold)", function(opt)
  local x = opt.img
  check(opt.threshold <= image.white(x.dtype), "solarize: threshold %s is above white, %s", opt.threshold,
    image.white(x.dtype))
  return torch.where(image.floating(x):ge(opt.threshold), tone.invert(x), x)
end)

--- Each channel stretched so that its darkest pixel is black and its lightest white.
---@param x torch.Tensor
---@return torch.Tensor
function tone.autocontrast(x)
  image.colours(x, "autocontrast")
  local white, y = image.white(x.dtype), image.floating(x)
  local low, high = y:amin({ -2, -1 }, true), y:amax({ -2, -1 }, true)
  local flat = low:eq(high)
  local scale = (white / (high - low)):masked_fill(flat, 1)
  return image.back(((y - low:masked_fill(flat, 0)) * scale):clamp_(0, white), x)
end

-- One channel with its values spread evenly.
local function equalized(plane)
  local counts = plane:flatten():to(torch.int64):bincount { minlength = 256 }:tolist()
  local total, last = 0, 0
  for value = 1, 256 do
    total = total + counts[value]
    if counts[value] > 0 then last = counts[value] end
  end
  local step = math.floor((total - last) / 255)
  if step == 0 then return plane end
  local map, below = {}, math.floor(step / 2)
  for value = 1, 256 do
    map[value] = math.min(math.floor(below / step), 255)
    below = below + counts[value]
  end
  local values = torch.tensor(map, { dtype = torch.uint8, device = plane.device })
  return values:index_select(1, plane:flatten():to(torch.int64) + 1):view_as(plane)
end

--- Each channel's values spread evenly over 0..255.
---@param x torch.Tensor  uint8
---@return torch.Tensor
function tone.equalize(x)
  check_bytes(x, "equalize")
  local y = x:contiguous()
  local flat = y:view(-1, y:size(-2), y:size(-1))
  local planes = {}
  for i = 1, flat:size(1) do planes[i] = equalized(flat[i]) end
  return torch.stack(planes):view(y:size())
end

--- `v` in the place of the part of `h` rows and `w` columns that is `i` rows below and `j` columns right of the corner.
define(tone, "erase(Tensor img, int i, int j, int h, int w, any v, bool inplace=False)", function(opt)
  local x = opt.inplace and opt.img or opt.img:clone()
  local height, width = image.plane(x, "erase")
  check(opt.i >= 0 and opt.j >= 0 and opt.h >= 0 and opt.w >= 0 and opt.i + opt.h <= height and opt.j + opt.w <= width,
    "erase: rows %s..%s and columns %s..%s reach outside of the image (%s, %s)", opt.i, opt.i + opt.h, opt.j,
    opt.j + opt.w, height, width)
  if opt.h == 0 or opt.w == 0 then return x end
  local part = x:narrow(-2, opt.i + 1, opt.h):narrow(-1, opt.j + 1, opt.w)
  if torch.is_tensor(opt.v) then part:copy_(opt.v) else part:fill_(opt.v) end
  return x
end)

return tone
