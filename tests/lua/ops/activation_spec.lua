local torch = require "torch"
local spec = require "spec"
local describe, it, cases, equal, fails = spec.describe, spec.it, spec.cases, spec.equal, spec.fails
local F = torch.nn.functional

local exp, log, tanh = math.exp, math.log, math.tanh
local POINTS = { -4.5, -1.25, -0.3, 0.7, 1.5, 5 } -- off all kinks

local function sigmoid(x) return 1 / (1 + exp(-x)) end

-- The operator at POINTS against the formula, in all modes and with its derivatives.
local function follows(name, formula, ...)
  local expected = {}
  for i, x in ipairs(POINTS) do expected[i] = formula(x) end
  local row = { "by its formula", torch.tensor(POINTS), ... }
  row.gives = expected
  cases("nn.functional." .. name, { row })
end

follows("relu", function(x) return math.max(x, 0) end)
follows("relu6", function(x) return math.min(math.max(x, 0), 6) end)
follows("hardtanh", function(x) return math.min(math.max(x, -1), 1) end)
follows("hardtanh", function(x) return math.min(math.max(x, -2), 0.5) end, -2, 0.5)
follows("hardsigmoid", function(x) return math.min(math.max(x + 3, 0), 6) / 6 end)
follows("hardswish", function(x) return x * math.min(math.max(x + 3, 0), 6) / 6 end)
follows("leaky_relu", function(x) return x > 0 and x or 0.01 * x end)
follows("leaky_relu", function(x) return x > 0 and x or -0.2 * x end, -0.2)
follows("elu", function(x) return x > 0 and x or exp(x) - 1 end)
follows("elu", function(x) return x > 0 and x or 0.7 * (exp(x) - 1) end, 0.7)
follows("celu", function(x) return x > 0 and x or 0.7 * (exp(x / 0.7) - 1) end, 0.7)
follows("selu", function(x) return 1.0507009873554805 * (x > 0 and x or 1.6732632423543772 * (exp(x) - 1)) end)
follows("silu", function(x) return x * sigmoid(x) end)
follows("mish", function(x) return x * tanh(log(1 + exp(x))) end)
follows("softplus", function(x) return log(1 + exp(x)) end)
follows("softplus", function(x) return 3 * x > 2 and x or log(1 + exp(3 * x)) / 3 end, 3, 2)
follows("logsigmoid", function(x) return log(sigmoid(x)) end)
follows("hardshrink", function(x) return math.abs(x) > 0.5 and x or 0 end)
follows("softshrink", function(x) return x > 0.5 and x - 0.5 or x < -0.5 and x + 0.5 or 0 end)
follows("softsign", function(x) return x / (1 + math.abs(x)) end)
follows("tanhshrink", function(x) return x - tanh(x) end)
follows("threshold", function(x) return x > 1 and x or -7 end, 1, -7)
follows("gelu", function(x)
  return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ^ 3)))
end, { approximate = "tanh" })

cases("nn.functional.prelu", {
  { "one weight", torch.tensor { -2, 3 }, torch.tensor { 0.25 }, gives = { -0.5, 3 } },
  { "a weight for each channel", torch.tensor { { -2, -2 }, { 1, -4 } }, torch.tensor { 0.5, 0.25 },
    gives = { { -1, -0.5 }, { 1, -1 } } },
  { "another number of weights", torch.zeros(2, 3), torch.zeros(2), fails = "prelu: input (2, 3) has 3 channels" },
})

cases("nn.functional.glu", {
  { "halves", torch.tensor { { 1, 2, 0, 0 } }, gives = { { 0.5, 1 } } },
  { "along the first dimension", torch.tensor { 3, 0 }, 1, gives = { 1.5 } },
  { "an odd size", torch.zeros(2, 3), fails = "glu: the size of dimension 2 must be even, got 3" },
  { "no dimension", torch.tensor(1), fails = "glu: " },
})

cases("nn.functional.softmin", {
  { "along a dimension", torch.tensor { { 0, math.log(3) } }, 2, gives = { { 0.75, 0.25 } } },
})

describe("activations", function()
  local NAN, INF = 0 / 0, math.huge

  it("keep what is not finite, as PyTorch does", function()
    local x = torch.tensor { NAN, INF, -INF }
    equal(F.elu(x), { NAN, INF, -1 })
    equal(F.hardtanh(x), { NAN, 1, -1 })
    equal(F.softplus(x), { NAN, INF, 0 })
    equal(F.logsigmoid(x), { NAN, 0, -INF })
    equal(F.hardshrink(x), { NAN, INF, -INF })
    equal(F.softshrink(x), { 0, INF, -INF })
    equal(F.threshold(x, 0, 5), { NAN, INF, 5 })
  end)

  it("change their input in place in three spellings", function()
    for _, change in ipairs {
      function(x) return F.elu(x, { inplace = true }) end,
      function(x) return F.elu(x, 1, true) end,
      function(x) return F.elu_(x) end,
    } do
      local x = torch.tensor { -1, 2 }
      assert(change(x) == x)
      equal(x, { exp(-1) - 1, 2 })
    end
  end)

  it("have the derivative of what they overwrote", function()
    local x = torch.tensor({ -1, 2 }, { requires_grad = true })
    F.silu(x * 1, true):sum():backward()
    local expected = torch.tensor({ -1, 2 }, { requires_grad = true })
    F.silu(expected):sum():backward()
    equal(x.grad, expected.grad)
  end)

  it("refuse integers where PyTorch does", function()
    local x = torch.tensor({ 1 }, { dtype = torch.int64 })
    fails(function() F.elu(x) end, "elu: expected floating point numbers, got int64")
    equal(F.relu6(x), x)
    fails(function() F.hardtanh(x:to(torch.uint8)) end, "hardtanh: uint8 has no numbers below 0")
    fails(function() F.softshrink(torch.ones(1), -1) end, "softshrink: lambd must not be negative, got -1")
  end)

  it("are differentiable twice where complex", function()
    local parts = torch.randn(4, 2, { dtype = torch.float64, requires_grad = true })
    for _, activation in ipairs { F.silu, torch.sigmoid, torch.tanh } do
      local function f(x) return torch.view_as_real(activation(torch.view_as_complex(x))) end
      assert(torch.autograd.gradcheck(f, { parts }))
      assert(torch.autograd.gradgradcheck(f, { parts }))
    end
  end)
end)

describe("rrelu", function()
  it("draws slopes between the bounds in training", function()
    local y = F.rrelu(torch.full({ 1000 }, -1), 0.25, 0.5, true)
    assert(y:min():item() >= -0.5 and y:max():item() <= -0.25 and y:std():item() > 0.05)
    equal(F.rrelu(torch.full({ 2 }, 3), 0.25, 0.5, true), { 3, 3 })
  end)
  it("takes the middle otherwise", function()
    equal(F.rrelu(torch.tensor { -4 }, 0.25, 0.75), { -2 })
    fails(function() F.rrelu(torch.ones(1), 1, 0) end, "rrelu: lower = 1 is larger than upper = 0")
  end)
end)

describe("gumbel_softmax", function()
  it("gives probabilities, or one of them with the same derivative", function()
    local x = torch.randn(5, 4, { requires_grad = true })
    equal(F.gumbel_softmax(x):sum(2), torch.ones(5))
    local y = F.gumbel_softmax(x, { hard = true })
    equal(y:max(2), torch.ones(5))
    equal(y:sum(2), torch.ones(5))
    y:mul(torch.randn(5, 4)):sum():backward()
    assert(x.grad:abs():sum():item() > 0)
  end)
end)
