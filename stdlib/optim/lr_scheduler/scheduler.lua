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
    if epoch then before = self:rate_before(self.base_lrs[i], epoch) end
    group.lr = self:rate(before, self.base_lrs[i], self.last_epoch, group, i)
    self._last_lr[i] = group.lr
  end
end

--- The rate of the epoch before, as if there were no other scheduler.
function LRScheduler:rate_before(base, epoch)
  local lr = base
  for e = 0, epoch - 1 do lr = self:rate(lr, base, e) end
  return lr
end

--- The learning rates that the last step set.
---@return number[]
function LRScheduler:get_last_lr()
  return self._last_lr
end

local function kept(value)
  return type(value) ~= "function" and not class.isinstance(value, Optimizer)
end

--- All fields but for the optimizer and functions.
---@return table<string, any>
function LRScheduler:state_dict()
  local state = {}
  for key, value in pairs(self) do
    if kept(value) then state[key] = value end
  end
  return state
end

function LRScheduler:load_state_dict(state)
  check(type(state) == "table", "%s: load_state_dict expects what `state_dict` returned", class.type(self))
  for key, value in pairs(state) do self[key] = value end
end

return LRScheduler
