--- Pooling: windows of the spatial dimensions become one element.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local repr = require "torch.nn.repr"

-- The largest element of each window; with return_indices also its position, from 1 in the flattened plane.
local function define(dims)
  local MaxPool = class(("MaxPool%dd(any kernel_size, any? stride=None, any padding=0, any dilation=1, "
    .. "bool return_indices=False, bool ceil_mode=False)"):format(dims), Module)
  local pool = "max_pool" .. dims .. "d"

  function MaxPool:init(opt)
    self.stride = opt.stride or opt.kernel_size
  end

  ---@param x torch.Tensor  [N, C, s...] or [C, s...]
  ---@return torch.Tensor, torch.Tensor?
  function MaxPool:forward(x)
    local y, indices = F[pool](x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
      self.return_indices)
    if self.return_indices then return y, indices end
    return y
  end

  function MaxPool:extra_repr()
    return ("kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s"):format(repr(self.kernel_size),
      repr(self.stride), repr(self.padding), repr(self.dilation), repr(self.ceil_mode))
  end

  return MaxPool
end

---@class nn.MaxPool1d: nn.Module
---@class nn.MaxPool2d: nn.Module
---@class nn.MaxPool3d: nn.Module
return { MaxPool1d = define(1), MaxPool2d = define(2), MaxPool3d = define(3) }
