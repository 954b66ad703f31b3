--- The base of all optimizers: groups of parameters with their settings, and a state for each parameter.
--
-- An optimizer gives the arguments of its constructor to `Optimizer.init` and defines `update(p, g, state, group)`,
-- which is called in `step` for every parameter p with a gradient g, without recording. `state` is a table of its own
-- for p, empty at first, where `state.step` counts the calls from 1. g comes with `maximize` and `weight_decay` dealt
-- with; who decays weights otherwise is `decoupled` and defines `decayed`.
--
-- From the second step on, parameters that `core.can_update` accepts are changed by one pass over all of them: where
-- the optimizer has `fused(state, group)`, it returns the name of the kernel's rule (kernels/cpu/update_rule.cpp), the
-- rule's numbers, and the tensors of the state in the rule's order; or nil, if `update` must do it.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local zero_grad = require "torch.zero_grad"
local core = torch.core

---@class optim.Optimizer
---@field param_groups table[]       each: params, and a field for every setting
---@field state table<integer, table>  by the parameter's id
local Optimizer = class("Optimizer")

-- What every setting must hold to, where an optimizer has it.
local NOT_NEGATIVE = { "lr", "eps", "weight_decay", "momentum", "lr_decay", "momentum_decay", "lambd" }

local function check_settings(name, settings)
  for _, key in ipairs(NOT_NEGATIVE) do
    local value = settings[key]
    check(not value or type(value) == "number" and value >= 0, "%s: %s is at least 0, got %s", name, key, value)
  end
  local betas = settings.betas
  if not betas then return end
  check(type(betas) == "table" and #betas == 2, "%s: betas are two numbers, got %s", name,
    type(betas) == "table" and #betas or betas)
  for i, beta in ipairs(betas) do
    check(type(beta) == "number" and beta >= 0 and beta < 1, "%s: beta %s is within 0..1, got %s", name, i, beta)
  end
end

--- `defaults` holds the constructor's arguments: `params`, a list of parameters or of groups `{params = {...},
--- lr = ...}` with settings of their own, and the settings for groups which do not have them.
---@param defaults table<string, any>
function Optimizer:init(defaults)
  check(type(defaults) == "table", "%s: expected the constructor's arguments in a table, got a %s", class.type(self),
    class.type(defaults))
  local params = defaults.params
  defaults.params = nil
  check_settings(class.type(self), defaults)
  check(type(params) == "table", "%s: expected a list of parameters or of groups, got a %s", class.type(self),
    class.type(params))
  self.defaults, self.param_groups, self.state = defaults, {}, {}
  local groups = params
  if #params == 0 or torch.is_tensor(params[1]) then groups = { { params = params } } end
  for _, group in ipairs(groups) do self:add_param_group(group) end
end

--- Adds parameters with settings of their own.
---@param group table  params: a list or one tensor; any setting
function Optimizer:add_param_group(group)
  local name = class.type(self)
  check(type(group) == "table" and group.params, "%s: a group is a table with a field `params`", name)
  local known = {}
  for _, other in ipairs(self.param_groups) do
    for _, p in ipairs(other.params) do known[p:id()] = true end
  end
  local params = torch.is_tensor(group.params) and { group.params } or group.params
  check(type(params) == "table", "%s: params of a group are a list, got a %s", name, class.type(params))
  check(#params > 0, "%s: a group has no parameters", name)
  for i, p in ipairs(params) do
    check(torch.is_tensor(p), "%s: parameter %s is not a tensor but a %s", name, i, class.type(p))
    check(p.is_leaf, "%s: parameter %s is not a leaf: it was computed from others", name, i)
    check(not known[p:id()], "%s: parameter %s occurs twice", name, i)
    known[p:id()] = true
  end
  local settings = {}
  for key, value in pairs(self.defaults) do settings[key] = value end
  for key, value in pairs(group) do
    local usual = self.defaults[key]
    check(usual == nil or type(value) == type(usual), "%s: '%s' of a group is not a %s but a %s", name, key,
      type(usual), class.type(value))
    settings[key] = value
  end
  settings.params = { unpack(params) }
  check_settings(name, settings)
  check(settings.lr, "%s: a group has no learning rate `lr`", name)
  table.insert(self.param_groups, settings)
end

--- Clears the gradients of all parameters.
function Optimizer:zero_grad(...)
  for _, group in ipairs(self.param_groups) do zero_grad(group.params, ...) end
end

--- The gradient that `update` gets.
---@return torch.Tensor
function Optimizer:decayed(p, g, group)
  local decay = group.weight_decay or 0
  return decay ~= 0 and g:add(p, { alpha = decay }) or g
end

local function state_of(self, p)
  local id = p:id()
  local state = self.state[id]
  if not state then
    state = { step = 0 }
    self.state[id] = state
  end
  return state
end

-- Rows of tensors that one call of the kernel takes: those of one rule with equal numbers.
local function batch_for(batches, rule, numbers, dtype)
  local last = batches[#batches]
  local same = last and last.rule == rule and last.dtype == dtype
  for i = 1, same and #numbers or 0 do same = same and numbers[i] == last.numbers[i] end
  if same then return last end
  local batch = { rule = rule, numbers = numbers, dtype = dtype, rows = {} }
  batches[#batches + 1] = batch
  return batch
end

-- Adds the parameter to the batches; false if it must be changed by `update`.
local function enqueue(self, batches, p, g, state, group)
  if not self.fused or state.step == 1 or not core.can_update(p, g) then return false end
  local rule, numbers, tensors = self:fused(state, group)
  if not rule then return false end
  local rows = batch_for(batches, rule, numbers, p.dtype).rows
  rows[#rows + 1], rows[#rows + 2] = p, g
  for _, t in ipairs(tensors) do rows[#rows + 1] = t end
  return true
end

local function update_all(self)
  for _, group in ipairs(self.param_groups) do
    local batches = {}
    for _, p in ipairs(group.params) do
      local g = p.grad
      if g then
        local state = state_of(self, p)
        state.step = state.step + 1
        if not enqueue(self, batches, p, g, state, group) then
          if group.maximize then g = -g end
          self:update(p, self:decayed(p, g, group), state, group)
        end
      end
    end
    local sign, decay = group.maximize and -1 or 1, self.decoupled and 0 or group.weight_decay or 0
    for _, batch in ipairs(batches) do
      core.update(batch.rule, { sign, decay, unpack(batch.numbers) }, batch.rows)
    end
  end
end

--- Changes every parameter which has a gradient.
---@param closure? fun(): torch.Tensor  computes the loss and the gradients anew
---@return torch.Tensor? loss
function Optimizer:step(closure)
  local loss = closure and torch.enable_grad(closure)
  torch.no_grad(update_all, self)
  return loss
end

local function copied(settings)
  local copy = {}
  for key, value in pairs(settings) do
    if key ~= "params" then copy[key] = value end
  end
  return copy
end

--- The states and settings as plain tables, parameters numbered through all groups. Tensors are shared.
---@return { state: table<integer, table>, param_groups: table[] }
function Optimizer:state_dict()
  local dict, number = { state = {}, param_groups = {} }, 0
  for i, group in ipairs(self.param_groups) do
    local settings = copied(group)
    settings.params = {}
    for j, p in ipairs(group.params) do
      number = number + 1
      settings.params[j] = number
      dict.state[number] = self.state[p:id()]
    end
    dict.param_groups[i] = settings
  end
  return dict
end

--- Can a loaded state of parameter p hold this tensor? Most hold numbers, and tensors like p.
---@return boolean
function Optimizer:holds(x, p)
  return x:numel() == 1 or x:size() == p:size()
end

-- Everything that could be wrong with a loaded state.
local function check_state(optimizer, state, p, number)
  local name = class.type(optimizer)
  check(type(state) == "table", "%s: the state of parameter %s is not a table but a %s", name, number,
    class.type(state))
  for key, value in pairs(state) do
    check(not torch.is_tensor(value) or optimizer:holds(value, p), "%s: '%s' in the state of parameter %s has %s, the "
      .. "parameter %s", name, key, number, torch.is_tensor(value) and value:size(), p:size())
  end
  local step = state.step
  check(step == nil or type(step) == "number" or torch.is_tensor(step), "%s: 'step' in the state of parameter %s is "
    .. "not a number but a %s", name, number, class.type(step))
end

local function check_group(optimizer, group, own, number)
  local name = class.type(optimizer)
  check(type(group) == "table" and type(group.params) == "table", "%s: group %s of the state is not a group", name,
    number)
  check(#group.params == #own.params, "%s: group %s of the state has %s parameters, the optimizer's %s", name, number,
    #group.params, #own.params)
  for key, usual in pairs(optimizer.defaults) do
    local value = group[key]
    check(value == nil or type(value) == type(usual), "%s: '%s' in group %s of the state is not a %s but a %s", name,
      key, number, type(usual), class.type(value))
  end
  check_settings(name, group)
end

-- A copy of a state that came from elsewhere: floating tensors take p's dtype, all take its device. Steps are numbers,
-- also those from PyTorch.
local function adopted(state, p)
  local copy = {}
  for key, value in pairs(state) do
    if key == "step" and torch.is_tensor(value) then
      value = value:item()
    elseif torch.is_tensor(value) then
      value = value:is_floating_point() and value:to(p.device, p.dtype) or value:to(p.device)
      value = value:contiguous():clone()
    end
    copy[key] = value
  end
  return copy
end

--- Goes on where another optimizer stood: its `state_dict` with as many groups and parameters as this one has.
--- Everything is looked at before anything is changed; settings that the state lacks stay.
---@param dict { state: table<integer, table>, param_groups: table[] }
function Optimizer:load_state_dict(dict)
  local name = class.type(self)
  check(type(dict) == "table" and type(dict.state) == "table" and type(dict.param_groups) == "table",
    "%s: load_state_dict expects what `state_dict` returned", name)
  local groups = dict.param_groups
  check(#groups == #self.param_groups, "%s: the state has %s groups, the optimizer %s", name, #groups,
    #self.param_groups)
  for i, group in ipairs(self.param_groups) do
    check_group(self, groups[i], group, i)
    for j, p in ipairs(group.params) do
      local number = groups[i].params[j]
      if dict.state[number] ~= nil then check_state(self, dict.state[number], p, number) end
    end
  end

  self.state = {}
  for i, group in ipairs(self.param_groups) do
    local settings = copied(group)
    for key, value in pairs(copied(groups[i])) do settings[key] = value end
    settings.params = group.params
    for j, p in ipairs(group.params) do
      local state = dict.state[groups[i].params[j]]
      self.state[p:id()] = state and adopted(state, p)
    end
    self.param_groups[i] = settings
  end
end

function Optimizer:__tostring()
  local lines = {}
  for i, group in ipairs(self.param_groups) do
    local settings = {}
    for key, value in pairs(copied(group)) do
      if type(value) == "table" then value = "(" .. table.concat(value, ", ") .. ")" end
      settings[#settings + 1] = ("    %s: %s"):format(key, tostring(value))
    end
    table.sort(settings)
    lines[i] = ("Parameter Group %d\n%s\n"):format(i, table.concat(settings, "\n"))
  end
  return class.type(self) .. " (\n" .. table.concat(lines, "\n") .. ")"
end

return Optimizer
