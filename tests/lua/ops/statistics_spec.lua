local torch = require "torch"
local spec = require "spec"
local cases, several, describe, it, equal, fails = spec.cases, spec.several, spec.describe, spec.it, spec.equal,
  spec.fails

local function int(list) return torch.tensor(list, { dtype = torch.int64 }) end

local nan = 0 / 0
local x = torch.tensor { { 1, 5, 3 }, { 4, 2, 6 } }
local holes = torch.tensor { { 1, nan }, { 3, 5 } }

-- Where the result had dimensions of size 1, the wrong stride was taken for the others.
describe("a result with dimensions of size 1", function()
  it("is written where it belongs", function()
    equal(torch.ones(3, 2, 1, 2):sum(1), { { { 3, 3 } }, { { 3, 3 } } })
    equal((torch.arange(12):reshape(3, 2, 1, 2):max(1)), int { { { 8, 9 } }, { { 10, 11 } } })
  end)
end)

cases("aminmax", {
  { "of all", x, gives = several(1, 6) },
  { "along a dimension", x, { dim = 1 }, gives = several({ 1, 2, 3 }, { 4, 5, 6 }) },
  { "of nothing", torch.zeros(0), fails = "aminmax: dimension 1 of (0) has no elements to choose from" },
})
cases("count_nonzero", { { "columns", torch.tensor { { 0, 1 }, { 0, 2 } }, 1, gives = int { 0, 2 } } })
cases("nansum", { { "rows", holes, 2, gives = { 1, 8 }, grad = false } })
cases("nanmean", {
  { "rows", holes, 2, gives = { 1, 4 }, grad = false },
  { "of NaN alone", torch.tensor { nan }, gives = nan, grad = false },
})
-- Rows (1, 5, 3) and (4, 2, 6): mean squares 8 / 2.
cases("var_mean", { { "rows", x, 2, gives = several({ 4, 4 }, { 3, 4 }) } })
cases("std_mean", {
  { "rows, by the count", x, 2, false, gives = several({ math.sqrt(8 / 3), math.sqrt(8 / 3) }, { 3, 4 }) },
})

describe("std", function()
  it("has the derivative 0 where all elements are equal", function()
    local y = torch.ones(3):requires_grad_()
    y:std():backward()
    equal(y.grad, { 0, 0, 0 })
  end)
end)

cases("cov", {
  { "of two rows", torch.tensor { { 0, 1, 2 }, { 2, 1, 0 } }, gives = { { 1, -1 }, { -1, 1 } } },
  { "counted twice", torch.tensor { 0, 3 }, { fweights = int { 2, 1 } }, gives = 3 },
  { "of three dimensions", torch.zeros(1, 1, 1), fails = "cov: expected a vector or a matrix, got (1, 1, 1)" },
  { "by weights of another size", x, { fweights = int { 1 } },
    fails = "cov: fweights must have one weight for each of 3 observations, got sizes (1)" },
  { "by negative weights", x, { aweights = torch.tensor { 1, -1, 1 } }, fails = "cov: aweights must not be negative" },
})
cases("corrcoef", {
  { "of opposite rows", torch.tensor { { 0, 1, 2 }, { 4, 2, 0 } }, gives = { { 1, -1 }, { -1, 1 } }, grad = false },
})
cases("dist", { { "with p = 1", torch.tensor { 1, 2 }, torch.tensor { 4, -2 }, 1, gives = 7 } })
cases("renorm", {
  { "only the longer one", torch.tensor { { 3, 4 }, { 0.3, 0.4 } }, 2, 1, 1, gives = { { 0.6, 0.8 }, { 0.3, 0.4 } } },
  { "of a vector", torch.zeros(3), 2, 1, 1, fails = "renorm: expected at least 2 dimensions, got (3)" },
  { "by a negative norm", x, 2, 1, -1, fails = "renorm: maxnorm must not be negative, got -1" },
})

