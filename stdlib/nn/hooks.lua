--- Hooks of modules: functions that watch or change what goes into a module, what comes out, and the gradients of both.
--
-- A module without hooks pays one failed look-up per call.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local function pack(...) return { n = select("#", ...), ... } end

-- One value stays itself, several are handed over as a list.
local function single(values)
  if values.n == 1 then return values[1] end
  return values
end

--- What registering a hook returns.
---@class nn.HookHandle
local Handle = class("HookHandle")

function Handle:init(module, kind, hook)
  self.module, self.kind, self.hook = module, kind, hook
end

--- Takes the hook away; doing so twice is no error.
function Handle:remove()
  local hooks = self.module and self.module._hooks
  if not hooks then return end
  local rest = {}
  for _, h in ipairs(hooks[self.kind]) do
    if h ~= self then rest[#rest + 1] = h end
  end
  hooks[self.kind], self.module = rest, nil
  if #hooks.before + #hooks.after + #hooks.backward == 0 then hooks.owner._hooks = nil end
end

local function register(module, kind, hook)
  check(type(hook) == "function", "register hook: expected a function, got a %s", type(hook))
  if not module._hooks then module._hooks = { before = {}, after = {}, backward = {}, owner = module } end
  local handle, list = Handle(module, kind, hook), { unpack(module._hooks[kind]) }
  list[#list + 1] = handle
  module._hooks[kind] = list -- a new list: a call in progress goes on with its own
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

-- Brackets the module: the gradients of its outputs are kept when they come by, the hooks run at the inputs' or,
-- where no input wants one, right away.
local function call_watched(module, hooks, input)
  local grad_output
  local function run(grad_input)
    for _, h in ipairs(hooks) do
      local changed = h.hook(module, grad_input, grad_output)
      if changed ~= nil then
        grad_input = torch.is_tensor(changed) and { n = 1, changed } or changed
      end
    end
    return grad_input
  end
  local wanted = watched(input, run)
  local output = pack(module:forward(unpack(input, 1, input.n)))
  watched(output, function(gradients)
    grad_output = gradients
    if not wanted then run({ n = 0 }) end
  end)
  return output
end

return function(Module)
  --- `hook(module, input)` runs before `forward` with the list of its arguments; values it returns take their place.
  ---@return nn.HookHandle
  function Module:register_forward_pre_hook(hook) return register(self, "before", hook) end

  --- `hook(module, input, output)` runs after `forward`; values it returns take the output's place. Several outputs
  --- come as a list.
  ---@return nn.HookHandle
  function Module:register_forward_hook(hook) return register(self, "after", hook) end

  --- `hook(module, grad_input, grad_output)` runs in `backward` when the gradients of the inputs are known, as lists
  --- with nil where there is none; a list or tensor it returns takes the place of `grad_input`.
  ---@return nn.HookHandle
  function Module:register_full_backward_hook(hook) return register(self, "backward", hook) end

  function Module:_call_hooks(...)
    local hooks, input = self._hooks, pack(...)
    local before, after, backward = hooks.before, hooks.after, hooks.backward
    for _, h in ipairs(before) do
      local changed = pack(h.hook(self, input))
      if changed[1] ~= nil then input = changed end
    end
    local output
    if #backward > 0 then
      output = call_watched(self, backward, input)
    else
      output = pack(self:forward(unpack(input, 1, input.n)))
    end
    for _, h in ipairs(after) do
      local changed = pack(h.hook(self, input, single(output)))
      if changed[1] ~= nil then output = changed end
    end
    return unpack(output, 1, output.n)
  end
end
