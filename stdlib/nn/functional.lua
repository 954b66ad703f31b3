--- torch.nn.functional: the core's operators, and functions that are plain operators of torch under another name.

local torch = require "torch"
local F = torch.nn.functional

for _, name in ipairs { "relu", "relu_", "sigmoid", "tanh", "softmax", "log_softmax" } do
  if rawget(F, name) == nil then F[name] = torch[name] end
end

return F
