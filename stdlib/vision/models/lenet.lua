--- LeNet-5 (LeCun et al. 1998) for images (1, 28, 28), with a softmax where it had radial basis functions.

local class = require "torch.class"
local nn = require "torch".nn
local Classifier = require "torch.vision.models.classifier"

---@class vision.LeNet: vision.Classifier
local LeNet = class("LeNet(int num_classes=10, int channels=1)", Classifier)

function LeNet:init(opt)
  self.features = nn.Sequential(
    nn.Conv2d(opt.channels, 6, 5, { padding = 2 }), nn.Tanh(), nn.AvgPool2d(2), -- [N, 6, 14, 14]
    nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)) -- [N, 16, 5, 5]
  self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(),
    nn.Linear(84, opt.num_classes))
end

---@param x torch.Tensor  [N, channels, 28, 28]
---@return torch.Tensor   [N, num_classes]
function LeNet:forward(x)
  return self.classifier(self.features(x))
end

return { LeNet = LeNet, lenet = Classifier.builder(LeNet, {}) }
