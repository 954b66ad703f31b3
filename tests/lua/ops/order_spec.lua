local torch = require "torch"
local spec = require "spec"
local cases, several, describe, it, equal, fails = spec.cases, spec.several, spec.describe, spec.it, spec.equal,
  spec.fails

local int64 = { dtype = torch.int64 }
local function int(list) return torch.tensor(list, int64) end

local nan = 0 / 0
local x = torch.tensor { { 1, 5, 3 }, { 4, 2, 6 } }
local holes = torch.tensor { 3, nan, 1, 2 }

cases("kthvalue", {
  { "the second", x, 2, gives = several({ 3, 4 }, int { 3, 1 }) },
  { "NaN is the largest", holes, 4, gives = several(nan, int(2)), grad = false },
  { "beyond the size", x, 4, fails = "kthvalue: k = 4 is not within 1..3, the size of dimension 2" },
  { "of complex numbers", torch.zeros(2, { dtype = torch.complex64 }), 1,
    fails = "kthvalue: complex numbers have no order" },
})
cases("median", {
  { "the lower of two", torch.tensor { 4, 1, 3, 2 }, gives = 2 },
  { "along a dimension", x, 1, gives = several({ 1, 2, 3 }, int { 1, 2, 1 }) },
  { "NaN if there is one", holes, gives = nan, grad = false },
  { "of nothing", torch.zeros(0), gives = nan, grad = false },
  { "along nothing", torch.zeros(0, 2), 1, fails = "median: dimension 1 of (0, 2) has no elements to choose from" },
})
cases("nanmedian", {
  { "without NaN", holes, gives = 2, grad = false },
  { "of NaN alone", torch.tensor { nan, nan }, gives = nan, grad = false },
})
cases("mode", {
  { "the smallest of equally frequent ones, where it stands last", torch.tensor { 2, 1, 1, 2, 3 },
    gives = several(1, int(3)), grad = false },
})
cases("quantile", {
  { "between two", torch.tensor { 0, 10 }, 0.25, gives = 2.5 },
  { "several along a dimension", x, torch.tensor { 0, 0.5 }, 2, gives = { { 1, 2 }, { 3, 4 } }, grad = false },
  { "the nearest", x, 0.4, 2, { interpolation = "nearest" }, gives = { 3, 4 } },
  { "the middle", torch.tensor { 0, 10 }, 0.1, { interpolation = "midpoint" }, gives = 5 },
  { "NaN if there is one", holes, 0.5, gives = nan, grad = false },
  { "beyond 1", x, 1.5, fails = "quantile: q must be within 0..1, got 1.5" },
  { "of integers", int { 1 }, 0.5, fails = "quantile: expected float32 or float64, got int64" },
  { "by an unknown way", x, 0.5, { interpolation = "cubic" },
    fails = "quantile: interpolation must be 'linear', 'lower'" },
})
cases("nanquantile", { { "without NaN", holes, 0.5, gives = 2, grad = false } })

cases("cummax", {
  { "the last of equal ones", torch.tensor { 1, 3, 2, 3 }, 1, gives = several({ 1, 3, 3, 3 }, int { 1, 2, 2, 4 }),
    grad = false },
  { "NaN from there on", torch.tensor { 1, nan, 2 }, 1,
    gives = several({ 1, nan, nan }, int { 1, 2, 2 }), grad = false },
})
cases("cummin", {
  { "columns", x, 1, gives = several({ { 1, 5, 3 }, { 1, 2, 3 } }, int { { 1, 1, 1 }, { 1, 2, 1 } }) },
})
cases("logcumsumexp", {
  { "of large numbers", torch.tensor { 1000, 1000 }, 1, gives = { 1000, 1000 + math.log(2) } },
  { "of nothing so far", torch.tensor { -math.huge, 0 }, 1, gives = { -math.huge, 0 }, grad = false },
  { "of integers", int { 1 }, 1, fails = "logcumsumexp: expected a floating dtype, got int64" },
})

