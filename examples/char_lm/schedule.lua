--- Learning rates that rise in a line at the start, then fall along half a cosine (Loshchilov and Hutter 2017).

local torch = require "torch"

--- A scheduler to be stepped after every step of the optimizer.
---@param optimizer optim.Optimizer
---@param opt table   warmup: steps of the rise; steps: all there are; floor: the last rate as a part of the highest
---@param done integer  steps that were made before
---@return optim.LRScheduler
return function(optimizer, opt, done)
  local function factor(step)
    if step < opt.warmup then return (step + 1) / (opt.warmup + 1) end
    local share = math.min((step - opt.warmup) / math.max(opt.steps - opt.warmup, 1), 1)
    return opt.floor + (1 - opt.floor) * 0.5 * (1 + math.cos(math.pi * share))
  end
  return torch.optim.lr_scheduler.LambdaLR(optimizer, factor, done - 1)
end
