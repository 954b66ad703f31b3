--- Averages of the weights that training passes through (Izmailov et al. 2018).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = require "torch.nn.module"
local LRScheduler = require "torch.optim.lr_scheduler.scheduler"

local swa_utils = {}

--- An average that forgets: decay average + (1 - decay) current.
---@param decay? number  Default: 0.999.
---@return fun(average: torch.Tensor, current: torch.Tensor, n: integer): torch.Tensor
function swa_utils.get_ema_avg_fn(decay)
  decay = decay or 0.999
  check(type(decay) == "number" and decay >= 0 and decay <= 1, "get_ema_avg_fn: decay is within 0..1, got %s", decay)
  return function(average, current)
    if average:is_floating_point() or average:is_complex() then return torch.lerp(current, average, decay) end
    return average * decay + current * (1 - decay)
  end
end

--- The equal mean of all: average + (current - average) / (n + 1).
---@return fun(average: torch.Tensor, current: torch.Tensor, n: integer): torch.Tensor
function swa_utils.get_swa_avg_fn()
  return function(average, current, n) return average + (current - average) / (n + 1) end
end

-- A function of lists from one of tensors, which changes the averages in place.
local function of_lists(fn)
  return function(averages, currents, n)
    for i, average in ipairs(averages) do average:copy_(fn(average, currents[i], n)) end
  end
end

--- The same two for lists of tensors, whose averages they change in place.
---@param decay? number  Default: 0.999.
---@return fun(averages: torch.Tensor[], currents: torch.Tensor[], n: integer)
function swa_utils.get_ema_multi_avg_fn(decay)
  return of_lists(swa_utils.get_ema_avg_fn(decay))
end

---@return fun(averages: torch.Tensor[], currents: torch.Tensor[], n: integer)
function swa_utils.get_swa_multi_avg_fn()
  return of_lists(swa_utils.get_swa_avg_fn())
end

--- A copy of a model whose parameters are the average of those that `update_parameters` has seen; with `use_buffers`
--- its buffers too. `avg_fn(average, current, n)` says how, or `multi_avg_fn(averages, currents, n)` in place; without
--- one it is the equal mean.
--
--     torch.optim.swa_utils.AveragedModel(torch.nn.Linear(3, 2))
---@class optim.AveragedModel: nn.Module
local AveragedModel = class("AveragedModel(any model, any device=None, any avg_fn=None, any multi_avg_fn=None, "
  .. "bool use_buffers=False)", Module)

function AveragedModel:init(opt)
  check(class.isinstance(opt.model, Module), "AveragedModel: expected a module, got a %s", class.type(opt.model))
  self.module = torch.deepcopy(opt.model)
  if opt.device then self.module:to(opt.device) end
  self:register_buffer("n_averaged", torch.tensor(0, { dtype = torch.int64 }))
  check(not (opt.avg_fn and opt.multi_avg_fn), "AveragedModel: give avg_fn or multi_avg_fn, not both")
  rawset(self, "_average", opt.multi_avg_fn or of_lists(opt.avg_fn or swa_utils.get_swa_avg_fn()))
  rawset(self, "_with_buffers", opt.use_buffers)
  for _, key in ipairs { "model", "device", "avg_fn", "multi_avg_fn", "use_buffers" } do self[key] = nil end
end

function AveragedModel:forward(...)
  return self.module(...)
end

local function state_of(model, with_buffers)
  local list = model:parameters()
  for _, buffer in ipairs(with_buffers and model:buffers() or {}) do list[#list + 1] = buffer end
  return list
end

--- Takes the model's parameters into the average.
---@param model nn.Module
function AveragedModel:update_parameters(model)
  local n = self.n_averaged:item()
  local current = state_of(model, self._with_buffers)
  torch.no_grad(function()
    local averages = state_of(self.module, self._with_buffers)
    for i, average in ipairs(averages) do current[i] = current[i]:detach():to(average.device) end
    if n == 0 then
      for i, average in ipairs(averages) do average:copy_(current[i]) end
    else
      for i, average in ipairs(averages) do averages[i] = average:detach() end
      self._average(averages, current, n)
    end
    if not self._with_buffers then
      local buffers = model:buffers()
      for i, buffer in ipairs(self.module:buffers()) do buffer:copy_(buffers[i]) end
    end
    self.n_averaged:add_(1)
  end)
end

--- Anneals the rates to swa_lr in anneal_epochs steps, then stays there; anneal_strategy is "cos" or "linear".
--
--     torch.optim.swa_utils.SWALR(torch.optim.SGD({torch.zeros(2)}, {lr=1}), 0.05)
---@class optim.SWALR: optim.LRScheduler
local SWALR = class("SWALR(any optimizer, any swa_lr, int anneal_epochs=10, str anneal_strategy='cos', "
  .. "int last_epoch=-1)", LRScheduler)

function SWALR:prepare()
  check(self.anneal_strategy == "cos" or self.anneal_strategy == "linear",
    "SWALR: anneal_strategy is 'cos' or 'linear', got '%s'", self.anneal_strategy)
  for i, group in ipairs(self.optimizer.param_groups) do
    group.swa_lr = type(self.swa_lr) == "table" and self.swa_lr[i] or self.swa_lr
    check(type(group.swa_lr) == "number", "SWALR: swa_lr is a number, or one for each group, got a %s",
      class.type(group.swa_lr))
  end
end

-- How far the annealing has come after a step.
function SWALR:_share(epoch)
  local share = math.max(0, math.min(1, epoch / math.max(1, self.anneal_epochs)))
  return self.anneal_strategy == "cos" and (1 - math.cos(math.pi * share)) / 2 or share
end

-- The rate without annealing is found from the one before, which another scheduler may have changed.
function SWALR:rate(lr, _, epoch, group)
  if self.anneal_epochs == 0 then epoch = math.max(1, epoch) end
  local before, now = self:_share(epoch - 1), self:_share(epoch)
  local plain = before == 1 and group.swa_lr or (lr - before * group.swa_lr) / (1 - before)
  return group.swa_lr * now + plain * (1 - now)
end

--- Makes the statistics of batch normalisation anew, from one pass over the data.
---@param loader any     gives batches, or tables whose first item is one
---@param model nn.Module
---@param device? any
function swa_utils.update_bn(loader, model, device)
  check(class.isinstance(model, Module), "update_bn: expected a module, got a %s", class.type(model))
  local momenta = {}
  for _, m in ipairs(model:modules()) do
    if m.reset_running_stats and m.running_mean then
      m:reset_running_stats()
      momenta[m] = m.momentum or false
      m.momentum = nil -- the mean of all batches
    end
  end
  if next(momenta) == nil then return end
  local was_training = model.training
  model:train()
  torch.no_grad(function()
    for batch in loader:iter() do
      local x = torch.is_tensor(batch) and batch or batch[1]
      model(device and x:to(device) or x)
    end
  end)
  for m, momentum in pairs(momenta) do m.momentum = momentum or nil end
  model:train(was_training)
end

swa_utils.AveragedModel, swa_utils.SWALR = AveragedModel, SWALR
return swa_utils
