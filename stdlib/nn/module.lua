--- The base of all modules: fields that are parameters, buffers and children, and what follows from them.
--
-- A tensor put into a field is a parameter (`nn.Parameter`) or a buffer, a module is a child. Lua tells of the first
-- assignment of a field only, so the module notes names in that order and looks at what the fields hold when somebody
-- asks. Fields whose name begins with `_` are the module's own business. A child at position i (`self[i] = child`)
-- has PyTorch's name i - 1.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local expects, options = require "torch.nn.expects", require "torch.nn.options"
local zero_grad = require "torch.zero_grad"
local is_tensor, is_parameter = torch.is_tensor, torch.core.is_parameter

---@class nn.Module
---@field training boolean
---@field parameters fun(self, recurse?: boolean): torch.Tensor[]  each once, the module's own first
---@field buffers fun(self, recurse?: boolean): torch.Tensor[]
---@field named_parameters fun(self, options?: table): (fun(): string?, torch.Tensor)  prefix, recurse, remove_duplicate
---@field named_buffers fun(self, options?: table): (fun(): string?, torch.Tensor)
---@field allows? table<string, nn.Rule>      what the constructor's arguments may be, see torch.nn.options
---@field expects? string|fun(self): string  what the inputs have to be like, see torch.nn.expects
local Module = class("Module")
Module.training = true

-- Fields ----------------------------------------------------------------------------------------------------

