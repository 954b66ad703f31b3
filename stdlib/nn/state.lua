--- The state of modules: what `state_dict` collects and `load_state_dict` copies back.
--
-- Besides parameters and buffers a module may have a state of its own, anything that can be saved: it defines
-- `get_extra_state()` and `set_extra_state(value)`, and the value stands under `_extra_state`.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local StateDict, hooks = require "torch.nn.state_dict", require "torch.nn.hooks"
local is_tensor, is_parameter = torch.is_tensor, torch.core.is_parameter

local EXTRA = "_extra_state"

local function is_buffer(x) return is_tensor(x) and not is_parameter(x) end

local function run(module, kind, ...)
  for _, h in ipairs((rawget(module, "_state_hooks") or {})[kind] or {}) do h.hook(module, ...) end
end

-- Calls `visit(prefix, module)` for the module and then for everything below it; a module in two places has two.
local function each(module, prefix, visit)
  visit(prefix, module)
  for name, child in module:_child_items() do
    each(child, prefix .. name .. ".", visit)
  end
end

-- Own parameters, then own buffers: into[name] = tensor.
local function gather(module, prefix, into)
  module:_check_ready((prefix:gsub("%.$", "")))
  local transient = rawget(module, "_transient") or {}
  for name, p in module:_items(is_parameter) do into[prefix .. name] = p end
  for name, x in module:_items(is_buffer) do
    if not transient[name] then into[prefix .. name] = x end
  end
end

local function quoted(names)
  return '"' .. table.concat(names, '", "') .. '"'
end

-- How a state differs from what is wanted, `targets`: names that are missing, names that are unexpected, and what
-- cannot be copied.
local function compared(given, targets)
  local missing, unexpected, misfits = {}, {}, {}
  for name, target in targets:items() do
    local x = rawget(given, name)
    if x == nil then
      missing[#missing + 1] = name
    elseif is_tensor(target) and not is_tensor(x) then
      misfits[#misfits + 1] = ("%s is not a tensor but a %s"):format(name, class.type(x))
    elseif is_tensor(target) and x:size() ~= target:size() then
      misfits[#misfits + 1] = ("size mismatch for %s: the state has (%s), the module (%s)"):format(name,
        table.concat(x:size(), ", "), table.concat(target:size(), ", "))
    end
  end
  for name in pairs(given) do
    if rawget(targets, name) == nil then unexpected[#unexpected + 1] = tostring(name) end
  end
  table.sort(unexpected)
  return missing, unexpected, misfits
end

local function refuse(module, strict, missing, unexpected, misfits)
  local faults = { unpack(misfits) }
  if strict and #unexpected > 0 then table.insert(faults, 1, "unexpected keys: " .. quoted(unexpected)) end
  if strict and #missing > 0 then table.insert(faults, 1, "missing keys: " .. quoted(missing)) end
  check(#faults == 0, "load_state_dict: the state does not fit %s\n  %s", class.type(module),
    table.concat(faults, "\n  "))
end

-- A state dict's entries in one that hooks may change.
local function copied(given)
  local copy = StateDict()
  for name, x in pairs(given) do copy[name] = x end
  return copy
end

return function(Module)
  local read_save = torch.core.signature("state_dict(*, any destination=None, str prefix='', bool keep_vars=False)")

  --- Names and tensors of the state, in PyTorch's order and under its names. The tensors share the module's storage.
  ---@param options? table  destination: a StateDict that is added to; prefix: of the names; keep_vars: the parameters
  ---                       themselves, which know of gradients
  ---@return StateDict
  function Module:state_dict(...)
    local opt = read_save(...)
    local state = opt.destination or StateDict()
    local function save(module, prefix)
      run(module, "save_pre", prefix, opt.keep_vars)
      local own = StateDict()
      gather(module, prefix, own)
      for name, x in own:items() do state[name] = opt.keep_vars and x or x:detach() end
      if module.get_extra_state then state[prefix .. EXTRA] = module:get_extra_state() end
      for name, child in module:_child_items() do
        save(child, prefix .. name .. ".")
      end
      run(module, "save_post", state, prefix)
    end
    save(self, opt.prefix)
    return state
  end

  local read_load = torch.core.signature("load_state_dict(any state_dict, bool strict=True)")

  --- Copies the tensors of `state_dict` into the module's. Everything is looked at before anything is changed, unless
  --- there are hooks which may make missing and unexpected names good.
  ---@param state_dict StateDict|table<string, torch.Tensor>
  ---@param strict? boolean  Default: true: names that are missing or unexpected are an error.
  ---@return string[] missing, string[] unexpected
  function Module:load_state_dict(...)
    local opt = read_load(...)
    check(type(opt.state_dict) == "table" and not class.isinstance(opt.state_dict, Module),
      "load_state_dict: expected a state dict, got a %s", class.type(opt.state_dict))
    local given, targets, modules, hooked = copied(opt.state_dict), StateDict(), {}, false
    each(self, "", function(prefix, module)
      modules[#modules + 1] = { prefix, module }
      hooked = hooked or (rawget(module, "_state_hooks") or {}).load_post ~= nil
      run(module, "load_pre", given, prefix, opt.strict)
      gather(module, prefix, targets)
      if module.set_extra_state then targets[prefix .. EXTRA] = module end
    end)
    local missing, unexpected, misfits = compared(given, targets)
    refuse(self, opt.strict and not hooked, missing, unexpected, misfits)

    torch.no_grad(function()
      for name, target in targets:items() do
        local x = rawget(given, name)
        if x ~= nil then
          if is_tensor(target) then target:copy_(x) else target:set_extra_state(x) end
        end
      end
    end)
    for i = #modules, 1, -1 do run(modules[i][2], "load_post", missing, unexpected) end
    refuse(self, opt.strict, missing, unexpected, {})
    return missing, unexpected
  end

  --- `hook(module, prefix, keep_vars)` runs before the module's state is collected.
  ---@return nn.HookHandle
  function Module:register_state_dict_pre_hook(...) return hooks.register(self, "_state_hooks", "save_pre", ...) end

  --- `hook(module, state_dict, prefix)` runs when the module's state is in the state dict, which it may change.
  ---@return nn.HookHandle
  function Module:register_state_dict_post_hook(...) return hooks.register(self, "_state_hooks", "save_post", ...) end

  --- `hook(module, state_dict, prefix, strict)` runs before anything is loaded; it may change the state dict, a
  --- copy.
  ---@return nn.HookHandle
  function Module:register_load_state_dict_pre_hook(...)
    return hooks.register(self, "_state_hooks", "load_pre", ...)
  end

  --- `hook(module, missing, unexpected)` runs after loading; names it takes from the two lists are no error.
  ---@return nn.HookHandle
  function Module:register_load_state_dict_post_hook(...)
    return hooks.register(self, "_state_hooks", "load_post", ...)
  end
end
