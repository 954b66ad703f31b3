-- Special functions: identities, edges and derivatives. Their digits are tested in tests/core/special_kernel_test.cpp,
-- their agreement with PyTorch in tests/conformance.
local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local inf, nan = math.huge, torch.nan
local double = { dtype = torch.float64 }
local function numbers(list) return torch.tensor(list, double) end

-- Inside every domain, away from kinks and poles.
local derivatives = {
  { { -1.5, -0.3, 0.2, 1.7 }, "erf erfc special.erfcx special.ndtr special.log_ndtr i0 special.i0e special.i1 "
    .. "special.i1e special.bessel_j0 special.bessel_j1 special.spherical_bessel_j0 sinc asinh" },
  { { -0.9, -0.3, 0.2, 0.7 }, "erfinv atanh" },
  { { 0.05, 0.3, 0.5, 0.9 }, "special.ndtri logit special.entr" },
  { { -1.4, 0.3, 1.2, 4.5 }, "lgamma digamma" },
  { { 0.4, 1.3, 2.5, 7 }, "special.modified_bessel_k0 special.modified_bessel_k1 special.scaled_modified_bessel_k0 "
    .. "special.scaled_modified_bessel_k1 special.bessel_y0 special.bessel_y1" },
  { { 1.2, 1.9, 5, 40 }, "acosh" },
}

local function find(name)
  local f = torch
  for part in name:gmatch("[^.]+") do f = f[part] end
  return f
end

local function check(fn, inputs)
  for _, x in ipairs(inputs) do x:requires_grad_() end
  assert(torch.autograd.gradcheck(fn, inputs))
  assert(torch.autograd.gradgradcheck(fn, inputs))
end

describe("the derivative of", function()
  for _, row in ipairs(derivatives) do
    for name in row[2]:gmatch("%S+") do
      it(name, function() check(find(name), { numbers(row[1]) }) end)
    end
  end

  for n = 0, 3 do
    it("polygamma of order " .. n, function()
      check(function(x) return torch.polygamma(n, x) end, { numbers { 0.6, 1.3, 3.5 } })
    end)
  end

  it("logit within its bounds", function()
    check(function(x) return torch.logit(x, 0.2) end, { numbers { 0.1, 0.3, 0.6, 0.95 } })
  end)

  it("mvlgamma", function()
    check(function(x) return torch.mvlgamma(x, 3) end, { numbers { 1.5, 2.5, 7 } })
  end)

  for _, name in ipairs { "logaddexp", "logaddexp2", "xlogy", "special.xlog1py" } do
    it(name, function() check(find(name), { numbers { 0.3, 2, 1.5 }, numbers { 1.2, 0.4, 1.5 } }) end)
  end

  for _, name in ipairs { "igamma", "igammac" } do
    it(name .. " by its second argument", function()
      local a = numbers { 0.5, 2, 30 }
      check(function(x) return find(name)(a, x) end, { numbers { 0.4, 3, 25 } })
    end)
    it(name .. " by its first argument, which there is none of", function()
      local a = numbers { 0.5 }:requires_grad_()
      fails(function() find(name)(a, numbers { 1 }):sum():backward() end, name .. ": it is differentiated by 'other'")
    end)
  end

  it("zeta by its second argument", function()
    local s = numbers { 1.5, 3, 4 }
    check(function(q) return torch.special.zeta(s, q) end, { numbers { 0.4, 3, 25 } })
  end)

  it("sinc of complex numbers", function()
    local function parts(re, im) return torch.view_as_real(torch.sinc(torch.complex(re, im))) end
    check(parts, { numbers { 0.3, -1.2 }, numbers { 0.4, 0.7 } })
  end)

  it("odd functions at 0, where they divide by it", function()
    local x = torch.zeros(1, double):requires_grad_()
    for name, slope in pairs { ["special.i1"] = 0.5, ["special.i1e"] = 0.5, ["special.bessel_j1"] = 0.5, sinc = 0 } do
      equal(torch.autograd.grad(find(name)(x):sum(), x)[1], { slope })
    end
  end)
end)

