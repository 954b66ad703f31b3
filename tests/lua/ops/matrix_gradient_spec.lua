-- First and second derivatives of linear algebra, real and complex, against differences.
local torch = require "torch"
local spec = require "spec"
local linalg = torch.linalg

local double = { dtype = torch.float64 }

local function random(...)
  return torch.randn({ ... }, double)
end

-- Far from singular: its eigenvalues and singular values lie around 3 and are distinct.
local function regular(n)
  local x = random(n, n) * 0.3
  return x + torch.arange(n):to(torch.float64) * torch.eye(n, double) + 2 * torch.eye(n, double)
end

-- A complex matrix as its real and imaginary parts in a last dimension, as gradcheck wants its input.
local function pairs_of(re, im)
  return torch.stack({ re, im }, -1)
end

-- fn of complex matrices as one of pairs; complex results become pairs, too.
local function on_pairs(fn)
  return function(...)
    local arguments = { ... }
    for i, x in ipairs(arguments) do arguments[i] = torch.view_as_complex(x) end
    local results = { fn(unpack(arguments)) }
    for i, y in ipairs(results) do
      if y:is_complex() then results[i] = torch.view_as_real(y) end
    end
    return unpack(results)
  end
end

local function adjoint(x)
  return x:transpose(-2, -1):conj()
end
local function hermitian(x)
  return x + adjoint(x)
end
local function positive(x)
  return x:matmul(adjoint(x)) + torch.eye(x:size(-1), { dtype = x.dtype })
end

-- What does not depend on signs or phases of singular and eigenvectors.
local function of_svd(full)
  return function(x)
    local u, s, vh = linalg.svd(x, full)
    local k = s:size(-1)
    return u:narrow(-1, 1, k):matmul(vh:narrow(-2, 1, k)), s, adjoint(vh):narrow(-1, 1, k):matmul(vh:narrow(-2, 1, k))
  end
end
local function of_eigh(x)
  local w, v = linalg.eigh(hermitian(x))
  return w, (v * w:cos():unsqueeze(-2):to(v.dtype)):matmul(adjoint(v))
end
local function of_eig(x)
  local w, v = linalg.eig(x)
  return torch.view_as_real(w):square():sum(), torch.view_as_real(v):square():sum(-1):square():sum()
end
local function of_qr(x)
  local q, r = linalg.qr(x)
  return q:matmul(adjoint(q)), adjoint(r):matmul(r)
end
local function first_of(fn)
  return function(...) return (fn(...)) end
end
local function solved_by_factors(options)
  return function(x, b)
    local lu, pivots = linalg.lu_factor(x)
    return linalg.lu_solve(lu, pivots, b, options)
  end
end

local square, tall, wide = { 3, 3 }, { 4, 3 }, { 3, 4 }

