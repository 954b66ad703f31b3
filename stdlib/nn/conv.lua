--- Convolutions over one to three spatial dimensions and their transposes, one class each.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local expects, options = require "torch.nn.expects", require "torch.nn.options"
local Parameter, repr = require "torch.nn.parameter", require "torch.nn.repr"

local function all_equal(list, value)
  for _, v in ipairs(list) do
    if v ~= value then return false end
  end
  return true
end

-- A number for each of the dimensions; words stay words.
local function for_each(value, dims)
  if type(value) ~= "number" then return value end
  local list = {}
  for d = 1, dims do list[d] = value end
  return list
end

-- What convolutions and transposed ones share. `_dims` is the number of spatial dimensions.
local Base = class("Base", Module)

-- Padding is numbers, or the words of convolutions without steps.
local function padding_rule(dims)
  local numbers = options.sizes(dims, 0)
  return { text = numbers.text .. ", or 'same' or 'valid'", holds = function(value)
    return value == "same" or value == "valid" or numbers.holds(value)
  end }
end

local function allowed(dims, ...)
  return { in_channels = options.least(0), out_channels = options.least(0), groups = options.least(1),
    kernel_size = options.least(1), stride = options.least(1), dilation = options.least(1),
    output_padding = options.least(0), padding = padding_rule(dims), padding_mode = options.words(...) }
end

local EXPECTS = "input (N, {in_channels}, #) or ({in_channels}, #)"

-- Weight [a, b / groups, kernel...] and bias.
function Base:_make(a, b, opt)
  self.weight = Parameter(torch.empty(a, b / opt.groups, unpack(opt.kernel_size)))
  self.bias = opt.bias and Parameter(torch.empty(opt.out_channels)) or nil
  self:reset_parameters()
end

--- Draws weight and bias anew, uniform in (-k, k), k = 1 / sqrt(b / groups * kernel elements).
function Base:reset_parameters()
  local rows = self.weight:size(1)
  local fan_in = rows > 0 and self.weight:numel() / rows or 0
  self:_reset_uniform(fan_in > 0 and 1 / math.sqrt(fan_in) or 0)
end

function Base:_settle(opt)
  local groups = opt.groups
  check(opt.in_channels % groups == 0 and opt.out_channels % groups == 0,
    "%s: in_channels %s and out_channels %s are not both divisible by groups %s", class.type(self), opt.in_channels,
    opt.out_channels, groups)
  self:_prepare(opt)
end

-- What is known before in_channels is.
function Base:_prepare(opt)
  self.padding = for_each(opt.padding, self._dims)
end

function Base:extra_repr()
  local text = ("%d, %d, kernel_size=%s, stride=%s"):format(self.in_channels, self.out_channels,
    repr(self.kernel_size), repr(self.stride))
  if type(self.padding) == "string" or not all_equal(self.padding, 0) then
    text = text .. ", padding=" .. repr(self.padding)
  end
  if not all_equal(self.dilation, 1) then text = text .. ", dilation=" .. repr(self.dilation) end
  if self.output_padding and not all_equal(self.output_padding, 0) then
    text = text .. ", output_padding=" .. repr(self.output_padding)
  end
  if self.groups ~= 1 then text = text .. ", groups=" .. self.groups end
  if not self.bias then text = text .. ", bias=False" end
  if self.padding_mode ~= "zeros" then text = text .. ", padding_mode=" .. self.padding_mode end
  return text
end

