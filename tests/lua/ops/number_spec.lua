local torch = require "torch"
local spec = require "spec"
local cases, several, describe, it, equal, fails =
  spec.cases, spec.several, spec.describe, spec.it, spec.equal, spec.fails

local inf, nan = math.huge, torch.nan
local function whole(list, dtype) return torch.tensor(list, { dtype = dtype or torch.int64 }) end

cases("round", {
  { "halves to even", torch.tensor { 0.5, 1.5, 2.5, -0.5 }, gives = { 0, 2, 2, 0 }, grad = false },
  { "to places behind the point", torch.tensor { 1.2345, -2.7182 }, { decimals = 2 }, gives = { 1.23, -2.72 } },
  { "to places before the point", torch.tensor { 1234, -1880 }, { decimals = -2 }, gives = { 1200, -1900 } },
  { "of integers", whole { 1, -2 }, gives = whole { 1, -2 } },
  { "integers to places", whole { 1 }, { decimals = 1 }, fails = "round: only floating point numbers have decimals" },
  { "of bool", torch.tensor { true }, fails = "round: expected real numbers that are not bool" },
})
cases("frac", {
  { "has the sign of the number", torch.tensor { 1.25, -1.25, 3 }, gives = { 0.25, -0.25, 0 }, grad = false },
  { "of integers", whole { 1 }, fails = "frac: expected floating point numbers" },
})
cases("frexp", {
  { "mantissas and exponents", torch.tensor { 8, -3, 0.3, 0 },
    gives = several(torch.tensor { 0.5, -0.75, 0.6, 0 }, whole({ 4, 2, -1, 0 }, torch.int32)), grad = false },
  { "infinities stay", torch.tensor { inf, -inf },
    gives = several(torch.tensor { inf, -inf }, whole({ 0, 0 }, torch.int32)), grad = false },
  { "of integers", whole { 1 }, fails = "frexp: expected floating point numbers, got int64" },
})
cases("ldexp", { { "times a power of 2", torch.tensor { 1.5, -1 }, whole { 3, -1 }, gives = { 12, -0.5 } } })
cases("nan_to_num", {
  { "by default", torch.tensor { nan, 1.5 }, gives = { 0, 1.5 }, grad = false },
  { "with chosen numbers", torch.tensor { nan, inf, -inf }, 1, 2, 3, gives = { 1, 2, 3 }, grad = false },
  { "of float16", torch.tensor({ inf, -inf }, { dtype = torch.float16 }),
    gives = torch.tensor({ 65504, -65504 }, { dtype = torch.float16 }), grad = false },
  { "of complex numbers", torch.ones(1):cfloat(), fails = "nan_to_num: expected real numbers, got complex64" },
})

cases("copysign", {
  { "takes the sign", torch.tensor { 1, -2, 3 }, torch.tensor { -1, 5, -2 }, gives = { -1, 2, -3 } },
  { "of zero too", torch.tensor { 1, -2 }, torch.tensor { -0.0, 0 }, gives = { -1, 2 }, grad = false },
  { "of integers gives floats", whole { 1, 2 }, -1, gives = { -1, -2 } },
})
cases("heaviside", {
  { "steps at zero", torch.tensor { -1, 0, 2, nan }, torch.tensor { 5, 6, 7, 8 }, gives = { 0, 6, 1, 0 },
    grad = false },
  { "of two dtypes", torch.ones(1), whole { 1 }, fails = "heaviside: dtypes differ, float32 and int64" },
})
cases("gcd", {
  { "of either sign", whole { 12, -8, 0, 0 }, whole { 18, 12, -5, 0 }, gives = whole { 6, 4, 5, 0 } },
  { "of floats", torch.ones(1), whole { 1 }, fails = "gcd: expected integers, got float32" },
  { "of bool", torch.tensor { true }, torch.tensor { true }, fails = "gcd: expected integers, got bool" },
})
cases("lcm", {
  { "of either sign", whole { 4, -6, 0 }, whole { 6, 4, 3 }, gives = whole { 12, 12, 0 } },
})
cases("bitwise_left_shift", {
  { "a number's", whole { 1, -3 }, 4, gives = whole { 16, -48 } },
  { "all out", whole({ 1, 255 }, torch.uint8), whole({ 8, 100 }, torch.uint8), gives = whole({ 0, 0 }, torch.uint8) },
  { "of floats", torch.ones(1), 1, fails = "bitwise_left_shift: expected integers, got float32" },
})
cases("bitwise_right_shift", {
  { "keeps the sign", whole { 17, -17 }, 2, gives = whole { 4, -5 } },
  { "all out", whole({ 1, 255 }, torch.uint8), whole({ 8, 9 }, torch.uint8), gives = whole({ 0, 0 }, torch.uint8) },
  { "far out leaves the sign", whole { 5, -5 }, whole { 64, 1000 }, gives = whole { 0, -1 } },
})

