--- The base of all modules: fields that are parameters, buffers and children, and what follows from them.
--
-- A tensor put into a field is a parameter (`nn.Parameter`) or a buffer, a module is a child. Lua tells of the first
-- assignment of a field only, so the module notes names in that order and looks at what the fields hold when somebody
-- asks. Fields whose name begins with `_` are the module's own business. A child at position i (`self[i] = child`)
-- has PyTorch's name i - 1.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local StateDict = require "torch.nn.state_dict"
local repr, zero_grad = require "torch.nn.repr", require "torch.zero_grad"
local is_tensor, is_parameter = torch.is_tensor, torch.core.is_parameter

---@class nn.Module
---@field training boolean
---@field parameters fun(self, recurse?: boolean): torch.Tensor[]  each once, the module's own first
---@field buffers fun(self, recurse?: boolean): torch.Tensor[]
---@field named_parameters fun(self, prefix?: string, recurse?: boolean): (fun(): string?, torch.Tensor)
---@field named_buffers fun(self, prefix?: string, recurse?: boolean): (fun(): string?, torch.Tensor)
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

-- The module and everything below it, each once, parents first: paths, modules.
local function tree(module, prefix)
  local paths, modules, seen = {}, {}, {}
  local function visit(path, m)
    if seen[m] then return end
    seen[m] = true
    paths[#paths + 1], modules[#modules + 1] = path, m
    for name, child in own(m, is_module) do visit(join(path, name), child) end
  end
  visit(prefix, module)
  return paths, modules
end

-- The tensors that `accepts`, each once: names, tensors.
local function members(module, accepts, prefix, recurse)
  local paths, modules = { prefix }, { module }
  if recurse then paths, modules = tree(module, prefix) end
  local names, tensors, seen = {}, {}, {}
  for i, m in ipairs(modules) do
    for name, x in own(m, accepts) do
      if not seen[x:id()] then
        seen[x:id()] = true
        names[#names + 1], tensors[#tensors + 1] = join(paths[i], name), x
      end
    end
  end
  return names, tensors
end

-- parameters, named_parameters, buffers, named_buffers
for kind, accepts in pairs { parameters = is_parameter, buffers = is_buffer } do
  local read = torch.core.signature(kind .. "(bool recurse=True)")
  local read_named = torch.core.signature("named_" .. kind .. "(str prefix='', bool recurse=True)")
  Module[kind] = function(self, ...)
    return (select(2, members(self, accepts, "", read(...).recurse)))
  end
  Module["named_" .. kind] = function(self, ...)
    local opt = read_named(...)
    return items(members(self, accepts, opt.prefix, opt.recurse))
  end
end

--- Names and direct children.
---@return fun(): string?, nn.Module
function Module:named_children()
  return own(self, is_module)
end

---@return nn.Module[]
function Module:children()
  local list = {}
  for _, child in own(self, is_module) do list[#list + 1] = child end
  return list
end

--- Paths and modules: this one (path ""), then everything below it, each once.
---@return fun(): string?, nn.Module
function Module:named_modules()
  return items(tree(self, ""))
end

---@return nn.Module[]
function Module:modules()
  return (select(2, tree(self, "")))
end

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

-- Modes and conversion --------------------------------------------------------------------------------------

--- Calls `fn` with every module below this one, then with this one.
---@param fn fun(module: nn.Module)
function Module:apply(fn)
  for _, child in own(self, is_module) do child:apply(fn) end
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
  end
  return self
end

--- Converts as `x:to(...)` does; the dtype only where numbers are floating or complex already.
function Module:to(...)
  local args, n = { ... }, select("#", ...)
  return self:_convert(function(x)
    if x:is_floating_point() or x:is_complex() then return x:to(unpack(args, 1, n)) end
    local probe = torch.empty(0, { device = x.device }):to(unpack(args, 1, n))
    return x:to(probe.device)
  end)
end

function Module:cpu() return self:to("cpu") end
---@param index? integer  Default: the current one.
function Module:cuda(index) return self:to(index and "cuda:" .. index or "cuda") end
function Module:float() return self:to(torch.float32) end
function Module:double() return self:to(torch.float64) end
function Module:half() return self:to(torch.float16) end
function Module:bfloat16() return self:to(torch.bfloat16) end

---@param requires_grad? boolean  Default: true.
function Module:requires_grad_(requires_grad)
  for _, p in ipairs(self:parameters()) do p:requires_grad_(requires_grad ~= false) end
  return self
end

--- Clears the gradients of all parameters.
function Module:zero_grad(...)
  zero_grad(self:parameters(), ...)
end

-- State -----------------------------------------------------------------------------------------------------

-- Own parameters, own buffers, then the children's: into[name] = tensor.
local function gather(module, prefix, into)
  local transient = rawget(module, "_transient") or {}
  for name, p in own(module, is_parameter) do into[prefix .. name] = p end
  for name, x in own(module, is_buffer) do
    if not transient[name] then into[prefix .. name] = x end
  end
  for name, child in own(module, is_module) do gather(child, prefix .. name .. ".", into) end
  return into
end

--- Names and tensors of the state, in PyTorch's order and under its names. The tensors share the module's storage.
---@return StateDict
function Module:state_dict()
  local state = StateDict()
  for name, x in StateDict.items(gather(self, "", StateDict())) do state[name] = x:detach() end
  return state
end

local function quoted(names)
  return '"' .. table.concat(names, '", "') .. '"'
end

local read_load = torch.core.signature("load_state_dict(any state_dict, bool strict=True)")

--- Copies the tensors of `state_dict` into the module's. Everything is looked at before anything is changed.
---@param state_dict StateDict|table<string, torch.Tensor>
---@param strict? boolean  Default: true: names that are missing or unexpected are an error.
---@return string[] missing, string[] unexpected
function Module:load_state_dict(...)
  local opt = read_load(...)
  local given = opt.state_dict
  check(type(given) == "table", "load_state_dict: expected a state dict, got a %s", class.type(given))
  local targets = gather(self, "", StateDict())
  local missing, unexpected, faults = {}, {}, {}
  for name, target in StateDict.items(targets) do
    local x = rawget(given, name)
    if x == nil then
      missing[#missing + 1] = name
    elseif not is_tensor(x) then
      faults[#faults + 1] = ("%s is not a tensor but a %s"):format(name, class.type(x))
    elseif x:size() ~= target:size() then
      faults[#faults + 1] = ("size mismatch for %s: the state has %s, the module %s"):format(name,
        tostring(x:size()), tostring(target:size()))
    end
  end
  for name in pairs(given) do
    if rawget(targets, name) == nil then unexpected[#unexpected + 1] = tostring(name) end
  end
  table.sort(unexpected)
  if opt.strict and #unexpected > 0 then table.insert(faults, 1, "unexpected keys: " .. quoted(unexpected)) end
  if opt.strict and #missing > 0 then table.insert(faults, 1, "missing keys: " .. quoted(missing)) end
  check(#faults == 0, "load_state_dict: the state does not fit %s\n  %s", class.type(self),
    table.concat(faults, "\n  "))

  torch.no_grad(function()
    for name, target in StateDict.items(targets) do
      local x = rawget(given, name)
      if x ~= nil then target:copy_(x) end
    end
  end)
  return missing, unexpected
end

-- Calling and printing --------------------------------------------------------------------------------------

--- Computes the module's results.
function Module:forward()
  check(false, "%s: this class has no forward", class.type(self))
end

function Module:__call(...)
  if self._hooks then return self:_call_hooks(...) end
  return self:forward(...)
end

-- A field as Python prints it: whole numbers with a fraction where the constructor takes a float, and what it was told
-- where the field is a tensor that it made or did not make (`bias`).
local function shown(module, name)
  local options, value = rawget(module, "_options"), module[name]
  if not options then return repr(value) end
  local type_of = options.signature:match("(%a+)%[?%d*%]?%??%s+" .. name .. "%f[^%w_]")
  if type_of == "bool" then value = options.values[name] end
  return repr(value, type_of == "float")
end

-- `{name}` stands for the field's value, `{?name}` for `, name=value` where that is neither false nor nil,
-- `{?name!value}` for the same where it is not `value`.
local function filled(module, format)
  local text = format:gsub("{(%??)([%w_]+)(!?)([^}]*)}", function(optional, name, unless, usual)
    local value = shown(module, name)
    if optional == "" then return value end
    local dull = value == "None" or value == (unless == "!" and usual or "False")
    return dull and "" or (", %s=%s"):format(name, value)
  end)
  return (text:gsub("^, ", ""))
end

local printed = { ["nil"] = true, boolean = true, number = true, string = true, table = true }

--- What stands in the parentheses of `tostring(module)`: as the class's `format` says, without one the constructor's
--- arguments, but for tensors and objects.
---@return string
function Module:extra_repr()
  local options = rawget(self, "_options")
  if self.format then return filled(self, self.format) end
  if not options then return "" end
  local parts = {}
  for _, name in ipairs(options.names) do
    local value = options.values[name]
    if printed[class.type(value)] then
      parts[#parts + 1] = name .. "=" .. shown(self, name)
    end
  end
  return table.concat(parts, ", ")
end

function Module:__tostring()
  local extra, lines = self:extra_repr(), {}
  for line in extra:gmatch("[^\n]+") do lines[#lines + 1] = line end
  local children = false
  for name, child in own(self, is_module) do
    children = true
    lines[#lines + 1] = ("(%s): %s"):format(name, (tostring(child):gsub("\n", "\n  ")))
  end
  local name = class.type(self)
  if not children and #lines <= 1 then return name .. "(" .. extra .. ")" end
  return name .. "(\n  " .. table.concat(lines, "\n  ") .. "\n)"
end

require("torch.nn.hooks")(Module)

return Module
