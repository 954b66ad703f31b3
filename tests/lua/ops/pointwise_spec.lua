local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal = spec.cases, spec.describe, spec.it, spec.equal

local x = torch.tensor { { 1, -2, 3 }, { 0.5, 4, -0.25 } }
local row, column = torch.tensor { 10, 20, 30 }, torch.tensor { { 1 }, { 2 } }
local whole = torch.tensor({ 7, -7, 8 }, { dtype = torch.int64 })
local flags = torch.tensor { true, false, true }

-- The table f(v) of a nested table.
local function map(t, f)
  if type(t) ~= "table" then return f(t) end
  local out = {}
  for i, v in ipairs(t) do out[i] = map(v, f) end
  return out
end

cases("add", {
  { "equal sizes", x, x, gives = { { 2, -4, 6 }, { 1, 8, -0.5 } } },
  { "a row", x, row, gives = { { 11, 18, 33 }, { 10.5, 24, 29.75 } } },
  { "a column", x, column, gives = { { 2, -1, 4 }, { 2.5, 6, 1.75 } } },
  { "a number", x, 1, gives = { { 2, -1, 4 }, { 1.5, 5, 0.75 } } },
  { "alpha", row, row, { alpha = 0.5 }, gives = { 15, 30, 45 } },
  { "integers stay integers with an integral number", whole, 2, gives = torch.tensor({ 9, -5, 10 },
    { dtype = torch.int64 }) },
  { "integers become floats with a fraction", whole, 0.5, gives = torch.tensor { 7.5, -6.5, 8.5 } },
  { "booleans are counted with integers", whole, flags, gives = torch.tensor({ 8, -7, 9 },
    { dtype = torch.int64 }) },
  { "sizes that do not broadcast", x, torch.ones(2), fails = "add: sizes (2, 3) and (2) do not broadcast" },
  { "a misspelt argument", x, 1, { alpa = 2 }, fails = "did you mean 'alpha'?" },
})

cases("mul", {
  { "by a row", x, row, gives = { { 10, -40, 90 }, { 5, 80, -7.5 } } },
  { "by a number", x, -2, gives = { { -2, 4, -6 }, { -1, -8, 0.5 } } },
})

cases("div", {
  { "integers give fractions", whole, 2, gives = torch.tensor { 3.5, -3.5, 4 } },
  { "by zero", torch.tensor { 1, -1, 0 }, 0, gives = { 1 / 0, -1 / 0, 0 / 0 }, grad = false },
})

cases("pow", {
  { "a number's power", x, 2, gives = { { 1, 4, 9 }, { 0.25, 16, 0.0625 } } },
  { "element by element", torch.tensor { 4, 9, 2 }, torch.tensor { 0.5, -0.5, 3 }, gives = { 2, 1 / 3, 8 } },
})

cases("remainder", {
  { "has the divisor's sign", whole, 3, gives = torch.tensor({ 1, 2, 2 }, { dtype = torch.int64 }) },
  { "of fractions", torch.tensor { 5.5, -5.5 }, 2, gives = { 1.5, 0.5 } },
})

-- Functions of one number, against Lua's own.
local positive = torch.tensor { { 0.5, 1, 2 }, { 3, 0.125, 10 } }
for name, f in pairs {
  exp = math.exp, log = math.log, sqrt = math.sqrt, sin = math.sin, cos = math.cos, tanh = math.tanh,
  abs = math.abs, neg = function(v) return -v end, sigmoid = function(v) return 1 / (1 + math.exp(-v)) end,
  relu = function(v) return math.max(v, 0) end, square = function(v) return v * v end,
} do
  local rows = { { "positive numbers", positive, gives = map(positive:tolist(), f) } }
  if name ~= "log" and name ~= "sqrt" then
    rows[2] = { "numbers of either sign", x, gives = map(x:tolist(), f) }
  end
  cases(name, rows)
end

cases("log", { { "at and below zero", torch.tensor { 0, -1 }, gives = { -1 / 0, 0 / 0 }, grad = false } })

cases("clamp", {
  { "between two numbers", x, -1, 2, gives = { { 1, -1, 2 }, { 0.5, 2, -0.25 } } },
  { "from below", x, { min = 0 }, gives = { { 1, 0, 3 }, { 0.5, 4, 0 } } },
  { "from above", x, { max = 0 }, gives = { { 0, -2, 0 }, { 0, 0, -0.25 } } },
})

cases("where", {
  { "picks by a mask", flags, row, torch.tensor { -1, -2, -3 }, gives = { 10, -2, 30 } },
})

for name, holds in pairs {
  eq = function(a, b) return a == b end, ne = function(a, b) return a ~= b end,
  lt = function(a, b) return a < b end, le = function(a, b) return a <= b end,
  gt = function(a, b) return a > b end, ge = function(a, b) return a >= b end,
} do
  cases(name, {
    { "with a number", x, 0.5, gives = map(x:tolist(), function(v) return holds(v, 0.5) end) },
    { "with a tensor", torch.tensor { 1, 2, 3 }, torch.tensor { 3, 2, 1 },
      gives = { holds(1, 3), holds(2, 2), holds(3, 1) } },
  })
end

describe("float16 and bfloat16", function()
  local function edges(dtype)
    local numbers = torch.cat { torch.randn(58):mul(torch.randn(58):mul(20):exp()),
      torch.tensor { 0, -0.0, 1 / 0, -1 / 0, 0 / 0, 65504, 1e-7, 3e38, 1.00390625 } }
    return numbers:to(dtype)
  end

  it("are computed in float32 and rounded once, to the nearest and half to even", function()
    torch.manual_seed(1)
    for _, dtype in ipairs { torch.float16, torch.bfloat16 } do
      local first = edges(dtype)
      local second = first[{ torch.randperm(67) }]
      for n = 1, 67 do
        local a, b = first:narrow(1, 68 - n, n), second:narrow(1, 1, n)
        for _, name in ipairs { "add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin", "copysign" } do
          equal(torch[name](a, b), torch[name](a:float(), b:float()):to(dtype))
        end
        for _, name in ipairs { "neg", "abs", "sgn", "square", "reciprocal", "sqrt", "rsqrt", "relu", "floor" } do
          equal(torch[name](a), torch[name](a:float()):to(dtype))
        end
        equal(torch.add(a, b, { alpha = 0.3 }), torch.add(a:float(), b:float(), { alpha = 0.3 }):to(dtype))
      end
    end
  end)
end)

describe("results of many megabytes", function()
  -- They are streamed to memory in blocks that begin at cache lines, wherever the result itself begins.
  local n, length = 4400003, 100001
  local function in_parts(f, ...)
    local parts, pieces = {}, {}
    for k, tensor in ipairs { ... } do pieces[k] = tensor:split(length) end
    for i, first in ipairs(pieces[1]) do parts[i] = f(first, pieces[2] and pieces[2][i]) end
    return torch.cat(parts)
  end

  it("are the same as those of their parts", function()
    local left, right = torch.randn(n), torch.randn(n)
    equal(left + right, in_parts(torch.add, left, right))
    equal(left:half(), in_parts(left.half, left))
    equal(torch.full({ n }, 2.5), torch.ones(n) * 2.5)
    local a, b = left:bfloat16(), right:bfloat16()
    local sum, buffer = in_parts(torch.add, a, b), torch.empty(n + 6):bfloat16()
    for shift = 1, 6 do
      buffer:zero_()
      torch.add(a, b, { out = buffer:narrow(1, shift, n) })
      equal(buffer:narrow(1, shift, n), sum)
      equal(buffer:sum(), sum:sum())
    end
  end)
end)