-- Neighbours of 1, of zero and of the largest number, by the formats' definitions.
describe("nextafter", function()
  for name, row in pairs {
    float16 = { 1 + 2 ^ -10, 2 ^ -24 }, bfloat16 = { 1 + 2 ^ -7, 2 ^ -133 }, float32 = { 1 + 2 ^ -23, 2 ^ -149 },
    float64 = { 1 + 2 ^ -52, 2 ^ -1074 },
  } do
    it("in " .. name, function()
      local as = { dtype = torch[name] }
      local up = torch.nextafter(torch.tensor({ 1, 0 }, as), torch.tensor({ 2, 2 }, as))
      assert(up.dtype == torch[name])
      equal(up:tolist(), row, 0)
      local down = torch.nextafter(-up, torch.tensor({ 0, 0 }, as))
      equal(down:tolist(), { -1, 0 }, 0)
    end)
  end

  it("has no derivative", function()
    local x = torch.ones(1):requires_grad_()
    fails(function() torch.nextafter(x, torch.zeros(1)):backward() end, "nextafter: the derivative is not defined")
  end)
end)

describe("complex numbers", function()
  local double = { dtype = torch.float64, requires_grad = true }
  local re, im = torch.tensor({ 0.5, -1.2, 2 }, double), torch.tensor({ 1, 0.3, -0.7 }, double)

  it("are made of parts, and of lengths and angles", function()
    local z = torch.complex(re, im)
    assert(torch.allclose(torch.polar(torch.abs(z), torch.angle(z)), z))
  end)

  it("have the derivatives of their parts", function()
    for _, f in ipairs {
      function(...) return torch.view_as_real(torch.complex(...)) end,
      function(...) return torch.view_as_real(torch.polar(...)) end,
      function(...) return torch.angle(torch.complex(...)) end,
    } do
      assert(torch.autograd.gradcheck(f, { re, im }))
      assert(torch.autograd.gradgradcheck(f, { re, im }))
    end
  end)

  it("want parts of one dtype", function()
    fails(function() torch.complex(torch.ones(1), re) end, "complex: expected two float32 or two float64 tensors")
  end)

  it("have no slope of the angle at 0", function()
    local z = torch.zeros(1, { dtype = torch.complex64 }):requires_grad_()
    equal(torch.view_as_real(torch.autograd.grad(torch.angle(z):sum(), z)[1]), { { 0, 0 } })
  end)
end)

describe("signs of NaN", function()
  it("are not taken from Lua's 0/0", function()
    equal(torch.signbit(torch.tensor { 0 / 0, -(0 / 0) }), { false, false })
  end)
end)

describe("bool", function()
  for _, name in ipairs { "ceil", "floor", "trunc", "relu", "abs" } do
    it("is refused by " .. name, function()
      fails(function() torch[name](torch.tensor { true }) end, name .. ": expected")
    end)
  end
end)
