--- Transforms that change pixels' values at random.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local options, Transform = require "torch.nn.options", require "torch.vision.transforms.transform"
local F, draw = require "torch.vision.transforms.functional", require "torch.vision.transforms.draw"

local random = {}

--- Brightness, contrast, saturation and hue by random factors, in random order. A number n stands for a factor within
--- 1 - n..1 + n, but not below 0, and for a hue within -n..n; a list {low, high} for itself.
---@class vision.ColorJitter: nn.Module
local ColorJitter = class("ColorJitter(any brightness=0, any contrast=0, any saturation=0, any hue=0)", Transform)

local JITTERS = { "brightness", "contrast", "saturation", "hue" }

function ColorJitter:init(opt)
  self._ranges = {}
  for _, name in ipairs(JITTERS) do
    local what = "ColorJitter: " .. name
    local range = draw.range(opt[name], what, name == "hue" and 0 or 1)
    if name == "hue" then
      check(range[1] >= -0.5 and range[2] <= 0.5, "%s is within -0.5..0.5", what)
    else
      check(type(opt[name]) == "number" or range[1] >= 0, "%s is not negative", what)
      range = { math.max(range[1], 0), range[2] }
    end
    if range[1] ~= range[2] or range[1] ~= (name == "hue" and 0 or 1) then self._ranges[name] = range end
  end
end

function ColorJitter:forward(x)
  for _, i in ipairs(torch.randperm(#JITTERS):tolist()) do
    local range = self._ranges[JITTERS[i]]
    if range then x = F["adjust_" .. JITTERS[i]](x, draw.uniform(range[1], range[2])) end
  end
  return x
end

--- Blurred with a random sigma of {low, high}, or the given one.
---@class vision.GaussianBlur: nn.Module
local GaussianBlur = class("GaussianBlur(any kernel_size, any sigma=None)", Transform)

function GaussianBlur:init(opt)
  local sigma = opt.sigma or { 0.1, 2.0 }
  self._range = draw.range(type(sigma) == "number" and { sigma, sigma } or sigma, "GaussianBlur: sigma")
  check(self._range[1] > 0, "GaussianBlur: sigma is above 0")
end

function GaussianBlur:forward(x)
  return F.gaussian_blur(x, self.kernel_size, draw.uniform(self._range[1], self._range[2]))
end

-- Transforms that call a function with probability p; `arguments` are its arguments in front of p.
local function define(name, arguments, f)
  local usual = name == "RandomGrayscale" and 0.1 or 0.5
  local Random = class(("%s(%sfloat p=%s)"):format(name, arguments, usual), Transform)
  Random.allows = { p = options.within(0, 1) }
  local argument = arguments:match "([%w_]+), $"

  function Random:forward(x)
    return draw.chance(self.p) and f(x, argument and self[argument]) or x
  end

  random[name] = Random
end

define("RandomGrayscale", "", function(x) return F.rgb_to_grayscale(x, x:size(-3)) end)
define("RandomInvert", "", F.invert)
define("RandomPosterize", "int bits, ", F.posterize)
define("RandomSolarize", "float threshold, ", F.solarize)
define("RandomAdjustSharpness", "float sharpness_factor, ", F.adjust_sharpness)
define("RandomAutocontrast", "", F.autocontrast)
define("RandomEqualize", "", F.equalize)

random.ColorJitter, random.GaussianBlur = ColorJitter, GaussianBlur
return random
