local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local m = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
local far = 2LL ^ 62

cases("tril", {
  { "of a matrix", m, gives = { { 1, 0, 0 }, { 4, 5, 0 } } },
  { "above the main diagonal", m, 1, gives = { { 1, 2, 0 }, { 4, 5, 6 } } },
  { "far above", m, far, gives = m },
  { "far below", m, -far, gives = { { 0, 0, 0 }, { 0, 0, 0 } } },
  { "of a vector", torch.ones(2), fails = "tril: expected at least 2 dimensions, got (2)" },
})
cases("triu", {
  { "of a matrix", m, gives = { { 1, 2, 3 }, { 0, 5, 6 } } },
  { "below the main diagonal", m, -1, gives = m },
  { "of NaN", torch.tensor { { 0 / 0, 1 }, { 0 / 0, 1 } }, gives = { { 0 / 0, 1 }, { 0, 1 } }, grad = false },
})
cases("diag", {
  { "of a vector", torch.tensor { 1, 2 }, gives = { { 1, 0 }, { 0, 2 } } },
  { "of a vector, below", torch.tensor { 1, 2 }, -1, gives = { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } } },
  { "of a matrix", m, 1, gives = { 2, 6 } },
  { "of a number", torch.tensor(1), fails = "diag: expected a matrix or a vector, got ()" },
  { "out of range", torch.tensor { 1, 2 }, 9223372036854775807LL, fails = "is out of range" },
})
cases("diag_embed", {
  { "in other dimensions", torch.tensor { { 1, 2 } }, 0, 1, 3, gives = { { { 1, 0 } }, { { 0, 2 } } } },
  { "in one dimension twice", m, 0, 2, 2, fails = "diag_embed: dim1 and dim2 are both 2" },
  { "of a number", torch.tensor(1), fails = "diag_embed: " },
})
cases("block_diag", {
  { "a matrix and a vector", m, torch.tensor { 7 }, gives = { { 1, 2, 3, 0 }, { 4, 5, 6, 0 }, { 0, 0, 0, 7 } } },
  { "three dimensions", torch.ones(1, 1, 1), fails = "block_diag: expected tensors of at most 2 dimensions" },
})
cases("trace", {
  { "of a matrix", m, gives = 6 },
  { "of a vector", torch.ones(2), fails = "trace: expected a matrix, got (2)" },
})

describe("the positions of a triangle", function()
  it("are those of its elements, row by row", function()
    for _, offset in ipairs { -far, -3, -1, 0, 1, 2, 4, far } do
      local ones = torch.ones(3, 4)
      equal(torch.tril_indices(3, 4, offset), ones:tril(offset):nonzero():t())
      equal(torch.triu_indices(3, 4, offset), ones:triu(offset):nonzero():t())
    end
  end)

  it("are found without looking at rows that have none", function()
    equal(torch.tril_indices(2LL ^ 60, 1, 1 - 2LL ^ 60):size(2), 1)
    equal(torch.triu_indices(2LL ^ 60, 0):size(2), 0)
    equal(torch.triu_indices(2LL ^ 60, 1):tolist(), { { 1 }, { 1 } })
    fails(function() torch.tril_indices(2LL ^ 40, 2LL ^ 40) end, "more elements than can be counted")
    fails(function() torch.tril_indices(-1, 2) end, "tril_indices: sizes must not be negative, got -1 and 2")
    fails(function() torch.triu_indices(2, 2, { dtype = torch.float32 }) end, "the dtype must be int64 or int32")
  end)
end)
