--- The base of all learning-rate schedulers.
--
-- A scheduler defines `rate(lr, base, epoch, group)`: the learning rate of a group at an epoch (from 0), from the one
-- before and from the initial one. Rates that follow from the one before let schedulers be chained.

local class, check = require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

---@class optim.LRScheduler
---@field optimizer optim.Optimizer
---@field base_lrs number[]   the initial rate of each group
---@field last_epoch integer
local LRScheduler = class("LRScheduler")

--- `opt` holds the constructor's arguments, which become fields. Makes the first step.
---@param opt table<string, any>  optimizer; last_epoch: where to go on, -1 at the beginning
function LRScheduler:init(opt)
  local name = class.type(self)
  check(type(opt) == "table", "%s: expected the constructor's arguments in a table, got a %s", name, class.type(opt))
  check(class.isinstance(opt.optimizer, Optimizer), "%s: expected an optimizer, got a %s", name,
    class.type(opt.optimizer))
  for key, value in pairs(opt) do self[key] = value end
  self.last_epoch = opt.last_epoch or -1
  self.base_lrs = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    if self.last_epoch == -1 then group.initial_lr = group.initial_lr or group.lr end
    check(group.initial_lr, "%s: last_epoch is %s, but group %s has no initial_lr to go on from", name,
      self.last_epoch, i)
    self.base_lrs[i] = group.initial_lr
  end
  self:prepare()
  self:step()
end

--- Called once, before the first step.
function LRScheduler:prepare() end

--- Goes to the next epoch and sets the learning rate of every group.
---@param epoch? integer  the epoch to go to, for rates that do not hang on the one before
function LRScheduler:step(epoch)
  self.last_epoch = epoch or self.last_epoch + 1
  self._last_lr = {}
  for i, group in ipairs(self.optimizer.param_groups) do
    local before = group.lr
    if epoch then before = self:rate_before(self.base_lrs[i], epoch, group, i) end
    group.lr = self:rate(before, self.base_lrs[i], self.last_epoch, group, i)
    self._last_lr[i] = group.lr
  end
end

--- The rate of the epoch before, as if there were no other scheduler.
function LRScheduler:rate_before(base, epoch, group, i)
  local lr = base
  for e = 0, epoch - 1 do lr = self:rate(lr, base, e, group, i) end
  return lr
end

--- The learning rates that the last step set.
---@return number[]
function LRScheduler:get_last_lr()
  return self._last_lr
end

-- The names of the constructor's arguments: a state may have those, also where this scheduler has none.
function LRScheduler:_configured(_, names)
  self._arguments = {}
  for _, name in ipairs(names) do self._arguments[name] = true end
end

local function kept(key, value)
  return key ~= "_arguments" and type(value) ~= "function" and not class.isinstance(value, Optimizer)
end

-- What has a value for each group or scheduler.
local LISTS = { base_lrs = true, _last_lr = true, _schedulers = true }

--- All fields but for the optimizer and functions.
---@return table<string, any>
function LRScheduler:state_dict()
  local state = {}
  for key, value in pairs(self) do
    if kept(key, value) then state[key] = value end
  end
  return state
end

--- Goes on where another scheduler of this class stood.
---@param state table<string, any>
function LRScheduler:load_state_dict(state)
  local name = class.type(self)
  check(type(state) == "table", "%s: load_state_dict expects what `state_dict` returned, got a %s", name,
    class.type(state))
  for key, value in pairs(state) do
    local own = rawget(self, key)
    check(own ~= nil and kept(key, own) or self._arguments[key], "%s: the state has '%s', which this scheduler has not",
      name, key)
    check(own == nil or type(value) == type(own), "%s: '%s' in the state is not a %s but a %s", name, key, type(own),
      class.type(value))
    check(not LISTS[key] or #own == #value, "%s: '%s' in the state has %s values, this scheduler's %s", name, key,
      LISTS[key] and #value, LISTS[key] and #own)
  end
  for key, own in pairs(self) do
    check(state[key] ~= nil or not kept(key, own), "%s: the state has no '%s'", name, key)
  end
  for key, value in pairs(state) do self[key] = value end
end

return LRScheduler
