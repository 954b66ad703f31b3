local torch = require "torch"
local spec = require "spec"
local cases, several, describe, it = spec.cases, spec.several, spec.describe, spec.it

local x = torch.tensor { { 1, 5, 3 }, { 4, 2, 6 } }
local whole = torch.tensor({ { 1, 2 }, { 3, 4 } }, { dtype = torch.int32 })

cases("sum", {
  { "all", x, gives = 21 },
  { "a dimension", x, 1, gives = { 5, 7, 9 } },
  { "the last, kept", x, -1, true, gives = { { 9 }, { 12 } } },
  { "named, several", x, { dim = { 1, 2 } }, gives = 21 },
  { "integers give int64", whole, gives = torch.tensor(10, { dtype = torch.int64 }) },
  { "nothing", torch.zeros(0, 2), 1, gives = { 0, 0 } },
  { "a dimension beyond", x, 3, fails = "sum: dim 3 is out of range for a tensor with 2 dimensions (1..2 or -2..-1)" },
  { "dimension 0", x, 0, fails = "sum: argument 'dim' is 0, but dimensions are 1-based" },
})

cases("mean", {
  { "all", x, gives = 3.5 },
  { "a dimension", x, 2, gives = { 3, 4 } },
})

cases("prod", {
  { "all", x, gives = 720 },
  { "a dimension", x, 1, gives = { 4, 10, 18 } },
})

-- With n - 1: rows (1, 5, 3) and (4, 2, 6) have the mean squares 8 / 2.
cases("var", {
  { "a dimension", x, 2, gives = { 4, 4 } },
  { "all", x, gives = 17.5 / 5 },
})
cases("std", { { "a dimension", x, 2, gives = { 2, 2 } } })

cases("norm", {
  { "all", torch.tensor { 3, -4 }, gives = 5 },
  { "p = 1", torch.tensor { 3, -4 }, 1, gives = 7 },
  { "the largest", torch.tensor { 3, -4 }, math.huge, gives = 4 },
})

cases("max", {
  { "all", x, gives = 6 },
  { "a dimension with positions from 1", x, 2,
    gives = several(torch.tensor { 5, 6 }, torch.tensor({ 2, 3 }, { dtype = torch.int64 })) },
  { "the larger of two", x, torch.tensor { 3, 3, 3 }, gives = { { 3, 5, 3 }, { 4, 3, 6 } }, grad = false },
})
cases("min", {
  { "a dimension with positions from 1", x, 1,
    gives = several(torch.tensor { 1, 2, 3 }, torch.tensor({ 1, 2, 1 }, { dtype = torch.int64 })) },
})
cases("argmax", {
  { "flat", x, gives = torch.tensor(6, { dtype = torch.int64 }) },
  { "a dimension", x, 1, gives = torch.tensor({ 2, 1, 2 }, { dtype = torch.int64 }) },
})
cases("argmin", { { "flat", x, gives = torch.tensor(1, { dtype = torch.int64 }) } })
cases("amax", { { "a dimension", x, 2, gives = { 5, 6 } } })

cases("any", {
  { "all", torch.tensor { false, true }, gives = torch.tensor(true) },
  { "a dimension", torch.tensor { { 0, 0 }, { 0, 2 } }, 2, gives = { false, true } },
})
cases("all", { { "all", torch.tensor { false, true }, gives = torch.tensor(false) } })

local function log_sum_exp(...)
  local sum = 0
  for _, v in ipairs { ... } do sum = sum + math.exp(v) end
  return math.log(sum)
end
cases("logsumexp", {
  { "a dimension", x, 2, gives = { log_sum_exp(1, 5, 3), log_sum_exp(4, 2, 6) } },
  { "large numbers", torch.tensor { 1000, 1000 }, 1, gives = 1000 + math.log(2) },
})
cases("softmax", {
  { "a dimension", torch.tensor { { 0, math.log(3) } }, 2, gives = { { 0.25, 0.75 } } },
  { "large numbers", torch.tensor { 1000, 1000 }, 1, gives = { 0.5, 0.5 } },
})
cases("log_softmax", {
  { "a dimension", torch.tensor { { 0, math.log(3) } }, 2, gives = { { math.log(0.25), math.log(0.75) } } },
})

-- Some integers were lost where lanes were folded: every length around it, against the formula.
describe("integers of every length", function()
  it("add up to n (n - 1) / 2 and multiply to 2^n", function()
    for _, dtype in ipairs { torch.int16, torch.int32, torch.int64 } do
      for n = 1, 150 do
        assert(torch.arange(n):to(dtype):sum { dtype = dtype }:item() == n * (n - 1) / 2, n)
      end
    end
    for n = 1, 52 do
      assert(torch.full({ n }, 2, { dtype = torch.int64 }):prod():item() == 2 ^ n, n)
    end
  end)

  it("add up in int64 however narrow they are", function()
    local bytes, held = torch.full({ 3, 70000 }, 255, { dtype = torch.uint8 }), torch.ones(70000, 3):gt(0):t()
    spec.equal(bytes:sum(2), torch.full({ 3 }, 255 * 70000, { dtype = torch.int64 }))
    spec.equal(held:sum(1), torch.full({ 70000 }, 3, { dtype = torch.int64 }))
    assert(held:sum():item() == 210000)
    assert(bytes:narrow(2, 1, 2):prod():item() == 255 ^ 6)
  end)
end)

-- Dimensions of size 1 beside the reduced one were taken for it.
describe("a reduction along a dimension", function()
  local function same_row_by_row(name, data, dim)
    local order = { 1, 2, 3, 4 }
    table.remove(order, dim)
    order[4] = dim
    local reduced, rows = data[name](data, dim), {}
    for i, row in ipairs(data:permute(order):reshape(-1, data:size(dim)):unbind()) do
      rows[i] = row[name](row, 1)
    end
    assert(torch.allclose(reduced, torch.stack(rows):reshape(reduced.shape)), name)
  end
  for _, name in ipairs { "sum", "amax", "mean", "prod", "var", "argmax", "logsumexp", "all" } do
    it("treats rows alike, whatever the sizes: " .. name, function()
      for code = 0, 3 ^ 4 - 1 do
        local sizes = {}
        for d = 1, 4 do sizes[d] = math.floor(code / 3 ^ (d - 1)) % 3 + 1 end
        for dim = 1, 4 do
          if name ~= "var" or sizes[dim] > 1 then same_row_by_row(name, torch.randn(sizes), dim) end
        end
      end
    end)
  end
end)
