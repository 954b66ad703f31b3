local torch, measure = require "torch", require "measure"
local a, b = torch.randn(10000000), torch.randn(10000000)

measure(10, function() return a + b end)
