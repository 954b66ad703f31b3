-- Products of tensors: einsum, tensordot and their kin.
local torch = require "torch"
local spec = require "spec"
local cases = spec.cases

local a = torch.tensor { { 1, 2 }, { 3, 4 } }
local v = torch.tensor { 10, 1 }

cases("einsum", {
  { "a product of matrices", "ij,jk->ik", { a, a }, gives = { { 7, 10 }, { 15, 22 } } },
  { "an implicit output", "ba,ac", { a, a }, gives = { { 7, 10 }, { 15, 22 } } },
  { "an implicit output in alphabetical order", "ba", { a }, gives = { { 1, 3 }, { 2, 4 } } },
  { "a trace", "ii", { a }, gives = 5 },
  { "a diagonal", "ii->i", { a }, gives = { 1, 4 } },
  { "a sum of everything", "ij->", { a }, gives = 10 },
  { "an ellipsis that broadcasts", "...i,i->...", { a, v }, gives = { 12, 34 } },
  { "two ellipses of different rank", "...,...", { a, v }, gives = { { 10, 2 }, { 30, 4 } } },
  { "three operands, from left to right", "i,ij,j", { v, a, v }, gives = 154 },
  { "a size of 1 that stretches", "ij,ij->i", { a, torch.tensor { { 1 }, { 2 } } }, gives = { 3, 14 } },
  { "a letter of one operand only", "ij,k->i", { a, v }, gives = { 33, 77 } },
  { "blanks", " i j , j -> i ", { a, v }, gives = { 12, 34 } },
  { "no inner elements", "ij,jk->ik", { torch.empty(2, 0), torch.empty(0, 2) }, gives = { { 0, 0 }, { 0, 0 } } },
  { "operands too many", "ij", { a, a }, fails = "the equation has 1 operands, 2 are given" },
  { "dimensions too many", "i", { a }, fails = "has 2 dimensions, its term 1 letters" },
  { "sizes that differ", "i,i", { v, torch.ones(3) }, fails = "'i' has size 3 in operand 2 and 2 before it" },
  { "an unknown letter in the output", "i->j", { v }, fails = "'j' of the output is in no operand" },
  { "a letter twice in the output", "i->ii", { v }, fails = "'i' appears twice in the output" },
  { "a lone dot", "i.->i", { v }, fails = "that is not part of an ellipsis" },
  { "a digit", "1", { v }, fails = "neither a letter nor an ellipsis" },
  { "two ellipses in one term", "......", { v }, fails = "more than one ellipsis" },
  { "a diagonal of different sizes", "ii", { torch.ones(2, 3) },
    fails = "'i' is repeated in operand 1 for sizes 2 and 3" },
})
spec.describe("einsum", function()
  spec.it("takes operands one by one", function()
    spec.equal(torch.einsum("ij,j", a, v), { 12, 34 })
  end)
  spec.it("keeps views of one operand", function()
    spec.equal(torch.einsum("ij->ji", a):data_ptr(), a:data_ptr())
  end)
end)

cases("tensordot", {
  { "the last with the first", a, a, 1, gives = { { 7, 10 }, { 15, 22 } } },
  { "lists of dimensions", a, a, { { 1, 2 }, { 2, 1 } }, gives = 29 },
  { "no dimension", v, v, 0, gives = { { 100, 10 }, { 10, 1 } } },
  { "lists of different length", a, a, { { 1, 2 }, { 1 } }, fails = "tensordot: " },
  { "a dimension beyond", a, a, { { 3 }, { 1 } }, fails = "dim 3 is out of range for a tensor with 2 dimensions" },
  { "a dimension twice", a, a, { { 1, 1 }, { 1, 2 } }, fails = "dim 1 appears twice" },
  { "too many dimensions", a, a, 3, fails = "3 dimensions of (2, 2) and (2, 2) are wanted" },
  { "a negative number", a, a, -1, fails = "-1 dimensions" },
  { "sizes that differ", a, torch.ones(3, 2), 1, fails = "differ, 2 and 3" },
})
cases("inner", {
  { "matrices", a, a, gives = { { 5, 11 }, { 11, 25 } } },
  { "a number", a, torch.tensor(2), gives = { { 2, 4 }, { 6, 8 } } },
  { "vectors of different length", v, torch.ones(3), fails = "inner: the last dimensions" },
})
cases("kron", { { "a row and a column", torch.tensor { { 1, 2 } }, torch.tensor { { 1 }, { 10 } },
  gives = { { 1, 2 }, { 10, 20 } } } })
cases("linalg.cross", {
  { "of the axes", torch.tensor { 1, 0, 0 }, torch.tensor { 0, 1, 0 }, gives = { 0, 0, 1 } },
  { "of plane vectors", v, v, fails = "linalg.cross: dimension 1 of (2) and (2) must have size 3" },
})
cases("linalg.multi_dot", {
  { "a row, a matrix and a column", v, a, v, fails = "linalg.multi_dot: " },
  { "vectors at both ends", { v, a, v }, gives = 154 },
  { "one matrix", { a }, fails = "expected at least two tensors, got 1" },
  { "matrices that do not fit", { a, torch.ones(3, 2) }, fails = "matrix 2 (3, 2) does not fit behind (2, 2)" },
  { "a vector in the middle", { a, v, a }, fails = "tensor 2 must be a matrix" },
})
cases("chain_matmul", { { "two matrices", a, a, gives = { { 7, 10 }, { 15, 22 } } } })
cases("addr", {
  { "beta and alpha", a, v, v, { beta = 2, alpha = 3 }, gives = { { 302, 34 }, { 36, 11 } } },
  { "NaN that is not looked at", a * (0 / 0), v, v, { beta = 0 }, gives = { { 100, 10 }, { 10, 1 } }, grad = false },
  { "a fraction for integers", a:to(torch.int64), v:to(torch.int64), v:to(torch.int64), { beta = 0.5 },
    fails = "beta must be an integer for int64 tensors, got 0.5" },
})
local twice = torch.stack({ a, a }, 1)
cases("addbmm", { { "a batch", a, twice, twice, gives = { { 15, 22 }, { 33, 48 } } } })
cases("cdist", {
  { "Euclid's", torch.tensor { { 0, 0 }, { 3, 4 } }, torch.zeros(1, 2), gives = { { 0 }, { 5 } }, grad = false },
  { "NaN stays", torch.tensor { { 0 / 0 } }, torch.zeros(1, 1), math.huge, gives = { { 0 / 0 } }, grad = false },
  { "no elements in a row", torch.empty(2, 0), torch.empty(3, 0), gives = torch.zeros(2, 3), grad = false },
  { "a negative order", a, a, -1, fails = "cdist: p must not be negative, got -1" },
  { "rows of different length", a, torch.ones(2, 3), fails = "rows of different length, 2 and 3" },
  { "an unknown mode", a, a, 2, "fast", fails = "compute_mode must be" },
})
cases("pdist", { { "pairs", torch.tensor { { 0, 0 }, { 3, 4 }, { 0, 1 } }, gives = { 5, 1, math.sqrt(18) } } })
