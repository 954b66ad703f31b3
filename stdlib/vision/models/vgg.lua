--- VGG: 3 x 3 convolutions and maxima, over and over (Simonyan and Zisserman 2014).

local class = require "torch.class"
local nn = require "torch".nn
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"

-- Channels of the convolutions; "M" halves the image.
local WIDTHS = {
  vgg11 = { 64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M" },
  vgg13 = { 64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M" },
  vgg16 = { 64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M" },
  vgg19 = { 64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M" },
}

---@class vision.VGG: vision.Classifier
local VGG = class("VGG(any widths, bool batch_norm=False, int num_classes=1000, float dropout=0.5)", Classifier)

local function relu() return nn.ReLU { inplace = true } end

local function features(widths, batch_norm)
  local sequence, channels = nn.Sequential(), 3
  for _, width in ipairs(widths) do
    if width == "M" then
      sequence:append(nn.MaxPool2d(2, 2))
    else
      sequence:append(nn.Conv2d(channels, width, 3, { padding = 1 }))
      if batch_norm then sequence:append(nn.BatchNorm2d(width)) end
      sequence:append(relu())
      channels = width
    end
  end
  return sequence
end

function VGG:init(opt)
  self.features = features(opt.widths, opt.batch_norm)
  self.avgpool = nn.AdaptiveAvgPool2d { 7, 7 }
  self.classifier = nn.Sequential(
    nn.Linear(512 * 7 * 7, 4096), relu(), nn.Dropout(opt.dropout),
    nn.Linear(4096, 4096), relu(), nn.Dropout(opt.dropout),
    nn.Linear(4096, opt.num_classes))
  self:_initialise { [nn.Conv2d] = layers.he_outputs, [nn.Linear] = layers.normal(0.01) }
  self:_accept_old_states()
end

---@param x torch.Tensor  [N, 3, H, W], 32 or more on each side
---@return torch.Tensor   [N, num_classes]
function VGG:forward(x)
  return self.classifier(self.avgpool(self.features(x)):flatten(2))
end

local models = { VGG = VGG }
for name, widths in pairs(WIDTHS) do
  models[name] = Classifier.builder(VGG, { widths = widths, batch_norm = false })
  models[name .. "_bn"] = Classifier.builder(VGG, { widths = widths, batch_norm = true })
end
return models
