local torch = require "torch"
local spec = require "spec"
local cases = spec.cases

local a = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local b = torch.tensor { { 1, 0 }, { 2, 1 }, { 0, -1 } }
local ab = { { 5, -1 }, { 14, -1 } }

cases("mm", {
  { "matrices", a, b, gives = ab },
  { "transposed views", b:t(), a:t(), gives = { { 5, 14 }, { -1, -1 } } },
  { "inner sizes that differ", a, a, fails = "mm: " },
})

cases("mv", { { "matrix and vector", a, torch.tensor { 1, 1, 2 }, gives = { 9, 21 } } })
cases("dot", { { "vectors", torch.tensor { 1, 2, 3 }, torch.tensor { 4, 5, 6 }, gives = 32 } })

cases("matmul", {
  { "vectors", torch.tensor { 1, 2 }, torch.tensor { 3, 4 }, gives = 11 },
  { "matrix and vector", a, torch.tensor { 1, 1, 2 }, gives = { 9, 21 } },
  { "vector and matrix", torch.tensor { 1, -1 }, a, gives = { -3, -3, -3 } },
  { "matrices", a, b, gives = ab },
  { "batches that broadcast", a:view(1, 2, 3), torch.stack({ b, b * 2 }, 1),
    gives = { ab, { { 10, -2 }, { 28, -2 } } } },
})

cases("bmm", {
  { "a batch", torch.stack({ a, -a }, 1), torch.stack({ b, b }, 1), gives = { ab, { { -5, 1 }, { -14, 1 } } } },
})

cases("addmm", {
  { "beta and alpha", torch.tensor { { 1, 1 }, { 1, 1 } }, a, b, { beta = 2, alpha = 10 },
    gives = { { 52, -8 }, { 142, -8 } } },
  { "a row broadcasts", torch.tensor { 100, 200 }, a, b, gives = { { 105, 199 }, { 114, 199 } } },
})
