--- ShuffleNet V2: half the channels pass by, the other half is worked on, then both are shuffled (Ma et al. 2018).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local nn, F = torch.nn, torch.nn.functional
local Classifier = require "torch.vision.models.classifier"

local function relu() return nn.ReLU { inplace = true } end
local function pointwise(inputs, outputs) return nn.Conv2d(inputs, outputs, 1, { bias = false }) end
local function depthwise(channels, stride)
  return nn.Conv2d(channels, channels, 3, { stride = stride, padding = 1, groups = channels, bias = false })
end

local InvertedResidual = class("InvertedResidual(int inputs, int outputs, int stride)", nn.Module)
InvertedResidual.format = ""

function InvertedResidual:init(opt)
  local half = opt.outputs / 2
  self.branch1 = nn.Sequential()
  if opt.stride > 1 then
    self.branch1:extend { depthwise(opt.inputs, opt.stride), nn.BatchNorm2d(opt.inputs),
      pointwise(opt.inputs, half), nn.BatchNorm2d(half), relu() }
  end
  self.branch2 = nn.Sequential(
    pointwise(opt.stride > 1 and opt.inputs or half, half), nn.BatchNorm2d(half), relu(),
    depthwise(half, opt.stride), nn.BatchNorm2d(half),
    pointwise(half, half), nn.BatchNorm2d(half), relu())
end

function InvertedResidual:forward(x)
  local left, right = x, x
  if self.stride == 1 then left, right = unpack(x:chunk(2, 2)) end
  return F.channel_shuffle(torch.cat({ self.branch1(left), self.branch2(right) }, 2), 2)
end

---@class vision.ShuffleNetV2: vision.Classifier
local ShuffleNetV2 = class("ShuffleNetV2(int[] stages_repeats, int[] stages_out_channels, int num_classes=1000)",
  Classifier)

local function conv(inputs, outputs, kernel, stride)
  return nn.Sequential(
    nn.Conv2d(inputs, outputs, kernel, { stride = stride, padding = (kernel - 1) / 2, bias = false }),
    nn.BatchNorm2d(outputs), relu())
end

function ShuffleNetV2:init(opt)
  local repeats, widths = opt.stages_repeats, opt.stages_out_channels
  check(#repeats == 3 and #widths == 5, "ShuffleNetV2: expected 3 stages_repeats and 5 stages_out_channels, got %s "
    .. "and %s", #repeats, #widths)
  self.conv1 = conv(3, widths[1], 3, 2)
  self.maxpool = nn.MaxPool2d(3, 2, 1)
  for stage, count in ipairs(repeats) do
    local blocks = nn.Sequential(InvertedResidual(widths[stage], widths[stage + 1], 2))
    for _ = 2, count do blocks:append(InvertedResidual(widths[stage + 1], widths[stage + 1], 1)) end
    self["stage" .. stage + 1] = blocks
  end
  self.conv5 = conv(widths[4], widths[5], 1, 1)
  self.fc = nn.Linear(widths[5], opt.num_classes)
  self:_accept_old_states()
end

---@param x torch.Tensor  [N, 3, H, W]
---@return torch.Tensor   [N, num_classes]
function ShuffleNetV2:forward(x)
  x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
  return self.fc(self.conv5(x):mean { dim = { 3, 4 } })
end

local models = { ShuffleNetV2 = ShuffleNetV2 }
for name, widths in pairs {
  x0_5 = { 24, 48, 96, 192, 1024 },
  x1_0 = { 24, 116, 232, 464, 1024 },
  x1_5 = { 24, 176, 352, 704, 1024 },
  x2_0 = { 24, 244, 488, 976, 2048 },
} do
  models["shufflenet_v2_" .. name] = Classifier.builder(ShuffleNetV2, { stages_repeats = { 4, 8, 4 },
    stages_out_channels = widths })
end
return models
