--- Modules that give their input back, or give it back in other sizes.

local class = require "torch.class"
local Module = require "torch.nn.module"

--- x, whatever the constructor was given: a place holder.
--
--     torch.nn.Identity()(torch.ones(2))
---@class nn.Identity: nn.Module
local Identity = class("Identity", Module)

function Identity:forward(x)
  return x
end

--- Makes one dimension of those from start_dim to end_dim.
--
--     torch.nn.Flatten()(torch.ones(2, 3, 4)).shape
---@class nn.Flatten: nn.Module
local Flatten = class("Flatten(int start_dim=2, int end_dim=-1)", Module)
Flatten.expects = "input (*)"

---@param x torch.Tensor
---@return torch.Tensor
function Flatten:forward(x)
  return x:flatten(self.start_dim, self.end_dim)
end

--- Makes dimensions with sizes `unflattened_size` of dimension `dim`.
--
--     torch.nn.Unflatten(2, {3, 4})(torch.ones(2, 12)).shape
---@class nn.Unflatten: nn.Module
local Unflatten = class("Unflatten(int dim, int[] unflattened_size)", Module)
Unflatten.expects = "input (*)"

---@param x torch.Tensor
---@return torch.Tensor
function Unflatten:forward(x)
  return x:unflatten(self.dim, self.unflattened_size)
end

return { Identity = Identity, Flatten = Flatten, Unflatten = Unflatten }
