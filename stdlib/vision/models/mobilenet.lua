--- MobileNetV2: narrow between blocks, wide within, with one window per channel (Sandler et al. 2018).

local class, check = require "torch.class", require "torch.check"
local nn = require "torch".nn
local F = nn.functional
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"
local conv_norm, make_divisible = layers.conv_norm, layers.make_divisible

local InvertedResidual = class("InvertedResidual(int inputs, int outputs, int stride, int expand_ratio)", nn.Module)
InvertedResidual.format = ""

function InvertedResidual:init(opt)
  local width = opt.inputs * opt.expand_ratio
  self.conv = nn.Sequential()
  if opt.expand_ratio ~= 1 then self.conv:append(conv_norm(opt.inputs, width, 1, { activation = nn.ReLU6 })) end
  self.conv:append(conv_norm(width, width, 3, opt.stride, width, nn.ReLU6))
  self.conv:append(nn.Conv2d(width, opt.outputs, 1, { bias = false }))
  self.conv:append(nn.BatchNorm2d(opt.outputs))
end

function InvertedResidual:forward(x)
  local y = self.conv(x)
  return self.stride == 1 and self.inputs == self.outputs and x + y or y
end

-- Expansion, channels, blocks and the first one's stride.
local STAGES = {
  { 1, 16, 1, 1 }, { 6, 24, 2, 2 }, { 6, 32, 3, 2 }, { 6, 64, 4, 2 }, { 6, 96, 3, 1 }, { 6, 160, 3, 2 },
  { 6, 320, 1, 1 },
}

---@class vision.MobileNetV2: vision.Classifier
local MobileNetV2 = class("MobileNetV2(int num_classes=1000, float width_mult=1.0, int round_nearest=8, "
  .. "float dropout=0.2)", Classifier)

function MobileNetV2:init(opt)
  check(opt.width_mult > 0 and opt.round_nearest > 0, "MobileNetV2: width_mult and round_nearest are above 0, got "
    .. "%s and %s", opt.width_mult, opt.round_nearest)
  local function channels(n) return make_divisible(n * opt.width_mult, opt.round_nearest) end
  local inputs, last = channels(32), make_divisible(1280 * math.max(1, opt.width_mult), opt.round_nearest)
  self.features = nn.Sequential(conv_norm(3, inputs, 3, 2, { activation = nn.ReLU6 }))
  for _, stage in ipairs(STAGES) do
    local expansion, outputs, count, stride = stage[1], channels(stage[2]), stage[3], stage[4]
    for i = 1, count do
      self.features:append(InvertedResidual(inputs, outputs, i == 1 and stride or 1, expansion))
      inputs = outputs
    end
  end
  self.features:append(conv_norm(inputs, last, 1, { activation = nn.ReLU6 }))
  self.classifier = nn.Sequential(nn.Dropout(opt.dropout), nn.Linear(last, opt.num_classes))
  self:_initialise { [nn.Conv2d] = layers.he_outputs, [nn.Linear] = layers.normal(0.01) }
  self:_accept_old_states()
end

---@param x torch.Tensor  [N, 3, H, W]
---@return torch.Tensor   [N, num_classes]
function MobileNetV2:forward(x)
  return self.classifier(F.adaptive_avg_pool2d(self.features(x), { 1, 1 }):flatten(2))
end

return { MobileNetV2 = MobileNetV2, mobilenet_v2 = Classifier.builder(MobileNetV2, {}) }
