--- Schedulers that let the rate go up and down.

local class, check = require "torch.class", require "torch.check"
local LRScheduler = require "torch.optim.lr_scheduler.scheduler"

-- From `high` to `low` along half a cosine; share goes from 0 to 1.
local function cosine(high, low, share)
  return low + (high - low) * (1 + math.cos(math.pi * share)) / 2
end

--- A cosine from the initial rate to eta_min, which e reaches at T_max, and back (Loshchilov and Hutter 2017).
--
--     torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 100)
---@class optim.CosineAnnealingLR: optim.LRScheduler
local CosineAnnealingLR = class("CosineAnnealingLR(any optimizer, int T_max, float eta_min=0, int last_epoch=-1)",
  LRScheduler)

-- By the rate before, so that it can be chained.
function CosineAnnealingLR:rate(lr, base, epoch)
  local low, before = self.eta_min, cosine(1, 0, (epoch - 1) / self.T_max)
  if epoch == 0 then return lr end
  if before < 1e-12 then return lr + (base - low) * cosine(1, 0, epoch / self.T_max) end
  return low + (lr - low) * cosine(1, 0, epoch / self.T_max) / before
end

--- A cosine from the initial rate to eta_min in T_0 epochs, then again in T_0 T_mult, T_0 T_mult^2 ... (Loshchilov and
--- Hutter 2017). `step(epoch)` takes fractions of an epoch.
--
--     torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 10)
---@class optim.CosineAnnealingWarmRestarts: optim.LRScheduler
local CosineAnnealingWarmRestarts = class("CosineAnnealingWarmRestarts(any optimizer, int T_0, int T_mult=1, "
  .. "float eta_min=0, int last_epoch=-1)", LRScheduler)

function CosineAnnealingWarmRestarts:prepare()
  check(self.T_0 > 0 and self.T_mult >= 1, "CosineAnnealingWarmRestarts: T_0 and T_mult are at least 1, got %s and %s",
    self.T_0, self.T_mult)
end

function CosineAnnealingWarmRestarts:rate(_, base, epoch)
  local at, length = epoch, self.T_0
  while at >= length do
    at, length = at - length, length * self.T_mult
    if self.T_mult == 1 then at = at % length end
  end
  return cosine(base, self.eta_min, at / length)
end

function CosineAnnealingWarmRestarts:rate_before(base)
  return base
end

-- Momentum goes against the rate; Adam's is its first beta.
local function set_momentum(group, value)
  if group.betas then
    group.betas = { value, group.betas[2] }
  else
    group.momentum = value
  end
end

local function check_momentum(scheduler)
  local defaults = scheduler.optimizer.defaults
  check(not scheduler.cycle_momentum or defaults.momentum or defaults.betas,
    "%s: cycle_momentum needs an optimizer with momentum or betas; give cycle_momentum=false", class.type(scheduler))
end

-- A number for each group.
local function per_group(scheduler, key)
  local value, n, list = scheduler[key], #scheduler.optimizer.param_groups, {}
  check(type(value) ~= "table" or #value == n, "%s: %s has %s values for %s groups", class.type(scheduler), key,
    type(value) == "table" and #value, n)
  for i = 1, n do
    list[i] = type(value) == "table" and value[i] or value
    check(type(list[i]) == "number", "%s: %s is a number, or one for each group, got a %s", class.type(scheduler), key,
      class.type(list[i]))
  end
  return list
end

local SCALES = {
  triangular = function() return 1 end,
  triangular2 = function(_, _, cycle) return 1 / 2 ^ (cycle - 1) end,
  exp_range = function(self, epoch) return self.gamma ^ epoch end,
}

--- Up from base_lr to max_lr in step_size_up steps, and down again in step_size_down (Smith 2017). The height of the
--- cycles is that of mode "triangular", "triangular2" (half as high each time) or "exp_range" (gamma^e), or
--- scale_fn(n), of the cycle or the iteration as scale_mode is "cycle" or "iterations".
--
--     torch.optim.lr_scheduler.CyclicLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 0.01, 0.1, {cycle_momentum=false})
---@class optim.CyclicLR: optim.LRScheduler
local CyclicLR = class("CyclicLR(any optimizer, any base_lr, any max_lr, int step_size_up=2000, "
  .. "int? step_size_down=None, str mode='triangular', float gamma=1.0, any scale_fn=None, str scale_mode='cycle', "
  .. "bool cycle_momentum=True, any base_momentum=0.8, any max_momentum=0.9, int last_epoch=-1)", LRScheduler)

function CyclicLR:init(opt)
  opt.base_momentum, opt.max_momentum = opt.base_momentum or 0.8, opt.max_momentum or 0.9
  check(opt.scale_fn or SCALES[opt.mode], "CyclicLR: mode is 'triangular', 'triangular2' or 'exp_range', got '%s'",
    opt.mode)
  LRScheduler.init(self, opt)
end

