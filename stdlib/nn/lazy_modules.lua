--- Modules that learn the number of their input's features from the first input, and then become the plain ones.

local torch, class, expects = require "torch", require "torch.class", require "torch.nn.expects"
local linear, conv, norm = require "torch.nn.linear", require "torch.nn.conv", require "torch.nn.norm"

local lazy_modules = {}

--- Declares `Lazy<Parent>`, whose constructor lacks the argument `missing`; it is size `dim` of the first input.
local function define(Parent, signature, missing, dim)
  local name = "Lazy" .. Parent.__name
  local Lazy = class(("%s(%s)"):format(name, signature), Parent)

  Lazy.expects = Parent.expects:gsub("[{}]", "")

  function Lazy:init(opt)
    rawset(self, "_pending", opt)
    rawset(self, "_probe", torch.empty(0)) -- what the parameters' dtype and device will be, see Module._convert
    self[missing] = 0
    if Parent._prepare then self:_prepare(opt) end
  end

  function Lazy:forward(x, ...)
    expects.check(self, { x, ... })
    local opt = self._pending
    opt[missing] = x:size(dim)
    local probe = self._probe
    for _, key in ipairs { "_known", "_order", "_pending", "_probe" } do rawset(self, key, nil) end
    -- Fields are to come in the plain module's order.
    for _, key in ipairs(self._options.names) do rawset(self, key, nil) end
    class.plain_init(Parent)(self, opt)
    self:_configured(opt, self._options.names, self._options.signature)
    self[missing] = opt[missing]
    setmetatable(self, Parent)
    self:to(probe)
    return self:forward(x, ...)
  end

  lazy_modules[name] = Lazy
end

define(linear.Linear, "int out_features, bool bias=True", "in_features", -1)

local CONV = "int out_channels, int[#] kernel_size, int[#] stride=1, any padding=0, int[#] dilation=1, int groups=1, "
  .. "bool bias=True, str padding_mode='zeros'"
local TRANSPOSE = "int out_channels, int[#] kernel_size, int[#] stride=1, int[#] padding=0, int[#] output_padding=0, "
  .. "int groups=1, bool bias=True, int[#] dilation=1, str padding_mode='zeros'"
local RUNNING = "float eps=1e-5, any momentum=None, bool affine=True, bool track_running_stats=True"
for dims = 1, 3 do
  define(conv[("Conv%dd"):format(dims)], (CONV:gsub("#", dims)), "in_channels", -dims - 1)
  define(conv[("ConvTranspose%dd"):format(dims)], (TRANSPOSE:gsub("#", dims)), "in_channels", -dims - 1)
  define(norm[("BatchNorm%dd"):format(dims)], RUNNING, "num_features", 2)
  define(norm[("InstanceNorm%dd"):format(dims)], RUNNING, "num_features", -dims - 1)
end

return lazy_modules
