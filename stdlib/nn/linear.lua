--- Layers that multiply by matrices.

local torch, class = require "torch", require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter, options = require "torch.nn.parameter", require "torch.nn.options"

--- y = x W^T + b over the last dimension of x: (*, in_features) to (*, out_features).
-- Both start uniform in (-k, k), k = 1 / sqrt(in_features).
--
--     torch.nn.Linear(3, 2)(torch.randn(5, 3))
---@class nn.Linear: nn.Module
---@field weight torch.Tensor  [out_features, in_features]
---@field bias? torch.Tensor   [out_features]
local Linear = class("Linear(int in_features, int out_features, bool bias=True)", Module)

Linear.format = "in_features={in_features}, out_features={out_features}, bias={bias}"
Linear.allows = { in_features = options.least(0), out_features = options.least(0) }
Linear.expects = "input (*, {in_features})"

function Linear:init(opt)
  self.weight = Parameter(torch.empty(opt.out_features, opt.in_features))
  self.bias = opt.bias and Parameter(torch.empty(opt.out_features)) or nil
  self:reset_parameters()
end

--- Draws weight and bias anew.
function Linear:reset_parameters()
  local features = self.weight:size(2)
  self:_reset_uniform(features > 0 and 1 / math.sqrt(features) or 0)
end

---@param x torch.Tensor
---@return torch.Tensor
function Linear:forward(x)
  return F.linear(x, self.weight, self.bias)
end

--- PyTorch's name for the Linear within attention.
local NonDynamicallyQuantizableLinear = class("NonDynamicallyQuantizableLinear(int in_features, int out_features, "
  .. "bool bias=True)", Linear)

--- y_k = x1^T W_k x2 + b_k, over the last dimensions: (*, in1_features) and (*, in2_features) to (*, out_features).
--
--     torch.nn.Bilinear(2, 3, 4)(torch.randn(5, 2), torch.randn(5, 3))
---@class nn.Bilinear: nn.Module
---@field weight torch.Tensor  [out_features, in1_features, in2_features]
---@field bias? torch.Tensor   [out_features]
local Bilinear = class("Bilinear(int in1_features, int in2_features, int out_features, bool bias=True)", Module)
Bilinear.allows = { in1_features = options.least(1), in2_features = options.least(0), out_features = options.least(0) }
Bilinear.expects = "input1 (*, {in1_features}) and input2 (*, {in2_features})"

function Bilinear:init(opt)
  self.weight = Parameter(torch.empty(opt.out_features, opt.in1_features, opt.in2_features))
  self.bias = opt.bias and Parameter(torch.empty(opt.out_features)) or nil
  self:reset_parameters()
end

--- Draws weight and bias anew.
function Bilinear:reset_parameters()
  self:_reset_uniform(1 / math.sqrt(self.weight:size(2)))
end

---@param x1 torch.Tensor
---@param x2 torch.Tensor
---@return torch.Tensor
function Bilinear:forward(x1, x2)
  return F.bilinear(x1, x2, self.weight, self.bias)
end

return { Linear = Linear, Bilinear = Bilinear, NonDynamicallyQuantizableLinear = NonDynamicallyQuantizableLinear }
