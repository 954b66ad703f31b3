local torch, measure = require "torch", require "measure"
local w, b = torch.randn(4):requires_grad_(true), torch.randn(4)

measure(50000, function() (w * b):sum():backward() end)