-- Remembers when the field came.
local function note(module, key)
  local known = rawget(module, "_known")
  if not known then
    known = {}
    rawset(module, "_known", known)
    rawset(module, "_order", {})
  end
  if known[key] then return end
  known[key] = true
  module._order[#module._order + 1] = key
end

function Module:__newindex(key, value)
  if type(key) == "number" or type(key) == "string" and key:sub(1, 1) ~= "_" then note(self, key) end
  rawset(self, key, value)
end

function Module:_admit(opt, names)
  if self.allows then options.check(class.type(self), self.allows, opt, names) end
end

--- Arguments of the constructor become fields, except where `init` has given the field a meaning, be it nil.
function Module:_configured(opt, names, signature)
  local known = rawget(self, "_known") or {}
  for _, name in ipairs(names) do
    if not known[name] then self[name] = opt[name] end
  end
  rawset(self, "_options", { names = names, values = opt, signature = signature })
end

local function is_buffer(x) return is_tensor(x) and not is_parameter(x) end
local function is_module(x) return class.isinstance(x, Module) end

local function name_of(key)
  return type(key) == "number" and ("%d"):format(key - 1) or key
end

local function key_of(name)
  return name:find("^%d+$") and tonumber(name) + 1 or name
end

-- Iterates over the module's own fields that hold what `accepts`: name, value, key.
local function own(module, accepts)
  local order, i = rawget(module, "_order") or {}, 0
  return function()
    while true do
      i = i + 1
      local key = order[i]
      if key == nil then return nil end
      local value = rawget(module, key)
      if value ~= nil and accepts(value) then return name_of(key), value, key end
    end
  end
end

Module._items = own

local function join(prefix, name)
  return prefix == "" and name or prefix .. "." .. name
end

-- Lists of names and values as an iterator.
local function items(names, values)
  local i = 0
  return function()
    i = i + 1
    return names[i], values[i]
  end
end

-- The module and everything below it, each once unless `repeated`, parents first: paths, modules.
local function tree(module, prefix, repeated)
  local paths, modules, seen = {}, {}, {}
  local function visit(path, m)
    if seen[m] then return end
    seen[m] = not repeated
    paths[#paths + 1], modules[#modules + 1] = path, m
    for name, child in own(m, is_module) do visit(join(path, name), child) end
  end
  visit(prefix, module)
  return paths, modules
end

-- A lazy module has nothing to list, to save or to load yet.
function Module:_check_ready(path)
  check(rawget(self, "_pending") == nil, "%s%s: its parameters are not there before the first call", class.type(self),
    path ~= "" and (" '%s'"):format(path) or "")
end

-- The tensors that `accepts`, each once unless `repeated`: names, tensors.
local function members(module, accepts, prefix, recurse, repeated)
  local paths, modules = { prefix }, { module }
  if recurse then paths, modules = tree(module, prefix, repeated) end
  local names, tensors, seen = {}, {}, {}
  for i, m in ipairs(modules) do
    m:_check_ready(paths[i])
    for name, x in own(m, accepts) do
      if not seen[x:id()] then
        seen[x:id()] = not repeated
        names[#names + 1], tensors[#tensors + 1] = join(paths[i], name), x
      end
    end
  end
  return names, tensors
end

-- parameters, named_parameters, buffers, named_buffers
for kind, accepts in pairs { parameters = is_parameter, buffers = is_buffer } do
  local read = torch.core.signature(kind .. "(bool recurse=True)")
  local read_named = torch.core.signature("named_" .. kind .. "(str prefix='', bool recurse=True, "
    .. "bool remove_duplicate=True)")
  Module[kind] = function(self, ...)
    return (select(2, members(self, accepts, "", read(...).recurse)))
  end
  Module["named_" .. kind] = function(self, ...)
    local opt = read_named(...)
    return items(members(self, accepts, opt.prefix, opt.recurse, not opt.remove_duplicate))
  end
end

-- Names and direct children, also those that stand in several places.
function Module:_child_items()
  return own(self, is_module)
end

--- Names and direct children, each once.
---@return fun(): string?, nn.Module
function Module:named_children()
  local names, children, seen = {}, {}, {}
  for name, child in own(self, is_module) do
    if not seen[child] then
      seen[child] = true
      names[#names + 1], children[#children + 1] = name, child
    end
  end
  return items(names, children)
end

---@return nn.Module[]
function Module:children()
  local list = {}
  for _, child in self:named_children() do list[#list + 1] = child end
  return list
end

local read_modules = torch.core.signature("named_modules(*, str prefix='', bool remove_duplicate=True)")

--- Paths and modules: this one (path ""), then everything below it, each once unless `remove_duplicate` is false.
---@param options? table  prefix: what paths begin with; remove_duplicate
---@return fun(): string?, nn.Module
function Module:named_modules(...)
  local opt = read_modules(...)
  return items(tree(self, opt.prefix, not opt.remove_duplicate))
end

---@return nn.Module[]
function Module:modules()
  return (select(2, tree(self, "")))
end

--- What is at a path of names, such as "encoder.layers.0"; the module itself at "".
---@param path string
---@return nn.Module
function Module:get_submodule(path)
  check(type(path) == "string", "get_submodule: a path is a string, got a %s", class.type(path))
  local module = self
  for name in path:gmatch "[^.]+" do
    local child = rawget(module, key_of(name))
    check(is_module(child), "get_submodule: %s has no child '%s' on the way to '%s'", class.type(module), name, path)
    module = child
  end
  return module
end

-- The tensor at a path, which `accepts` it.
local function tensor_at(module, path, what, accepts)
  check(type(path) == "string", "get_%s: a path is a string, got a %s", what, class.type(path))
  local way, name = path:match("^(.-)%.?([^.]*)$")
  local owner = module:get_submodule(way)
  local x = rawget(owner, key_of(name))
  check(x ~= nil and accepts(x), "get_%s: %s has no %s '%s'", what, class.type(owner), what, name)
  return x
end

---@param path string  such as "fc.weight"
---@return torch.Tensor
function Module:get_parameter(path) return tensor_at(self, path, "parameter", is_parameter) end

---@param path string
---@return torch.Tensor
function Module:get_buffer(path) return tensor_at(self, path, "buffer", is_buffer) end

-- Puts a value under a name, which may be PyTorch's for a position.
function Module:_put(name, value)
  check(type(name) == "string" and name ~= "" and not name:find(".", 1, true),
    "%s: a field's name is a string without dots, got '%s'", class.type(self), name)
  local key = key_of(name)
  check(self[key] == nil or rawget(self, key) ~= nil, "%s: '%s' is already a method", class.type(self), name)
  note(self, key)
  self[key] = value
end

--- The field `name` holds a tensor that belongs to the state but is not learned.
---@param name string
---@param tensor torch.Tensor?
---@param persistent? boolean  Default: true. False leaves it out of `state_dict`.
function Module:register_buffer(name, tensor, persistent)
  if type(persistent) == "table" then persistent = persistent.persistent end
  check(tensor == nil or is_buffer(tensor), "register_buffer: '%s' is not a buffer but a %s", name, class.type(tensor))
  self:_put(name, tensor)
  if persistent == false then
    if not rawget(self, "_transient") then rawset(self, "_transient", {}) end
    self._transient[name] = true
  end
end

---@param name string
---@param parameter torch.Tensor?
function Module:register_parameter(name, parameter)
  check(parameter == nil or is_parameter(parameter), "register_parameter: '%s' is not a Parameter but a %s", name,
    class.type(parameter))
  self:_put(name, parameter)
end

---@param name string
---@param module nn.Module?
function Module:add_module(name, module)
  check(module == nil or is_module(module), "add_module: '%s' is not a module but a %s", name, class.type(module))
  self:_put(name, module)
end
Module.register_module = Module.add_module

-- Draws the module's own parameters from (-k, k).
function Module:_reset_uniform(k)
  torch.no_grad(function()
    for _, p in own(self, is_parameter) do p:uniform_(-k, k) end
  end)
end

-- Modes and conversion --------------------------------------------------------------------------------------

--- Calls `fn` with every module below this one, then with this one.
---@param fn fun(module: nn.Module)
function Module:apply(fn)
  check(options.callable.holds(fn), "%s: apply expects a function, got a %s", class.type(self), class.type(fn))
  for _, child in self:named_children() do child:apply(fn) end
  fn(self)
  return self
end

--- Dropout, batch normalisation and their like behave as in training. It does not turn gradients on.
---@param mode? boolean  Default: true.
function Module:train(mode)
  for _, m in ipairs(self:modules()) do rawset(m, "training", mode ~= false) end
  return self
end

--- The opposite of `train`. It does not turn gradients off: `torch.no_grad` does.
function Module:eval()
  return self:train(false)
end

--- Puts `change(x)` in the place of every parameter, gradient and buffer; parameters stay the same tensors.
---@param change fun(x: torch.Tensor): torch.Tensor
function Module:_convert(change)
  for _, m in ipairs(self:modules()) do
    for _, p in own(m, is_parameter) do
      local grad = p.grad
      p.data = change(p.data)
      p.grad = grad and change(grad)
    end
    for _, x, key in own(m, is_buffer) do rawset(m, key, change(x)) end
    if rawget(m, "_probe") then rawset(m, "_probe", change(m._probe)) end
  end
  return self
end

--- Converts as `x:to(...)` does; the dtype only where numbers are floating or complex already.
---@param ... any  a device, a dtype, both, or a tensor that has both; or by name
function Module:to(...)
  local args, n = { ... }, select("#", ...)
  local function converted(x) return x:to(unpack(args, 1, n)) end
  local dtype = converted(torch.empty(0)).dtype
  check(dtype.is_floating_point or dtype.is_complex, "%s: to(%s): a module's dtype is floating or complex",
    class.type(self), tostring(dtype))
  return self:_convert(function(x)
    if x:is_floating_point() or x:is_complex() then return converted(x) end
    return x:to(converted(torch.empty(0, { device = x.device })).device)
  end)
end

--- Converts every parameter and buffer, also those that are integers.
---@param dtype torch.dtype
function Module:type(dtype)
  return self:_convert(function(x) return x:to(dtype) end)
end

local read_empty = torch.core.signature("to_empty(*, any device)")

--- Moves to a device without copying: the values are whatever the memory holds.
---@param options table  device
function Module:to_empty(...)
  local opt = read_empty(...)
  return self:_convert(function(x) return torch.empty_like(x, { device = opt.device }) end)
end

--- Moves parameters and buffers into memory that forked processes share.
function Module:share_memory()
  return self:_convert(function(x) return x:share_memory_() end)
end

-- float, double, half, bfloat16: complex and integral numbers stay.
for name, dtype in pairs { float = "float32", double = "float64", half = "float16", bfloat16 = "bfloat16" } do
  Module[name] = function(self)
    return self:_convert(function(x) return x:is_floating_point() and x:to(torch[dtype]) or x end)
  end
end

function Module:cpu() return self:to("cpu") end
---@param index? integer  Default: the current one.
function Module:cuda(index) return self:to(index and "cuda:" .. index or "cuda") end

---@param requires_grad? boolean  Default: true.
function Module:requires_grad_(requires_grad)
  for _, p in ipairs(self:parameters()) do p:requires_grad_(requires_grad ~= false) end
  return self
end

--- Clears the gradients of all parameters.
function Module:zero_grad(...)
  zero_grad(self:parameters(), ...)
end

-- Calling ---------------------------------------------------------------------------------------------------

--- Computes the module's results.
function Module:forward()
  check(false, "%s: this class has no forward", class.type(self))
end

-- What a protected forward returned, or its error in the module's terms; the inputs are the first of its arguments.
local function outcome(module, a, b, c, good, ...)
  if good then return ... end
  expects.raise(module, { a, b, c }, (...))
end

-- Calls `forward`.
function Module:_invoke(...)
  if not self.expects then return self:forward(...) end
  local a, b, c = ...
  return outcome(self, a, b, c, pcall(self.forward, self, ...))
end

function Module:__call(...)
  if self._hooks then return self:_call_hooks(...) end
  return self:_invoke(...)
end

require("torch.nn.state")(Module)
require("torch.nn.printed")(Module)
require("torch.nn.hooks").install(Module)

return Module
