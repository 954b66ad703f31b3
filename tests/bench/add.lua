local torch, measure = require "torch", require "measure"
local a, b = torch.randn(4), torch.randn(4)

measure(200000, function() return a + b end)