cases("unique", {
  { "in order", torch.tensor { 3, 1, 3 }, gives = { 1, 3 } },
  { "with positions and counts", torch.tensor { 3, 1, 3 }, true, true, true,
    gives = several({ 1, 3 }, int { 2, 1, 2 }, int { 1, 2 }) },
  { "rows", torch.tensor { { 2, 1 }, { 1, 5 }, { 2, 1 } }, { dim = 1, return_inverse = true, return_counts = true },
    gives = several({ { 1, 5 }, { 2, 1 } }, int { 2, 1, 2 }, int { 1, 2 }) },
  { "whole numbers, counted", int { 5, -2, 5, 4 }, true, true, true,
    gives = several(int { -2, 4, 5 }, int { 3, 1, 3, 2 }, int { 1, 1, 2 }) },
  { "small whole numbers", torch.tensor({ { 250, 0 }, { 255, 250 } }, { dtype = torch.uint8 }),
    { return_inverse = true, return_counts = true },
    gives = several(torch.tensor({ 0, 250, 255 }, { dtype = torch.uint8 }), int { { 2, 1 }, { 3, 2 } },
      int { 1, 2, 1 }) },
  { "whole numbers far apart", torch.tensor { 2LL ^ 62, -2LL ^ 62, 2LL ^ 62 }, true, true, true,
    gives = several(torch.tensor { -2LL ^ 62, 2LL ^ 62 }, int { 2, 1, 2 }, int { 1, 2 }) },
  { "the least and its like", torch.full({ 2 }, -2LL ^ 63, { dtype = torch.int64 }),
    gives = torch.tensor { -2LL ^ 63 } },
  { "of nothing", torch.zeros(0), true, true, true, gives = several(torch.zeros(0), int {}, int {}) },
  { "rows without elements", torch.zeros(2, 0), { dim = 1 },
    fails = "unique: slices of (2, 0) along dimension 1 have no elements to compare" },
  { "of a meta tensor", torch.zeros(2, { device = "meta" }),
    fails = "unique: the size of the result depends on elements" },
})
cases("unique_consecutive", {
  { "with positions and counts", torch.tensor { 1, 1, 2, 1 }, true, true,
    gives = several({ 1, 2, 1 }, int { 1, 1, 2, 3 }, int { 2, 1, 1 }) },
})
cases("isin", {
  { "elements", torch.tensor { 1, 2, 3 }, torch.tensor { 3, 1 }, gives = { true, false, true } },
  { "a number", torch.tensor { 1, 2 }, 2, { invert = true }, gives = { true, false } },
  { "NaN is nowhere", torch.tensor { nan }, torch.tensor { nan }, gives = { false } },
  { "in nothing", torch.tensor { 1 }, torch.zeros(0), gives = { false } },
})

local edges = torch.tensor { 1, 3, 5 }
cases("searchsorted", {
  { "before and behind", edges, torch.tensor { 0, 3, 9 }, gives = int { 1, 2, 4 } },
  { "behind equal ones", edges, torch.tensor { 3 }, { right = true }, gives = int { 3 } },
  { "rows", torch.tensor { { 1, 2 }, { 5, 6 } }, torch.tensor { { 2 }, { 2 } }, gives = int { { 2 }, { 1 } } },
  { "a number in int32", edges, 4, { out_int32 = true }, gives = torch.tensor(3, { dtype = torch.int32 }) },
  { "by a sorter", torch.tensor { 5, 1, 3 }, torch.tensor { 2 }, { sorter = int { 2, 3, 1 } }, gives = int { 2 } },
  { "by a wrong sorter", edges, torch.tensor { 2 }, { sorter = int { 1, 2, 4 } },
    fails = "searchsorted: position 4 in the sorter is outside 1..3" },
  { "other rows", torch.zeros(2, 2), torch.zeros(3, 1),
    fails = "searchsorted: the sorted sequence (2, 2) must be a vector or have the rows of the input (3, 1)" },
  { "two sides", edges, torch.tensor { 2 }, { side = "left", right = true },
    fails = "searchsorted: side='left' and right=true contradict each other" },
})
cases("bucketize", { { "a number", 2, edges, gives = int(2) } })