describe("at their edges", function()
  for name, row in pairs {
    erfinv = { { -1, 1, 1.5 }, { -inf, inf, nan } },
    ["special.ndtri"] = { { 0, 1, 2, 0.5 }, { -inf, inf, nan, 0 } },
    ["special.entr"] = { { 0, -1, nan }, { 0, -inf, nan } },
    ["special.erfcx"] = { { inf, -30, nan }, { 0, inf, nan } },
    ["special.log_ndtr"] = { { inf, -inf }, { 0, -inf } },
    ["special.modified_bessel_k0"] = { { 0, -1, inf }, { inf, nan, 0 } },
    ["special.bessel_y1"] = { { 0, -1 }, { -inf, nan } },
    ["special.airy_ai"] = { { 200, 0 }, { 0, 0.3550280538878172 } },
    ["special.spherical_bessel_j0"] = { { 0, inf }, { 1, 0 } },
    digamma = { { 0, -1, inf }, { -inf, nan, inf } },
    lgamma = { { 0, -1, inf, 1 }, { inf, inf, inf, 0 } },
    logit = { { 0, 1, 2 }, { -inf, inf, nan } },
    sinc = { { 0, 1, -2, 1e300 }, { 1, 0, 0, 0 } },
  } do
    it(name, function() equal(find(name)(numbers(row[1])), numbers(row[2]), 1e-12) end)
  end

  it("incomplete gamma functions", function()
    local a, x = numbers { 0, 0, 1, inf, 2, -1 }, numbers { 0, 1, 0, 1, inf, 1 }
    equal(torch.igamma(a, x), { nan, 1, 0, 0, 1, nan })
    equal(torch.igammac(a, x), { nan, 0, 1, 1, 0, nan })
  end)

  it("zeta", function()
    equal(torch.special.zeta(numbers { 1, 0.5, 2, 2.5 }, numbers { 2, 2, -3, -0.5 }), { inf, nan, inf, nan })
  end)

  it("logaddexp of infinities", function()
    equal(torch.logaddexp(numbers { -inf, inf, -inf }, numbers { -inf, inf, 1 }), { -inf, inf, 1 })
    equal(torch.logaddexp2(numbers { -inf, inf, nan }, numbers { -inf, -inf, 1 }), { -inf, inf, nan })
  end)

  it("xlogy and xlog1py of 0", function()
    equal(torch.xlogy(numbers { 0, 0 }, numbers { 0, nan }), { 0, nan })
    equal(torch.special.xlog1py(numbers { 0, 0, 0 }, numbers { -1, -3, nan }), { 0, 0, nan })
  end)
end)

cases("logaddexp", {
  { "of equal numbers adds log 2", torch.zeros(2), torch.zeros(2), gives = { math.log(2), math.log(2) } },
  { "of far numbers is the larger", torch.tensor { 1000, -1000 }, torch.tensor { 0, 0 }, gives = { 1000, 0 } },
})
cases("polygamma", {
  { "of a negative order", -1, torch.ones(2), fails = "polygamma: n must not be negative, got -1" },
})
cases("mvlgamma", {
  { "of one dimension is lgamma", torch.tensor { 3, 4 }, 1, gives = { math.log(2), math.log(6) } },
  { "of no dimension", torch.ones(2), 0, fails = "mvlgamma: p must be 1 to 16777216, got 0" },
  { "of bool", torch.tensor { true }, 1, fails = "mvlgamma: expected real numbers that are not bool, got bool" },
})
cases("igamma", {
  { "of integers", torch.ones(2):long(), torch.ones(2):long(), fails = "igamma: expected floating point numbers" },
})

describe("orthogonal polynomials", function()
  local special = torch.special
  local x = numbers { -1.3, -1, -0.4, 0.2, 1, 2.5 }

  it("cut their degree, and are 0 below it", function()
    equal(special.hermite_polynomial_h(numbers { 2, 2, 2 }, numbers { 2.9, -0.5, -1 }), { 14, 1, 0 })
  end)

  it("of high degree follow their closed forms", function()
    for _, n in ipairs { 7, 8, 9, 10, 255, 256, 257, 300 } do
      local inside = numbers { -0.7, 0.1, 0.9 }
      equal(special.chebyshev_polynomial_t(inside, n), torch.cos(torch.acos(inside) * n), 1e-9)
      equal(special.chebyshev_polynomial_u(numbers { 1, -1 }, n), { n + 1, (n + 1) * (-1) ^ n })
      equal(special.chebyshev_polynomial_v(numbers { 1, -1 }, n), { 1, (2 * n + 1) * (-1) ^ n })
      equal(special.chebyshev_polynomial_w(numbers { 1, -1 }, n), { 2 * n + 1, (-1) ^ n })
    end
  end)

  -- T(n + 1) = 2x T(n) - T(n - 1) and so on: across the degrees where the method changes.
  it("obey their recurrence", function()
    for _, kind in ipairs { "t", "u", "v", "w" } do
      local f = special["chebyshev_polynomial_" .. kind]
      for _, n in ipairs { 2, 8, 20, 40 } do
        local expected = x * 2 * f(x, n) - f(x, n - 1)
        assert(torch.allclose(f(x, n + 1), expected, 1e-9, 1e-9), kind .. n)
        assert(torch.allclose(special["shifted_chebyshev_polynomial_" .. kind]((x + 1) / 2, n), f(x, n), 1e-9, 1e-9))
      end
    end
  end)

  it("do not count to absurd degrees", function()
    fails(function() return special.laguerre_polynomial_l(numbers { 0.5 }, 2 ^ 60) end, "degree 1.15292e+18 is above")
    equal(special.hermite_polynomial_h(numbers { 3 }, 2 ^ 24), { nan })
    assert(special.chebyshev_polynomial_t(numbers { 0.5, 1.5 }, 2 ^ 60)[2]:item() == inf)
  end)
end)
