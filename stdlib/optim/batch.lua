--- Resilient propagation, and averaged gradient descent.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

--- Rprop (Riedmiller and Braun 1993): each element has a step size, which grows by etas[2] while the gradient keeps its
--- sign and shrinks by etas[1] when it changes; the gradient of that step counts as 0.
--
--     torch.optim.Rprop(torch.nn.Linear(3, 2):parameters())
---@class optim.Rprop: optim.Optimizer
local Rprop = class("Rprop(any params, float lr=1e-2, float[] etas=[0.5, 1.2], float[] step_sizes=[1e-6, 50.0], *, "
  .. "bool maximize=False)", Optimizer)

function Rprop:init(opt)
  local etas = opt.etas
  check(#etas == 2 and etas[1] > 0 and etas[1] < 1 and etas[2] > 1,
    "Rprop: etas are two numbers, one within 0..1 and one beyond 1, got %s", table.concat(etas, ", "))
  check(#opt.step_sizes == 2, "Rprop: step_sizes are the smallest and the largest, got %s numbers", #opt.step_sizes)
  Optimizer.init(self, opt)
end

function Rprop:update(p, g, state, group)
  if state.step == 1 then state.prev, state.step_size = torch.zeros_like(p), torch.full_like(p, group.lr) end
  local turn = (g * state.prev):sign_()
  local factor = torch.ones_like(p):masked_fill_(turn:gt(0), group.etas[2]):masked_fill_(turn:lt(0), group.etas[1])
  state.step_size:mul_(factor):clamp_(group.step_sizes[1], group.step_sizes[2])
  g = g:masked_fill(turn:lt(0), 0)
  p:addcmul_(g:sign(), state.step_size, { value = -1 })
  state.prev:copy_(g)
end

function Rprop:fused(state, group)
  local etas, sizes = group.etas, group.step_sizes
  return "rprop", { etas[1], etas[2], sizes[1], sizes[2] }, { state.prev, state.step_size }
end

-- PyTorch keeps eta and mu in float32 tensors.
local function single(x)
  return torch.tensor(x, { dtype = torch.float32 }):item()
end

--- Averaged stochastic gradient descent (Polyak and Juditsky 1992). `state.ax` holds the average from step t0 on.
--
--     p = (1 - lambd eta) p - eta g          eta = lr / (1 + lambd lr t)^alpha
--
--     torch.optim.ASGD(torch.nn.Linear(3, 2):parameters())
---@class optim.ASGD: optim.Optimizer
local ASGD = class("ASGD(any params, float lr=1e-2, float lambd=1e-4, float alpha=0.75, float t0=1e6, "
  .. "float weight_decay=0, *, bool maximize=False)", Optimizer)

-- eta and mu for the next step.
local function advance(state, group)
  state.eta = single(group.lr / (1 + group.lambd * group.lr * state.step) ^ group.alpha)
  state.mu = single(1 / math.max(1, state.step - group.t0))
end

function ASGD:update(p, g, state, group)
  if state.step == 1 then state.eta, state.mu, state.ax = single(group.lr), 1, torch.zeros_like(p) end
  p:mul_(1 - group.lambd * state.eta):add_(g, { alpha = -state.eta })
  if state.mu == 1 then
    state.ax:copy_(p)
  else
    state.ax:lerp_(p, state.mu)
  end
  advance(state, group)
end

function ASGD:fused(state, group)
  local eta, mu, averaging = state.eta, state.mu, state.mu ~= 1
  advance(state, group)
  return averaging and "asgd_average" or "asgd", { 1 - group.lambd * eta, eta, mu }, { state.ax }
end

return { Rprop = Rprop, ASGD = ASGD }
