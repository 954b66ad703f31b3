local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local m = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local int32 = { dtype = torch.int32 }

cases("flip", {
  { "both dimensions", m, { 1, 2 }, gives = { { 6, 5, 4 }, { 3, 2, 1 } } },
  { "no dimension", m, {}, gives = m },
  { "a number", torch.tensor(3), {}, gives = 3 },
  { "a dimension twice", m, { 1, -2 }, fails = "flip: dim 1 appears twice in the list" },
  { "a dimension beyond", m, 3, fails = "flip: dim 3 is out of range" },
})
cases("fliplr", { { "a vector", torch.ones(3), fails = "fliplr: expected at least 2 dimensions, got (3)" } })
cases("flipud", { { "a number", torch.tensor(1), fails = "flipud: expected at least 1 dimension, got ()" } })

cases("roll", {
  { "all elements as one row", m, 2, gives = { { 5, 6, 1 }, { 2, 3, 4 } } },
  { "back along a dimension", m, -1, 2, gives = { { 2, 3, 1 }, { 5, 6, 4 } } },
  { "along two dimensions", m, { 1, 4 }, { 1, 2 }, gives = { { 6, 4, 5 }, { 3, 1, 2 } } },
  { "as far as integers go", m, 2LL ^ 62, 2, gives = { { 3, 1, 2 }, { 6, 4, 5 } } }, -- 2^62 = 1 mod 3
  { "a shift too few", m, { 1 }, { 1, 2 }, fails = "roll: 1 shifts for 2 dims" },
  { "without a shift", m, {}, fails = "roll: no shift is given" },
})
cases("rot90", {
  { "once", m, gives = { { 3, 6 }, { 2, 5 }, { 1, 4 } } },
  { "backwards", m, -1, gives = { { 4, 1 }, { 5, 2 }, { 6, 3 } } },
  { "often", m, 4 * 10 ^ 9 + 2, gives = { { 6, 5, 4 }, { 3, 2, 1 } } },
  { "in one dimension", m, 1, { 1 }, fails = "rot90: expected 2 dims that span the plane, got 1" },
})

cases("tile", {
  { "fewer dims than the tensor has", m, 2, gives = { { 1, 2, 3, 1, 2, 3 }, { 4, 5, 6, 4, 5, 6 } } },
  { "none at all", m, { 0, 1 }, gives = torch.empty(0, 3) },
  { "a negative number of times", m, -1, fails = "repeat: repeats must not be negative, got (1, -1)" },
  { "more than there is room for", m, 2 ^ 40, 2 ^ 40, fails = "more elements than can be counted" },
})
cases("repeat", {
  { "with a dimension in front", torch.tensor { 1, 2 }, 2, 2, gives = { { 1, 2, 1, 2 }, { 1, 2, 1, 2 } } },
  { "with too few repeats", m, 2, fails = "repeat: 1 repeats for a tensor with 2 dimensions" },
})
cases("repeat_interleave", {
  { "flattened", m, 2, gives = { 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6 } },
  { "columns", m, 2, 2, gives = { { 1, 1, 2, 2, 3, 3 }, { 4, 4, 5, 5, 6, 6 } } },
  { "rows many times", m, 17, 1, gives = torch.cat { m[{ { 1 } }]:expand(17, 3), m[{ { 2 } }]:expand(17, 3) } },
  { "rows by counts", m, torch.tensor({ 0, 2 }, int32), 1, gives = { { 4, 5, 6 }, { 4, 5, 6 } } },
  { "one count for all", m, torch.tensor({ 2 }, int32), 1,
    gives = { { 1, 2, 3 }, { 1, 2, 3 }, { 4, 5, 6 }, { 4, 5, 6 } } },
  { "a negative count", m, torch.tensor({ -1, 2 }, int32), 1, fails = "repeats must not be negative" },
  { "counts that overflow", m, torch.tensor({ 2LL ^ 62, 2LL ^ 62 }), 1, fails = "more than can be counted" },
  { "a count too many", m, torch.tensor({ 1, 2, 3 }, int32), 1, fails = "(3) repeats for 2 positions in dimension 1" },
  { "counts that are no integers", m, torch.tensor { 1, 2 }, 1, fails = "repeats must be int64 or int32, got float32" },
  { "another size than said", m, 2, 1, { output_size = 3 }, fails = "output_size is 3, repeats add up to 4" },
})

describe("repeat_interleave", function()
  it("of counts alone gives positions", function()
    local positions = torch.repeat_interleave(torch.tensor({ 2, 0, 1 }, int32))
    equal(positions, torch.tensor({ 1LL, 1LL, 3LL }))
  end)

  it("knows its size on meta if it is told", function()
    local x, counts = torch.empty(2, 3, { device = "meta" }), torch.empty(2, { device = "meta", dtype = torch.int64 })
    equal(x:repeat_interleave(counts, 1, { output_size = 5 }):size(1), 5)
    fails(function() x:repeat_interleave(counts, 1) end, "give output_size")
  end)
end)
