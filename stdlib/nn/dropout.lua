local class, check = require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"

--- In training each element is zeroed with probability p, the others grow by 1 / (1 - p); otherwise x itself.
---@class nn.Dropout: nn.Module
local Dropout = class("Dropout(float p=0.5, bool inplace=False)", Module)

function Dropout:init(opt)
  check(opt.p >= 0 and opt.p <= 1, "Dropout: the probability p is within 0..1, got %s", opt.p)
end

---@param x torch.Tensor
---@return torch.Tensor
function Dropout:forward(x)
  return F.dropout(x, self.p, self.training, self.inplace)
end

return Dropout
