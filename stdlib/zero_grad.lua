--- What `zero_grad` of modules and optimizers does.

local torch = require "torch"
local read = torch.core.signature("zero_grad(bool set_to_none=True)")

--- Clears the gradients of parameters: takes them away, or fills them with zeros where set_to_none is false.
---@param parameters torch.Tensor[]
---@param ... any  the arguments of zero_grad
return function(parameters, ...)
  local to_none = read(...).set_to_none
  for _, p in ipairs(parameters) do
    local grad = p.grad
    if grad and to_none then
      p.grad = nil
    elseif grad then
      p.grad = grad:detach():zero_()
    end
  end
end
