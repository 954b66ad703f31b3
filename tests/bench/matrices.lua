local torch, run = require "torch", require "bench"

local function product(name, a, b, dtype)
  run.bench(name, function()
    local x, y = torch.randn(a, { dtype = dtype }), torch.randn(b, { dtype = dtype })
    return function() return x:matmul(y) end
  end)
end

for _, n in ipairs { 64, 256, 1024, 2048 } do
  product("mm_" .. n, { n, n }, { n, n })
  product("mm64_" .. n, { n, n }, { n, n }, torch.float64)
end
product("mm_layer", { 64, 784 }, { 784, 256 })
product("bmm", { 64, 64, 64 }, { 64, 64, 64 })
product("mv", { 4096, 4096 }, { 4096 })
product("mm_bfloat16", { 1024, 1024 }, { 1024, 1024 }, torch.bfloat16)

run.finish()
