local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal = spec.cases, spec.describe, spec.it, spec.equal

local function positions(t) return torch.tensor(t, { dtype = torch.int64 }) end
local x, at, src = torch.tensor { 2, 3, 4 }, positions { 1, 1, 3 }, torch.tensor { 5, 7, 6 }
local without = { include_self = false }
local nan = 0 / 0

cases("scatter_reduce", {
  { "sum", x, 1, at, src, "sum", gives = { 14, 3, 10 } },
  { "sum without self", x, 1, at, src, "sum", without, gives = { 12, 3, 6 } },
  { "product", x, 1, at, src, "prod", gives = { 70, 3, 24 } },
  { "product without self", x, 1, at, src, "prod", without, gives = { 35, 3, 6 } },
  { "product with one zero", x, 1, at, torch.tensor { 0, 7, 6 }, "prod", gives = { 0, 3, 24 } },
  { "product with zero in self", torch.tensor { 0, 3, 4 }, 1, at, src, "prod", gives = { 0, 3, 24 } },
  { "mean", x, 1, at, src, "mean", gives = { 14 / 3, 3, 5 } },
  { "mean without self", x, 1, at, src, "mean", without, gives = { 6, 3, 6 } },
  { "maximum", x, 1, at, src, "amax", gives = { 7, 3, 6 } },
  { "maximum without self", torch.tensor { 9, 3, 9 }, 1, at, src, "amax", without, gives = { 7, 3, 6 } },
  { "minimum", x, 1, at, src, "amin", gives = { 2, 3, 4 } },
  { "maximum of NaN", x, 1, at, torch.tensor { nan, 7, 6 }, "amax", gives = { nan, 3, 6 }, grad = false },
  { "of part of src", x, 1, positions { 2 }, src, "sum", gives = { 2, 8, 4 } },
  { "an unknown word", x, 1, at, src, "max",
    fails = "reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got 'max'" },
  { "a position beyond", x, 1, positions { 4 }, src, "sum", fails = "scatter_reduce: position 4 is outside 1..3" },
  { "complex numbers", x:to(torch.complex64), 1, at, src:to(torch.complex64), "sum", fails = "complex numbers" },
})
cases("index_reduce", {
  { "rows", torch.ones(2, 2), 1, positions { 2, 2 }, torch.tensor { { 2, 3 }, { 4, 5 } }, "prod",
    gives = { { 1, 1 }, { 8, 15 } } },
  { "columns", torch.ones(2, 2), 2, positions { 1, 1 }, torch.tensor { { 2, 3 }, { 4, 6 } }, "mean", without,
    gives = { { 2.5, 1 }, { 5, 1 } } },
  { "a sum", x, 1, at, src, "sum", fails = "reduce must be 'prod', 'mean', 'amax' or 'amin', got 'sum'" },
  { "a position beyond", x, 1, positions { 4 }, torch.ones(1), "amax",
    fails = "index_reduce: position 4 is outside 1..3" },
})

describe("scatter_reduce", function()
  it("rounds means of integers down", function()
    equal(positions { 0 }:scatter_reduce(1, positions { 1, 1 }, positions { -2, -1 }, "mean", without):tolist(), { -2 })
  end)

  it("counts beyond what half precision holds", function()
    local half = { dtype = torch.float16 }
    local ones, first = torch.ones(3000, half), torch.ones(3000, { dtype = torch.int64 })
    equal(torch.zeros(1, half):scatter_reduce(1, first, ones, "mean", without):item(), 1)
  end)

  it("gives the same along any dimension and for any number of threads", function()
    local threads, a, b = torch.get_num_threads(), torch.randn(300, 200), torch.randn(300, 200)
    local rows = torch.randint(1, 301, { 300, 200 })
    local result = a:scatter_reduce(1, rows, b, "sum")
    local a2, b2, rows2 = a:t():contiguous(), b:t():contiguous(), rows:t():contiguous()
    equal(a2:scatter_reduce(2, rows2, b2, "sum"):t():equal(result), true)
    torch.set_num_threads(3)
    equal(a:scatter_reduce(1, rows, b, "sum"):equal(result), true)
    torch.set_num_threads(threads)
  end)
end)
