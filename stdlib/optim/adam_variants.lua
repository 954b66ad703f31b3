--- Descendants of Adam. m and v are its running means of g and g^2, t the step.

local torch, class = require "torch", require "torch.class"
local Optimizer = require "torch.optim.optimizer"

-- Brings m and v up to date.
local function moments(p, g, state, group)
  if state.step == 1 then state.exp_avg, state.exp_avg_sq = torch.zeros_like(p), torch.zeros_like(p) end
  state.exp_avg:lerp_(g, 1 - group.betas[1])
  state.exp_avg_sq:mul_(group.betas[2]):addcmul_(g, g, { value = 1 - group.betas[2] })
  return state.exp_avg, state.exp_avg_sq
end

--- Adam by the infinity norm (Kingma and Ba 2015):
--
--     u = max(b2 u, |g| + eps)
--     p = p - lr / (1 - b1^t) m / u
--
--     torch.optim.Adamax(torch.nn.Linear(3, 2):parameters())
---@class optim.Adamax: optim.Optimizer
local Adamax = class("Adamax(any params, float lr=2e-3, float[] betas=[0.9, 0.999], float eps=1e-8, "
  .. "float weight_decay=0, *, bool maximize=False)", Optimizer)

function Adamax:update(p, g, state, group)
  if state.step == 1 then state.exp_avg, state.exp_inf = torch.zeros_like(p), torch.zeros_like(p) end
  local m, u = state.exp_avg:lerp_(g, 1 - group.betas[1]), state.exp_inf:mul_(group.betas[2])
  torch.maximum(u, g:abs():add_(group.eps), { out = u })
  p:addcdiv_(m, u, { value = -group.lr / (1 - group.betas[1] ^ state.step) })
end

function Adamax:fused(state, group)
  local b1 = group.betas[1]
  return "adamax", { 1 - b1, group.betas[2], group.lr / (1 - b1 ^ state.step), group.eps },
    { state.exp_avg, state.exp_inf }
end

--- Adam with Nesterov's momentum (Dozat 2016): with mu_t = b1 (1 - 0.96^(t momentum_decay) / 2) and their product P_t
--
--     p = p - lr ((1 - mu_t) / (1 - P_t) g + mu_(t+1) / (1 - mu_t P_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps)
--
-- The factor mu_t beside P_(t+1) is PyTorch's, not the paper's: runs are to end alike.
--
--     torch.optim.NAdam(torch.nn.Linear(3, 2):parameters())
---@class optim.NAdam: optim.Optimizer
local NAdam = class("NAdam(any params, float lr=2e-3, float[] betas=[0.9, 0.999], float eps=1e-8, "
  .. "float weight_decay=0, float momentum_decay=4e-3, *, bool maximize=False)", Optimizer)

-- The rates of g and m. Moves P_t on.
local function nesterov_rates(state, group)
  local function mu(step) return group.betas[1] * (1 - 0.5 * 0.96 ^ (step * group.momentum_decay)) end
  local now, next_mu = mu(state.step), mu(state.step + 1)
  state.mu_product = (state.mu_product or 1) * now
  return group.lr * (1 - now) / (1 - state.mu_product), group.lr * next_mu / (1 - state.mu_product * now * next_mu)
end

function NAdam:update(p, g, state, group)
  local m, v = moments(p, g, state, group)
  local of_g, of_m = nesterov_rates(state, group)
  local scale = (v / (1 - group.betas[2] ^ state.step)):sqrt_():add_(group.eps)
  p:addcdiv_(g, scale, { value = -of_g }):addcdiv_(m, scale, { value = -of_m })
end

function NAdam:fused(state, group)
  local b1, b2 = group.betas[1], group.betas[2]
  local of_g, of_m = nesterov_rates(state, group)
  return "nadam", { 1 - b1, b2, of_g, of_m, 1 / math.sqrt(1 - b2 ^ state.step), group.eps },
    { state.exp_avg, state.exp_avg_sq }
end

--- Adam whose step is rectified while v rests on few gradients (Liu et al. 2020): no division by v while the length
--- rho_t of its approximated moving average is at most 5.
--
--     torch.optim.RAdam(torch.nn.Linear(3, 2):parameters())
---@class optim.RAdam: optim.Optimizer
local RAdam = class("RAdam(any params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, "
  .. "float weight_decay=0, *, bool maximize=False)", Optimizer)

-- The step's rate, and whether it is rectified.
local function rectified_rate(state, group)
  local b1, b2, t = group.betas[1], group.betas[2], state.step
  local unbiased = 1 - b2 ^ t
  local rho_inf = 2 / (1 - b2) - 1
  local rho = rho_inf - 2 * t * b2 ^ t / unbiased
  local rate = group.lr / (1 - b1 ^ t)
  if rho <= 5 then return rate, false end
  local r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
  return rate * r * math.sqrt(unbiased), true
end

function RAdam:update(p, g, state, group)
  local m, v = moments(p, g, state, group)
  local rate, rectified = rectified_rate(state, group)
  if rectified then
    p:addcdiv_(m, v:sqrt():add_(group.eps), { value = -rate })
  else
    p:add_(m, { alpha = -rate })
  end
end

function RAdam:fused(state, group)
  local rate, rectified = rectified_rate(state, group)
  return rectified and "radam" or "radam_warmup", { 1 - group.betas[1], group.betas[2], rate, group.eps },
    { state.exp_avg, state.exp_avg_sq }
end

return { Adamax = Adamax, NAdam = NAdam, RAdam = RAdam }
