-- First and second derivatives of operators over complex numbers, by finite differences in both parts.
local torch = require "torch"
local spec = require "spec"
local describe, it = spec.describe, spec.it
local F, linalg = torch.nn.functional, torch.linalg

local function complex(...) return (torch.randn({ ... }, { dtype = torch.complex128 }) * 0.7):requires_grad_() end
local function real(...) return torch.randn({ ... }, { dtype = torch.float64, requires_grad = true }) end

local function positions(...) return torch.tensor({ ... }, { dtype = torch.int64 }) end

-- A A^H + 3, Hermitian and positive.
local function hermitian(a) return a:mm(a:t():conj()) + torch.eye(a:size(1), { dtype = a.dtype }) * 3 end

-- A function and a function that makes its arguments.
local rows = {
  ["powers"] = { function(a, b) return a:pow(b), a:pow(3), a:pow(0.5), torch.pow(2, b) end, complex, { 3 }, { 3 } },
  ["real powers"] = { torch.pow, complex, { 3 }, real, { 3 } },
  ["sums with factors"] = { function(a, b) return torch.add(a, b, { alpha = 2 }), a - b end, complex, { 2, 3 }, { 3 } },
  ["products and quotients"] = { function(a, b) return a * b, a / b end, complex, { 2, 3 }, { 3 } },
  ["products with real numbers"] = { function(a, b) return a * b, a / b, b / a end, complex, { 2, 3 }, real, { 3 } },
  ["addcmul, addcdiv, lerp"] = { function(a, b, c)
    return torch.addcmul(a, b, c, { value = 2 }), torch.addcdiv(a, b, c, { value = 2 }), torch.lerp(a, b, c)
  end, complex, { 3 }, { 3 }, { 3 } },
  ["running sums and products"] = { function(z) return z:cumsum(1), z:cumprod(1), z:prod(1), z:diff() end, complex,
    { 3, 2 } },
  ["variances"] = { function(z) return z:std(), z:var(1), z:cov() end, complex, { 3, 2 } },
  ["norms"] = { function(z)
    return z:norm(), z:norm(1), linalg.vector_norm(z, 3), linalg.vector_norm(z, math.huge), z:renorm(2, 1, 0.5)
  end, complex, { 3, 2 } },
  ["products of matrices"] = { function(a, b) return a:mm(b), torch.einsum("ij,jk->ki", a, b), torch.kron(a, b) end,
    complex, { 2, 3 }, { 3, 2 } },
  ["products of batches"] = { torch.baddbmm, complex, { 2, 2, 2 }, { 2, 2, 3 }, { 2, 3, 2 } },
  ["addmm"] = { function(a, b, c) return torch.addmm(a, b, c, { beta = 0.5, alpha = 2 }) end, complex,
    { 2, 2 }, { 2, 3 }, { 3, 2 } },
  ["products of vectors"] = { function(a, b) return a:dot(b), a:vdot(b), a:outer(b) end, complex, { 3 }, { 3 } },
  ["linear and convolution"] = { function(x, w, v) return F.linear(x, w), F.conv1d(x, v) end, complex,
    { 2, 3 }, { 4, 3 }, { 1, 2, 2 } },
  ["inverse and determinant"] = { function(a) return a:inverse(), a:det(), (select(2, a:slogdet())) end, complex,
    { 3, 3 } },
  ["solve"] = { function(a, b) return linalg.solve(a, b) end, complex, { 3, 3 }, { 3, 2 } },
  ["cholesky"] = { function(a)
    local l = linalg.cholesky(hermitian(a))
    return l, torch.cholesky_inverse(l)
  end, complex, { 2, 2 } },
  ["qr"] = { function(a)
    local q, r = linalg.qr(a)
    return q:abs(), r:abs()
  end, complex, { 3, 3 } },
  ["lu"] = { function(a) return select(2, linalg.lu(a)) end, complex, { 3, 3 } },
  ["eigh"] = { function(a)
    local w, v = linalg.eigh(hermitian(a))
    return w, v:abs()
  end, complex, { 3, 3 } },
  ["eig"] = { function(a) return (linalg.eig(a)):abs(), linalg.eigvals(a):abs() end, complex, { 3, 3 } },
  ["svd"] = { function(a)
    local u, s = linalg.svd(a)
    return u:abs(), s, linalg.matrix_norm(a, "nuc"), linalg.matrix_norm(a, 2)
  end, complex, { 3, 3 } },
  ["pinv and lstsq"] = { function(a, b) return linalg.pinv(a), (linalg.lstsq(a, b)) end, complex, { 3, 2 }, { 3, 1 } },
  ["functions of matrices"] = { function(a) return torch.matrix_exp(a), linalg.matrix_power(a, 3) end, complex,
    { 2, 2 } },
  ["joining and picking"] = { function(a, b)
    return torch.cat({ a, b }, 1), torch.where(torch.tensor { true, false, true }:to(torch.bool), a, b),
      a:index_select(1, positions(2, 2)), a:gather(1, positions(3, 1)), a:flip(1), a:roll(1, 1), a:diag()
  end, complex, { 3 }, { 3 } },
  ["putting"] = { function(a, b)
    return a:index_put({ positions(1, 2) }, b), a:index_add(1, positions(1, 1), b, { alpha = 2 }),
      a:scatter_add(1, positions(1, 1), b)
  end, complex, { 3 }, { 2 } },
  ["from real parts"] = { function(a, b)
    return torch.complex(a, b), torch.polar(a, b), torch.view_as_complex(torch.stack({ a, b }, 2))
  end, real, { 3 }, { 3 } },
  ["stft"] = { function(z) return torch.stft(z, 4, { return_complex = true, onesided = false }) end, complex, { 8 } },
}

for name in ("abs angle real imag conj exp exp2 log log2 log10 log1p sqrt rsqrt sin cos tan sinh cosh tanh asin acos "
  .. "atan asinh acosh atanh sigmoid reciprocal square sgn neg sum mean prod sinc trace view_as_real tril "
  .. "adjoint"):gmatch "%S+" do
  rows[name] = { function(z) return (torch[name] or z[name])(z) end, complex, { 2, 2 } }
end
for name in ("fft ifft hfft fft2 ifft2 fftn ifftn irfft irfft2 irfftn fftshift"):gmatch "%S+" do
  rows["fft." .. name] = { torch.fft[name], complex, { 3, 4 } }
end
for name in ("rfft rfft2 rfftn ihfft"):gmatch "%S+" do rows["fft." .. name] = { torch.fft[name], real, { 3, 4 } } end

describe("gradients over complex numbers", function()
  local names = {}
  for name in pairs(rows) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      torch.manual_seed(3)
      local row, make, inputs = rows[name], nil, {}
      for i = 2, #row do
        if type(row[i]) == "function" then make = row[i] else inputs[#inputs + 1] = make(unpack(row[i])) end
      end
      torch.autograd.gradcheck(row[1], inputs, { atol = 1e-4 })
      torch.autograd.gradgradcheck(row[1], inputs, { atol = 1e-4 })
    end)
  end
end)
