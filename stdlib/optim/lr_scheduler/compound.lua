--- Schedulers made of schedulers, and the one that looks at what training measures.

local class, check = require "torch.class", require "torch.check"
local LRScheduler = require "torch.optim.lr_scheduler.scheduler"
local Optimizer = require "torch.optim.optimizer"

local function check_schedulers(name, schedulers)
  check(type(schedulers) == "table" and #schedulers > 0, "%s: expected a list of schedulers", name)
  for i, scheduler in ipairs(schedulers) do
    check(class.isinstance(scheduler, LRScheduler), "%s: item %s is not a scheduler but a %s", name, i,
      class.type(scheduler))
    check(scheduler.optimizer == schedulers[1].optimizer, "%s: item %s belongs to another optimizer", name, i)
  end
end

local function states(schedulers)
  local list = {}
  for i, scheduler in ipairs(schedulers) do list[i] = scheduler:state_dict() end
  return list
end

-- A scheduler's state with those of its parts.
local Compound = class("Compound", LRScheduler)

function Compound:state_dict()
  local state = LRScheduler.state_dict(self)
  state._schedulers = states(self._schedulers)
  return state
end

function Compound:load_state_dict(state)
  local parts = self._schedulers
  LRScheduler.load_state_dict(self, state)
  self._schedulers = parts
  for i, scheduler in ipairs(parts) do scheduler:load_state_dict(state._schedulers[i]) end
end

--- Several schedulers that step together: each changes the rate which the one before it has set.
---@class optim.ChainedScheduler: optim.LRScheduler
local ChainedScheduler = class("ChainedScheduler(any schedulers)", Compound)

function ChainedScheduler:init(opt)
  check_schedulers("ChainedScheduler", opt.schedulers)
  self._schedulers, self.optimizer = opt.schedulers, opt.schedulers[1].optimizer
  self._last_lr = opt.schedulers[#opt.schedulers]:get_last_lr()
end

function ChainedScheduler:step()
  for _, scheduler in ipairs(self._schedulers) do scheduler:step() end
  self._last_lr = {}
  for i, group in ipairs(self.optimizer.param_groups) do self._last_lr[i] = group.lr end
end

--- One scheduler after the other: the next one begins, at its epoch 0, when the epoch is its milestone.
---@class optim.SequentialLR: optim.LRScheduler
local SequentialLR = class("SequentialLR(any optimizer, any schedulers, int[] milestones, int last_epoch=-1)",
  Compound)

function SequentialLR:init(opt)
  check_schedulers("SequentialLR", opt.schedulers)
  check(opt.schedulers[1].optimizer == opt.optimizer, "SequentialLR: the schedulers belong to another optimizer")
  check(#opt.milestones == #opt.schedulers - 1, "SequentialLR: %s schedulers need %s milestones, got %s",
    #opt.schedulers, #opt.schedulers - 1, #opt.milestones)
  self.optimizer, self._schedulers, self.milestones = opt.optimizer, opt.schedulers, opt.milestones
  self.last_epoch = opt.last_epoch + 1
  -- Each has made its first step; that of the first one alone is to stand.
  for _, group in ipairs(self.optimizer.param_groups) do group.lr = group.initial_lr end
  for _, scheduler in ipairs(self._schedulers) do scheduler.last_epoch = scheduler.last_epoch - 1 end
  self._schedulers[1]:step()
  self._last_lr = self._schedulers[1]:get_last_lr()
end

function SequentialLR:step()
  self.last_epoch = self.last_epoch + 1
  local i = 1
  while self.milestones[i] and self.milestones[i] <= self.last_epoch do i = i + 1 end
  local begins = i > 1 and self.milestones[i - 1] == self.last_epoch
  self._schedulers[i]:step(begins and 0 or nil)
  self._last_lr = self._schedulers[i]:get_last_lr()
end

--- Multiplies the rates by `factor` when `patience` steps have brought no better value. A value is better if it is
--- beyond the best by `threshold`, of it ("rel") or as a number ("abs"); mode is "min" or "max". After a change
--- `cooldown` steps are not counted. `step` takes the value.
--
--     torch.optim.lr_scheduler.ReduceLROnPlateau(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 'max')
---@class optim.ReduceLROnPlateau
local ReduceLROnPlateau = class("ReduceLROnPlateau(any optimizer, str mode='min', float factor=0.1, int patience=10, "
  .. "float threshold=1e-4, str threshold_mode='rel', int cooldown=0, any min_lr=0, float eps=1e-8)", LRScheduler)

function ReduceLROnPlateau:init(opt)
  check(class.isinstance(opt.optimizer, Optimizer), "ReduceLROnPlateau: expected an optimizer, got a %s",
    class.type(opt.optimizer))
  check(opt.factor < 1, "ReduceLROnPlateau: factor is less than 1, got %s", opt.factor)
  check(opt.mode == "min" or opt.mode == "max", "ReduceLROnPlateau: mode is 'min' or 'max', got '%s'", opt.mode)
  check(opt.threshold_mode == "rel" or opt.threshold_mode == "abs",
    "ReduceLROnPlateau: threshold_mode is 'rel' or 'abs', got '%s'", opt.threshold_mode)
  opt.min_lr = opt.min_lr or 0
  for i in ipairs(opt.optimizer.param_groups) do
    local least = type(opt.min_lr) == "table" and opt.min_lr[i] or opt.min_lr
    check(type(least) == "number", "ReduceLROnPlateau: min_lr is a number, or one for each group, got a %s",
      class.type(least))
  end
  for key, value in pairs(opt) do self[key] = value end
  self.best = opt.mode == "min" and math.huge or -math.huge
  self.num_bad_epochs, self.cooldown_counter, self.last_epoch = 0, 0, 0
  self:_note()
end

function ReduceLROnPlateau:_note()
  self._last_lr = {}
  for i, group in ipairs(self.optimizer.param_groups) do self._last_lr[i] = group.lr end
end

function ReduceLROnPlateau:is_better(value)
  local sign = self.mode == "min" and -1 or 1
  local margin = self.threshold_mode == "rel" and self.best * sign * self.threshold or sign * self.threshold
  if math.abs(self.best) == math.huge then margin = 0 end
  if self.mode == "min" then return value < self.best + margin end
  return value > self.best + margin
end

---@param value number|torch.Tensor  what is to become smaller, or larger
function ReduceLROnPlateau:step(value)
  check(value ~= nil, "ReduceLROnPlateau: step needs the value that is watched")
  value = type(value) == "number" and value or value:item()
  self.last_epoch = self.last_epoch + 1
  if self:is_better(value) then
    self.best, self.num_bad_epochs = value, 0
  else
    self.num_bad_epochs = self.num_bad_epochs + 1
  end
  if self.cooldown_counter > 0 then
    self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
  end
  if self.num_bad_epochs > self.patience then
    for i, group in ipairs(self.optimizer.param_groups) do
      local least = type(self.min_lr) == "table" and self.min_lr[i] or self.min_lr
      local lr = math.max(group.lr * self.factor, least)
      if group.lr - lr > self.eps then group.lr = lr end
    end
    self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
  end
  self:_note()
end

return { ChainedScheduler = ChainedScheduler, SequentialLR = SequentialLR, ReduceLROnPlateau = ReduceLROnPlateau }