cases("diff", {
  { "twice", torch.tensor { 1, 4, 9, 16 }, 2, gives = { 2, 2 } },
  { "with a beginning", torch.tensor { 1, 4 }, { prepend = torch.zeros(1) }, gives = { 1, 3 } },
  { "of truth", torch.tensor { true, false, false }, gives = { true, false } },
  { "more often than there are elements", torch.tensor { 1, 2 }, 5, gives = torch.zeros(0), grad = false },
  { "a negative number of times", torch.tensor { 1 }, -1, fails = "diff: n must not be negative, got -1" },
  { "with another size", x, { append = torch.zeros(3, 3) },
    fails = "diff: (3, 3) does not join (2, 3) along dimension 2" },
})
local squares = torch.tensor { 0, 1, 4, 9 }
cases("gradient", {
  { "of too few", torch.zeros(1), fails = "gradient: dimension 1 of (1) needs at least 2 elements for edge_order 1" },
  { "of order 3", squares, { edge_order = 3 }, fails = "gradient: edge_order must be 1 or 2, got 3" },
  { "at other places", squares, { spacing = { torch.zeros(3) } },
    fails = "gradient: the places along dimension 1 must be a vector of 4 numbers, got (3)" },
})
describe("gradient", function()
  local function slope(...) return torch.gradient(...)[1] end
  it("is central inside and one-sided at the ends", function()
    equal(slope(squares), { 1, 2, 4, 5 })
    equal(slope(squares, { edge_order = 2 }), { 0, 2, 4, 6 })
    equal(slope(squares, { spacing = 2 }), { 0.5, 1, 2, 2.5 })
  end)
  it("is exact for a parabola at uneven places", function()
    local places = torch.tensor { 0, 1, 3, 4 }
    equal(slope(places * places, { spacing = { places }, edge_order = 2 }), { 0, 2, 6, 8 })
  end)
  it("has derivatives", function()
    local y = torch.randn(2, 4, { dtype = torch.float64 }):requires_grad_()
    local places = torch.tensor({ 0, 1, 3, 4 }, { dtype = torch.float64 }):requires_grad_()
    local function fn(v, t) return slope(v, { spacing = { t }, dim = { 2 }, edge_order = 2 }) end
    assert(torch.autograd.gradcheck(fn, { y, places }))
  end)
end)
cases("trapezoid", {
  { "of a line", torch.tensor { 0, 1, 2 }, gives = 2 },
  { "at places", torch.tensor { 0, 1, 2 }, torch.tensor { 0, 2, 4 }, gives = 4 },
  { "of nothing", torch.zeros(2, 0), gives = { 0, 0 }, grad = false },
  { "at other places", torch.tensor { 0, 1 }, torch.zeros(3),
    fails = "trapezoid: expected a place for each of 2 samples, got 3" },
})
cases("cumulative_trapezoid", { { "of a line", torch.tensor { 0, 1, 2 }, { dx = 2 }, gives = { 1, 4 } } })

local six = torch.tensor { 1, 2, 3, 4, 0, 6 }
local lengths = int { 2, 0, 4 }
cases("segment_reduce", {
  { "sums", six, "sum", { lengths = lengths }, gives = { 3, 0, 13 } },
  { "means, of nothing NaN", six, "mean", { lengths = lengths }, gives = { 1.5, nan, 3.25 }, grad = false },
  { "the largest", six, "max", { lengths = lengths, initial = 3 }, gives = { 3, 3, 6 }, grad = false },
  { "the smallest", six, "min", { lengths = int { 1, 5 } }, gives = { 1, 0 } },
  { "products around a zero", six, "prod", { lengths = lengths }, gives = { 2, 1, 0 }, grad = false },
  { "products", torch.tensor { 2, 3, 4 }, "prod", { lengths = int { 1, 2 } }, gives = { 2, 12 } },
  { "by offsets that leave some out", six, "sum", { offsets = int { 2, 4, 5 } }, gives = { 5, 4 } },
  { "columns of a matrix", x, "sum", { lengths = int { { 1, 2 }, { 3, 0 } }, axis = 2 },
    gives = { { 1, 8 }, { 12, 0 } } },
  { "lengths that do not add up", six, "sum", { lengths = int { 2 } },
    fails = "segment_reduce: the lengths must add up to 6" },
  { "negative lengths", six, "sum", { lengths = int { -1, 7 } },
    fails = "segment_reduce: a segment has a negative length" },
  { "offsets beyond the end", six, "sum", { offsets = int { 1, 9 } },
    fails = "segment_reduce: segments reach beyond the 6 elements they divide" },
  { "offsets that go back", six, "sum", { offsets = int { 4, 2 } },
    fails = "segment_reduce: a segment has a negative length" },
  { "neither", six, "sum", fails = "segment_reduce: lengths or offsets must be given" },
})

describe("segment_reduce", function()
  it("gives the one zero of a product the product of the others", function()
    local y = torch.tensor { 2, 0, 5, 0, 0 }:requires_grad_()
    torch.segment_reduce(y, "prod", { lengths = int { 3, 2 } }):sum():backward()
    equal(y.grad, { 0, 10, 0, 0, 0 })
  end)
end)

