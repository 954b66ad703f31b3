local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck

local function random(...)
  return torch.randn({ ... }, { dtype = torch.float64, requires_grad = true })
end

-- y = x^2 with the derivative `slope(x) * g`.
local function square(slope)
  local F = torch.autograd.Function.extend {
    forward = function(ctx, x)
      ctx:save_for_backward(x)
      return x * x
    end,
    backward = function(ctx, g) return g * slope(ctx:saved_tensors()) end,
  }
  return function(x) return F:apply(x) end
end

describe("gradcheck", function()
  it("accepts right derivatives of several inputs and outputs", function()
    torch.manual_seed(1)
    local x, y = random(2, 3), random(3, 2)
    assert(gradcheck(function(a, b) return a:mm(b), (a:t() * b):sin():sum() end, { x, y }))
    assert(gradcheck(torch.exp, x))
    assert(gradcheck(function(a, k) return a * k end, { x, 3 }))
    assert(gradcheck(torch.sum, { x:detach():t():requires_grad_() }))
  end)

  it("takes complex numbers as pairs of real ones", function()
    torch.manual_seed(3)
    local function complex(n) return torch.randn(n, { dtype = torch.complex128, requires_grad = true }) end
    local function f(z, w, x) return z * w:conj() * x, (z:abs() * x):sum() end
    assert(gradcheck(f, { complex(2), complex(2), random(2) }))
    assert(gradgradcheck(f, { complex(2), complex(2), random(2) }))
    local wrong = torch.autograd.Function.extend { -- d|z|^2 is 2 z, not its conjugate
      forward = function(ctx, z)
        ctx:save_for_backward(z)
        return torch.real(z * z:conj())
      end,
      backward = function(ctx, g) return ctx:saved_tensors():conj() * g * 2 end,
    }
    equal(gradcheck(function(z) return wrong:apply(z) end, { complex(2) }, { raise_exception = false }), false)
    fails(function() gradcheck(torch.exp, complex(2):to(torch.complex64):detach():requires_grad_()) end,
      "input 1 is torch.complex64")
  end)

  it("leaves its inputs as they were", function()
    local x = random(3)
    local before = x:detach():clone()
    gradcheck(torch.sin, x)
    equal(x:detach(), before, 0)
    equal(x.grad, nil)
  end)

  it("shows both Jacobians where they differ", function()
    local x = torch.tensor({ 1, 2 }, { dtype = torch.float64, requires_grad = true })
    local text = fails(function() gradcheck(square(function(a) return a * 3 end), { x }) end,
      "Jacobian mismatch for output 1 with respect to input 1,\nnumerical: ")
    assert(text:find("\nanalytical: ", 1, true), text)
    equal(gradcheck(square(function(a) return a * 3 end), { x }, { raise_exception = false }), false)
  end)

  it("finds a backward that changes from call to call", function()
    local n = 0
    fails(function()
      gradcheck(square(function(a)
        n = n + 1
        return a * (2 + n)
      end), { random(2) })
    end, "not reentrant")
  end)

  it("wants float64 and something to check", function()
    fails(function() gradcheck(torch.exp, torch.ones(2)) end, "at least one input tensor that requires a gradient")
    fails(function() gradcheck(torch.exp, torch.ones(2, { requires_grad = true })) end, "input 1 is torch.float32")
    fails(function() gradcheck(torch.exp, random(1):detach():expand(3):requires_grad_()) end, "share memory")
    fails(function() gradcheck(3, random(1)) end, "expected a function, got a number")
  end)
end)

describe("gradgradcheck", function()
  it("checks the derivative of the derivative", function()
    torch.manual_seed(2)
    assert(gradgradcheck(function(a, b) return (a * b):sin() * a end, { random(3), random(3) }))
    local detached = square(function(a) return a:detach() * 2 end)
    assert(gradcheck(detached, { random(2) }))
    equal(gradgradcheck(detached, { random(2) }, { raise_exception = false }), false)
    assert(gradgradcheck(square(function(a) return a * 2 end), { random(2) }))
  end)
end)

describe("torch.autograd.functional", function()
  local functional = torch.autograd.functional
  local x = torch.tensor({ 1, 2 }, { dtype = torch.float64 })
  local v = torch.tensor({ 1, -1 }, { dtype = torch.float64 })
  local function f(a) return a * a:sum() end -- J = [2a + b, a; b, a + 2b]

  it("has Jacobians and their products", function()
    equal(functional.jacobian(f, x):tolist(), { { 4, 1 }, { 2, 5 } })
    local y, vjp = functional.vjp(f, x, v)
    equal(y:tolist(), { 3, 6 })
    equal(vjp:tolist(), { 2, -4 })
    local _, jvp = functional.jvp(f, x, v)
    equal(jvp:tolist(), { 3, -3 })
    local j = functional.jacobian(function(a, b) return a:sum() * b end, { x, v })
    equal(j[1]:tolist(), { { 1, 1 }, { -1, -1 } })
    equal(j[2]:tolist(), { { 3, 0 }, { 0, 3 } })
  end)

  it("has second derivatives and their products", function()
    local function cubes(a) return (a ^ 3):sum() + a:prod() end
    equal(functional.hessian(cubes, x):tolist(), { { 6, 1 }, { 1, 12 } })
    local y, hvp = functional.hvp(cubes, x, v)
    equal(y:item(), 11)
    equal(hvp:tolist(), { 5, -11 })
    fails(function() functional.hessian(f, x) end, "hessian: the function gives")
  end)
end)
