--- Transforms that draw what they do from a list, with a strength: RandAugment and TrivialAugment.

local class, check = require "torch.class", require "torch.check"
local options, Transform = require "torch.nn.options", require "torch.vision.transforms.transform"
local F, draw = require "torch.vision.transforms.functional", require "torch.vision.transforms.draw"
local image = require "torch.vision.transforms.image"

local policy = {}

local function truncated(x)
  return x < 0 and math.ceil(x) or math.floor(x)
end

-- Moved by whole pixels, or sheared around the upper left corner by so many pixels for each one of the other axis.
local function moved(self, x, right, down)
  return F.affine(x, 0, { truncated(right), truncated(down) }, 1, 0, { interpolation = self.interpolation,
    fill = self.fill })
end

local function sheared(self, x, right, down)
  return F.affine(x, 0, { 0, 0 }, 1, { math.deg(math.atan(right)), math.deg(math.atan(down)) },
    { interpolation = self.interpolation, fill = self.fill, center = { 0, 0 } })
end

-- By name: what is done to an image with a strength m.
local OPERATIONS = {
  Identity = function(_, x) return x end,
  ShearX = function(self, x, m) return sheared(self, x, m, 0) end,
  ShearY = function(self, x, m) return sheared(self, x, 0, m) end,
  TranslateX = function(self, x, m) return moved(self, x, m, 0) end,
  TranslateY = function(self, x, m) return moved(self, x, 0, m) end,
  Rotate = function(self, x, m) return F.rotate(x, m, { interpolation = self.interpolation, fill = self.fill }) end,
  Brightness = function(_, x, m) return F.adjust_brightness(x, 1 + m) end,
  Color = function(_, x, m) return F.adjust_saturation(x, 1 + m) end,
  Contrast = function(_, x, m) return F.adjust_contrast(x, 1 + m) end,
  Sharpness = function(_, x, m) return F.adjust_sharpness(x, 1 + m) end,
  Posterize = function(_, x, m) return F.posterize(x, 8 - math.floor(m + 0.5)) end,
  Solarize = function(_, x, m) return F.solarize(x, 255 - m) end,
  AutoContrast = function(_, x) return F.autocontrast(x) end,
  Equalize = function(_, x) return F.equalize(x) end,
}
local NAMES = { "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast",
  "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize" }
local ONE_WAY = { Posterize = true, Solarize = true }

-- One operation, drawn from all. `strengths` has the greatest strength of each, and `share` (0 to 1) the part of it.
local function apply(self, x, strengths, share)
  local name = NAMES[draw.integer(1, #NAMES)]
  local m = (strengths[name] or 0) * share
  if not ONE_WAY[name] and m > 0 and draw.chance(0.5) then m = -m end
  return OPERATIONS[name](self, x, m)
end

--- `num_ops` operations after each other out of shears, moves, a turn, changes of brightness, colour, contrast and
--- sharpness, posterize, solarize, autocontrast, equalize and none, each with the strength `magnitude` of 0 to
--- `num_magnitude_bins` - 1 (Cubuk et al. 2019). Images are of uint8; `fill` as in `rotate`.
---@class vision.RandAugment: nn.Module
local RandAugment = class("RandAugment(int num_ops=2, int magnitude=9, int num_magnitude_bins=31, "
  .. "str interpolation='nearest', any fill=None)", Transform)
RandAugment.allows = { num_ops = options.least(0), magnitude = options.least(0), num_magnitude_bins = options.least(2) }

function RandAugment:init(opt)
  check(opt.magnitude < opt.num_magnitude_bins, "RandAugment: magnitude is within 0..%s, got %s",
    opt.num_magnitude_bins - 1, opt.magnitude)
end

function RandAugment:forward(x)
  local height, width = image.plane(x, "RandAugment", 3)
  local strengths = { ShearX = 0.3, ShearY = 0.3, TranslateX = 150 / 331 * width, TranslateY = 150 / 331 * height,
    Rotate = 30, Brightness = 0.9, Color = 0.9, Contrast = 0.9, Sharpness = 0.9, Posterize = 4, Solarize = 255 }
  for _ = 1, self.num_ops do x = apply(self, x, strengths, self.magnitude / (self.num_magnitude_bins - 1)) end
  return x
end

local TRIVIAL = { ShearX = 0.99, ShearY = 0.99, TranslateX = 32, TranslateY = 32, Rotate = 135, Brightness = 0.99,
  Color = 0.99, Contrast = 0.99, Sharpness = 0.99, Posterize = 6, Solarize = 255 }

--- One operation of RandAugment's, with a random strength out of a wider range (Müller and Hutter 2021).
---@class vision.TrivialAugmentWide: nn.Module
local TrivialAugmentWide = class("TrivialAugmentWide(int num_magnitude_bins=31, str interpolation='nearest', "
  .. "any fill=None)", Transform)
TrivialAugmentWide.allows = { num_magnitude_bins = options.least(2) }

function TrivialAugmentWide:forward(x)
  image.plane(x, "TrivialAugmentWide", 3)
  local last = self.num_magnitude_bins - 1
  return apply(self, x, TRIVIAL, draw.integer(0, last) / last)
end

policy.RandAugment, policy.TrivialAugmentWide = RandAugment, TrivialAugmentWide
return policy
