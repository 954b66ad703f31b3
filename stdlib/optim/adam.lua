local torch, class = require "torch", require "torch.class"
local Optimizer = require "torch.optim.optimizer"

--- Adam (Kingma and Ba 2015), at step t:
--
--     g = g + weight_decay p
--     m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
--     p = p - lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
--
-- With amsgrad the largest v so far takes v's place (Reddi et al. 2018).
--
--     torch.optim.Adam(torch.nn.Linear(3, 2):parameters(), {lr=0.01})
---@class optim.Adam: optim.Optimizer
local Adam = class("Adam(any params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, "
  .. "bool amsgrad=False, *, bool maximize=False)", Optimizer)

function Adam:update(p, g, state, group)
  local b1, b2, t = group.betas[1], group.betas[2], state.step
  if t == 1 then
    state.exp_avg, state.exp_avg_sq = torch.zeros_like(p), torch.zeros_like(p)
    if group.amsgrad then state.max_exp_avg_sq = torch.zeros_like(p) end
  end
  local m, v = state.exp_avg, state.exp_avg_sq
  m:lerp_(g, 1 - b1)
  v:mul_(b2):addcmul_(g, g, { value = 1 - b2 })
  if group.amsgrad then v = torch.maximum(state.max_exp_avg_sq, v, { out = state.max_exp_avg_sq }) end
  local scale = v:sqrt():mul_(1 / math.sqrt(1 - b2 ^ t)):add_(group.eps)
  p:addcdiv_(m, scale, { value = -group.lr / (1 - b1 ^ t) })
end

function Adam:fused(state, group)
  local b1, b2, t = group.betas[1], group.betas[2], state.step
  local shrink = self.decoupled and 1 - group.lr * group.weight_decay or 1
  return group.amsgrad and "amsgrad" or "adam",
    { 1 - b1, b2, group.lr / (1 - b1 ^ t), 1 / math.sqrt(1 - b2 ^ t), group.eps, shrink },
    { state.exp_avg, state.exp_avg_sq, group.amsgrad and state.max_exp_avg_sq or nil }
end

--- Adam with decoupled weight decay (Loshchilov and Hutter 2019): p = (1 - lr weight_decay) p, then Adam's step.
--
--     torch.optim.AdamW(torch.nn.Linear(3, 2):parameters(), {weight_decay=0.1})
---@class optim.AdamW: optim.Adam
local AdamW = class("AdamW(any params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, "
  .. "float weight_decay=1e-2, bool amsgrad=False, *, bool maximize=False)", Adam)

AdamW.decoupled = true

function AdamW:decayed(p, g, group)
  if group.weight_decay ~= 0 then p:mul_(1 - group.lr * group.weight_decay) end
  return g
end

return { Adam = Adam, AdamW = AdamW }
