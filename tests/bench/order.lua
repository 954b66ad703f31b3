local torch, run = require "torch", require "bench"
local F = torch.nn.functional

local function of(name, make, body)
  run.bench(name, function()
    local x = { make() }
    return function() return body(unpack(x)) end
  end)
end

local function million() return torch.randn(1000000) end
local function rows() return torch.randn(1000, 1000) end

of("sort", million, function(x) return x:sort() end)
of("sort_rows", rows, function(x) return x:sort(2) end)
of("topk", rows, function(x) return x:topk(10) end)
of("argmax", function() return torch.randn(1000, 10000) end, function(x) return x:argmax(2) end)
of("unique", function() return torch.randint(1, 1000, { 1000000 }) end, function(x) return x:unique() end)
of("randn", function() return torch.empty(10000000) end, function(x) return x:normal_() end)
of("bernoulli", function() return torch.empty(10000000) end, function(x) return x:bernoulli_(0.5) end)
of("multinomial", function() return torch.rand(128, 1000) end, function(p) return torch.multinomial(p, 10, true) end)
of("one_hot", function() return torch.randint(1, 1001, { 10000 }) end, function(x) return F.one_hot(x, 1000) end)
of("embedding", function()
  return torch.nn.Embedding(50000, 256), torch.randint(1, 50001, { 64, 128 })
end, function(layer, x)
  layer(x):sum():backward()
end)

run.finish()
