--- GoogLeNet: blocks of branches with windows of different sizes (Szegedy et al. 2014), with batch normalisation.

local torch, class = require "torch", require "torch.class"
local nn, F, init = torch.nn, torch.nn.functional, torch.nn.init
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"
local BasicConv2d = layers.BasicConv2d

-- The third branch is called 5 x 5 in the paper, but in all published weights it is 3 x 3.
local Inception = class("Inception(int inputs, int[] widths)", nn.Module)
Inception.format = ""

function Inception:init(opt)
  local inputs, w = opt.inputs, opt.widths
  self.branch1 = BasicConv2d(inputs, w[1])
  self.branch2 = nn.Sequential(BasicConv2d(inputs, w[2]), BasicConv2d(w[2], w[3], 3))
  self.branch3 = nn.Sequential(BasicConv2d(inputs, w[4]), BasicConv2d(w[4], w[5], 3))
  self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, { ceil_mode = true }), BasicConv2d(inputs, w[6]))
end

function Inception:forward(x)
  return torch.cat({ self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x) }, 2)
end

-- A second opinion from the middle of the network, for training only.
local InceptionAux = class("InceptionAux(int inputs, int num_classes, float dropout)", nn.Module)
InceptionAux.format = ""

function InceptionAux:init(opt)
  self.conv = BasicConv2d(opt.inputs, 128)
  self.fc1 = nn.Linear(2048, 1024)
  self.fc2 = nn.Linear(1024, opt.num_classes)
  self.dropout = nn.Dropout(opt.dropout)
end

function InceptionAux:forward(x)
  x = self.conv(F.adaptive_avg_pool2d(x, { 4, 4 })):flatten(2)
  return self.fc2(self.dropout(F.relu(self.fc1(x))))
end

-- The blocks with their widths, and the maxima between them, in the order of the keys.
local BLOCKS = {
  { "inception3a", 192, { 64, 96, 128, 16, 32, 32 } },
  { "inception3b", 256, { 128, 128, 192, 32, 96, 64 } },
  { "maxpool3", 3 },
  { "inception4a", 480, { 192, 96, 208, 16, 48, 64 } },
  { "inception4b", 512, { 160, 112, 224, 24, 64, 64 } },
  { "inception4c", 512, { 128, 128, 256, 24, 64, 64 } },
  { "inception4d", 512, { 112, 144, 288, 32, 64, 64 } },
  { "inception4e", 528, { 256, 160, 320, 32, 128, 128 } },
  { "maxpool4", 2 },
  { "inception5a", 832, { 256, 160, 320, 32, 128, 128 } },
  { "inception5b", 832, { 384, 192, 384, 48, 128, 128 } },
}

---@class vision.GoogLeNet: vision.Classifier
local GoogLeNet = class("GoogLeNet(int num_classes=1000, bool aux_logits=True, bool transform_input=False, "
  .. "float dropout=0.2, float dropout_aux=0.7)", Classifier)

function GoogLeNet:init(opt)
  self.conv1 = BasicConv2d(3, 64, 7, 2)
  self.maxpool1 = nn.MaxPool2d(3, 2, { ceil_mode = true })
  self.conv2 = BasicConv2d(64, 64)
  self.conv3 = BasicConv2d(64, 192, 3)
  self.maxpool2 = nn.MaxPool2d(3, 2, { ceil_mode = true })
  for _, block in ipairs(BLOCKS) do
    local name, width, widths = unpack(block)
    self[name] = widths and Inception(width, widths) or nn.MaxPool2d(width, 2, { ceil_mode = true })
  end
  if opt.aux_logits then
    self.aux1 = InceptionAux(512, opt.num_classes, opt.dropout_aux)
    self.aux2 = InceptionAux(528, opt.num_classes, opt.dropout_aux)
  end
  self.avgpool = nn.AdaptiveAvgPool2d { 1, 1 }
  self.dropout = nn.Dropout(opt.dropout)
  self.fc = nn.Linear(1024, opt.num_classes)
  local function narrow(m) init.trunc_normal_(m.weight, 0, 0.01) end
  self:_initialise { [nn.Conv2d] = narrow, [nn.Linear] = narrow }
  self:_accept_old_states()
end

---@param x torch.Tensor        [N, 3, H, W], 15 or more on each side
---@return torch.Tensor logits  [N, num_classes]
---@return torch.Tensor? aux2   [N, num_classes] in training
---@return torch.Tensor? aux1   [N, num_classes] in training
function GoogLeNet:forward(x)
  if self.transform_input then x = layers.renormalised(x) end
  x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
  local before = {} -- what the blocks that the second opinions stand before are given
  for _, block in ipairs(BLOCKS) do
    before[block[1]] = x
    x = self[block[1]](x)
  end
  local y = self.fc(self.dropout(self.avgpool(x):flatten(2)))
  if not (self.training and self.aux1) then return y end
  return y, self.aux2(before.inception4e), self.aux1(before.inception4b)
end

return { GoogLeNet = GoogLeNet, googlenet = Classifier.builder(GoogLeNet, {}) }