cases("bincount", {
  { "counts", int { 1, 3, 1 }, gives = int { 0, 2, 0, 1 } },
  { "weights", int { 0, 2 }, torch.tensor { 0.5, 1 }, 4, gives = { 0.5, 0, 1, 0 }, grad = false },
  { "of negative numbers", int { -1 }, fails = "bincount: expected numbers that are not negative, got -1" },
  { "of huge numbers", int { 4611686018427387904LL }, fails = "" },
  { "of other weights", int { 1 }, torch.zeros(2), fails = "bincount: weights (2) do not fit (1)" },
})
cases("histc", {
  { "the last bin holds its end", torch.tensor { 0, 1, 2, 4 }, 2, 0, 4, gives = { 2, 2 }, grad = false },
  { "NaN is nowhere", torch.tensor { 0, nan, 4 }, 2, 0, 4, gives = { 1, 1 }, grad = false },
  { "without bins", edges, 0, fails = "histc: bins must be positive, got 0" },
  { "from more to less", edges, 2, 3, 1, fails = "histc: the range from 3 to 1 has no elements" },
})
cases("histogram", {
  { "by edges", torch.tensor { 0.5, 1, 2, 3 }, torch.tensor { 0, 1, 3 }, gives = several({ 1, 3 }, { 0, 1, 3 }),
    grad = false },
  { "as a density", torch.tensor { 1, 3 }, 2, { range = { 0, 4 }, density = true },
    gives = several({ 0.25, 0.25 }, { 0, 2, 4 }), grad = false },
  { "of other weights", edges, 2, { weight = torch.zeros(2) },
    fails = "histogram: expected a weight of dtype float32 for each of 3 points, got float32 (2)" },
  { "over half a range", edges, 2, { range = { 1 } }, fails = "histogram: range must have 2 numbers, got 1" },
})
describe("histogramdd", function()
  it("counts points in cells", function()
    local counts, sides = torch.histogramdd(torch.tensor { { 0, 0 }, { 1, 2 }, { 1, 2 } }, { 2, 1 })
    equal(counts, { { 1 }, { 2 } })
    equal(sides[1], { 0, 0.5, 1 })
    equal(sides[2], { 0, 2 })
  end)
  it("of vectors is refused", function()
    fails(function() torch.histogramdd(torch.zeros(3), { 2 }) end,
      "histogramdd: expected points [.., dimensions], got (3)")
  end)
end)

-- Long rows are cut into pieces for several threads.
describe("a long row", function()
  local threads = torch.get_num_threads()
  local function with_threads(n, fn)
    torch.set_num_threads(n)
    local result = fn()
    torch.set_num_threads(threads)
    return result
  end
  local function same_with_any_number_of_threads(fn)
    local one = with_threads(1, fn)
    for n = 2, 5 do assert(torch.equal(with_threads(n, fn), one), n) end
    return one
  end

  it("is sorted alike by any number of threads", function()
    for _, dtype in ipairs { torch.float32, torch.float64, torch.int64, torch.uint8 } do
      local row = torch.randn(300001):abs():mul(50):to(dtype)
      local values = same_with_any_number_of_threads(function() return (row:sort()) end)
      local positions = same_with_any_number_of_threads(function() return select(2, row:sort()) end)
      assert(torch.equal(row:index_select(1, positions), values))
      assert(values:narrow(1, 2, 300000):ge(values:narrow(1, 1, 300000)):all():item())
      local equal_ones = values:narrow(1, 2, 300000):eq(values:narrow(1, 1, 300000))
      local later = positions:narrow(1, 2, 300000):gt(positions:narrow(1, 1, 300000))
      assert(later:masked_select(equal_ones):all():item(), "equal elements keep their order")
    end
  end)
  it("is summed up alike by any number of threads", function()
    local row = torch.randn(2, 200003, { dtype = torch.float64 })
    local sums = same_with_any_number_of_threads(function() return row:cumsum(2) end)
    equal(sums:select(2, 200003), row:sum(2), 1e-9)
    equal(torch.ones(200003, int64):cumsum(1), torch.arange(200003) + 1)
  end)
  it("has one softmax for any number of threads", function()
    local row = torch.randn(100001):requires_grad_()
    local y = same_with_any_number_of_threads(function() return row:softmax(1) end)
    equal(y:sum(), torch.tensor(1))
    equal(row:log_softmax(1):exp(), y, 1e-4)
    same_with_any_number_of_threads(function()
      row.grad = nil
      row:log_softmax(1):square():sum():backward()
      return row.grad
    end)
  end)
end)

describe("topk", function()
  -- Sorting is stable, so both name the same of equal elements.
  local function agrees(t, k, largest)
    local values, positions = t:topk(k, -1, largest)
    local sorted, order = t:sort { dim = -1, descending = largest, stable = true }
    equal(positions, order:narrow(-1, 1, k))
    equal(values, sorted:narrow(-1, 1, k))
  end

  it("takes what sorting puts first, among few and many elements, few and many of them equal", function()
    for _, n in ipairs { 1, 17, 300, 1000, 20000 } do
      for _, k in ipairs { 1, 10, 150 } do
        if k <= n then
          local random = torch.randn(3, n)
          local ties = torch.randint(-3, 3, { 3, n })
          random[{ 2, math.ceil(n / 2) }] = nan
          for _, largest in ipairs { true, false } do
            agrees(random, k, largest)
            agrees(random:t():contiguous():t(), k, largest)
            agrees(ties, k, largest)
            agrees(ties:to(torch.int8), k, largest)
            agrees(ties:gt(0), k, largest)
            agrees(torch.zeros(n), k, largest)
            agrees(torch.full({ n }, nan, { dtype = torch.float16 }), k, largest)
            agrees(random:double(), k, largest)
          end
        end
      end
    end
  end)
end)
