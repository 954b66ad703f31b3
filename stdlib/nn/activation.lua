--- Activations: functions of each element, or of the elements along a dimension.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter, options = require "torch.nn.parameter", require "torch.nn.options"

local activation = {}

-- f of x and of so many fields.
local CALLS = {
  [0] = function(_, f, x) return f(x) end,
  function(self, f, x, a) return f(x, self[a]) end,
  function(self, f, x, a, b) return f(x, self[a], self[b]) end,
  function(self, f, x, a, b, c) return f(x, self[a], self[b], self[c]) end,
}

--- Declares a module that hands its arguments to a function of its input, F[name] or a function, in the signature's
--- order. `format` is what it prints, see Module.format.
local function define(signature, name, format)
  local Activation = class(signature, Module)
  Activation.format = format
  Activation.expects = "input (*)"

  local _, names = torch.core.signature(signature)
  local call, a, b, c = CALLS[#names], unpack(names)
  local f = type(name) == "string" and F[name] or name
  function Activation:forward(x)
    return call(self, f, x, a, b, c)
  end

  activation[signature:match "^%w+"] = Activation
end

define("ReLU(bool inplace=False)", "relu", "{?inplace}")
define("ReLU6(bool inplace=False)", "relu6", "{?inplace}")
define("SELU(bool inplace=False)", "selu", "{?inplace}")
define("SiLU(bool inplace=False)", "silu", "{?inplace}")
define("Mish(bool inplace=False)", "mish", "{?inplace}")
define("Hardsigmoid(bool inplace=False)", "hardsigmoid", "")
define("Hardswish(bool inplace=False)", "hardswish", "")
define("ELU(float alpha=1.0, bool inplace=False)", "elu", "alpha={alpha}{?inplace}")
define("CELU(float alpha=1.0, bool inplace=False)", "celu", "alpha={alpha}{?inplace}")
define("LeakyReLU(float negative_slope=0.01, bool inplace=False)", "leaky_relu",
  "negative_slope={negative_slope}{?inplace}")
define("Hardtanh(float min_val=-1.0, float max_val=1.0, bool inplace=False)", "hardtanh",
  "min_val={min_val}, max_val={max_val}{?inplace}")
define("Threshold(float threshold, float value, bool inplace=False)", "threshold",
  "threshold={threshold}, value={value}{?inplace}")
define("GELU(str approximate='none')", function(x, approximate) return F.gelu(x, { approximate = approximate }) end,
  "approximate='{approximate}'")
activation.GELU.allows = { approximate = options.words("none", "tanh") }
define("GLU(int dim=-1)", "glu", "dim={dim}")
define("Softmax(int? dim=None)", "softmax", "dim={dim}")
define("LogSoftmax(int? dim=None)", "log_softmax", "dim={dim}")
define("Softmin(int? dim=None)", "softmin", "dim={dim}")
define("Softplus(Scalar beta=1, Scalar threshold=20)", "softplus", "beta={beta}, threshold={threshold}")
define("Hardshrink(float lambd=0.5)", "hardshrink", "{lambd}")
define("Softshrink(float lambd=0.5)", "softshrink", "{lambd}")
define("Sigmoid()", "sigmoid", "")
define("Tanh()", "tanh", "")
define("LogSigmoid()", "logsigmoid", "")
define("Softsign()", "softsign", "")
define("Tanhshrink()", "tanhshrink", "")

--- softmax over the channels of [N, C, H, W] or [C, H, W].
define("Softmax2d()", function(x)
  check(x:dim() == 3 or x:dim() == 4, "expected 3 or 4 dimensions, got %s", x:dim())
  return F.softmax(x, -3)
end, "")
activation.Softmax2d.expects = "input (N, C, H, W) or (C, H, W)"

--- In training a random slope between `lower` and `upper` for each negative element, else their mean.
--
--     torch.nn.RReLU()(torch.tensor{-1, 0, 2})
---@class nn.RReLU: nn.Module
local RReLU = class("RReLU(float lower=0.125, float upper=0.3333333333333333, bool inplace=False)", Module)
RReLU.format = "lower={lower}, upper={upper}{?inplace}"
RReLU.expects = "input (*)"

function RReLU:forward(x)
  return F.rrelu(x, self.lower, self.upper, self.training, self.inplace)
end

--- x where it is positive, weight x where it is not; a weight for all, or for each channel.
--
--     torch.nn.PReLU()(torch.tensor{-1, 0, 2})
---@class nn.PReLU: nn.Module
---@field weight torch.Tensor  [num_parameters]
local PReLU = class("PReLU(int num_parameters=1, float init=0.25)", Module)
PReLU.format = "num_parameters={num_parameters}"
PReLU.allows = { num_parameters = options.least(1) }

function PReLU:expects()
  return self.num_parameters > 1 and "input (N, {num_parameters}, *)" or "input (*)"
end

function PReLU:init(opt)
  self.weight = Parameter(torch.full({ opt.num_parameters }, opt.init))
  self.init = nil
end

function PReLU:forward(x)
  return F.prelu(x, self.weight)
end

activation.RReLU, activation.PReLU = RReLU, PReLU
return activation