describe("random draws", function()
  -- Five standard errors of the mean over n draws with the given variance.
  local n = 20000
  local function around(draws, mean, variance)
    local got = draws:to(torch.float64):mean():item()
    assert(math.abs(got - mean) < 5 * math.sqrt(variance / n), ("mean %g, expected %g"):format(got, mean))
  end
  it("have the means of their distributions", function()
    torch.manual_seed(7)
    for _, rate in ipairs { 0.5, 9, 11, 300 } do around(torch.poisson(torch.full({ n }, rate)), rate, rate) end
    for _, p in ipairs { 0.02, 0.4, 0.9 } do
      around(torch.binomial(torch.full({ n }, 60), torch.full({ n }, p)), 60 * p, 60 * p * (1 - p))
    end
    for _, shape in ipairs { 0.3, 1, 20 } do around(torch.standard_gamma(torch.full({ n }, shape)), shape, shape) end
    around(torch.empty(n):geometric_(0.2), 5, 20)
    around(torch.empty(n):log_normal_(0, 0.5), math.exp(1 / 8), (math.exp(1 / 4) - 1) * math.exp(1 / 4))
    around(torch.empty(n):cauchy_(0, 1):atan(), 0, math.pi ^ 2 / 12)
  end)
  it("choose in proportion to weights, and never what weighs nothing", function()
    local weights = torch.tensor { 1, 0, 3 }
    around(torch.multinomial(weights, n, true):eq(3), 0.75, 0.75 * 0.25)
    assert(not torch.multinomial(weights, n, true):eq(2):any():item())
    equal(torch.multinomial(weights, 2):sort(), int { 1, 3 })
  end)
  it("choose the first place where the running sum exceeds a share of the whole", function()
    for _, size in ipairs { 1, 15, 16, 17, 1000 } do
      for _, dtype in ipairs { torch.float16, torch.bfloat16, torch.float32, torch.float64 } do
        local weights = torch.randint(0, 5, { 3, size }):to(dtype)
        weights[{ {}, { size, size } }]:add_(1)
        torch.manual_seed(size)
        local drawn = torch.multinomial(weights, 200, true)
        torch.manual_seed(size)
        local shares = torch.empty(3, 200, { dtype = torch.float64 }):uniform_(2 ^ -54, 1)
        local sums = weights:double():cumsum(2)
        equal(drawn, torch.searchsorted(sums, shares * sums[{ {}, { size, size } }], { right = true }))
      end
    end
  end)
  it("choose among the smallest weights there are", function()
    local tiny = 2 ^ -1074 -- a share of it is rounded to it or to 0
    local weights = torch.tensor({ { tiny, 0, 0 }, { 0, tiny, 0 } }, { dtype = torch.float64 })
    equal(torch.multinomial(weights, 50, true), torch.tensor { { 1 }, { 2 } }:long():expand(2, 50))
  end)
  it("do not depend on the number of threads", function()
    local threads, first = torch.get_num_threads(), nil
    for i = 1, 2 do
      torch.set_num_threads(i)
      torch.manual_seed(3)
      local draws = torch.cat { torch.poisson(torch.full({ n }, 20)), torch.standard_gamma(torch.full({ n }, 0.5)),
        torch.binomial(torch.full({ n }, 30), torch.full({ n }, 0.4)),
        torch.multinomial(torch.rand(100003), 3 * n, true):float() }
      first = first or draws
      assert(torch.equal(draws, first))
    end
    torch.set_num_threads(threads)
  end)
  it("check their parameters", function()
    fails(function() torch.poisson(torch.tensor { -1 }) end, "poisson: rates must not be negative, got -1")
    fails(function() torch.multinomial(torch.tensor { 0, 0 }, 1) end,
      "multinomial: the weights of a row add up to zero")
    fails(function() torch.multinomial(torch.tensor { 1, 2 }, 3) end, "multinomial: 3 samples of 2 without replacement")
    fails(function() torch.multinomial(torch.tensor { 1, nan }, 1) end, "multinomial: weights must be finite")
    fails(function() torch.empty(2):geometric_(1) end, "geometric_: p must be within 0..1, both excluded, got 1")
    fails(function() torch.empty(2):cauchy_(0, 0) end, "cauchy_: sigma must be positive, got 0")
  end)
end)
