local torch = require "torch"
local spec = require "spec"
local cases, describe, it = spec.cases, spec.describe, spec.it

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

describe("a product of matrices", function()
  -- Sides that leave a row, a column or a few beyond whole tiles and blocks; both orders in memory.
  it("has the same bits with any number of threads", function()
    local threads = torch.get_num_threads()
    for _, dtype in ipairs { torch.float32, torch.float64, torch.complex64, torch.int32 } do
      for _, size in ipairs { { 129, 260, 193 }, { 8, 700, 900 }, { 1025, 130, 65 }, { 2, 1100, 2050 } } do
        local m, k, n = unpack(size)
        local x, y = torch.randn(m, k, { dtype = torch.float32 }), torch.randn(k, n, { dtype = torch.float32 })
        if dtype == torch.int32 then x, y = x * 1000, y * 1000 end
        x, y = x:to(dtype), y:to(dtype)
        for _, lies in ipairs { { x, y }, { x:t():contiguous():t(), y:t():contiguous():t() } } do
          torch.set_num_threads(1)
          local one = lies[1]:mm(lies[2])
          for count = 2, 5 do
            torch.set_num_threads(count)
            assert(torch.equal(lies[1]:mm(lies[2]), one), table.concat(size, " x ") .. " on " .. count .. " threads")
          end
        end
      end
    end
    torch.set_num_threads(threads)
  end)
end)
