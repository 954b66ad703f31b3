local torch = require "torch"
local spec = require "spec"
local describe, it, cases, equal = spec.describe, spec.it, spec.cases, spec.equal
local F = torch.nn.functional

local function whole(list) return torch.tensor(list, { dtype = torch.int64 }) end
local rows = torch.tensor { { 1, 2 }, { 3, 4 }, { 5, 6 } }

cases("nn.functional.embedding", {
  { "rows in any order", whole { { 3, 1 }, { 1, 1 } }, rows,
    gives = { { { 5, 6 }, { 1, 2 } }, { { 1, 2 }, { 1, 2 } } } },
  { "no position", whole {}, rows, gives = torch.empty(0, 2) },
  { "a position beyond", whole { 4 }, rows, fails = "position 4 is outside 1..3" },
  { "position 0", whole { 0 }, rows, fails = "position 0 is outside 1..3" },
  { "positions that are no integers", torch.ones(1), rows,
    fails = "embedding: positions must be integers, got float32" },
  { "a padding beyond", whole { 1 }, rows, 4, fails = "embedding: padding_idx 4 is out of range for 3 rows" },
  { "a weight of one dimension", whole { 1 }, torch.ones(3), fails = "embedding: the weight must be [rows, size]" },
})

describe("embedding", function()
  local function gradient(...)
    local w = rows:clone():requires_grad_()
    F.embedding(whole { 1, 3, 3 }, w, ...):sum():backward()
    return w.grad
  end
  it("adds gradients up, but for the padding", function()
    equal(gradient(), { { 1, 1 }, { 0, 0 }, { 2, 2 } })
    equal(gradient(3), { { 1, 1 }, { 0, 0 }, { 0, 0 } })
    equal(gradient(-3), { { 0, 0 }, { 0, 0 }, { 2, 2 } })
  end)
  it("divides them by how often a row occurs when asked", function()
    equal(gradient { scale_grad_by_freq = true }, { { 1, 1 }, { 0, 0 }, { 1, 1 } })
  end)
  it("scales long rows down in place", function()
    local w = torch.tensor { { 3, 4 }, { 0.3, 0.4 }, { 30, 40 } }
    equal(F.embedding(whole { 1, 2, 1 }, w, { max_norm = 1 }), { { 0.6, 0.8 }, { 0.3, 0.4 }, { 0.6, 0.8 } })
    equal(w, { { 0.6, 0.8 }, { 0.3, 0.4 }, { 30, 40 } })
    equal(torch.embedding_renorm_(w, whole { 3 }, 1, 2), { { 0.6, 0.8 }, { 0.3, 0.4 }, { 0.6, 0.8 } })
  end)
  it("has derivatives of first and second order", function()
    local w = torch.randn(3, 2, { dtype = torch.float64, requires_grad = true })
    local function f(weight) return F.embedding(whole { { 1, 3 }, { 3, 2 } }, weight, 2):square() end
    assert(torch.autograd.gradgradcheck(f, { w }))
  end)
end)

local six = whole { 3, 1, 2, 2, 1, 3 }
cases("nn.functional.embedding_bag", {
  { "means of rows of positions", whole { { 3, 1 }, { 2, 2 } }, rows, gives = { { 3, 4 }, { 3, 4 } } },
  { "sums, one of nothing", six, rows, whole { 1, 3, 3 }, { mode = "sum" },
    gives = { { 6, 8 }, { 0, 0 }, { 12, 16 } } },
  { "largest elements", six, rows, whole { 1, 5 }, { mode = "max" }, gives = { { 5, 6 }, { 5, 6 } } },
  { "sums with weights", six, rows, whole { 1, 5 },
    { mode = "sum", per_sample_weights = torch.tensor { 1, 2, 3, 4, 5, 6 } },
    gives = { { 28, 38 }, { 35, 46 } } },
  { "without the padding", six, rows, whole { 1, 5 }, { padding_idx = 1 }, gives = { { 11 / 3, 14 / 3 }, { 5, 6 } } },
  { "with the last end", six, rows, whole { 1, 3, 5 }, { include_last_offset = true, mode = "sum" },
    gives = { { 6, 8 }, { 6, 8 } } },
  { "offsets that fall", six, rows, whole { 1, 4, 2 }, fails = "embedding_bag: offsets must not fall" },
  { "offsets from 0", six, rows, whole { 0, 4 }, fails = "embedding_bag: the first of offsets must be 1, got 0" },
  { "an offset beyond", six, rows, whole { 1, 8 }, fails = "embedding_bag: offsets must not fall" },
  { "an end beyond", six, rows, whole { 1, 8 }, { include_last_offset = true }, fails = "must be within 1..7, got 8" },
  { "no offsets", six, rows, fails = "embedding_bag: an input of one dimension needs offsets of one" },
  { "a position beyond", whole { { 9 } }, rows, fails = "position 9 is outside 1..3" },
  { "weights of means", six, rows, whole { 1 }, { per_sample_weights = torch.ones(6) }, fails = "need mode 'sum'" },
  { "another mode", whole { { 1 } }, rows, { mode = "min" }, fails = "mode must be 'sum', 'mean' or 'max', got 'min'" },
})

cases("nn.functional.one_hot", {
  { "as many as the largest", whole { 1, 3 }, gives = whole { { 1, 0, 0 }, { 0, 0, 1 } } },
  { "more", whole { { 2 } }, 4, gives = whole { { { 0, 1, 0, 0 } } } },
  { "of nothing", whole {}, 3, gives = torch.zeros(0, 3, { dtype = torch.int64 }) },
  { "a class beyond", whole { 4 }, 3, fails = "one_hot: class 4 is outside 1..3" },
  { "class 0", whole { 0 }, fails = "one_hot: class 0 is not positive" },
  { "nothing to count", whole {}, fails = "one_hot: an empty tensor does not tell the number of classes" },
})
