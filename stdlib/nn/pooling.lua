--- Pooling: windows of the spatial dimensions become one element. Indices count from 1 in the flattened plane.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local expects, options = require "torch.nn.expects", require "torch.nn.options"

local pooling = {}

local function allowed(dims)
  local from_0, from_1 = options.sizes(dims, 0), options.sizes(dims, 1)
  return { kernel_size = from_1, stride = from_1, padding = from_0, dilation = from_1, output_size = from_0,
    output_ratio = from_0, divisor_override = options.least(1) }
end

local function define(name, dims, arguments, format, methods)
  local Pool = class(("%s%dd(%s)"):format(name, dims, arguments), Module)
  Pool.format = format
  Pool.expects = expects.over("input (N, C, #) or (C, #)", dims)
  Pool.allows = allowed(dims)
  for key, method in pairs(methods(dims)) do Pool[key] = method end
  pooling[Pool.__name] = Pool
end

-- An empty stride is the window's size.
local function stride_of_window(self, opt)
  self.stride = opt.stride or opt.kernel_size
end

-- In one dimension PyTorch keeps tuples.
local function as_lists(self, opt, ...)
  for _, key in ipairs { ... } do
    local value = opt[key] or opt.kernel_size
    self[key] = type(value) == "number" and { value } or value
  end
end

local function max_pool(dims)
  local name = "max_pool" .. dims .. "d"
  return {
    init = stride_of_window,
    forward = function(self, x)
      local y, indices = F[name](x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
        self.return_indices)
      if self.return_indices then return y, indices end
      return y
    end,
  }
end

local function max_unpool(dims)
  local name = "max_unpool" .. dims .. "d"
  local function list(value)
    if type(value) ~= "number" then return value end
    local t = {}
    for d = 1, dims do t[d] = value end
    return t
  end
  return {
    init = function(self, opt)
      self.kernel_size, self.stride = list(opt.kernel_size), list(opt.stride or opt.kernel_size)
      self.padding = list(opt.padding)
    end,
    expects = expects.over("input (N, C, #) or (C, #) and indices (N, C, #) of integers or (C, #) of integers", dims),
    forward = function(self, x, indices, output_size)
      if type(output_size) == "table" and output_size.output_size then output_size = output_size.output_size end
      return F[name](x, indices, self.kernel_size, self.stride, self.padding, { output_size = output_size })
    end,
  }
end

local function avg_pool(dims)
  local name = "avg_pool" .. dims .. "d"
  return {
    init = dims > 1 and stride_of_window or function(self, opt)
      as_lists(self, opt, "kernel_size", "stride", "padding")
    end,
    forward = function(self, x)
      return F[name](x, { kernel_size = self.kernel_size, stride = self.stride, padding = self.padding,
        ceil_mode = self.ceil_mode, count_include_pad = self.count_include_pad,
        divisor_override = self.divisor_override })
    end,
  }
end

local function lp_pool(dims)
  local name = "lp_pool" .. dims .. "d"
  return {
    forward = function(self, x)
      return F[name](x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
    end,
  }
end

local function adaptive_avg_pool(dims)
  local name = "adaptive_avg_pool" .. dims .. "d"
  return { forward = function(self, x) return F[name](x, self.output_size) end }
end

local function adaptive_max_pool(dims)
  local name = "adaptive_max_pool" .. dims .. "d"
  return {
    forward = function(self, x)
      local y, indices = F[name](x, self.output_size, self.return_indices)
      if self.return_indices then return y, indices end
      return y
    end,
  }
end

local function fractional_max_pool(dims)
  local name = "fractional_max_pool" .. dims .. "d"
  return {
    init = function(self, opt)
      self:register_buffer("_random_samples", opt._random_samples)
    end,
    forward = function(self, x)
      local y, indices = F[name](x, self.kernel_size, { output_size = self.output_size,
        output_ratio = self.output_ratio, return_indices = self.return_indices,
        _random_samples = self._random_samples })
      if self.return_indices then return y, indices end
      return y
    end,
  }
end

for dims = 1, 3 do
  define("MaxPool", dims, "any kernel_size, any stride=None, any padding=0, any dilation=1, bool return_indices=False, "
    .. "bool ceil_mode=False", "kernel_size={kernel_size}, stride={stride}, padding={padding}, dilation={dilation}, "
    .. "ceil_mode={ceil_mode}", max_pool)
  define("MaxUnpool", dims, "any kernel_size, any stride=None, any padding=0",
    "kernel_size={kernel_size}, stride={stride}, padding={padding}", max_unpool)
  define("AvgPool", dims, "any kernel_size, any stride=None, any padding=0, bool ceil_mode=False, "
    .. "bool count_include_pad=True" .. (dims > 1 and ", int? divisor_override=None" or ""),
    "kernel_size={kernel_size}, stride={stride}, padding={padding}", avg_pool)
  define("AdaptiveAvgPool", dims, "any output_size", "output_size={output_size}", adaptive_avg_pool)
  define("AdaptiveMaxPool", dims, "any output_size, bool return_indices=False", "output_size={output_size}",
    adaptive_max_pool)
end
for dims = 1, 2 do
  define("LPPool", dims, "float norm_type, any kernel_size, any stride=None, bool ceil_mode=False",
    "norm_type={norm_type}, kernel_size={kernel_size}, stride={stride}, ceil_mode={ceil_mode}", lp_pool)
end
for dims = 2, 3 do
  define("FractionalMaxPool", dims, "any kernel_size, any output_size=None, any output_ratio=None, "
    .. "bool return_indices=False, Tensor? _random_samples=None", "", fractional_max_pool)
end

return pooling
