-- Ten million floats.
local torch, run = require "torch", require "bench"
local N = 10000000

for _, name in ipairs { "exp", "log", "tanh", "sigmoid", "erf", "sin" } do
  run.bench(name, function()
    local x = torch.rand(N):mul(8):add(0.01)
    return function() return x[name](x) end
  end)
end
run.bench("gelu", function()
  local x, gelu = torch.randn(N), torch.nn.functional.gelu
  return function() return gelu(x) end
end)
run.bench("pow", function()
  local x = torch.rand(N):add(0.5)
  return function() return x:pow(2.3) end
end)

run.finish()