-- Name, function, sizes of its inputs; square ones are regular.
local rows = {
  { "linalg.inv", linalg.inv, square },
  { "linalg.det", linalg.det, square },
  { "linalg.slogdet", linalg.slogdet, square },
  { "logdet", function(x) return torch.logdet(positive(x)) end, square },
  { "linalg.solve", linalg.solve, square, { 3, 2 } },
  { "linalg.solve from the right", function(a, b) return linalg.solve(a, b, { left = false }) end, square, { 2, 3 } },
  { "linalg.solve of a batch that broadcasts", linalg.solve, square, { 2, 3, 2 } },
  { "linalg.solve_triangular", function(a, b)
    return linalg.solve_triangular(a, b, { upper = true })
  end, square, { 3, 2 } },
  { "linalg.solve_triangular, unit, from the right", function(a, b)
    return linalg.solve_triangular(a, b, { upper = false, left = false, unitriangular = true })
  end, square, { 2, 3 } },
  { "triangular_solve", function(b, a) return (torch.triangular_solve(b, a, true, true)) end, { 3, 2 }, square },
  { "linalg.cholesky", function(x) return linalg.cholesky(positive(x)) end, square },
  { "linalg.cholesky, upper", function(x) return linalg.cholesky(positive(x), { upper = true }) end, square },
  { "cholesky_solve", function(b, x)
    return torch.cholesky_solve(b, linalg.cholesky(positive(x)))
  end, { 3, 2 }, square },
  { "cholesky_inverse", function(x) return torch.cholesky_inverse(linalg.cholesky(positive(x))) end, square },
  { "linalg.lu_factor", first_of(linalg.lu_factor), square },
  { "linalg.lu_factor of a tall matrix", first_of(linalg.lu_factor), tall },
  { "linalg.lu_factor of a wide matrix", first_of(linalg.lu_factor), wide },
  { "linalg.lu", function(x) return select(2, linalg.lu(x)) end, square },
  { "linalg.lu_solve", solved_by_factors(), square, { 3, 2 } },
  { "linalg.lu_solve, adjoint", solved_by_factors { adjoint = true }, square, { 3, 2 } },
  { "linalg.lu_solve from the right", solved_by_factors { left = false }, square, { 2, 3 } },
  { "linalg.qr", of_qr, tall },
  { "linalg.qr of a wide matrix", of_qr, wide },
  { "linalg.svd", of_svd(false), square },
  { "linalg.svd of a tall matrix", of_svd(false), tall },
  { "linalg.svd of a wide matrix", of_svd(true), wide },
  { "linalg.eigh", of_eigh, square },
  { "linalg.eig", of_eig, square },
  { "linalg.pinv", linalg.pinv, tall },
  { "linalg.pinv of a Hermitian matrix", function(x)
    return linalg.pinv(hermitian(x), { hermitian = true })
  end, square },
  { "linalg.lstsq", first_of(linalg.lstsq), tall, { 4, 2 } },
  { "linalg.lstsq of a wide matrix", first_of(linalg.lstsq), wide, { 3, 2 } },
  { "linalg.householder_product", linalg.householder_product, tall, { 3 } },
  { "ormqr", function(a, tau, c) return torch.ormqr(a, tau, c, false, true) end, tall, { 3 }, { 2, 4 } },
  { "matrix_exp", torch.matrix_exp, square },
  { "linalg.matrix_power", function(x) return linalg.matrix_power(x, -3) end, square },
  { "linalg.cond", linalg.cond, square },
  { "linalg.norm, nuclear", function(x) return linalg.norm(x, "nuc") end, tall },
  { "einsum", function(a, b) return torch.einsum("ij,ik->jk", a, b) end, square, { 3, 2 } },
}

local function inputs_of(row, complex)
  local inputs = {}
  for i = 3, #row do
    local sizes = row[i]
    local function part() return sizes == square and regular(3) or random(unpack(sizes)) end
    local x = part()
    if complex then x = pairs_of(x, sizes == square and random(3, 3) * 0.3 or part()) end
    inputs[#inputs + 1] = x:requires_grad_()
  end
  return inputs
end

spec.describe("derivatives", function()
  for _, row in ipairs(rows) do
    for _, complex in ipairs { false, true } do
      spec.it(row[1] .. (complex and ", complex" or ""), function()
        torch.manual_seed(3)
        local fn, inputs = complex and on_pairs(row[2]) or row[2], inputs_of(row, complex)
        torch.autograd.gradcheck(fn, inputs)
        torch.autograd.gradgradcheck(fn, inputs)
      end)
    end
  end

  for _, p in ipairs { 0.5, 1, 1.5, 2, 3, math.huge } do
    spec.it("cdist and pdist, p = " .. p, function()
      torch.manual_seed(3)
      local x, y = random(3, 2):requires_grad_(), random(4, 2):requires_grad_()
      torch.autograd.gradcheck(function(a, b) return torch.cdist(a, b, p), torch.pdist(b, p) end, { x, y })
      torch.autograd.gradgradcheck(function(a, b) return torch.cdist(a, b, p), torch.pdist(b, p) end, { x, y })
    end)
  end

  spec.it("of a singular determinant is the adjugate", function()
    local x = torch.tensor({ { 1, 2 }, { 2, 4 } }, double):requires_grad_()
    linalg.det(x):backward()
    spec.equal(x.grad, torch.tensor({ { 4, -2 }, { -2, 1 } }, double))
  end)
  spec.it("of a singular determinant, twice", function()
    local x = torch.tensor({ { 1, 2, 0 }, { 2, 4, 0 }, { 0, 0, 3 } }, double):requires_grad_()
    local g = torch.autograd.grad(linalg.det(x), x, { create_graph = true })
    g = torch.is_tensor(g) and g or g[1]
    g[{ 1, 1 }]:backward() -- x22 x33 - x23 x32
    spec.equal(x.grad, torch.tensor({ { 0, 0, 0 }, { 0, 3, 0 }, { 0, 0, 4 } }, double), 1e-4)
  end)
  spec.it("of singular vectors whose phase matters fail", function()
    local x = pairs_of(regular(2), random(2, 2)):requires_grad_()
    local u = linalg.svd(torch.view_as_complex(x))
    spec.fails(function() u[{ 1, 1 }]:imag():backward() end, "phases")
  end)
end)
