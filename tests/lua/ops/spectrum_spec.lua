-- Singular values, eigenvalues, norms and functions of matrices.
local torch = require "torch"
local spec = require "spec"
local cases, several = spec.cases, spec.several

local nan, inf = 0 / 0, math.huge
local a = torch.tensor { { 3, 0 }, { 4, 5 } } -- singular values sqrt(45) and sqrt(5)

cases("linalg.svdvals", {
  { "a matrix", a, gives = { math.sqrt(45), math.sqrt(5) } },
  { "no rows", torch.empty(0, 2), gives = torch.empty(0) },
  { "NaN", a * nan, fails = "linalg.svd: (batch element 1) the matrix has elements that are not finite" },
  { "a driver", a, { driver = "gesvd" }, fails = "driver= chooses between algorithms of CUDA only" },
})
cases("linalg.svd", {
  { "infinity in a batch", torch.stack({ a, a * inf }, 1), fails = "(batch element 2)" },
  { "no columns, in full", torch.empty(2, 0),
    gives = several({ { 1, 0 }, { 0, 1 } }, torch.empty(0), torch.empty(0, 0)) },
})
cases("linalg.eigvalsh", {
  { "the lower triangle alone", torch.tensor { { 2, nan }, { 1, 2 } }, gives = { 1, 3 }, grad = false },
  { "the upper triangle", torch.tensor { { 2, 1 }, { nan, 2 } }, "U", gives = { 1, 3 }, grad = false },
  { "another letter", a, "X", fails = "UPLO must be 'L' or 'U', got 'X'" },
})
cases("linalg.eigh", {
  { "NaN", a * nan, fails = "not finite" },
})
cases("linalg.eigvals", {
  { "NaN", a * nan, fails = "not finite" },
})
cases("linalg.matrix_norm", {
  { "of Frobenius", a, gives = math.sqrt(50) },
  { "nuclear", a, "nuc", gives = math.sqrt(45) + math.sqrt(5) },
  { "the largest column", a, 1, gives = 7 },
  { "the largest row", a, inf, gives = 9 },
  { "the smallest row", a, -inf, gives = 3, grad = false }, -- a kink at the zero
  { "spectral", a, 2, gives = math.sqrt(45) },
  { "the dimensions the other way round", a, 1, { 2, 1 }, gives = 9 },
  { "kept dimensions", a, 1, { 1, 2 }, true, gives = { { 7 } } },
  { "another order", a, 3, fails = "the order must be 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc', got 3" },
  { "another name", a, "max", fails = "the order must be a number, 'fro' or 'nuc', got 'max'" },
  { "a vector", torch.ones(2), fails = "linalg.matrix_norm: " },
  { "one dimension", a, 1, { 1 }, fails = "expected two different dimensions, got 1" },
})
cases("linalg.norm", {
  { "of all elements", a, gives = math.sqrt(50) },
  { "of the columns", a, 1, { dim = 1 }, gives = { 7, 5 }, grad = false },
  { "of a matrix over two dimensions", a, 1, { dim = { 2, 1 } }, gives = 9 },
  { "an order for a batch", torch.ones(2, 2, 2), 1, fails = "without dim an order needs a vector or a matrix" },
  { "three dimensions", torch.ones(2, 2, 2), 1, { dim = { 1, 2, 3 } }, fails = "dim must name one dimension or two" },
})
cases("linalg.vector_norm", {
  { "infinite, of nothing", torch.empty(0), inf, fails = "needs elements" },
  { "in a wider dtype", torch.tensor { 3, 4 }, { dtype = torch.float64 },
    gives = torch.tensor(5, { dtype = torch.float64 }), grad = false },
})
cases("linalg.cond", {
  { "a matrix", a, gives = 3 },
  { "a singular one", torch.ones(2, 2), 1, gives = inf, grad = false },
})
cases("linalg.matrix_power", {
  { "zero", a, 0, gives = { { 1, 0 }, { 0, 1 } } },
  { "a large power", torch.eye(2), 4611686018427387904LL, gives = { { 1, 0 }, { 0, 1 } }, grad = false },
  { "the least power", torch.eye(2), -9223372036854775807LL - 1, gives = { { 1, 0 }, { 0, 1 } }, grad = false },
})
cases("matrix_exp", {
  { "a nilpotent matrix", torch.tensor { { 0, 2 }, { 0, 0 } }, gives = { { 1, 2 }, { 0, 1 } } },
  { "a large diagonal", torch.tensor { { -50, 0 }, { 0, 20 } }, gives = { { math.exp(-50), 0 }, { 0, math.exp(20) } },
    grad = false },
  { "NaN stays", torch.full({ 1, 1 }, nan), gives = { { nan } }, grad = false },
  { "integers", torch.ones(2, 2, { dtype = torch.int64 }), fails = "expected a floating or complex dtype, got int64" },
})
cases("linalg.vander", {
  { "powers", torch.tensor { 2, 3 }, { N = 3 }, gives = { { 1, 2, 4 }, { 1, 3, 9 } } },
  { "too few columns", torch.tensor { 2, 3 }, { N = 1 }, fails = "N must be at least 2, got 1" },
})

spec.describe("linalg.eig", function()
  spec.it("of a rotation is imaginary, its vectors have length 1", function()
    local w, v = torch.linalg.eig(torch.tensor { { 0, -1 }, { 1, 0 } })
    spec.equal(torch.view_as_real(w), torch.tensor { { 0, 1 }, { 0, -1 } })
    spec.equal(v:abs(), torch.full({ 2, 2 }, math.sqrt(0.5)))
  end)
end)
