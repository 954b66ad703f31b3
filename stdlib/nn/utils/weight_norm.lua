--- Weights as a direction and a length, the way of `torch.nn.utils.weight_norm`: parameters `weight_g` and `weight_v`,
--- from which the weight is computed before each forward (Salimans and Kingma 2016).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Parameter = require "torch.nn.parameter"
local arguments = require "torch.nn.utils.arguments"
local norm_except = require("torch.nn.utils.parametrizations")._norm_except

local weight_norm = {}

local handles = setmetatable({}, { __mode = "k" }) -- module -> name -> what removes the hook, and dim

---@param module nn.Module
---@param name? string  Default: "weight".
---@param dim? integer  which outputs have a length of their own. Default: 1.
---@return nn.Module module
function weight_norm.weight_norm(module, name, dim)
  if type(dim) == "table" then dim = dim.dim end
  name, dim = name or "weight", dim or 1
  local weight = arguments.parameter("weight_norm", module, name)
  check(torch.core.is_parameter(weight), "weight_norm: %s has no parameter '%s'", class.type(module), name)
  rawset(module, name, nil)
  module[name .. "_g"] = Parameter(norm_except(weight:detach(), dim))
  module[name .. "_v"] = Parameter(weight:detach():clone())
  local function compute(m)
    local v = m[name .. "_v"]
    rawset(m, name, v * (m[name .. "_g"] / norm_except(v, dim)))
  end
  compute(module)
  handles[module] = handles[module] or {}
  handles[module][name] = module:register_forward_pre_hook(compute)
  return module
end

--- Makes the weight a plain parameter again.
---@param module nn.Module
---@param name? string  Default: "weight".
---@return nn.Module module
function weight_norm.remove_weight_norm(module, name)
  arguments.module("remove_weight_norm", module)
  name = name or "weight"
  local handle = handles[module] and handles[module][name]
  check(handle, "remove_weight_norm: %s has no weight_norm of '%s'", class.type(module), name)
  handle:remove()
  handles[module][name] = nil
  local value = module[name]:detach()
  for _, key in ipairs { name .. "_g", name .. "_v", name } do rawset(module, key, nil) end
  module[name] = Parameter(value)
  return module
end

return weight_norm
