--- Parameters: tensors that a module learns.

local torch = require "torch"
local read = torch.core.signature("Parameter(Tensor data, bool requires_grad=True)")

--- A parameter over the storage of `data`. In a module's field it is among `module:parameters()`.
---@param data torch.Tensor
---@param requires_grad? boolean  Default: true.
---@return torch.Tensor
return function(...)
  local opt = read(...)
  return torch.core.parameter(opt.data, opt.requires_grad)
end
