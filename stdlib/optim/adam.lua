local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

--- Adam (Kingma and Ba 2015), at step t:
--
--     g = g + weight_decay p
--     m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
--     p = p - lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
--
-- With amsgrad the largest v so far takes v's place (Reddi et al. 2018).
---@class optim.Adam: optim.Optimizer
local Adam = class("Adam(any params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, "
  .. "bool amsgrad=False, *, bool maximize=False)", Optimizer)

function Adam:init(opt)
  local params = opt.params
  opt.params = nil
  for _, name in ipairs { "lr", "eps", "weight_decay" } do
    check(opt[name] >= 0, "Adam: %s is at least 0, got %s", name, opt[name])
  end
  check(#opt.betas == 2, "Adam: betas are two numbers, got %s", #opt.betas)
  for i, beta in ipairs(opt.betas) do check(beta >= 0 and beta < 1, "Adam: beta %s is within 0..1, got %s", i, beta) end
  Optimizer.init(self, params, opt)
end

function Adam:update(p, g, state, group)
  local b1, b2 = group.betas[1], group.betas[2]
  if not state.step then
    state.step, state.exp_avg, state.exp_avg_sq = 0, torch.zeros_like(p), torch.zeros_like(p)
    if group.amsgrad then state.max_exp_avg_sq = torch.zeros_like(p) end
  end
  local t = state.step + 1
  state.step = t
  if group.maximize then g = -g end
  if group.weight_decay ~= 0 then g = g:add(p, { alpha = group.weight_decay }) end

  local m, v = state.exp_avg, state.exp_avg_sq
  m:lerp_(g, 1 - b1)
  v:mul_(b2):addcmul_(g, g, { value = 1 - b2 })
  if group.amsgrad then v = torch.maximum(state.max_exp_avg_sq, v, { out = state.max_exp_avg_sq }) end
  local scale = v:sqrt():mul_(1 / math.sqrt(1 - b2 ^ t)):add_(group.eps)
  p:addcdiv_(m, scale, { value = -group.lr / (1 - b1 ^ t) })
end

return Adam