-- What is added to the two sides of each dimension before a convolution without padding, last dimension first.
local function sides_of(self)
  local list, kernel, dilation = {}, self.kernel_size, self.dilation
  for d = self._dims, 1, -1 do
    local left, right = 0, 0
    if self.padding == "same" then
      local total = dilation[d] * (kernel[d] - 1)
      left = math.floor(total / 2)
      right = total - left
    elseif self.padding ~= "valid" then
      left, right = self.padding[d], self.padding[d]
    end
    list[#list + 1], list[#list + 2] = left, right
  end
  return list
end

local function define(dims)
  -- y = cross-correlation of x [N, in_channels, s...] with weight, plus bias: [N, out_channels, s'...].
  --
  --     torch.nn.Conv#d(3, 16, 3, {padding=1})
  local signature = "Conv#d(int in_channels, int out_channels, int[#] kernel_size, int[#] stride=1, any padding=0, "
    .. "int[#] dilation=1, int groups=1, bool bias=True, str padding_mode='zeros')"
  local Conv = class((signature:gsub("#", dims)), Base)
  local convolve = "conv" .. dims .. "d"
  Conv._dims, Conv.expects = dims, expects.over(EXPECTS, dims)
  Conv.allows = allowed(dims, "zeros", "reflect", "replicate", "circular")

  function Conv:init(opt)
    check(opt.padding ~= "same" or all_equal(opt.stride, 1), "Conv%sd: padding 'same' goes with stride 1, got %s", dims,
      repr(opt.stride))
    self:_settle(opt)
    self:_make(opt.out_channels, opt.in_channels, opt)
  end

  ---@param x torch.Tensor  [N, in_channels, s...] or [in_channels, s...]
  ---@return torch.Tensor
  function Conv:forward(x)
    local padding = self.padding
    if self.padding_mode ~= "zeros" then
      x, padding = F.pad(x, sides_of(self), { mode = self.padding_mode }), 0
    end
    return F[convolve](x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
  end

  return Conv
end

local function define_transpose(dims)
  -- The gradient of a convolution as a layer: x [N, in_channels, s...] to [N, out_channels, s'...].
  --
  --     torch.nn.ConvTranspose#d(16, 3, 3, {stride=2})
  local signature = "ConvTranspose#d(int in_channels, int out_channels, int[#] kernel_size, int[#] stride=1, "
    .. "int[#] padding=0, int[#] output_padding=0, int groups=1, bool bias=True, int[#] dilation=1, "
    .. "str padding_mode='zeros')"
  local Transpose = class((signature:gsub("#", dims)), Base)
  local convolve = "conv_transpose" .. dims .. "d"
  local read_forward = torch.core.signature(Transpose.__name .. "(Tensor input, int[]? output_size=None)")
  Transpose._dims, Transpose.expects = dims, expects.over(EXPECTS, dims)
  Transpose.allows = allowed(dims, "zeros")

  function Transpose:init(opt)
    self:_settle(opt)
    self:_make(opt.in_channels, opt.out_channels, opt)
  end

  -- The output_padding that makes the given spatial sizes; each is ambiguous by its stride.
  function Transpose:_output_padding(x, sizes)
    local list, from = {}, #sizes - dims
    check(from == 0 or from == x:dim() - dims, "output_size has %s or %s numbers, got %s", dims, x:dim(), #sizes)
    for d = 1, dims do
      local least = (x:size(d - dims - 1) - 1) * self.stride[d] - 2 * self.padding[d]
        + self.dilation[d] * (self.kernel_size[d] - 1) + 1
      list[d] = sizes[from + d] - least
      check(list[d] >= 0 and list[d] < self.stride[d], "output size %s of dimension %s is outside %s..%s",
        sizes[from + d], d, least, least + self.stride[d] - 1)
    end
    return list
  end

  ---@param x torch.Tensor             [N, in_channels, s...] or [in_channels, s...]
  ---@param output_size? integer[]     s', where the stride leaves it open
  ---@return torch.Tensor
  function Transpose:forward(x, output_size)
    if output_size ~= nil then output_size = read_forward(x, output_size).output_size end
    local extra = output_size and self:_output_padding(x, output_size) or self.output_padding
    return F[convolve](x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)
  end

  return Transpose
end

local conv = { Base = Base }
for dims = 1, 3 do
  for _, Class in ipairs { define(dims), define_transpose(dims) } do conv[Class.__name] = Class end
end
return conv
