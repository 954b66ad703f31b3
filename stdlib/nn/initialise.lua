--- Initialisation: each function fills the tensor in place, without recording gradients, and returns it.

local torch, check = require "torch", require "torch.check"

local init = {}

-- Adds `name_`, whose arguments `signature` lists after the tensor; `fill(x, opt)` does the work.
local function define(signature, fill)
  local read = torch.core.signature(signature)
  init[signature:match("^[%w_]+")] = function(...)
    local opt = read(...)
    torch.no_grad(fill, opt.tensor, opt)
    return opt.tensor
  end
end

define("uniform_(Tensor tensor, float a=0, float b=1)", function(x, opt) x:uniform_(opt.a, opt.b) end)
define("normal_(Tensor tensor, float mean=0, float std=1)", function(x, opt) x:normal_(opt.mean, opt.std) end)
define("constant_(Tensor tensor, float val)", function(x, opt) x:fill_(opt.val) end)
define("ones_(Tensor tensor)", function(x) x:fill_(1) end)
define("zeros_(Tensor tensor)", function(x) x:zero_() end)

--- The identity matrix.
define("eye_(Tensor tensor)", function(x)
  check(x:dim() == 2, "eye_: expected a matrix, got a tensor with %s dimensions", x:dim())
  x:copy_(torch.eye(x:size(1), x:size(2)))
end)

--- Convolution weights [out, in, k...] that hand their input on: 1 at the kernel's centre where in = out, within each
--- group.
define("dirac_(Tensor tensor, int groups=1)", function(x, opt)
  check(x:dim() >= 3 and x:dim() <= 5, "dirac_: expected 3 to 5 dimensions, got %s", x:dim())
  local out = x:size(1)
  check(out % opt.groups == 0, "dirac_: %s output channels are not divisible by groups %s", out, opt.groups)
  x:zero_()
  local each = out / opt.groups
  for o = 0, out - 1 do
    local channel = o % each
    if channel < x:size(2) then
      local at = { o + 1, channel + 1 }
      for d = 3, x:dim() do at[d] = math.floor(x:size(d) / 2) + 1 end
      x[at] = 1
    end
  end
end)

-- Inputs and outputs of one unit of a weight [out, in, k...].
local function fans(x, where)
  check(x:dim() >= 2, "%s: fans need at least 2 dimensions, got %s", where, x:dim())
  local kernel = 1
  for d = 3, x:dim() do kernel = kernel * x:size(d) end
  return x:size(2) * kernel, x:size(1) * kernel
end

local gains = {
  linear = 1, conv1d = 1, conv2d = 1, conv3d = 1, conv_transpose1d = 1, conv_transpose2d = 1, conv_transpose3d = 1,
  sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 3 / 4,
}

--- The factor by which a nonlinearity's inputs should be larger than linear ones for equal variance.
---@param nonlinearity string  "linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", ...
---@param param? number        the negative slope of "leaky_relu". Default: 0.01.
---@return number
function init.calculate_gain(nonlinearity, param)
  if nonlinearity == "leaky_relu" then return math.sqrt(2 / (1 + (param or 0.01) ^ 2)) end
  return check(gains[nonlinearity], "calculate_gain: unknown nonlinearity '%s'", nonlinearity)
end

-- Glorot and Bengio 2010: variance gain^2 * 2 / (fan_in + fan_out).
local function xavier_std(x, opt, where)
  local fan_in, fan_out = fans(x, where)
  return opt.gain * math.sqrt(2 / (fan_in + fan_out))
end

define("xavier_uniform_(Tensor tensor, float gain=1)", function(x, opt)
  local k = math.sqrt(3) * xavier_std(x, opt, "xavier_uniform_")
  x:uniform_(-k, k)
end)
define("xavier_normal_(Tensor tensor, float gain=1)", function(x, opt)
  x:normal_(0, xavier_std(x, opt, "xavier_normal_"))
end)

-- He et al. 2015: variance gain^2 / fan.
local function kaiming_std(x, opt, where)
  local fan_in, fan_out = fans(x, where)
  local fan = check(({ fan_in = fan_in, fan_out = fan_out })[opt.mode], "%s: mode is fan_in or fan_out, got '%s'",
    where, opt.mode)
  return init.calculate_gain(opt.nonlinearity, opt.a) / math.sqrt(fan)
end

define("kaiming_uniform_(Tensor tensor, float a=0, str mode='fan_in', str nonlinearity='leaky_relu')", function(x, opt)
  local k = math.sqrt(3) * kaiming_std(x, opt, "kaiming_uniform_")
  x:uniform_(-k, k)
end)
define("kaiming_normal_(Tensor tensor, float a=0, str mode='fan_in', str nonlinearity='leaky_relu')", function(x, opt)
  x:normal_(0, kaiming_std(x, opt, "kaiming_normal_"))
end)

--- Normal numbers within a..b: the others are drawn anew, by the inverse of the distribution function.
define("trunc_normal_(Tensor tensor, float mean=0, float std=1, float a=-2, float b=2)", function(x, opt)
  local function scaled(bound)
    return torch.tensor((bound - opt.mean) / (opt.std * math.sqrt(2)), { dtype = torch.float64 }):erf():item()
  end
  local low, high = scaled(opt.a), scaled(opt.b)
  x:uniform_(low, high):erfinv_():mul_(opt.std * math.sqrt(2)):add_(opt.mean):clamp_(opt.a, opt.b)
end)

--- A (semi-)orthogonal matrix [size 1, rest], times gain: the Q of a normal one (Saxe, McClelland and Ganguli 2014).
define("orthogonal_(Tensor tensor, float gain=1)", function(x, opt)
  check(x:dim() >= 2, "orthogonal_: expected at least 2 dimensions, got %s", x:dim())
  if x:numel() == 0 then return end
  local rows = x:size(1)
  local flat = torch.randn(rows, x:numel() / rows, { dtype = x.dtype })
  local wide = rows < flat:size(2)
  local q, r = torch.linalg.qr(wide and flat:t() or flat)
  q = q * r:diagonal():sgn() -- each Q as likely as any other
  x:copy_((wide and q:t() or q):reshape_as(x)):mul_(opt.gain)
end)

--- Normal numbers, of which the given share of every column is zero (Martens 2010).
define("sparse_(Tensor tensor, float sparsity, float std=0.01)", function(x, opt)
  check(x:dim() == 2, "sparse_: expected a matrix, got a tensor with %s dimensions", x:dim())
  local rows = x:size(1)
  local zeros = math.ceil(opt.sparsity * rows)
  x:normal_(0, opt.std)
  if zeros == 0 then return end
  for column = 1, x:size(2) do
    x[{ torch.randperm(rows):narrow(1, 1, zeros), column }] = 0
  end
end)

return init
