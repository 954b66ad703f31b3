-- Systems of equations, inverses, determinants, factorisations: small matrices by hand, bad input, edges.
local torch = require "torch"
local spec = require "spec"
local cases, several = spec.cases, spec.several

local nan, inf = 0 / 0, math.huge
local a = torch.tensor { { 4, 2 }, { 2, 5 } } -- determinant 16
local singular = torch.tensor { { 1, 2 }, { 2, 4 } }
local batch = torch.stack({ a, singular, a }, 1)
local int32 = { dtype = torch.int32 }

cases("linalg.inv", {
  { "a matrix", a, gives = { { 5 / 16, -1 / 8 }, { -1 / 8, 1 / 4 } } },
  { "no matrix", torch.empty(0, 3, 3), gives = torch.empty(0, 3, 3) },
  { "a matrix without elements", torch.empty(0, 0), gives = torch.empty(0, 0) },
  { "a singular matrix", singular, fails = "linalg.inv: the matrix is singular" },
  { "a singular matrix in a batch", batch, fails = "linalg.inv: (batch element 2) the matrix is singular" },
  { "a matrix that is not square", torch.ones(2, 3), fails = "linalg.inv: expected square matrices, got (2, 3)" },
  { "a vector", torch.ones(2), fails = "expected a matrix or a batch of them, got (2)" },
  { "integers", torch.ones(2, 2, int32),
    fails = "expected float32, float64, complex64 or complex128, got int32" },
})
cases("linalg.inv_ex", {
  { "a singular matrix is told by its info", torch.tensor { { 2, 0 }, { 0, 2 } },
    gives = several({ { 0.5, 0 }, { 0, 0.5 } }, torch.tensor(0, int32)) },
  { "a singular matrix that is an error", singular, { check_errors = true },
    fails = "linalg.inv_ex: the matrix is singular" },
})
cases("linalg.solve", {
  { "a vector", a, torch.tensor { 8, 12 }, gives = { 1, 2 } },
  { "a matrix from the right", a, torch.tensor { { 8, 12 } }, { left = false }, gives = { { 1, 2 } } },
  { "a batch of vectors", torch.stack({ a, a }, 1), torch.tensor { { 8, 12 }, { 16, 24 } },
    gives = { { 1, 2 }, { 2, 4 } } },
  { "a vector from the right", a, torch.ones(2), { left = false }, fails = "left=false needs a matrix" },
  { "rows that do not match", a, torch.ones(3, 1), fails = "A (2, 2) and B (3, 1) do not match, 2 against 3 rows" },
  { "other dtypes", a, torch.ones(2, { dtype = torch.float64 }), fails = "dtypes differ, float32 and float64" },
  { "the singular one of a batch", batch, torch.ones(2, 1), fails = "(batch element 2)" },
  { "a 0-dim right-hand side", a, torch.tensor(1), fails = "linalg.solve: " },
})
cases("linalg.det", {
  { "a matrix", a, gives = 16 },
  { "a singular matrix", singular, gives = 0, grad = false }, -- of which matrix_gradient_spec tells
  { "no rows", torch.empty(0, 0), gives = 1 },
})
cases("linalg.slogdet", {
  { "a negative determinant", torch.tensor { { 0, 1 }, { 1, 0 } }, gives = several(-1, 0) },
  { "a determinant beyond the numbers", torch.eye(2) * 1e30, gives = several(1, 60 * math.log(10)) },
  { "a singular matrix", singular, gives = several(0, -inf), grad = false },
})
cases("logdet", {
  { "a positive determinant", a, gives = math.log(16) },
  { "a negative determinant", torch.tensor { { 0, 1 }, { 1, 0 } }, gives = nan, grad = false },
})
cases("linalg.cholesky", {
  { "a matrix", a, gives = { { 2, 0 }, { 1, 2 } }, grad = false }, -- differences are not symmetric
  { "one that is not positive definite", -a, fails = "linalg.cholesky: the matrix is not positive definite" },
  { "one of a batch", torch.stack({ a, -a }, 1), fails = "(batch element 2)" },
})
cases("linalg.solve_triangular", {
  { "the upper triangle", a, torch.tensor { { 6 }, { 5 } }, { upper = true }, gives = { { 1 }, { 1 } } },
  { "a unit diagonal", a, torch.tensor { { 6 }, { 5 } }, { upper = false, unitriangular = true },
    gives = { { 6 }, { -7 } } },
  { "a zero on the diagonal", torch.zeros(1, 1), torch.ones(1, 1), { upper = true }, gives = { { inf } },
    grad = false },
  { "no side", a, torch.ones(2, 1), fails = "argument 'upper' is missing" },
})
cases("linalg.lu", {
  { "a matrix", torch.tensor { { 0, 1 }, { 2, 4 } },
    gives = several({ { 0, 1 }, { 1, 0 } }, { { 1, 0 }, { 0, 1 } }, { { 2, 4 }, { 0, 1 } }) },
  { "without pivots", a, { pivot = false }, fails = "linalg.lu_factor: pivot must be true" },
})
cases("linalg.lu_solve", {
  { "pivots beyond the rows", a, torch.tensor({ 1, 9 }, int32), torch.ones(2, 1), fails = "pivot 9 is outside 1..2" },
  { "pivots of another dtype", a, torch.tensor { 1, 2 }, torch.ones(2, 1),
    fails = "pivots must be int32, got float32" },
  { "too few pivots", a, torch.tensor({ 1 }, int32), torch.ones(2, 1), fails = "has pivots (2), got (1)" },
})
cases("lu_unpack", {
  { "pivots of nowhere", a, torch.tensor({ 0, 1 }, int32), fails = "pivot 0 is outside 1..2" },
})
cases("linalg.ldl_solve", {
  { "factors of its own", torch.tensor { { 4, 0 }, { 0.5, 4 } }, torch.tensor({ 1, 2 }, int32),
    torch.tensor { { 8 }, { 12 } }, gives = { { 1 }, { 2 } }, grad = false },
  { "half a block", a, torch.tensor({ 1, -2 }, int32), torch.ones(2, 1), fails = "is no pivot of a factorisation" },
  { "pivots out of range", a, torch.tensor({ -2147483648, 1 }, int32), torch.ones(2, 1), fails = "is no pivot" },
})
cases("linalg.lstsq", {
  { "a line through three points", torch.tensor { { 1, 0 }, { 1, 1 }, { 1, 2 } }, torch.tensor { { 1 }, { 3 }, { 5 } },
    gives = several({ { 1 }, { 2 } }, torch.empty(0), torch.tensor(2, { dtype = torch.int64 }), torch.empty(0)) },
  { "an unknown driver", a, a, { driver = "best" },
    fails = "driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got 'best'" },
  { "NaN by QR", a * nan, torch.ones(2, 1), { driver = "gels" },
    gives = several({ { nan }, { nan } }, torch.empty(0), torch.empty(0, { dtype = torch.int64 }), torch.empty(0)),
    grad = false },
  { "NaN by singular values", a * nan, a, { driver = "gelsd" }, fails = "has elements that are not finite" },
  { "rows that differ", a, torch.ones(3, 1), fails = "the same number of rows" },
})
cases("linalg.pinv", {
  { "a column", torch.tensor { { 3 }, { 4 } }, gives = { { 0.12, 0.16 } } },
  { "nothing above the bound", a, { atol = 100 }, gives = { { 0, 0 }, { 0, 0 } }, grad = false },
  { "infinities", a * inf, fails = "has elements that are not finite" },
})
cases("linalg.matrix_rank", {
  { "a singular matrix", singular, gives = torch.tensor(1, { dtype = torch.int64 }) },
  { "no columns", torch.empty(2, 3, 0), gives = torch.tensor({ 0, 0 }, { dtype = torch.int64 }) },
})
cases("linalg.householder_product", {
  { "more columns than rows", torch.ones(2, 3), torch.ones(2), fails = "at least as many rows as columns, got (2, 3)" },
  { "too many scales", torch.ones(3, 2), torch.ones(3), fails = "tau (3) does not belong to (3, 2)" },
})
cases("ormqr", {
  { "no reflector", a, torch.empty(0), torch.tensor { { 1 }, { 2 } }, gives = { { 1 }, { 2 } } },
  { "sizes that do not match", a, torch.ones(2), torch.ones(3, 1), fails = "2 rows against 3" },
})
cases("linalg.tensorinv", {
  { "no rows", torch.ones(2, 2), 0, fails = "ind must be positive, got 0" },
  { "too many", torch.ones(2, 2), 9223372036854775807LL, fails = "exceeds the dimensions of (2, 2)" },
  { "a tensor that is not square", torch.ones(2, 3), 1, fails = "are 2 and 3" },
})

spec.describe("meta tensors", function()
  spec.it("have sizes without factors", function()
    local x = torch.empty(5, 3, 3, { device = "meta" })
    spec.equal(torch.linalg.inv(x):size(), torch.empty(5, 3, 3):size())
    spec.equal(torch.linalg.det(x):dim(), 1)
    local u, s, vh = torch.linalg.svd(x:narrow(3, 1, 2))
    spec.equal({ u:size(3), s:size(2), vh:size(2) }, { 3, 2, 2 })
    spec.equal(torch.linalg.eig(x).dtype, torch.complex64)
    spec.equal(torch.linalg.solve(x, torch.empty(5, 3, { device = "meta" })):dim(), 2)
    spec.equal(torch.matrix_exp(x):dim(), 3)
  end)
end)
