--- Deep copies: `torch.deepcopy(x)` of tensors, modules, optimizers' states and tables of them.

local torch, check = require "torch", require "torch.check"

-- Tensors and tables that occur several times, or within themselves, do so in the copy.
local function copied(x, done)
  if torch.is_tensor(x) then
    check(x.is_leaf, "deepcopy: only leaves can be copied, this tensor was computed from others; detach it")
    local key = x:id()
    if not done[key] then
      local copy = x:detach():clone()
      if torch.core.is_parameter(x) then
        copy = require("torch.nn.parameter")(copy, x.requires_grad)
      else
        copy:requires_grad_(x.requires_grad)
      end
      if x.grad then copy.grad = x.grad:detach():clone() end
      done[key] = copy
    end
    return done[key]
  end
  if type(x) ~= "table" then return x end
  if done[x] then return done[x] end
  local copy = {}
  done[x] = copy
  for key, value in pairs(x) do rawset(copy, copied(key, done), copied(value, done)) end
  local meta = getmetatable(x)
  return type(meta) == "table" and setmetatable(copy, meta) or copy
end

--- A copy that shares nothing with `x` but functions and classes. Gradients are copied, graphs are not.
---@param x any
---@return any
return function(x)
  return copied(x, {})
end
