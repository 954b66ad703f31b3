--- Hooks of modules: functions that watch or change what goes into a module, what comes out, and the gradients of both.
--
-- They lie in the module's `_hooks`, a list for each kind; those for all modules lie in the class Module itself and run
-- first. A module without hooks pays one failed look-up per call.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local function pack(...) return { n = select("#", ...), ... } end

-- One value stays itself, several are handed over as a list.
local function single(values)
  if values.n == 1 then return values[1] end
  return values
end

local hooks = {}

--- What registering a hook returns.
---@class nn.HookHandle
local Handle = class("HookHandle")

function Handle:init(owner, field, kind, hook)
  self.owner, self.field, self.kind, self.hook = owner, field, kind, hook
end

--- Takes the hook away; doing so twice is no error.
function Handle:remove()
  local kinds = self.owner and rawget(self.owner, self.field)
  if not kinds then return end
  local rest = {}
  for _, h in ipairs(kinds[self.kind] or {}) do
    if h ~= self then rest[#rest + 1] = h end
  end
  kinds[self.kind] = #rest > 0 and rest or nil
  if next(kinds) == nil then rawset(self.owner, self.field, nil) end
  self.owner = nil
end

local read_options = torch.core.signature("register(any hook, *, bool prepend=False)")

--- Adds a hook to the lists that `owner`, a module or the class, keeps in `field`.
---@param ... any  the hook; prepend: before those that are there, by default after them
---@return nn.HookHandle
function hooks.register(owner, field, kind, ...)
  local opt = read_options(...)
  check(type(opt.hook) == "function", "register hook: expected a function, got a %s", class.type(opt.hook))
  if not rawget(owner, field) then rawset(owner, field, {}) end
  local kinds, handle = rawget(owner, field), Handle(owner, field, kind, opt.hook)
  local list = { unpack(kinds[kind] or {}) } -- a new list: a call in progress goes on with its own
  table.insert(list, opt.prepend and 1 or #list + 1, handle)
  kinds[kind] = list
  return handle
end

-- A function of autograd which hands tensors through and calls `watch` with the list of their gradients on the way
-- back; what `watch` returns goes on instead.
local function watched(values, watch)
  local places, tensors = {}, {}
  for i = 1, values.n do
    local x = values[i]
    if torch.is_tensor(x) and x.requires_grad then
      places[#places + 1], tensors[#tensors + 1] = i, x
    end
  end
  if #places == 0 or not torch.is_grad_enabled() then return false end
  local Watch = torch.autograd.Function.extend {
    forward = function(_, ...)
      local through = pack(...)
      for i = 1, through.n do through[i] = through[i]:detach() end
      return unpack(through, 1, through.n)
    end,
    backward = function(_, ...)
      local given, gradients = pack(...), { n = values.n }
      for i, place in ipairs(places) do gradients[place] = given[i] end
      gradients = watch(gradients) or gradients
      for i, place in ipairs(places) do given[i] = gradients[place] end
      return unpack(given, 1, given.n)
    end,
  }
  local through = pack(Watch:apply(unpack(tensors)))
  for i, place in ipairs(places) do values[place] = through[i] end
  return true
end

-- What hooks make of gradients: each gets what the one before left, and `...` after it.
local function changed_by(list, module, gradients, ...)
  for _, h in ipairs(list) do
    local changed = h.hook(module, gradients, ...)
    if changed ~= nil then gradients = torch.is_tensor(changed) and { n = 1, changed } or changed end
  end
  return gradients
end

-- Brackets the module: the gradients of its outputs are kept when they come by, the hooks run at the inputs' or,
-- where no input wants one, right away.
local function call_watched(module, before, after, input)
  local grad_output
  local function run(grad_input)
    return changed_by(after, module, grad_input, grad_output)
  end
  local wanted = #after > 0 and watched(input, run)
  local output = pack(module:_invoke(unpack(input, 1, input.n)))
  watched(output, function(gradients)
    grad_output = changed_by(before, module, gradients)
    if not wanted then run({ n = 0 }) end
    return grad_output
  end)
  return output
end

--- Gives the class Module its hooks.
function hooks.install(Module)
  -- The hooks of a kind: those for all modules, then the module's own.
  local function list_of(module, kind)
    local list = {}
    for _, owner in ipairs { Module, module } do
      for _, h in ipairs((rawget(owner, "_hooks") or {})[kind] or {}) do list[#list + 1] = h end
    end
    return list
  end

  --- `hook(module, input)` runs before `forward` with the list of its arguments; values it returns take their place.
  --- `{prepend=true}` puts it before the hooks that are there.
  ---@return nn.HookHandle
  function Module:register_forward_pre_hook(...) return hooks.register(self, "_hooks", "before", ...) end

  --- `hook(module, input, output)` runs after `forward`; values it returns take the output's place. Several outputs
  --- come as a list.
  ---@return nn.HookHandle
  function Module:register_forward_hook(...) return hooks.register(self, "_hooks", "after", ...) end

  --- `hook(module, grad_input, grad_output)` runs in `backward` when the gradients of the inputs are known, as lists
  --- with nil where there is none; a list or tensor it returns takes the place of `grad_input`.
  ---@return nn.HookHandle
  function Module:register_full_backward_hook(...) return hooks.register(self, "_hooks", "backward", ...) end

  --- `hook(module, grad_output)` runs in `backward` before the module's own part; a list or tensor it returns takes the
  --- place of `grad_output`.
  ---@return nn.HookHandle
  function Module:register_full_backward_pre_hook(...) return hooks.register(self, "_hooks", "backward_pre", ...) end

  function Module:_call_hooks(...)
    local input = pack(...)
    for _, h in ipairs(list_of(self, "before")) do
      local changed = pack(h.hook(self, input))
      if changed[1] ~= nil then input = changed end
    end
    local output
    local first, last = list_of(self, "backward_pre"), list_of(self, "backward")
    if #first + #last > 0 then
      output = call_watched(self, first, last, input)
    else
      output = pack(self:_invoke(unpack(input, 1, input.n)))
    end
    for _, h in ipairs(list_of(self, "after")) do
      local changed = pack(h.hook(self, input, single(output)))
      if changed[1] ~= nil then output = changed end
    end
    return unpack(output, 1, output.n)
  end
end

return hooks
