--- Checks of arguments that signatures cannot say. `caller` names the function in messages.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = require "torch.nn.module"

local arguments = {}

---@param caller string
---@param value any
---@return nn.Module value
function arguments.module(caller, value)
  return check(class.isinstance(value, Module) and value, "%s: expected a module, got a %s", caller, class.type(value))
end

--- The tensor that a module has under a name.
---@param caller string
---@param module any
---@param name any
---@return torch.Tensor
function arguments.parameter(caller, module, name)
  arguments.module(caller, module)
  check(type(name) == "string", "%s: a parameter's name is a string, got a %s", caller, class.type(name))
  return check(torch.is_tensor(module[name]) and module[name], "%s: %s has no parameter '%s'", caller,
    class.type(module), name)
end

--- One tensor or a list of them, as a list.
---@param caller string
---@param value any
---@return torch.Tensor[]
function arguments.tensors(caller, value)
  if torch.is_tensor(value) then return { value } end
  check(type(value) == "table", "%s: expected a tensor or a list of them, got a %s", caller, class.type(value))
  for i, x in ipairs(value) do
    check(torch.is_tensor(x), "%s: item %s is not a tensor but a %s", caller, i, class.type(x))
  end
  return value
end

return arguments
