--- Layers that several families of models use.

local torch, class = require "torch", require "torch.class"
local nn, init = torch.nn, torch.nn.init

local layers = {}

--- The multiple of `divisor` nearest to x, but not under 90 % of it (Sandler et al. 2018).
---@param x number
---@param divisor integer
---@return integer
function layers.make_divisible(x, divisor)
  local n = math.max(divisor, math.floor((x + divisor / 2) / divisor) * divisor)
  return n < 0.9 * x and n + divisor or n
end

local read = torch.core.signature("conv_norm(int inputs, int outputs, int kernel=3, int stride=1, int groups=1, "
  .. "any activation=None, float eps=1e-5, float momentum=0.1)")

--- A convolution that keeps the size at stride 1, batch normalisation, and an activation if there is one.
---@param ... any  inputs, outputs, kernel = 3, stride = 1, groups = 1, activation (a class), eps = 1e-5, momentum = 0.1
---@return nn.Sequential
function layers.conv_norm(...)
  local opt = read(...)
  local sequence = nn.Sequential(
    nn.Conv2d(opt.inputs, opt.outputs, opt.kernel, { stride = opt.stride, padding = (opt.kernel - 1) / 2,
      groups = opt.groups, bias = false }),
    nn.BatchNorm2d(opt.outputs, { eps = opt.eps, momentum = opt.momentum }))
  if opt.activation then sequence:append(opt.activation { inplace = true }) end
  return sequence
end

--- A convolution, batch normalisation and ReLU, as in the networks of Inception; `padded`: the size stays at stride 1.
---@class vision.BasicConv2d: nn.Module
local BasicConv2d = class("BasicConv2d(int inputs, int outputs, int[2] kernel=1, int stride=1, bool padded=True)",
  nn.Module)
BasicConv2d.format = ""

function BasicConv2d:init(opt)
  local kernel, padding = opt.kernel, 0
  if opt.padded then padding = { (kernel[1] - 1) / 2, (kernel[2] - 1) / 2 } end
  self.conv = nn.Conv2d(opt.inputs, opt.outputs, kernel, { stride = opt.stride, padding = padding, bias = false })
  self.bn = nn.BatchNorm2d(opt.outputs, { eps = 0.001 })
end

function BasicConv2d:forward(x)
  return nn.functional.relu(self.bn(self.conv(x)))
end

--- Images normalised as for torchvision's other models, as the first networks of Inception want them: (x - 0.5) / 0.5.
---@param x torch.Tensor  [N, 3, H, W]
---@return torch.Tensor
function layers.renormalised(x)
  local mean, std = torch.tensor { 0.485, 0.456, 0.406 }, torch.tensor { 0.229, 0.224, 0.225 }
  local scale, shift = (std / 0.5):to(x), ((mean - 0.5) / 0.5):to(x)
  return x * scale:view(1, 3, 1, 1) + shift:view(1, 3, 1, 1)
end

--- x times a weight per channel that follows from the channels' means (Hu, Shen and Sun 2018).
---@class vision.SqueezeExcitation: nn.Module
local SqueezeExcitation = class("SqueezeExcitation(int input_channels, int squeeze_channels, any activation, "
  .. "any? scale_activation=None)", nn.Module)
SqueezeExcitation.format = ""

function SqueezeExcitation:init(opt)
  self.avgpool = nn.AdaptiveAvgPool2d(1)
  self.fc1 = nn.Conv2d(opt.input_channels, opt.squeeze_channels, 1)
  self.fc2 = nn.Conv2d(opt.squeeze_channels, opt.input_channels, 1)
  self.activation = opt.activation { inplace = true }
  self.scale_activation = (opt.scale_activation or nn.Sigmoid)()
end

function SqueezeExcitation:forward(x)
  return x * self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x)))))
end

--- In training drops whole samples of the batch with probability p and enlarges the others (Huang et al. 2016).
---@class vision.StochasticDepth: nn.Module
local StochasticDepth = class("StochasticDepth(float p)", nn.Module)

function StochasticDepth:forward(x)
  if not self.training or self.p == 0 then return x end
  local kept, sizes = 1 - self.p, { x:size(1) }
  for d = 2, x:dim() do sizes[d] = 1 end
  return x * torch.full(sizes, kept, { dtype = x.dtype, device = x.device }):bernoulli():div_(kept)
end

-- Rules of initialisation, for Classifier:_initialise.

--- Normal weights with the variance of He et al. 2015 for what goes out, biases of zero.
---@param m nn.Conv2d
function layers.he_outputs(m)
  init.kaiming_normal_(m.weight, { mode = "fan_out", nonlinearity = "relu" })
  if m.bias then init.zeros_(m.bias) end
end

--- Normal weights, biases of zero.
---@param std number
---@return fun(m: nn.Module)
function layers.normal(std)
  return function(m)
    init.normal_(m.weight, 0, std)
    if m.bias then init.zeros_(m.bias) end
  end
end

layers.BasicConv2d, layers.SqueezeExcitation, layers.StochasticDepth = BasicConv2d, SqueezeExcitation, StochasticDepth
return layers
