--- Brightness, contrast and colours of images with 1 or 3 channels (red, green, blue).

local torch, check = require "torch", require "torch.check"
local image = require "torch.vision.transforms.image"
local define = image.define
local dtype = require "torch.vision.transforms.dtype"

local colour = {}

-- x times `share`, and the rest from y, kept within the range of x's dtype.
local function blend(x, y, share)
  local mixed = image.floating(x) * share + image.floating(y) * (1 - share)
  return image.back(mixed:clamp_(0, image.white(x.dtype)), x)
end
colour.blend = blend

local function check_factor(factor, where)
  check(factor >= 0, "%s: the factor is not negative, got %s", where, factor)
end

-- Channels of an image, as planes.
local function planes(x)
  return unpack(x:unbind(-3))
end

--- 0.2989 red + 0.587 green + 0.114 blue, in 1 or 3 equal channels.
define(colour, "rgb_to_grayscale(Tensor img, int num_output_channels=1)", function(opt)
  local x, n = opt.img, opt.num_output_channels
  check(n == 1 or n == 3, "rgb_to_grayscale: num_output_channels is 1 or 3, got %s", n)
  local y
  if image.colours(x, "rgb_to_grayscale") == 3 then
    local r, g, b = planes(image.floating(x))
    y = image.back((r * 0.2989 + g * 0.587 + b * 0.114):unsqueeze(-3), x)
  else
    y = x:clone()
  end
  if n == 1 then return y end
  local sizes = x:size()
  sizes[#sizes - 2] = 3
  return y:expand(sizes)
end)

--- x `brightness_factor`: 0 is black, 1 the image itself.
define(colour, "adjust_brightness(Tensor img, float brightness_factor)", function(opt)
  check_factor(opt.brightness_factor, "adjust_brightness")
  image.colours(opt.img, "adjust_brightness")
  return blend(opt.img, torch.zeros_like(opt.img), opt.brightness_factor)
end)

--- Distances from the mean grey times `contrast_factor`.
define(colour, "adjust_contrast(Tensor img, float contrast_factor)", function(opt)
  check_factor(opt.contrast_factor, "adjust_contrast")
  local x = opt.img
  local grey = image.colours(x, "adjust_contrast") == 3 and colour.rgb_to_grayscale(x) or x
  return blend(x, image.floating(grey):mean { dim = { -3, -2, -1 }, keepdim = true }, opt.contrast_factor)
end)

--- Distances from grey times `saturation_factor`: 0 is a grey image.
define(colour, "adjust_saturation(Tensor img, float saturation_factor)", function(opt)
  check_factor(opt.saturation_factor, "adjust_saturation")
  if image.colours(opt.img, "adjust_saturation") == 1 then return opt.img end
  return blend(opt.img, colour.rgb_to_grayscale(opt.img), opt.saturation_factor)
end)

-- Hue from 0 to 1, saturation and value of a floating image (Smith 1978).
local function hsv(x)
  local r, g, b = planes(x)
  local high, low = x:amax(-3), x:amin(-3)
  local spread = high - low
  local grey = spread:eq(0)
  local saturation = spread / high:masked_fill(grey, 1)
  local divisor = spread:masked_fill(grey, 1)
  local from_r, from_g, from_b = (high - r) / divisor, (high - g) / divisor, (high - b) / divisor
  local hue = torch.where(high:eq(r), from_b - from_g,
    torch.where(high:eq(g), 2 + from_r - from_b, 4 + from_g - from_r))
  return (hue / 6 + 1):fmod(1), saturation, high
end

-- A colour is value (1 - saturation max(0, min(k, 4 - k, 1))), with k = (n + 6 hue) mod 6 and n = 5, 3, 1.
local function rgb(hue, saturation, value)
  local channels = {}
  for i, n in ipairs { 5, 3, 1 } do
    local k = (hue * 6 + n):remainder(6)
    local away = torch.minimum(k, 4 - k):clamp_(0, 1)
    channels[i] = (value - value * saturation * away):clamp_(0, 1)
  end
  return torch.stack(channels, -3)
end

--- The hue turned by `hue_factor`, from -0.5 to 0.5 of the circle of colours.
define(colour, "adjust_hue(Tensor img, float hue_factor)", function(opt)
  local x, shift = opt.img, opt.hue_factor
  check(shift >= -0.5 and shift <= 0.5, "adjust_hue: hue_factor is within -0.5..0.5, got %s", shift)
  if image.colours(x, "adjust_hue") == 1 then return x end
  local hue, saturation, value = hsv(dtype.convert_image_dtype(x, torch.float32))
  return dtype.convert_image_dtype(rgb((hue + shift):remainder(1), saturation, value), x.dtype)
end)

--- gain x^gamma, for x from 0 to 1.
define(colour, "adjust_gamma(Tensor img, float gamma, float gain=1)", function(opt)
  check(opt.gamma >= 0, "adjust_gamma: gamma is not negative, got %s", opt.gamma)
  image.colours(opt.img, "adjust_gamma")
  local x = opt.img.dtype.is_floating_point and opt.img or dtype.convert_image_dtype(opt.img, torch.float32)
  return dtype.convert_image_dtype((x ^ opt.gamma * opt.gain):clamp_(0, 1), opt.img.dtype)
end)

return colour
