--- Optimizers with a rate for each element, from the history of its gradient.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

--- Adagrad (Duchi, Hazan and Singer 2011): with the sum s of g^2
--
--     p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
--
--     torch.optim.Adagrad(torch.nn.Linear(3, 2):parameters())
---@class optim.Adagrad: optim.Optimizer
local Adagrad = class("Adagrad(any params, float lr=1e-2, float lr_decay=0, float weight_decay=0, "
  .. "float initial_accumulator_value=0, float eps=1e-10, *, bool maximize=False)", Optimizer)

function Adagrad:init(opt)
  check(opt.initial_accumulator_value >= 0, "Adagrad: initial_accumulator_value is at least 0, got %s",
    opt.initial_accumulator_value)
  Optimizer.init(self, opt)
end

local function falling_rate(state, group) return group.lr / (1 + (state.step - 1) * group.lr_decay) end

function Adagrad:update(p, g, state, group)
  state.sum = state.sum or torch.full_like(p, group.initial_accumulator_value)
  state.sum:addcmul_(g, g)
  p:addcdiv_(g, state.sum:sqrt():add_(group.eps), { value = -falling_rate(state, group) })
end

function Adagrad:fused(state, group)
  return "adagrad", { falling_rate(state, group), group.eps }, { state.sum }
end

--- Adadelta (Zeiler 2012): with running means v of g^2 and u of d^2
--
--     d = sqrt(u + eps) / sqrt(v + eps) g
--     p = p - lr d
--
--     torch.optim.Adadelta(torch.nn.Linear(3, 2):parameters())
---@class optim.Adadelta: optim.Optimizer
local Adadelta = class("Adadelta(any params, float lr=1.0, float rho=0.9, float eps=1e-6, float weight_decay=0, *, "
  .. "bool maximize=False)", Optimizer)

function Adadelta:init(opt)
  check(opt.rho >= 0 and opt.rho <= 1, "Adadelta: rho is within 0..1, got %s", opt.rho)
  Optimizer.init(self, opt)
end

function Adadelta:update(p, g, state, group)
  if state.step == 1 then state.square_avg, state.acc_delta = torch.zeros_like(p), torch.zeros_like(p) end
  local rho, eps, v, u = group.rho, group.eps, state.square_avg, state.acc_delta
  v:mul_(rho):addcmul_(g, g, { value = 1 - rho })
  local delta = (u + eps):sqrt_():div_((v + eps):sqrt_()):mul_(g)
  u:mul_(rho):addcmul_(delta, delta, { value = 1 - rho })
  p:add_(delta, { alpha = -group.lr })
end

function Adadelta:fused(state, group)
  return "adadelta", { group.lr, group.rho, group.eps }, { state.square_avg, state.acc_delta }
end

--- RMSprop (Hinton 2012, lecture 6): with a running mean v of g^2, less the square of g's mean if centered
--
--     b = momentum b + g / (sqrt(v) + eps)
--     p = p - lr b
--
--     torch.optim.RMSprop(torch.nn.Linear(3, 2):parameters())
---@class optim.RMSprop: optim.Optimizer
local RMSprop = class("RMSprop(any params, float lr=1e-2, float alpha=0.99, float eps=1e-8, float weight_decay=0, "
  .. "float momentum=0, bool centered=False, *, bool maximize=False)", Optimizer)

function RMSprop:init(opt)
  check(opt.alpha >= 0, "RMSprop: alpha is at least 0, got %s", opt.alpha)
  Optimizer.init(self, opt)
end

function RMSprop:update(p, g, state, group)
  local alpha = group.alpha
  if state.step == 1 then
    state.square_avg = torch.zeros_like(p)
    if group.momentum > 0 then state.momentum_buffer = torch.zeros_like(p) end
    if group.centered then state.grad_avg = torch.zeros_like(p) end
  end
  local v = state.square_avg:mul_(alpha):addcmul_(g, g, { value = 1 - alpha })
  if group.centered then
    local mean = state.grad_avg:mul_(alpha):add_(g, { alpha = 1 - alpha })
    v = v:addcmul(mean, mean, { value = -1 })
  end
  local scale = v:sqrt():add_(group.eps)
  if group.momentum > 0 then
    p:add_(state.momentum_buffer:mul_(group.momentum):addcdiv_(g, scale), { alpha = -group.lr })
  else
    p:addcdiv_(g, scale, { value = -group.lr })
  end
end

function RMSprop:fused(state, group)
  local rule, tensors = "rmsprop", { state.square_avg }
  if group.momentum > 0 then rule, tensors[2] = rule .. "_momentum", state.momentum_buffer end
  if group.centered then rule, tensors[#tensors + 1] = rule .. "_centered", state.grad_avg end
  return rule, { group.lr, group.alpha, group.eps, group.momentum }, tensors
end

return { Adagrad = Adagrad, Adadelta = Adadelta, RMSprop = RMSprop }
