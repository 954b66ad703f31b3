local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal = spec.cases, spec.describe, spec.it, spec.equal

local m = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local v = torch.tensor { 7, 8 }

cases("select_scatter", {
  { "a column", m, v, 2, 1, gives = { { 7, 2, 3 }, { 8, 5, 6 } } },
  { "sizes that differ", m, v, 1, 1, fails = "select_scatter: the view has sizes (3), src has (2)" },
  { "a position beyond", m, v, 2, 4, fails = "position 4 is outside 1..3 in dimension 2" },
})
cases("slice_scatter", {
  { "both ends included", m, torch.zeros(2, 2), 2, 2, 3, gives = { { 1, 0, 0 }, { 4, 0, 0 } } },
  { "up to the last but one", m, torch.zeros(2, 2), 2, 1, -2, gives = { { 0, 0, 3 }, { 0, 0, 6 } } },
  { "every second", m, torch.zeros(2, 2), 2, 1, -1, 2, gives = { { 0, 2, 0 }, { 0, 5, 0 } } },
  { "a step of 0", m, m, 2, 1, 3, 0, fails = "the step must be positive, got 0" },
})
cases("diagonal_scatter", {
  { "the main diagonal", m, v, gives = { { 7, 2, 3 }, { 4, 8, 6 } } },
  { "sizes that differ", m, torch.ones(3), fails = "diagonal_scatter: the view has sizes (2), src has (3)" },
})
cases("as_strided_scatter", {
  { "a region", m, v, { 2 }, { 2 }, 1, gives = { { 1, 7, 3 }, { 8, 5, 6 } } },
  { "a region that meets itself", m, torch.tensor { { 7, 8 }, { 9, 10 } }, { 2, 2 }, { 1, 1 },
    gives = { { 7, 9, 10 }, { 4, 5, 6 } } },
  { "beyond the tensor", m, v, { 2 }, { 6 }, fails = "as_strided: sizes (2) with strides (6)" },
})

describe("as_strided", function()
  it("shares the gradient among places that are one in memory", function()
    local x = torch.randn(3, 1, { dtype = torch.float64, requires_grad = true })
    local y = x:expand(3, 4):as_strided({ 3 }, { 1 })
    y:sum():backward()
    equal(x.grad:tolist(), { { 1 }, { 1 }, { 1 } })
  end)

  it("adds the gradient of places that are read twice", function()
    local x = torch.randn(4, { dtype = torch.float64, requires_grad = true })
    assert(torch.autograd.gradcheck(function(a) return a:as_strided({ 3, 2 }, { 1, 1 }) end, x))
    assert(torch.autograd.gradgradcheck(function(a) return a:as_strided({ 3, 2 }, { 1, 1 }) end, x))
  end)
end)
