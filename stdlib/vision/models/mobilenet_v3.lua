--- MobileNetV3: MobileNetV2's blocks with weighted channels, in widths that were searched for (Howard et al. 2019).

local class, check = require "torch.class", require "torch.check"
local nn = require "torch".nn
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"
local make_divisible = layers.make_divisible

local EPS, MOMENTUM = 0.001, 0.01 -- of every normalisation

local function conv_norm(inputs, outputs, kernel, stride, groups, activation)
  return layers.conv_norm(inputs, outputs, kernel, stride, groups, activation, EPS, MOMENTUM)
end

local InvertedResidual = class("InvertedResidual(int inputs, int kernel, int width, int outputs, bool weighted, "
  .. "any activation, int stride)", nn.Module)
InvertedResidual.format = ""

function InvertedResidual:init(opt)
  local inputs, width = opt.inputs, opt.width
  self.block = nn.Sequential()
  if width ~= inputs then self.block:append(conv_norm(inputs, width, 1, 1, 1, opt.activation)) end
  self.block:append(conv_norm(width, width, opt.kernel, opt.stride, width, opt.activation))
  if opt.weighted then
    local narrow = make_divisible(math.floor(width / 4), 8)
    self.block:append(layers.SqueezeExcitation(width, narrow, nn.ReLU, nn.Hardsigmoid))
  end
  self.block:append(conv_norm(width, opt.outputs, 1, 1, 1))
end

function InvertedResidual:forward(x)
  local y = self.block(x)
  return self.stride == 1 and self.inputs == self.outputs and x + y or y
end

-- Blocks: window, width, channels that come out, are the channels weighted, is it Hardswish instead of ReLU, stride.
local LARGE = {
  { 3, 16, 16, false, false, 1 }, { 3, 64, 24, false, false, 2 }, { 3, 72, 24, false, false, 1 },
  { 5, 72, 40, true, false, 2 }, { 5, 120, 40, true, false, 1 }, { 5, 120, 40, true, false, 1 },
  { 3, 240, 80, false, true, 2 }, { 3, 200, 80, false, true, 1 }, { 3, 184, 80, false, true, 1 },
  { 3, 184, 80, false, true, 1 }, { 3, 480, 112, true, true, 1 }, { 3, 672, 112, true, true, 1 },
  { 5, 672, 160, true, true, 2 }, { 5, 960, 160, true, true, 1 }, { 5, 960, 160, true, true, 1 },
}
local SMALL = {
  { 3, 16, 16, true, false, 2 }, { 3, 72, 24, false, false, 2 }, { 3, 88, 24, false, false, 1 },
  { 5, 96, 40, true, true, 2 }, { 5, 240, 40, true, true, 1 }, { 5, 240, 40, true, true, 1 },
  { 5, 120, 48, true, true, 1 }, { 5, 144, 48, true, true, 1 }, { 5, 288, 96, true, true, 2 },
  { 5, 576, 96, true, true, 1 }, { 5, 576, 96, true, true, 1 },
}

---@class vision.MobileNetV3: vision.Classifier
local MobileNetV3 = class("MobileNetV3(any blocks, int last_channel, float width_mult=1.0, int num_classes=1000, "
  .. "float dropout=0.2)", Classifier)

function MobileNetV3:init(opt)
  check(opt.width_mult > 0, "MobileNetV3: width_mult is above 0, got %s", opt.width_mult)
  local function channels(n) return make_divisible(n * opt.width_mult, 8) end
  local inputs = channels(16)
  self.features = nn.Sequential(conv_norm(3, inputs, 3, 2, 1, nn.Hardswish))
  for _, block in ipairs(opt.blocks) do
    local kernel, width, outputs, weighted, hard, stride = unpack(block)
    outputs = channels(outputs)
    self.features:append(InvertedResidual(inputs, kernel, channels(width), outputs, weighted,
      hard and nn.Hardswish or nn.ReLU, stride))
    inputs = outputs
  end
  self.features:append(conv_norm(inputs, 6 * inputs, 1, 1, 1, nn.Hardswish))
  self.avgpool = nn.AdaptiveAvgPool2d(1)
  local last = channels(opt.last_channel)
  self.classifier = nn.Sequential(nn.Linear(6 * inputs, last), nn.Hardswish { inplace = true },
    nn.Dropout(opt.dropout, { inplace = true }), nn.Linear(last, opt.num_classes))
  self:_initialise { [nn.Conv2d] = layers.he_outputs, [nn.Linear] = layers.normal(0.01) }
end

---@param x torch.Tensor  [N, 3, H, W]
---@return torch.Tensor   [N, num_classes]
function MobileNetV3:forward(x)
  return self.classifier(self.avgpool(self.features(x)):flatten(2))
end

return {
  MobileNetV3 = MobileNetV3,
  mobilenet_v3_large = Classifier.builder(MobileNetV3, { blocks = LARGE, last_channel = 1280 }),
  mobilenet_v3_small = Classifier.builder(MobileNetV3, { blocks = SMALL, last_channel = 1024 }),
}
