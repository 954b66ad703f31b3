-- Ten million floats, a fresh output each time.
local torch, run = require "torch", require "bench"
local bench = run.bench
local N, ROWS, COLUMNS = 10000000, 2500, 4000

-- Of `body(x)`, x made by `make()`.
local function of(name, make, body)
  bench(name, function()
    local x = { make() }
    return function() return body(unpack(x)) end
  end)
end

local function flat() return torch.randn(N) end
local function pair() return torch.randn(N), torch.randn(N) end
local function matrix() return torch.randn(ROWS, COLUMNS) end
local function positions() return flat(), torch.randint(1, N + 1, { N }) end
local function cube() return torch.randn(200, 250, 200) end

of("add", pair, function(a, b) return a + b end)
of("mul", pair, function(a, b) return a * b end)
of("relu", flat, function(x) return x:relu() end)
of("add_row", function() return matrix(), torch.randn(COLUMNS) end, function(a, b) return a + b end)
of("add_column", function() return matrix(), torch.randn(ROWS, 1) end, function(a, b) return a + b end)
of("transposed", matrix, function(x) return x:t():contiguous() end)
of("strided", function() return torch.randn(ROWS, 2 * COLUMNS) end, function(x)
  return x[{ {}, { 1, -1, 2 } }]:contiguous()
end)
of("cat", function() return torch.randn(N / 2), torch.randn(N / 2) end, function(a, b) return torch.cat { a, b } end)
of("index_select", function() return matrix(), torch.randperm(ROWS):add(1):clamp(1, ROWS) end, function(x, i)
  return x:index_select(1, i)
end)
of("gather", positions, function(x, i) return x:gather(1, i) end)
of("masked_select", function() local x = flat() return x, x:gt(0) end, function(x, m) return x:masked_select(m) end)
of("cumsum", flat, function(x) return x:cumsum(1) end)
for _, name in ipairs { "sum", "mean", "var", "amax" } do
  for dim = 1, 3 do
    of(name .. dim, cube, function(x) return x[name](x, dim) end)
  end
end
of("add_half", function() return flat():half(), flat():half() end, function(a, b) return a + b end)
of("add_bfloat16", function() return flat():bfloat16(), flat():bfloat16() end, function(a, b) return a + b end)

run.finish()
