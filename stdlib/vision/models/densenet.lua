--- DenseNet: every layer reads all that came before it in its block (Huang et al. 2016).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local nn, F, init = torch.nn, torch.nn.functional, torch.nn.init
local Classifier = require "torch.vision.models.classifier"

local function relu() return nn.ReLU { inplace = true } end

local DenseLayer = class("_DenseLayer(int inputs, int growth_rate, int bn_size, float drop_rate)", nn.Module)
DenseLayer.format = ""

function DenseLayer:init(opt)
  local width = opt.bn_size * opt.growth_rate
  self.norm1 = nn.BatchNorm2d(opt.inputs)
  self.relu1 = relu()
  self.conv1 = nn.Conv2d(opt.inputs, width, 1, { bias = false })
  self.norm2 = nn.BatchNorm2d(width)
  self.relu2 = relu()
  self.conv2 = nn.Conv2d(width, opt.growth_rate, 3, { padding = 1, bias = false })
end

function DenseLayer:forward(x)
  local y = self.conv1(self.relu1(self.norm1(x)))
  y = self.conv2(self.relu2(self.norm2(y)))
  return self.drop_rate > 0 and F.dropout(y, self.drop_rate, self.training) or y
end

local DenseBlock = class("_DenseBlock(int count, int inputs, int growth_rate, int bn_size, float drop_rate)", nn.Module)
DenseBlock.format = ""

function DenseBlock:init(opt)
  for i = 1, opt.count do
    self:add_module("denselayer" .. i, DenseLayer(opt.inputs + (i - 1) * opt.growth_rate, opt.growth_rate, opt.bn_size,
      opt.drop_rate))
  end
end

function DenseBlock:forward(x)
  for _, layer in self:named_children() do x = torch.cat({ x, layer(x) }, 2) end
  return x
end

-- Half the channels, half the height and width.
local function transition(channels)
  local sequence = nn.Sequential()
  sequence:add_module("norm", nn.BatchNorm2d(channels))
  sequence:add_module("relu", relu())
  sequence:add_module("conv", nn.Conv2d(channels, channels / 2, 1, { bias = false }))
  sequence:add_module("pool", nn.AvgPool2d(2, 2))
  return sequence
end

---@class vision.DenseNet: vision.Classifier
local DenseNet = class("DenseNet(int growth_rate=32, int[] block_config=[6, 12, 24, 16], int num_init_features=64, "
  .. "int bn_size=4, float drop_rate=0, int num_classes=1000)", Classifier)

function DenseNet:init(opt)
  check(#opt.block_config == 4, "DenseNet: block_config counts the layers of 4 blocks, got %s numbers",
    #opt.block_config)
  local channels, sequence = opt.num_init_features, nn.Sequential()
  sequence:add_module("conv0", nn.Conv2d(3, channels, 7, { stride = 2, padding = 3, bias = false }))
  sequence:add_module("norm0", nn.BatchNorm2d(channels))
  sequence:add_module("relu0", relu())
  sequence:add_module("pool0", nn.MaxPool2d(3, 2, 1))
  for i, count in ipairs(opt.block_config) do
    sequence:add_module("denseblock" .. i, DenseBlock(count, channels, opt.growth_rate, opt.bn_size, opt.drop_rate))
    channels = channels + count * opt.growth_rate
    if i < 4 then
      sequence:add_module("transition" .. i, transition(channels))
      channels = channels / 2
    end
  end
  sequence:add_module("norm5", nn.BatchNorm2d(channels))
  self.features = sequence
  self.classifier = nn.Linear(channels, opt.num_classes)
  self:_initialise {
    [nn.Conv2d] = function(m) init.kaiming_normal_(m.weight) end,
    [nn.Linear] = function(m) init.zeros_(m.bias) end,
  }
  self:_accept_old_states { ["(denselayer%d+%.%a+)%.([12])%."] = "%1%2." } -- norm.1.weight
end

---@param x torch.Tensor  [N, 3, H, W], 29 or more on each side
---@return torch.Tensor   [N, num_classes]
function DenseNet:forward(x)
  local y = F.relu(self.features(x))
  return self.classifier(F.adaptive_avg_pool2d(y, { 1, 1 }):flatten(2))
end

local models = { DenseNet = DenseNet }
for name, entry in pairs {
  densenet121 = { 32, { 6, 12, 24, 16 }, 64 },
  densenet161 = { 48, { 6, 12, 36, 24 }, 96 },
  densenet169 = { 32, { 6, 12, 32, 32 }, 64 },
  densenet201 = { 32, { 6, 12, 48, 32 }, 64 },
} do
  models[name] = Classifier.builder(DenseNet, { growth_rate = entry[1], block_config = entry[2],
    num_init_features = entry[3] })
end
return models
