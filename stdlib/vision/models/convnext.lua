--- ConvNeXt: a residual network with a transformer's manners (Liu et al. 2022).

local torch, class = require "torch", require "torch.class"
local nn, F, init = torch.nn, torch.nn.functional, torch.nn.init
local Classifier, layers = require "torch.vision.models.classifier", require "torch.vision.models.layers"

local EPS = 1e-6 -- of every normalisation

-- Normalises every pixel over its channels.
local LayerNorm2d = class("LayerNorm2d(int channels)", nn.Module)

function LayerNorm2d:init(opt)
  self.weight = nn.Parameter(torch.ones(opt.channels))
  self.bias = nn.Parameter(torch.zeros(opt.channels))
end

function LayerNorm2d:forward(x)
  return F.layer_norm(x:permute(1, 3, 4, 2), { self.channels }, self.weight, self.bias, EPS):permute(1, 4, 2, 3)
end

local Permute = class("Permute(int[] order)", nn.Module)

function Permute:forward(x)
  return x:permute(self.order)
end

local CNBlock = class("CNBlock(int width, float scale, float drop)", nn.Module)
CNBlock.format = ""

function CNBlock:init(opt)
  local width = opt.width
  self.layer_scale = nn.Parameter(torch.full({ width, 1, 1 }, opt.scale))
  self.block = nn.Sequential(
    nn.Conv2d(width, width, 7, { padding = 3, groups = width }),
    Permute { 1, 3, 4, 2 },
    nn.LayerNorm(width, { eps = EPS }),
    nn.Linear(width, 4 * width),
    nn.GELU(),
    nn.Linear(4 * width, width),
    Permute { 1, 4, 2, 3 })
  self.stochastic_depth = layers.StochasticDepth(opt.drop)
end

function CNBlock:forward(x)
  return x + self.stochastic_depth(self.layer_scale * self.block(x))
end

---@class vision.ConvNeXt: vision.Classifier
local ConvNeXt = class("ConvNeXt(int[] widths, int[] depths, float stochastic_depth_prob=0.0, "
  .. "float layer_scale=1e-6, int num_classes=1000)", Classifier)

local function narrow(m)
  init.trunc_normal_(m.weight, 0, 0.02)
  init.zeros_(m.bias)
end

function ConvNeXt:init(opt)
  local total, done = 0, 0
  for _, depth in ipairs(opt.depths) do total = total + depth end
  self.features = nn.Sequential(nn.Sequential(nn.Conv2d(3, opt.widths[1], 4, 4), LayerNorm2d(opt.widths[1])))
  for k, width in ipairs(opt.widths) do
    local before = opt.widths[k - 1]
    if before then self.features:append(nn.Sequential(LayerNorm2d(before), nn.Conv2d(before, width, 2, 2))) end
    local stage = nn.Sequential()
    for _ = 1, opt.depths[k] do -- the deeper, the more often dropped
      stage:append(CNBlock(width, opt.layer_scale, opt.stochastic_depth_prob * done / math.max(1, total - 1)))
      done = done + 1
    end
    self.features:append(stage)
  end
  local last = opt.widths[#opt.widths]
  self.avgpool = nn.AdaptiveAvgPool2d(1)
  self.classifier = nn.Sequential(LayerNorm2d(last), nn.Flatten(), nn.Linear(last, opt.num_classes))
  self:_initialise { [nn.Conv2d] = narrow, [nn.Linear] = narrow }
end

---@param x torch.Tensor  [N, 3, H, W], 32 or more on each side
---@return torch.Tensor   [N, num_classes]
function ConvNeXt:forward(x)
  return self.classifier(self.avgpool(self.features(x)))
end

local models = { ConvNeXt = ConvNeXt }
for name, entry in pairs {
  tiny = { 96, { 3, 3, 9, 3 }, 0.1 }, small = { 96, { 3, 3, 27, 3 }, 0.4 },
  base = { 128, { 3, 3, 27, 3 }, 0.5 }, large = { 192, { 3, 3, 27, 3 }, 0.5 },
} do
  local width, depths, drop = unpack(entry)
  models["convnext_" .. name] = Classifier.builder(ConvNeXt, { widths = { width, 2 * width, 4 * width, 8 * width },
    depths = depths }, { stochastic_depth_prob = drop })
end
return models
