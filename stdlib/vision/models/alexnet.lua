--- AlexNet in its one-column form (Krizhevsky 2014).

local class = require "torch.class"
local nn = require "torch".nn
local Classifier = require "torch.vision.models.classifier"

---@class vision.AlexNet: vision.Classifier
local AlexNet = class("AlexNet(int num_classes=1000, float dropout=0.5)", Classifier)

local function relu() return nn.ReLU { inplace = true } end

function AlexNet:init(opt)
  self.features = nn.Sequential(
    nn.Conv2d(3, 64, 11, { stride = 4, padding = 2 }), relu(), nn.MaxPool2d(3, 2),
    nn.Conv2d(64, 192, 5, { padding = 2 }), relu(), nn.MaxPool2d(3, 2),
    nn.Conv2d(192, 384, 3, { padding = 1 }), relu(),
    nn.Conv2d(384, 256, 3, { padding = 1 }), relu(),
    nn.Conv2d(256, 256, 3, { padding = 1 }), relu(), nn.MaxPool2d(3, 2))
  self.avgpool = nn.AdaptiveAvgPool2d { 6, 6 }
  self.classifier = nn.Sequential(
    nn.Dropout(opt.dropout), nn.Linear(256 * 6 * 6, 4096), relu(),
    nn.Dropout(opt.dropout), nn.Linear(4096, 4096), relu(),
    nn.Linear(4096, opt.num_classes))
end

---@param x torch.Tensor  [N, 3, H, W], 63 or more on each side
---@return torch.Tensor   [N, num_classes]
function AlexNet:forward(x)
  return self.classifier(self.avgpool(self.features(x)):flatten(2))
end

return { AlexNet = AlexNet, alexnet = Classifier.builder(AlexNet, {}) }
