-- There and back, with gradients of weights and input.
local torch, run = require "torch", require "bench"
local nn = torch.nn

local function of(name, size, layer)
  run.bench(name, function()
    local x, f = torch.randn(size):requires_grad_(), layer()
    local ones = torch.ones_like(f(x))
    return function()
      f(x):backward(ones)
      x.grad = nil
    end
  end)
end

of("conv_1_32", { 64, 1, 28, 28 }, function() return nn.Conv2d(1, 32, 3) end)
of("conv_32_64", { 64, 32, 14, 14 }, function() return nn.Conv2d(32, 64, 3) end)
of("conv_64_64", { 8, 64, 56, 56 }, function() return nn.Conv2d(64, 64, 3, { padding = 1 }) end)
of("conv_256_256", { 8, 256, 14, 14 }, function() return nn.Conv2d(256, 256, 3, { padding = 1 }) end)
of("depthwise", { 8, 64, 56, 56 }, function() return nn.Conv2d(64, 64, 3, { padding = 1, groups = 64 }) end)
of("conv_1x1", { 8, 64, 56, 56 }, function() return nn.Conv2d(64, 256, 1) end)
of("conv1d", { 32, 64, 1000 }, function() return nn.Conv1d(64, 64, 5, { padding = 2 }) end)
of("transposed", { 8, 64, 28, 28 }, function() return nn.ConvTranspose2d(64, 32, 4, { stride = 2, padding = 1 }) end)
of("max_pool", { 32, 64, 56, 56 }, function() return nn.MaxPool2d(2) end)
of("avg_pool", { 32, 64, 56, 56 }, function() return nn.AvgPool2d(2) end)

run.finish()
