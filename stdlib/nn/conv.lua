--- Convolutions over one to three spatial dimensions, one class each.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter, repr = require "torch.nn.parameter", require "torch.nn.repr"

local function all_equal(list, value)
  for _, v in ipairs(list) do
    if v ~= value then return false end
  end
  return true
end

-- A padding as the operators take it: "same", "valid", or a number for each of the dimensions.
local function padding_of(padding, dims)
  if type(padding) ~= "number" then return padding end
  local list = {}
  for d = 1, dims do list[d] = padding end
  return list
end

-- y = cross-correlation of x [N, in_channels, s...] with weight, plus bias: [N, out_channels, s'...].
-- Both start uniform in (-k, k), k = 1 / sqrt(in_channels / groups * kernel elements).
local function define(dims)
  local signature = "Conv#d(int in_channels, int out_channels, int[#] kernel_size, int[#] stride=1, any padding=0, "
    .. "int[#] dilation=1, int groups=1, bool bias=True)"
  local Conv = class((signature:gsub("#", dims)), Module)
  local convolve = "conv" .. dims .. "d"

  function Conv:init(opt)
    local groups = opt.groups
    check(groups > 0 and opt.in_channels % groups == 0 and opt.out_channels % groups == 0,
      "%s: in_channels %s and out_channels %s are not both divisible by groups %s", class.type(self), opt.in_channels,
      opt.out_channels, groups)
    local weight = torch.empty(opt.out_channels, opt.in_channels / groups, unpack(opt.kernel_size))
    local fan_in = weight:numel() / math.max(opt.out_channels, 1)
    local k = fan_in > 0 and 1 / math.sqrt(fan_in) or 0
    self.padding = padding_of(opt.padding, dims)
    self.weight = Parameter(weight:uniform_(-k, k))
    self.bias = opt.bias and Parameter(torch.empty(opt.out_channels):uniform_(-k, k)) or nil
  end

  ---@param x torch.Tensor  [N, in_channels, s...] or [in_channels, s...]
  ---@return torch.Tensor
  function Conv:forward(x)
    return F[convolve](x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
  end

  function Conv:extra_repr()
    local text = ("%d, %d, kernel_size=%s, stride=%s"):format(self.in_channels, self.out_channels,
      repr(self.kernel_size), repr(self.stride))
    if type(self.padding) == "string" or not all_equal(self.padding, 0) then
      text = text .. ", padding=" .. repr(self.padding)
    end
    if not all_equal(self.dilation, 1) then text = text .. ", dilation=" .. repr(self.dilation) end
    if self.groups ~= 1 then text = text .. ", groups=" .. self.groups end
    if not self.bias then text = text .. ", bias=False" end
    return text
  end

  return Conv
end

---@class nn.Conv1d: nn.Module
---@class nn.Conv2d: nn.Module
---@class nn.Conv3d: nn.Module
return { Conv1d = define(1), Conv2d = define(2), Conv3d = define(3) }
