local torch, measure = require "torch", require "measure"
local a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)

measure(5, function() return a:mm(b) end)
