--- torch.nn.utils.parametrize: parameters that are functions of other parameters.
--
--     parametrize.register_parametrization(layer, "weight", Symmetric())
--
-- `layer.weight` is computed anew whenever it is read; what is learned is `layer.parametrizations.weight.original`.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = require "torch.nn.module"
local Parameter, arguments = require "torch.nn.parameter", require "torch.nn.utils.arguments"

local parametrize = {}

--- The functions of one parameter, in order, and what the first one is given.
---@class nn.ParametrizationList: nn.Module
---@field original torch.Tensor
local ParametrizationList = class("ParametrizationList", Module)

function ParametrizationList:init(functions, original)
  self.original = original
  for _, f in ipairs(functions) do self[#self + 1] = f end
end

function ParametrizationList:forward()
  local x = self.original
  for i = 1, #self do x = self[i](x) end
  return x
end

-- While `cached` runs: parametrization list -> what it gave.
local cache

--- Calls `fn`, in which each parametrized parameter is computed only once.
---@param fn fun(): any ...
---@return any ...
function parametrize.cached(fn)
  check(type(fn) == "function", "cached: expected a function, got a %s", class.type(fn))
  if cache then return fn() end
  cache = {}
  local function finish(good, ...)
    cache = nil
    if not good then error((...), 0) end
    return ...
  end
  return finish(pcall(fn))
end

local function value_of(list)
  if not cache then return list() end
  if cache[list] == nil then cache[list] = list() end
  return cache[list]
end

-- A class for one module, derived from its own, whose parametrized fields are computed.
local function own_class(module)
  local C = getmetatable(module)
  if rawget(C, "_parametrized") then return C end
  local Own = class("Parametrized" .. C.__name, C)
  Own._parametrized = C
  Own.__name = "Parametrized" .. C.__name
  Own.__index = function(self, key)
    local lists = rawget(self, "parametrizations")
    local list = lists and type(key) == "string" and rawget(lists, key)
    if list then return value_of(list) end
    return Own[key]
  end
  setmetatable(module, Own)
  return Own
end

--- Puts a function (a module) before a parameter. Where it has `right_inverse`, the value stays what it was.
---@param module nn.Module
---@param name string           of the parameter
---@param parametrization nn.Module
---@param unsafe? boolean       Default: false. True leaves sizes and dtype unchecked.
---@return nn.Module module
function parametrize.register_parametrization(module, name, parametrization, unsafe)
  if type(unsafe) == "table" then unsafe = unsafe.unsafe end
  local value = arguments.parameter("register_parametrization", module, name)
  arguments.module("register_parametrization", parametrization)
  local was = value:detach()
  local lists = rawget(module, "parametrizations")
  local list = lists and rawget(lists, name)
  if list then
    list[#list + 1] = parametrization
    if parametrization.right_inverse then
      torch.no_grad(function() list.original:copy_(parametrization:right_inverse(was)) end)
    end
  else
    local original = value
    if parametrization.right_inverse then
      original = torch.no_grad(function() return parametrization:right_inverse(was) end)
      if torch.core.is_parameter(value) then original = Parameter(original, value.requires_grad) end
    end
    rawset(module, name, nil)
    own_class(module)
    if not lists then module.parametrizations = require("torch.nn.container").ModuleDict({}) end
    module.parametrizations:set(name, ParametrizationList({ parametrization }, original))
  end
  local now = module[name]
  check(unsafe or (now:size() == was:size() and now.dtype == was.dtype),
    "register_parametrization: '%s' had sizes %s, now %s; give unsafe=true if that is meant", name,
    tostring(was:size()), tostring(now:size()))
  return module
end

--- Has the module a parametrized parameter (of that name)?
---@param module nn.Module
---@param name? string
---@return boolean
function parametrize.is_parametrized(module, name)
  arguments.module("is_parametrized", module)
  local lists = rawget(module, "parametrizations")
  if not lists or not rawget(getmetatable(module), "_parametrized") then return false end
  if name then return rawget(lists, name) ~= nil end
  return #lists:keys() > 0
end

--- Makes the parameter a plain one again, with the value that it has now, or with the original one.
---@param module nn.Module
---@param name string
---@param leave_parametrized? boolean  Default: true.
---@return nn.Module module
function parametrize.remove_parametrizations(module, name, leave_parametrized)
  if type(leave_parametrized) == "table" then leave_parametrized = leave_parametrized.leave_parametrized end
  check(parametrize.is_parametrized(module, name), "remove_parametrizations: %s has no parametrization of '%s'",
    class.type(module), name)
  local lists = module.parametrizations
  local original, value = lists[name].original, module[name]
  if leave_parametrized ~= false and value:size() == original:size() then
    torch.no_grad(function() original:copy_(value) end)
  elseif leave_parametrized ~= false then
    original = Parameter(value:detach():clone(), original.requires_grad)
  end
  rawset(lists, name, nil)
  if #lists:keys() == 0 then
    rawset(module, "parametrizations", nil)
    setmetatable(module, getmetatable(module)._parametrized)
  end
  module[name] = original
  return module
end

--- The class of a module without its parametrizations.
---@param module nn.Module
---@return table class
function parametrize.type_before_parametrizations(module)
  arguments.module("type_before_parametrizations", module)
  local C = getmetatable(module)
  return rawget(C, "_parametrized") or C
end

--- Gives a module copies of another's parametrizations and of the parameters they start from.
---@param from nn.Module
---@param to nn.Module
---@param name? string  of a single parameter. Default: all.
---@return nn.Module to
function parametrize.transfer_parametrizations_and_params(from, to, name)
  arguments.module("transfer_parametrizations_and_params", to)
  check(parametrize.is_parametrized(from, name), "transfer_parametrizations_and_params: %s has no parametrization%s",
    class.type(from), name and (" of '%s'"):format(name) or "")
  for _, key in ipairs(name and { name } or from.parametrizations:keys()) do
    local list = torch.deepcopy(from.parametrizations[key])
    if to[key] == nil then to[key] = Parameter(from[key]:detach():clone()) end
    for _, f in ipairs(list) do parametrize.register_parametrization(to, key, f, true) end
    rawset(to.parametrizations[key], "original", list.original)
  end
  return to
end

parametrize.ParametrizationList = ParametrizationList
return parametrize
