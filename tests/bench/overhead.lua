local torch, run = require "torch", require "bench"
local bench = run.bench

bench("add", function()
  local a, b = torch.randn(4), torch.randn(4)
  return function() return a + b end
end)

bench("add_recorded", function()
  local a, b = torch.randn(4, { requires_grad = true }), torch.randn(4)
  return function() return a + b end
end)

bench("chain", function()
  local x = torch.randn(64)
  return function()
    local y = x
    for _ = 1, 5 do y = ((y + x) * x - x):tanh() end
    return y
  end
end)

bench("backward", function()
  local w, b = torch.randn(4, { requires_grad = true }), torch.randn(4)
  return function() (w * b):sum():backward() end
end)

bench("row", function()
  local x = torch.randn(16, 16)
  return function() return x[3] end
end)

bench("linear", function()
  local layer, x = torch.nn.Linear(16, 16), torch.randn(1, 16)
  return function() layer(x):sum():backward() end
end)

run.finish()
