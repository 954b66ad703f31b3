--- EfficientNet: depth, width and image size grow together (Tan and Le 2019).

local class = require "torch.class"
local nn = require "torch".nn
local init = nn.init
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"
local conv_norm, make_divisible = layers.conv_norm, layers.make_divisible

local MBConv = class("MBConv(int inputs, int outputs, int expand_ratio, int kernel, int stride, float drop, float eps, "
  .. "float momentum)", nn.Module)
MBConv.format = ""

function MBConv:init(opt)
  local width = make_divisible(opt.inputs * opt.expand_ratio, 8)
  self.block = nn.Sequential()
  if width ~= opt.inputs then
    self.block:append(conv_norm(opt.inputs, width, 1, 1, 1, nn.SiLU, opt.eps, opt.momentum))
  end
  self.block:append(conv_norm(width, width, opt.kernel, opt.stride, width, nn.SiLU, opt.eps, opt.momentum))
  self.block:append(layers.SqueezeExcitation(width, math.max(1, math.floor(opt.inputs / 4)), nn.SiLU))
  self.block:append(conv_norm(width, opt.outputs, 1, { eps = opt.eps, momentum = opt.momentum }))
  self.stochastic_depth = layers.StochasticDepth(opt.drop)
end

function MBConv:forward(x)
  local y = self.block(x)
  return self.stride == 1 and self.inputs == self.outputs and self.stochastic_depth(y) + x or y
end

-- Expansion, window, first stride, channels in and out, and blocks of B0.
local STAGES = {
  { 1, 3, 1, 32, 16, 1 }, { 6, 3, 2, 16, 24, 2 }, { 6, 5, 2, 24, 40, 2 }, { 6, 3, 2, 40, 80, 3 },
  { 6, 5, 1, 80, 112, 3 }, { 6, 5, 2, 112, 192, 4 }, { 6, 3, 1, 192, 320, 1 },
}

---@class vision.EfficientNet: vision.Classifier
local EfficientNet = class("EfficientNet(float width_mult, float depth_mult, float dropout, "
  .. "float stochastic_depth_prob=0.2, int num_classes=1000, float norm_eps=1e-5, float norm_momentum=0.1)",
  Classifier)

local function uniform(m)
  local k = 1 / math.sqrt(m.weight:size(1))
  init.uniform_(m.weight, -k, k)
  init.zeros_(m.bias)
end

-- Blocks of one stage are dropped more often the deeper they are; `done` of `total` blocks are before it.
local function make_stage(stage, opt, done, total)
  local expand_ratio, kernel, stride, inputs, outputs = unpack(stage)
  inputs, outputs = make_divisible(inputs * opt.width_mult, 8), make_divisible(outputs * opt.width_mult, 8)
  local blocks = nn.Sequential()
  for i = 1, math.ceil(stage[6] * opt.depth_mult) do
    blocks:append(MBConv { inputs = i == 1 and inputs or outputs, outputs = outputs, expand_ratio = expand_ratio,
      kernel = kernel, stride = i == 1 and stride or 1, eps = opt.norm_eps,
      momentum = opt.norm_momentum, drop = opt.stochastic_depth_prob * (done + i - 1) / total })
  end
  return blocks, outputs
end

function EfficientNet:init(opt)
  local first, total, done, outputs = make_divisible(32 * opt.width_mult, 8), 0, 0, nil
  for _, stage in ipairs(STAGES) do total = total + math.ceil(stage[6] * opt.depth_mult) end
  self.features = nn.Sequential(conv_norm(3, first, 3, 2, 1, nn.SiLU, opt.norm_eps, opt.norm_momentum))
  for _, stage in ipairs(STAGES) do
    local blocks
    blocks, outputs = make_stage(stage, opt, done, total)
    self.features:append(blocks)
    done = done + #blocks
  end
  self.features:append(conv_norm(outputs, 4 * outputs, 1, 1, 1, nn.SiLU, opt.norm_eps, opt.norm_momentum))
  self.avgpool = nn.AdaptiveAvgPool2d(1)
  self.classifier = nn.Sequential(nn.Dropout(opt.dropout, { inplace = true }),
    nn.Linear(4 * outputs, opt.num_classes))
  self:_initialise { [nn.Conv2d] = layers.he_outputs, [nn.Linear] = uniform }
end

---@param x torch.Tensor  [N, 3, H, W]; the sizes they were made for are 224, 240, 260, 300, 380, 456, 528 and 600
---@return torch.Tensor   [N, num_classes]
function EfficientNet:forward(x)
  return self.classifier(self.avgpool(self.features(x)):flatten(2))
end

local models = { EfficientNet = EfficientNet }
for i, entry in ipairs {
  { 1.0, 1.0, 0.2 }, { 1.0, 1.1, 0.2 }, { 1.1, 1.2, 0.3 }, { 1.2, 1.4, 0.3 }, { 1.4, 1.8, 0.4 },
  { 1.6, 2.2, 0.4, 1e-3, 0.01 }, { 1.8, 2.6, 0.5, 1e-3, 0.01 }, { 2.0, 3.1, 0.5, 1e-3, 0.01 },
} do
  models["efficientnet_b" .. i - 1] = Classifier.builder(EfficientNet, { width_mult = entry[1],
    depth_mult = entry[2] }, { dropout = entry[3], norm_eps = entry[4], norm_momentum = entry[5] })
end
return models
