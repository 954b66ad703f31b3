local torch = require "torch"
local spec = require "spec"
local cases, several = spec.cases, spec.several

local function positions(list) return torch.tensor(list, { dtype = torch.int64 }) end

local m = torch.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }

cases("index_select", {
  { "rows in any order", m, 1, positions { 3, 1 }, gives = { { 5, 6 }, { 1, 2 } } },
  { "the last dimension", m, -1, positions { 2 }, gives = { { 2 }, { 4 }, { 6 } } },
  { "no position", m, 1, positions {}, gives = torch.empty(0, 2) },
  { "a position beyond", m, 1, positions { 4 }, fails = "position 4 is outside 1..3" },
  { "position 0", m, 1, positions { 0 }, fails = "position 0 is outside 1..3" },
})

cases("gather", {
  { "one of each row", m, 2, positions { { 2 }, { 1 }, { 2 } }, gives = { { 2 }, { 3 }, { 6 } } },
  { "a position beyond", m, 2, positions { { 3 } }, fails = "position 3 is outside 1..2" },
})

cases("scatter_add", {
  { "equal positions add up", torch.zeros(3), 1, positions { 1, 3, 1 }, torch.tensor { 1, 2, 4 },
    gives = { 5, 0, 2 } },
})

cases("masked_fill", {
  { "where the mask is true", m, m:gt(3), 0, gives = { { 1, 2 }, { 3, 0 }, { 0, 0 } } },
})

cases("sort", {
  { "rising", torch.tensor { 3, 1, 2 }, gives = several(torch.tensor { 1, 2, 3 }, positions { 2, 3, 1 }) },
  { "falling", torch.tensor { { 3, 1, 2 } }, 2, true,
    gives = several(torch.tensor { { 3, 2, 1 } }, positions { { 1, 3, 2 } }) },
  { "equal elements keep their order", torch.tensor { 2, 1, 2, 1 }, { stable = true },
    gives = several(torch.tensor { 1, 1, 2, 2 }, positions { 2, 4, 1, 3 }), grad = false },
})

cases("topk", {
  { "the largest two", torch.tensor { 3, 1, 4, 2 }, 2, gives = several(torch.tensor { 4, 3 }, positions { 3, 1 }) },
  { "the smallest", torch.tensor { 3, 1, 4, 2 }, 1, { largest = false },
    gives = several(torch.tensor { 1 }, positions { 2 }) },
  { "more than there are", torch.tensor { 3 }, 2, fails = "topk: " },
})
