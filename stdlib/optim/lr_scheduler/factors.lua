--- Schedulers that multiply the initial rate by a function of the epoch e.

local class, check = require "torch.class", require "torch.check"
local LRScheduler = require "torch.optim.lr_scheduler.scheduler"

--- Defines `factor(e)`; the step from e - 1 multiplies by factor(e) / factor(e - 1).
local Factor = class("Factor", LRScheduler)

function Factor:rate(lr, _, epoch)
  if epoch == 0 then return lr * self:factor(0) end
  local now, before = self:factor(epoch), self:factor(epoch - 1)
  return now == before and lr or lr * (now / before)
end

--- gamma^floor(e / step_size)
--
--     torch.optim.lr_scheduler.StepLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 30)
---@class optim.StepLR: optim.LRScheduler
local StepLR = class("StepLR(any optimizer, int step_size, float gamma=0.1, int last_epoch=-1)", Factor)

function StepLR:factor(epoch)
  return self.gamma ^ math.floor(epoch / self.step_size)
end

--- gamma^n, with n milestones up to e; a milestone may occur several times.
--
--     torch.optim.lr_scheduler.MultiStepLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), {30, 80})
---@class optim.MultiStepLR: optim.LRScheduler
local MultiStepLR = class("MultiStepLR(any optimizer, int[] milestones, float gamma=0.1, int last_epoch=-1)", Factor)

function MultiStepLR:factor(epoch)
  local n = 0
  for _, milestone in ipairs(self.milestones) do
    if milestone <= epoch then n = n + 1 end
  end
  return self.gamma ^ n
end

--- `factor` until e reaches total_iters, then 1.
--
--     torch.optim.lr_scheduler.ConstantLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}))
---@class optim.ConstantLR: optim.LRScheduler
local ConstantLR = class("ConstantLR(any optimizer, float factor=0.3333333333333333, int total_iters=5, "
  .. "int last_epoch=-1)", Factor)

function ConstantLR:init(opt)
  check(opt.factor > 0 and opt.factor <= 1, "ConstantLR: factor is within 0..1, got %s", opt.factor)
  self._factor, opt.factor = opt.factor, nil
  Factor.init(self, opt)
end

function ConstantLR:factor(epoch)
  return epoch < self.total_iters and self._factor or 1
end

--- In a straight line from start_factor to end_factor, which e reaches at total_iters.
--
--     torch.optim.lr_scheduler.LinearLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}))
---@class optim.LinearLR: optim.LRScheduler
local LinearLR = class("LinearLR(any optimizer, float start_factor=0.3333333333333333, float end_factor=1.0, "
  .. "int total_iters=5, int last_epoch=-1)", Factor)

function LinearLR:prepare()
  check(self.start_factor > 0 and self.start_factor <= 1, "LinearLR: start_factor is within 0..1, got %s",
    self.start_factor)
  check(self.end_factor >= 0 and self.end_factor <= 1, "LinearLR: end_factor is within 0..1, got %s", self.end_factor)
end

function LinearLR:factor(epoch)
  local share = math.min(epoch, self.total_iters) / self.total_iters
  return self.start_factor + (self.end_factor - self.start_factor) * share
end

--- gamma^e
--
--     torch.optim.lr_scheduler.ExponentialLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 0.9)
---@class optim.ExponentialLR: optim.LRScheduler
local ExponentialLR = class("ExponentialLR(any optimizer, float gamma, int last_epoch=-1)", Factor)

function ExponentialLR:factor(epoch)
  return self.gamma ^ epoch
end

--- (1 - e / total_iters)^power, and 0 afterwards.
--
--     torch.optim.lr_scheduler.PolynomialLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 100)
---@class optim.PolynomialLR: optim.LRScheduler
local PolynomialLR = class("PolynomialLR(any optimizer, int total_iters=5, float power=1.0, int last_epoch=-1)",
  Factor)

function PolynomialLR:factor(epoch)
  return (1 - math.min(epoch, self.total_iters) / self.total_iters) ^ self.power
end

-- A function for each group, or one for all.
local function functions_of(scheduler)
  local given = scheduler.lr_lambda
  local n = #scheduler.optimizer.param_groups
  if type(given) == "function" then
    local list = {}
    for i = 1, n do list[i] = given end
    return list
  end
  local good = type(given) == "table" and #given == n
  for i = 1, good and n or 0 do good = good and type(given[i]) == "function" end
  check(good, "%s: lr_lambda is a function, or a list of %s, one for each group", class.type(scheduler), n)
  return given
end

--- The initial rate times lr_lambda(e).
--
--     torch.optim.lr_scheduler.LambdaLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), function(e) return 0.95 ^ e end)
---@class optim.LambdaLR: optim.LRScheduler
local LambdaLR = class("LambdaLR(any optimizer, any lr_lambda, int last_epoch=-1)", LRScheduler)

function LambdaLR:prepare()
  self.lr_lambdas = functions_of(self)
end

function LambdaLR:rate(_, base, epoch, _, i)
  return base * self.lr_lambdas[i](epoch)
end

--- The rate before times lr_lambda(e).
--
--     torch.optim.lr_scheduler.MultiplicativeLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), function() return 0.95 end)
---@class optim.MultiplicativeLR: optim.LRScheduler
local MultiplicativeLR = class("MultiplicativeLR(any optimizer, any lr_lambda, int last_epoch=-1)", LRScheduler)

function MultiplicativeLR:prepare()
  self.lr_lambdas = functions_of(self)
end

function MultiplicativeLR:rate(lr, _, epoch, _, i)
  return epoch > 0 and lr * self.lr_lambdas[i](epoch) or lr
end

return {
  StepLR = StepLR, MultiStepLR = MultiStepLR, ConstantLR = ConstantLR, LinearLR = LinearLR,
  ExponentialLR = ExponentialLR, PolynomialLR = PolynomialLR, LambdaLR = LambdaLR, MultiplicativeLR = MultiplicativeLR,
}
