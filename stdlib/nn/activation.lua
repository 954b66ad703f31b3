--- Activations: functions of each element, or of the elements along a dimension.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"

local activation = {}

-- Modules that apply one function of each element; `inplace` overwrites the input.
for _, entry in ipairs { { "ReLU", "relu" } } do
  local Activation = class(entry[1] .. "(bool inplace=False)", Module)
  local name = entry[2]

  function Activation:forward(x)
    return F[name](x, self.inplace)
  end

  function Activation:extra_repr()
    return self.inplace and "inplace=True" or ""
  end

  activation[entry[1]] = Activation
end

-- Modules that apply one function of each element and take no argument.
for _, entry in ipairs { { "Sigmoid", "sigmoid" }, { "Tanh", "tanh" } } do
  local Activation = class(entry[1] .. "()", Module)
  local name = entry[2]

  function Activation:forward(x)
    return x[name](x)
  end

  activation[entry[1]] = Activation
end

-- Modules that normalise along `dim`.
for _, entry in ipairs { { "Softmax", "softmax" }, { "LogSoftmax", "log_softmax" } } do
  local Activation = class(entry[1] .. "(int dim)", Module)
  local name = entry[2]

  function Activation:forward(x)
    return x[name](x, self.dim)
  end

  activation[entry[1]] = Activation
end

---@class nn.ReLU: nn.Module
---@class nn.Sigmoid: nn.Module
---@class nn.Tanh: nn.Module
---@class nn.Softmax: nn.Module
---@class nn.LogSoftmax: nn.Module
return activation
