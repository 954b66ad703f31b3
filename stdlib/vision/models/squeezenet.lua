--- SqueezeNet: few parameters, by narrow layers before wide ones (Iandola et al. 2016).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local nn, init = torch.nn, torch.nn.init
local Classifier = require "torch.vision.models.classifier"

local function relu() return nn.ReLU { inplace = true } end

local Fire = class("Fire(int inputs, int squeeze, int expand)", nn.Module)
Fire.format = ""

function Fire:init(opt)
  self.squeeze = nn.Conv2d(opt.inputs, opt.squeeze, 1)
  self.squeeze_activation = relu()
  self.expand1x1 = nn.Conv2d(opt.squeeze, opt.expand, 1)
  self.expand1x1_activation = relu()
  self.expand3x3 = nn.Conv2d(opt.squeeze, opt.expand, 3, { padding = 1 })
  self.expand3x3_activation = relu()
end

function Fire:forward(x)
  x = self.squeeze_activation(self.squeeze(x))
  return torch.cat({ self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x)) }, 2)
end

local function pool() return nn.MaxPool2d(3, 2, { ceil_mode = true }) end

local FEATURES = {
  ["1_0"] = function()
    return nn.Sequential(
      nn.Conv2d(3, 96, 7, { stride = 2 }), relu(), pool(),
      Fire(96, 16, 64), Fire(128, 16, 64), Fire(128, 32, 128), pool(),
      Fire(256, 32, 128), Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), pool(),
      Fire(512, 64, 256))
  end,
  ["1_1"] = function()
    return nn.Sequential(
      nn.Conv2d(3, 64, 3, { stride = 2 }), relu(), pool(),
      Fire(64, 16, 64), Fire(128, 16, 64), pool(),
      Fire(128, 32, 128), Fire(256, 32, 128), pool(),
      Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256))
  end,
}

---@class vision.SqueezeNet: vision.Classifier
local SqueezeNet = class("SqueezeNet(str version='1_0', int num_classes=1000, float dropout=0.5)", Classifier)

function SqueezeNet:init(opt)
  local features = check(FEATURES[opt.version], "SqueezeNet: version is 1_0 or 1_1, got '%s'", opt.version)
  self.features = features()
  local last = nn.Conv2d(512, opt.num_classes, 1)
  self.classifier = nn.Sequential(nn.Dropout(opt.dropout), last, relu(), nn.AdaptiveAvgPool2d { 1, 1 })
  self:_initialise { [nn.Conv2d] = function(m)
    if m == last then init.normal_(m.weight, 0, 0.01) else init.kaiming_uniform_(m.weight) end
    init.zeros_(m.bias)
  end }
end

---@param x torch.Tensor  [N, 3, H, W], 21 (version 1_0) or 17 (1_1) or more on each side
---@return torch.Tensor   [N, num_classes]
function SqueezeNet:forward(x)
  return self.classifier(self.features(x)):flatten(2)
end

return {
  SqueezeNet = SqueezeNet,
  squeezenet1_0 = Classifier.builder(SqueezeNet, { version = "1_0" }),
  squeezenet1_1 = Classifier.builder(SqueezeNet, { version = "1_1" }),
}
