local class, check = require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

--- Stochastic gradient descent:
--
--     g = g + weight_decay p
--     v = momentum v + (1 - dampening) g        v = g in the first step
--     p = p - lr v                              p - lr (g + momentum v) with nesterov
--
--     torch.optim.SGD(torch.nn.Linear(3, 2):parameters(), {lr=0.1, momentum=0.9})
---@class optim.SGD: optim.Optimizer
local SGD = class("SGD(any params, float? lr=None, float momentum=0, float dampening=0, float weight_decay=0, "
  .. "bool nesterov=False, *, bool maximize=False)", Optimizer)

function SGD:init(opt)
  check(not opt.nesterov or opt.momentum > 0 and opt.dampening == 0, "SGD: nesterov needs a momentum and no dampening")
  Optimizer.init(self, opt)
end

function SGD:update(p, g, state, group)
  local momentum = group.momentum
  if momentum ~= 0 then
    local v = state.momentum_buffer
    if v then
      v:mul_(momentum):add_(g, { alpha = 1 - group.dampening })
    else
      v = g:clone()
      state.momentum_buffer = v
    end
    g = group.nesterov and g:add(v, { alpha = momentum }) or v
  end
  p:add_(g, { alpha = -group.lr })
end

function SGD:fused(state, group)
  if group.momentum == 0 then return "sgd", { group.lr }, {} end
  if not state.momentum_buffer then return nil end
  return group.nesterov and "nesterov" or "momentum", { group.lr, group.momentum, 1 - group.dampening },
    { state.momentum_buffer }
end

return SGD
