local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local m = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local function positions(t) return torch.tensor(t, { dtype = torch.int64 }) end

cases("take", {
  { "of the flattened tensor", m, positions { { 6, 1 }, { -1, 2 } }, gives = { { 6, 1 }, { 6, 2 } } },
  { "a position beyond", m, positions { 7 }, fails = "position 7 is outside 1..6" },
  { "position 0", m, positions { 0 }, fails = "position 0 is outside 1..6" },
  { "positions that are no integers", m, torch.ones(1), fails = "take: positions must be int64, got float32" },
  { "of nothing", torch.empty(0), positions { 1 }, fails = "take: the tensor (0) has no elements" },
})
cases("put", {
  { "overwrites", m, positions { 1, 6 }, torch.tensor { 7, 8 }, gives = { { 7, 2, 3 }, { 4, 5, 8 } } },
  { "adds", m, positions { 1, 1 }, torch.tensor { 7, 8 }, true, gives = { { 16, 2, 3 }, { 4, 5, 6 } } },
  { "too many elements", m, positions { 1 }, torch.ones(2), fails = "put: 1 positions for 2 elements of source" },
  { "another dtype", m, positions { 1 }, positions { 1 },
    fails = "put: dtypes differ, 'self' is float32, 'source' int64" },
  { "a position beyond", m, positions { 9 }, torch.ones(1), fails = "position 9 is outside 1..6" },
})
cases("take_along_dim", {
  { "stretches the positions", m, positions { { 3 }, { 1 } }, 2, gives = { { 3 }, { 4 } } },
  { "stretches the tensor", torch.tensor { { 1, 2 } }, positions { { 2 }, { 1 } }, 2, gives = { { 2 }, { 1 } } },
  { "flattened", m, positions { 5 }, gives = { 5 } },
  { "sizes that do not fit", m, positions { { 1 }, { 1 }, { 1 } }, 2, fails = "take_along_dim: " },
  { "another number of dimensions", m, positions { 1 }, 2, fails = "must have the same number of dimensions" },
})
cases("index_copy", {
  { "rows", m, 1, positions { 2 }, torch.tensor { { 7, 8, 9 } }, gives = { { 1, 2, 3 }, { 7, 8, 9 } } },
  { "columns", m, 2, positions { 3, 1 }, torch.tensor { { 7, 8 }, { 9, 10 } }, gives = { { 8, 2, 7 }, { 10, 5, 9 } } },
  { "of equal positions the last", m, 2, positions { 1, 1 }, torch.tensor { { 7, 8 }, { 9, 10 } },
    gives = { { 8, 2, 3 }, { 10, 5, 6 } }, grad = false },
  { "a source that does not fit", m, 1, positions { 2 }, torch.ones(1, 2),
    fails = "does not fit 1 positions of dimension 1" },
  { "a position beyond", m, 1, positions { 3 }, torch.ones(1, 3), fails = "index_copy: position 3 is outside 1..2" },
})
cases("index_fill", {
  { "columns", m, 2, positions { 1, 3 }, 0, gives = { { 0, 2, 0 }, { 0, 5, 0 } } },
  { "with a tensor", m, 1, positions { 1 }, torch.tensor(9), gives = { { 9, 9, 9 }, { 4, 5, 6 } } },
  { "with a vector", m, 1, positions { 1 }, torch.ones(1),
    fails = "the value must be a number or a tensor without dimensions" },
})
cases("masked_scatter", {
  { "one after the other", m, torch.tensor { { true, false, true }, { false, true, false } },
    torch.tensor { 7, 8, 9, 10 }, gives = { { 7, 2, 8 }, { 4, 9, 6 } } },
  { "where a row's mask holds", m, torch.tensor { true, false, false }, torch.tensor { 7, 8 },
    gives = { { 7, 2, 3 }, { 8, 5, 6 } } },
  { "too few", m, torch.tensor { true }, torch.ones(5), fails = "the mask holds at 6 places, source has 5 elements" },
})

describe("writing at positions", function()
  it("of a tensor into itself reads what was there before", function()
    local x = torch.tensor { 1, 2, 3 }
    equal(x:clone():index_copy_(1, positions { 2, 3, 1 }, x):tolist(), { 3, 1, 2 })
    local y = x:clone()
    equal(y:index_copy_(1, positions { 2, 3, 1 }, y):tolist(), { 3, 1, 2 })
    y = x:clone()
    equal(y:scatter_(1, positions { 2, 3, 1 }, y):tolist(), { 3, 1, 2 })
    y = positions { 2, 3, 1 }
    equal(y:put_(y, positions { 7, 8, 9 }):tolist(), { 9, 7, 8 })
  end)

  it("needs no elements of a mask on meta", function()
    local x, mask = torch.empty(2, 3, { device = "meta" }), torch.empty(3, { device = "meta", dtype = torch.bool })
    equal(x:masked_scatter(mask, torch.empty(4, { device = "meta" })):size(2), 3)
    fails(function() x:masked_select(mask) end, "meta")
  end)
end)

describe("large tensors", function()
  it("are taken from and put into as small ones", function()
    local x, order = torch.arange(100000):reshape(100, 1000), torch.randperm(100000)
    local taken = x:take(order)
    equal((taken + 1):equal(order), true)
    equal(torch.zeros_like(x):put(order, taken):equal(x), true)
    local mask = x:remainder(3):eq(0)
    equal(torch.zeros_like(x):masked_scatter(mask, x:masked_select(mask)):equal(x:where(mask, 0)), true)
  end)

  it("give the elements that a mask holds in their order, whatever their size and strides", function()
    local numbers, mask = torch.randn(300, 250):mul(100), torch.rand(250, 300):gt(0.7):t()
    local places = mask:flatten():nonzero():squeeze(2)
    for _, dtype in ipairs { torch.bool, torch.float16, torch.int32, torch.float64, torch.complex128 } do
      local x = numbers:to(dtype)
      local expected = x:flatten():index_select(1, places)
      assert(x:masked_select(mask):equal(expected))
      assert(x[mask]:equal(expected))
      local sparse = torch.zeros(2 * #places):to(dtype)[{ { 1, -1, 2 } }]
      assert(torch.masked_select(x, mask, { out = sparse }):equal(expected))
    end
  end)
end)
