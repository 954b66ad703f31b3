--- Dropout: in training each element (or channel) is dropped with probability p; otherwise x itself.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local expects, options = require "torch.nn.expects", require "torch.nn.options"

local dropout = {}

local expected = { FeatureAlphaDropout = "input (N, C, *)" }
for dims = 1, 3 do expected[("Dropout%dd"):format(dims)] = expects.over("input (N, C, #) or (C, #)", dims) end

for name, operator in pairs {
  Dropout = "dropout", Dropout1d = "dropout1d", Dropout2d = "dropout2d", Dropout3d = "dropout3d",
  AlphaDropout = "alpha_dropout", FeatureAlphaDropout = "feature_alpha_dropout",
} do
  local Dropout = class(name .. "(float p=0.5, bool inplace=False)", Module)
  Dropout.format = "p={p}, inplace={inplace}"
  Dropout.allows = { p = options.within(0, 1) }
  Dropout.expects = expected[name] or "input (*)"

  ---@param x torch.Tensor
  ---@return torch.Tensor
  function Dropout:forward(x)
    return F[operator](x, self.p, self.training, self.inplace)
  end

  dropout[name] = Dropout
end

return dropout
