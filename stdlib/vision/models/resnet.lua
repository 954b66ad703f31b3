--- ResNet: blocks that add to their input (He et al. 2015), in groups as ResNeXt (Xie et al. 2016), or wide (Zagoruyko
--- and Komodakis 2016).

local class, check = require "torch.class", require "torch.check"
local nn = require "torch".nn
local init = nn.init
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"

local function conv(inputs, outputs, kernel, stride, groups)
  return nn.Conv2d(inputs, outputs, kernel, { stride = stride, padding = (kernel - 1) / 2, groups = groups or 1,
    bias = false })
end

--- Two 3 x 3 convolutions.
---@class vision.BasicBlock: nn.Module
local BasicBlock = class("BasicBlock(int inputs, int planes, int stride, int groups, int width, "
  .. "any downsample=None)", nn.Module)
BasicBlock.format, BasicBlock.expansion = "", 1

function BasicBlock:init(opt)
  check(opt.groups == 1 and opt.width == 64, "ResNet: blocks of two convolutions are neither wide nor in groups")
  self.conv1 = conv(opt.inputs, opt.planes, 3, opt.stride)
  self.bn1 = nn.BatchNorm2d(opt.planes)
  self.relu = nn.ReLU { inplace = true }
  self.conv2 = conv(opt.planes, opt.planes, 3, 1)
  self.bn2 = nn.BatchNorm2d(opt.planes)
  self.downsample = opt.downsample
end

function BasicBlock:forward(x)
  local y = self.relu(self.bn1(self.conv1(x)))
  y = self.bn2(self.conv2(y))
  return self.relu(y + (self.downsample and self.downsample(x) or x))
end

--- 1 x 1, 3 x 3 and 1 x 1 convolutions; the stride is in the middle (Goyal et al. 2017).
---@class vision.Bottleneck: nn.Module
local Bottleneck = class("Bottleneck(int inputs, int planes, int stride, int groups, int width, "
  .. "any downsample=None)", nn.Module)
Bottleneck.format, Bottleneck.expansion = "", 4

function Bottleneck:init(opt)
  local width = math.floor(opt.planes * opt.width / 64) * opt.groups
  local outputs = opt.planes * Bottleneck.expansion
  self.conv1 = conv(opt.inputs, width, 1, 1)
  self.bn1 = nn.BatchNorm2d(width)
  self.conv2 = conv(width, width, 3, opt.stride, opt.groups)
  self.bn2 = nn.BatchNorm2d(width)
  self.conv3 = conv(width, outputs, 1, 1)
  self.bn3 = nn.BatchNorm2d(outputs)
  self.relu = nn.ReLU { inplace = true }
  self.downsample = opt.downsample
end

function Bottleneck:forward(x)
  local y = self.relu(self.bn1(self.conv1(x)))
  y = self.relu(self.bn2(self.conv2(y)))
  y = self.bn3(self.conv3(y))
  return self.relu(y + (self.downsample and self.downsample(x) or x))
end

--- `zero_init_residual` begins with blocks that add nothing.
---@class vision.ResNet: vision.Classifier
local ResNet = class("ResNet(any block, int[] layers, int num_classes=1000, bool zero_init_residual=False, "
  .. "int groups=1, int width_per_group=64)", Classifier)

-- `count` blocks, the first of which has the stride; returns them and the channels that come out.
local function stage(opt, inputs, planes, count, stride)
  local outputs, blocks = planes * opt.block.expansion, nn.Sequential()
  for i = 1, count do
    local changes = i == 1 and (stride ~= 1 or inputs ~= outputs)
    local downsample = changes and nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)) or nil
    blocks:append(opt.block { inputs = inputs, planes = planes, stride = i == 1 and stride or 1,
      downsample = downsample, groups = opt.groups, width = opt.width_per_group })
    inputs = outputs
  end
  return blocks, outputs
end

function ResNet:init(opt)
  check(#opt.layers == 4, "ResNet: layers counts the blocks of 4 stages, got %s numbers", #opt.layers)
  self.conv1 = nn.Conv2d(3, 64, 7, { stride = 2, padding = 3, bias = false })
  self.bn1 = nn.BatchNorm2d(64)
  self.relu = nn.ReLU { inplace = true }
  self.maxpool = nn.MaxPool2d(3, 2, 1)
  local channels = 64
  for i, count in ipairs(opt.layers) do
    self["layer" .. i], channels = stage(opt, channels, 32 * 2 ^ i, count, i == 1 and 1 or 2)
  end
  self.avgpool = nn.AdaptiveAvgPool2d { 1, 1 }
  self.fc = nn.Linear(channels, opt.num_classes)
  self:_initialise {
    [nn.Conv2d] = layers.he_outputs,
    [Bottleneck] = opt.zero_init_residual and function(m) init.zeros_(m.bn3.weight) end or nil,
    [BasicBlock] = opt.zero_init_residual and function(m) init.zeros_(m.bn2.weight) end or nil,
  }
  self:_accept_old_states()
end

---@param x torch.Tensor  [N, 3, H, W]
---@return torch.Tensor   [N, num_classes]
function ResNet:forward(x)
  x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
  x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
  return self.fc(self.avgpool(x):flatten(2))
end

local models = { ResNet = ResNet, BasicBlock = BasicBlock, Bottleneck = Bottleneck }
for name, entry in pairs {
  resnet18 = { BasicBlock, { 2, 2, 2, 2 } },
  resnet34 = { BasicBlock, { 3, 4, 6, 3 } },
  resnet50 = { Bottleneck, { 3, 4, 6, 3 } },
  resnet101 = { Bottleneck, { 3, 4, 23, 3 } },
  resnet152 = { Bottleneck, { 3, 8, 36, 3 } },
  resnext50_32x4d = { Bottleneck, { 3, 4, 6, 3 }, { groups = 32, width_per_group = 4 } },
  resnext101_32x8d = { Bottleneck, { 3, 4, 23, 3 }, { groups = 32, width_per_group = 8 } },
  resnext101_64x4d = { Bottleneck, { 3, 4, 23, 3 }, { groups = 64, width_per_group = 4 } },
  wide_resnet50_2 = { Bottleneck, { 3, 4, 6, 3 }, { width_per_group = 128 } },
  wide_resnet101_2 = { Bottleneck, { 3, 4, 23, 3 }, { width_per_group = 128 } },
} do
  models[name] = Classifier.builder(ResNet, { block = entry[1], layers = entry[2] }, entry[3])
end
return models
