--- Focal loss: binary cross entropy in which examples that are already right count little (Lin et al. 2017).

local torch, check = require "torch", require "torch.check"
local F = torch.nn.functional

local read = torch.core.signature("sigmoid_focal_loss(Tensor inputs, Tensor targets, float alpha=0.25, float gamma=2, "
  .. "str reduction='none')")

local REDUCTIONS = { none = function(loss) return loss end, mean = torch.mean, sum = torch.sum }

--- a (1 - p)^gamma BCE, where p is the probability of the target, and a is `alpha` for targets 1 and 1 - alpha for 0;
--- a negative alpha leaves a out.
---@param inputs torch.Tensor   logits
---@param targets torch.Tensor  0 or 1, of the same sizes
---@param alpha? number         Default: 0.25.
---@param gamma? number         Default: 2.
---@param reduction? string     "none" (default), "mean" or "sum"
---@return torch.Tensor
local function sigmoid_focal_loss(...)
  local opt = read(...)
  local reduce = check(REDUCTIONS[opt.reduction], "sigmoid_focal_loss: reduction is none, mean or sum, got '%s'",
    opt.reduction)
  local x, y = opt.inputs, opt.targets
  local p = x:sigmoid()
  local right = p * y + (1 - p) * (1 - y)
  local loss = F.binary_cross_entropy_with_logits(x, y, { reduction = "none" }) * (1 - right) ^ opt.gamma
  if opt.alpha >= 0 then loss = loss * (y * opt.alpha + (1 - y) * (1 - opt.alpha)) end
  return reduce(loss)
end

return { sigmoid_focal_loss = sigmoid_focal_loss }