function CyclicLR:prepare()
  check_momentum(self)
  for _, key in ipairs { "base_lr", "max_lr", "base_momentum", "max_momentum" } do self[key] = per_group(self, key) end
  check(self.step_size_up > 0, "CyclicLR: step_size_up is at least 1, got %s", self.step_size_up)
  self.total_size = self.step_size_up + (self.step_size_down or self.step_size_up)
  self.step_ratio = self.step_size_up / self.total_size
  if self.last_epoch ~= -1 then return end
  for i, group in ipairs(self.optimizer.param_groups) do
    group.lr, group.initial_lr, self.base_lrs[i] = self.base_lr[i], self.base_lr[i], self.base_lr[i]
    if self.cycle_momentum then set_momentum(group, self.max_momentum[i]) end
  end
end

function CyclicLR:rate(_, _, epoch, group, i)
  local cycle = math.floor(1 + epoch / self.total_size)
  local x = 1 + epoch / self.total_size - cycle
  local height = x <= self.step_ratio and x / self.step_ratio or (x - 1) / (self.step_ratio - 1)
  if self.scale_fn then
    height = height * self.scale_fn(self.scale_mode == "cycle" and cycle or epoch)
  else
    height = height * SCALES[self.mode](self, epoch, cycle)
  end
  if self.cycle_momentum then
    set_momentum(group, self.max_momentum[i] - (self.max_momentum[i] - self.base_momentum[i]) * height)
  end
  return self.base_lr[i] + (self.max_lr[i] - self.base_lr[i]) * height
end

--- One cycle (Smith and Topin 2019): up from max_lr / div_factor to max_lr in pct_start of the steps, then down to
--- max_lr / div_factor / final_div_factor; with three_phase down the way it came, and then on to that. The steps are
--- total_steps, or epochs times steps_per_epoch. anneal_strategy is "cos" or "linear".
--
--     torch.optim.lr_scheduler.OneCycleLR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 0.1, 100, {cycle_momentum=false})
---@class optim.OneCycleLR: optim.LRScheduler
local OneCycleLR = class("OneCycleLR(any optimizer, any max_lr, int? total_steps=None, int? epochs=None, "
  .. "int? steps_per_epoch=None, float pct_start=0.3, str anneal_strategy='cos', bool cycle_momentum=True, "
  .. "any base_momentum=0.85, any max_momentum=0.95, float div_factor=25.0, float final_div_factor=1e4, "
  .. "bool three_phase=False, int last_epoch=-1)", LRScheduler)

function OneCycleLR:init(opt)
  opt.base_momentum, opt.max_momentum = opt.base_momentum or 0.85, opt.max_momentum or 0.95
  opt.total_steps = opt.total_steps or opt.epochs and opt.steps_per_epoch and opt.epochs * opt.steps_per_epoch
  check(opt.total_steps and opt.total_steps > 0, "OneCycleLR: give total_steps, or epochs and steps_per_epoch")
  check(opt.pct_start >= 0 and opt.pct_start <= 1, "OneCycleLR: pct_start is within 0..1, got %s", opt.pct_start)
  check(opt.anneal_strategy == "cos" or opt.anneal_strategy == "linear",
    "OneCycleLR: anneal_strategy is 'cos' or 'linear', got '%s'", opt.anneal_strategy)
  LRScheduler.init(self, opt)
end

-- Where each phase ends, and what the rate and the momentum go to.
local function phases(self)
  local last, rise = self.total_steps - 1, self.pct_start * self.total_steps - 1
  if not self.three_phase then
    return { { rise, "max_lr", "base_momentum" }, { last, "min_lr", "max_momentum" } }
  end
  return { { rise, "max_lr", "base_momentum" }, { 2 * rise, "initial_lr", "max_momentum" },
    { last, "min_lr", "max_momentum" } }
end

function OneCycleLR:prepare()
  check_momentum(self)
  for _, key in ipairs { "max_lr", "base_momentum", "max_momentum" } do self[key] = per_group(self, key) end
  self.phases = phases(self)
  if self.last_epoch ~= -1 then return end
  for i, group in ipairs(self.optimizer.param_groups) do
    group.initial_lr = self.max_lr[i] / self.div_factor
    group.max_lr, group.min_lr = self.max_lr[i], group.initial_lr / self.final_div_factor
    group.base_momentum, group.max_momentum = self.base_momentum[i], self.max_momentum[i]
    self.base_lrs[i] = group.initial_lr
    if self.cycle_momentum then set_momentum(group, self.max_momentum[i]) end
  end
end

function OneCycleLR:rate(_, _, epoch, group)
  check(epoch <= self.total_steps, "OneCycleLR: step %s is beyond the %s steps of the cycle", epoch, self.total_steps)
  local function anneal(from, to, share)
    return self.anneal_strategy == "cos" and cosine(from, to, share) or from + (to - from) * share
  end
  local start, lr, momentum = 0, group.initial_lr, group.max_momentum
  for i, phase in ipairs(self.phases) do
    local finish, to_lr, to_momentum = phase[1], group[phase[2]], group[phase[3]]
    if epoch <= finish or i == #self.phases then
      local share = (epoch - start) / (finish - start)
      if self.cycle_momentum then set_momentum(group, anneal(momentum, to_momentum, share)) end
      return anneal(lr, to_lr, share)
    end
    start, lr, momentum = finish, to_lr, to_momentum
  end
end

return {
  CosineAnnealingLR = CosineAnnealingLR, CosineAnnealingWarmRestarts = CosineAnnealingWarmRestarts,
  CyclicLR = CyclicLR, OneCycleLR = OneCycleLR,
}
