local torch, class = require "torch", require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter = require "torch.nn.parameter"

--- y = x W^T + b over the last dimension of x: (*, in_features) to (*, out_features).
-- Both start uniform in (-k, k), k = 1 / sqrt(in_features).
---@class nn.Linear: nn.Module
---@field weight torch.Tensor  [out_features, in_features]
---@field bias? torch.Tensor   [out_features]
local Linear = class("Linear(int in_features, int out_features, bool bias=True)", Module)

function Linear:init(opt)
  local k = opt.in_features > 0 and 1 / math.sqrt(opt.in_features) or 0
  self.weight = Parameter(torch.empty(opt.out_features, opt.in_features):uniform_(-k, k))
  self.bias = opt.bias and Parameter(torch.empty(opt.out_features):uniform_(-k, k)) or nil
end

---@param x torch.Tensor
---@return torch.Tensor
function Linear:forward(x)
  return F.linear(x, self.weight, self.bias)
end

return Linear
