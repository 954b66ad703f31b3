-- torch.func and torch.autograd.functional against closed forms.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local func, functional, nn = torch.func, torch.autograd.functional, torch.nn

local function vector(...) return torch.tensor({ ... }, { dtype = torch.float64 }) end
local function scalar(x) return torch.tensor(x, { dtype = torch.float64 }) end

describe("func.grad", function()
  local function cube(x) return (x ^ 3):sum() end

  it("returns the gradient as a function, which can be differentiated again", function()
    equal(func.grad(cube)(vector(1, 2)):tolist(), { 3, 12 })
    local second = func.grad(function(x) return func.grad(cube)(x):sum() end)
    equal(second(vector(1, 2)):tolist(), { 6, 12 })
    local third = func.grad(func.grad(func.grad(function(x) return x:sin() end)))
    equal(third(scalar(0.3)):item(), -math.cos(0.3))
    assert(not third(scalar(0.3)).requires_grad)
  end)

  it("goes by the arguments that argnums names", function()
    local function f(x, n, y) return (x * y ^ n):sum() end
    local x, y = vector(1, 2), vector(3, 4)
    equal(func.grad(f, 3)(x, 2, y):tolist(), { 6, 16 })
    local both = func.grad(f, { 1, 3 })(x, 2, y)
    equal({ both[1]:tolist(), both[2]:tolist() }, { { 9, 16 }, { 6, 16 } })
    fails(function() func.grad(f, 4)(x, 2, y) end, "grad: argnums has 4, but there are 3 arguments")
    fails(function() func.grad(f, 2)(x, 2, y) end, "hold no floating or complex tensor")
  end)

  it("takes tables of tensors, and gives zeros where nothing hangs on one", function()
    local g = func.grad(function(p) return (p.w * p.inner[1]):sum() end) {
      w = vector(1, 2), inner = { vector(3, 4) }, unused = vector(5), name = "p" }
    equal({ g.w:tolist(), g.inner[1]:tolist(), g.unused:tolist(), g.name }, { { 3, 4 }, { 1, 2 }, { 0 }, "p" })
  end)

  it("with a value, and with what else the function returns", function()
    local function f(x) return (x * x):sum(), x * 2, "extra" end
    local g, y = func.grad_and_value(f)(vector(3))
    equal({ g:tolist(), y:item() }, { { 6 }, 9 })
    assert(not y.requires_grad)
    local g2, double, text = func.grad(f, { has_aux = true })(vector(3))
    equal({ g2:tolist(), double:tolist(), text }, { { 6 }, { 6 }, "extra" })
    equal(select("#", func.grad(f)(vector(3))), 1)
    equal(select("#", func.grad_and_value(f, { has_aux = true })(vector(3))), 4)
  end)

  it("passes gradients on to arguments that want them", function()
    local x = vector(2):requires_grad_()
    func.grad(cube)(x):sum():backward()
    equal(x.grad:tolist(), { 12 })
    torch.no_grad(function() equal(func.grad(cube)(vector(2)):tolist(), { 12 }) end)
  end)

  it("says what is wrong", function()
    fails(function() func.grad(3) end, "grad: expected a function, got a number")
    fails(function() func.grad(function(x) return x end)(vector(1, 2)) end, "grad: the function gives torch.Size([2])")
    fails(function() func.grad(function() return 3 end)(vector(1)) end, "grad: the function gives a number")
    fails(function() func.grad(cube, {})(vector(1)) end, "argnums is a position or a list of them")
  end)
end)

describe("products and Jacobians", function()
  local function f(x, y) return x * y, x:sum() end

  it("func.vjp gives the results and a function", function()
    local out, back = func.vjp(f, vector(1, 2), vector(3, 4))
    equal({ out[1]:tolist(), out[2]:item() }, { { 3, 8 }, 3 })
    for _ = 1, 2 do
      local gx, gy = back(vector(1, 10), scalar(100)) -- x: v y + 100, y: v x
      equal({ gx:tolist(), gy:tolist() }, { { 103, 140 }, { 1, 20 } })
    end
    fails(function() back(vector(1, 10)) end, "vjp: the function has 2 results, there are 1 vectors")
  end)

  it("func.jvp moves the results along", function()
    local out, tangent = func.jvp(f, { vector(1, 2), vector(3, 4) }, { vector(1, 0), vector(0, 1) })
    equal({ out[1]:tolist(), tangent[1]:tolist(), tangent[2]:item() }, { { 3, 8 }, { 3, 2 }, 1 })
    local y, t = func.jvp(torch.sin, { vector(0.5) }, { vector(2) })
    equal({ y:tolist(), t:tolist() }, { { math.sin(0.5) }, { 2 * math.cos(0.5) } })
  end)

  it("func.jacrev, jacfwd and hessian", function()
    local function outer(x, y) return torch.outer(x, y) end
    local j = func.jacrev(outer, 2)(vector(1, 2), vector(3, 4)) -- d x_i y_j / d y_k = x_i [j = k]
    equal(j:tolist(), { { { 1, 0 }, { 0, 1 } }, { { 2, 0 }, { 0, 2 } } })
    equal(#func.jacfwd(outer, { 1, 2 })(vector(1, 2), vector(3, 4)), 2)
    equal(func.hessian(function(x) return x[1] ^ 2 * x[2] end)(vector(2, 3)):tolist(), { { 6, 4 }, { 4, 0 } })
  end)
end)

describe("func.functional_call", function()
  local Net = torch.class("Net", nn.Module)
  function Net:init()
    self.a = nn.Linear(2, 2, false)
    self.b = nn.Linear(2, 2, false)
    self.b.weight = self.a.weight
    self.shift = torch.zeros(2)
  end
  function Net:forward(x) return self.b(self.a(x)) + self.shift, "more" end

  it("replaces tensors for the call, shared ones everywhere", function()
    local net = Net()
    local weight = net.a.weight
    local y, more = func.functional_call(net, { ["a.weight"] = torch.eye(2) * 3, shift = torch.ones(2) },
      torch.ones(2))
    equal({ y:tolist(), more }, { { 10, 10 }, "more" })
    assert(net.a.weight == weight and net.b.weight == weight and #net:parameters() == 1)
    equal(net.shift:tolist(), { 0, 0 })
  end)

  it("gives gradients by name, and restores after an error", function()
    local m = nn.Linear(2, 1)
    local parameters = {}
    for name, p in m:named_parameters() do parameters[name] = p:detach() end
    local g = func.grad(function(p, x) return func.functional_call(m, p, x):sum() end)(parameters, torch.ones(3, 2))
    equal({ g.weight:tolist(), g.bias:tolist() }, { { { 3, 3 } }, { 3 } })
    equal(m.weight.grad, nil)
    local weight = m.weight
    fails(function() func.functional_call(m, { weight = torch.zeros(1, 2) }, torch.ones(5)) end, "Linear(in_features=2")
    assert(m.weight == weight)
    fails(function() func.functional_call(m, { scale = torch.ones(1) }, 1) end, "Linear has no parameter or buffer")
    fails(function() func.functional_call(m, { weight = 1 }, 1) end, "'weight' is not a tensor but a number")
    fails(function() func.functional_call(3, {}) end, "functional_call: expected a module, got a number")
  end)

  it("runs the members of a stack", function()
    local nets = { nn.BatchNorm1d(2), nn.BatchNorm1d(2) }
    nets[2].weight:detach():fill_(5)
    local parameters, buffers = func.stack_module_state(nets)
    equal(parameters.weight:tolist(), { { 1, 1 }, { 5, 5 } })
    equal(buffers.running_var:size(), { 2, 2 })
    assert(parameters.weight.requires_grad and parameters.weight.is_leaf)
    fails(function() func.stack_module_state { nn.ReLU(), nn.Tanh() } end, "module 2 is a Tanh, the first a ReLU")
  end)
end)

describe("autograd.functional", function()
  local x, y = vector(1, 2), vector(3, 4):reshape(2, 1)
  local v = { vector(1, 2), vector(1, -1):reshape(2, 1) }
  local function two(a, b) return a * b:sum() + a ^ 2, a:sum() * b ^ 2 end
  local function cubes(a, b) return (a ^ 3):sum() * b:sum() end

  it("has all derivatives of several outputs by several inputs", function()
    local j = functional.jacobian(two, { x, y })
    -- d (a_i s + a_i^2) / d a_j = (s + 2 a_i) [i = j], by b_j: a_i; d (t b_i^2) / d a_j = b_i^2, by b_j:
    -- 2 t b_i [i = j]
    equal(j[1][1]:tolist(), { { 9, 0 }, { 0, 11 } })
    equal(j[1][2]:tolist(), { { { 1 }, { 1 } }, { { 2 }, { 2 } } })
    equal(j[2][1]:tolist(), { { { 9, 9 } }, { { 16, 16 } } })
    equal(j[2][2]:tolist(), { { { { 18 }, { 0 } } }, { { { 0 }, { 24 } } } })
  end)

  it("multiplies them by vectors from both sides", function()
    local out, vjp = functional.vjp(two, { x, y }, v)
    equal({ out[1]:tolist(), out[2]:tolist() }, { { 8, 18 }, { { 27 }, { 48 } } })
    equal({ vjp[1]:tolist(), vjp[2]:tolist() }, { { 2, 15 }, { { 23 }, { -19 } } })
    local _, jvp = functional.jvp(two, { x, y }, v)
    equal({ jvp[1]:tolist(), jvp[2]:tolist() }, { { 9, 22 }, { { 45 }, { 24 } } })
  end)

  it("has second derivatives", function()
    local h = functional.hessian(cubes, { x, y })
    equal(h[1][1]:tolist(), { { 42, 0 }, { 0, 84 } })
    equal(h[1][2]:tolist(), { { { 3 }, { 3 } }, { { 12 }, { 12 } } })
    equal(h[2][2]:tolist(), { { { { 0 }, { 0 } } }, { { { 0 }, { 0 } } } })
    for _, product in ipairs { functional.hvp, functional.vhp } do
      local value, list = product(cubes, { x, y }, v)
      equal({ value:item(), list[1]:tolist(), list[2]:tolist() }, { 63, { 42, 168 }, { { 27 }, { 27 } } })
    end
  end)

  it("differentiates again with create_graph, and only then", function()
    local a = vector(1, 2):requires_grad_()
    local j = functional.jacobian(function(t) return t ^ 3 end, a, { create_graph = true })
    j:sum():backward()
    equal(a.grad:tolist(), { 6, 12 })
    assert(not functional.jacobian(function(t) return t ^ 3 end, a).requires_grad)
    a.grad = nil
    local _, h = functional.hvp(function(t) return (t ^ 3):sum() end, a, vector(1, 1), { create_graph = true })
    h:sum():backward()
    equal(a.grad:tolist(), { 6, 6 })
  end)

  it("takes independence for zero, or with strict for an error", function()
    local function first(a) return a * 2 end
    equal(functional.jacobian(first, { x, y })[2]:size(), { 2, 2, 1 })
    equal(functional.hessian(torch.sum, x):tolist(), { { 0, 0 }, { 0, 0 } })
    equal(functional.jacobian(function() return vector(1) end, x):tolist(), { { 0, 0 } })
    fails(function() functional.jacobian(first, { x, y }, { strict = true }) end, "jacobian: no output hangs on")
    fails(function() functional.hessian(torch.sum, x, { strict = true }) end, "hessian (first derivative): ou")
    fails(function() functional.hvp(torch.sum, x, x, { strict = true }) end, "hvp (first derivative): output 1")
    fails(function() functional.vjp(function() return x end, x, x, { strict = true }) end, "vjp: output 1 does")
  end)

  it("says what is wrong with its arguments", function()
    fails(function() functional.vjp(torch.exp, x) end, "vjp: v is needed unless there is a single output")
    fails(function() functional.jvp(torch.exp, x, vector(1)) end, "jvp: v 1 is torch.Size([1]), the input")
    fails(function() functional.vjp(torch.exp, x, { x, x }) end, "vjp: v has 2 tensors, there are 1 outputs")
    fails(function() functional.jacobian(torch.exp, 3) end, "jacobian: inputs are a tensor or a list of them")
    fails(function() functional.jacobian(torch.exp, { 3 }) end, "jacobian: input 1 is not a tensor but a number")
    fails(function() functional.jacobian(3, x) end, "jacobian: func is a function, got a number")
    fails(function() functional.jacobian(function() return 3 end, x) end, "result 1 of the function is not a tensor")
    fails(function() functional.hessian(torch.exp, x) end, "hessian: the function gives torch.Size([2]), not a single")
  end)
end)

describe("gradients of real functions of complex numbers", function()
  -- The gradient by z = x + iy is df/dx + i df/dy; these are PyTorch's numbers at 1 + 2i and 3 - i.
  local function at() return torch.complex(vector(1, 3), vector(2, -1)):requires_grad_() end
  for name, row in pairs {
    ["z conj(z)"] = { function(z) return torch.real(z * z:conj()):sum() end, { 2, 6 }, { 4, -2 } },
    ["|z|"] = { function(z) return z:abs():sum() end, { 0.447214, 0.948683 }, { 0.894427, -0.316228 } },
    ["Re z^3"] = { function(z) return torch.real(z ^ 3):sum() end, { -9, 24 }, { -12, 18 } },
    ["Im exp z"] = { function(z) return torch.imag(z:exp()):sum() end, { 2.471727, -16.901398 },
      { -1.131204, 10.852262 } },
    ["arg z"] = { function(z) return z:angle():sum() end, { -0.4, 0.1 }, { 0.2, 0.3 } },
    ["Re z (Im z)^2"] = { function(z) return (torch.real(z) * torch.imag(z) ^ 2):sum() end, { 4, 1 }, { 4, -6 } },
    ["the norm"] = { function(z) return torch.linalg.vector_norm(z) end, { 0.258199, 0.774597 },
      { 0.516398, -0.258199 } },
    ["Re sqrt z"] = { function(z) return torch.real(z:sqrt()):sum() end, { 0.284432, 0.27754 },
      { 0.175789, -0.045039 } },
    ["Im log z"] = { function(z) return torch.imag(z:log()):sum() end, { -0.4, 0.1 }, { 0.2, 0.3 } },
    ["Re 1 / z"] = { function(z) return torch.real(1 / z):sum() end, { 0.12, -0.08 }, { -0.16, 0.06 } },
    ["|fft z|"] = { function(z) return torch.fft.fft(z):abs():sum() end, { 0.415442, 1.524843 },
      { 1.074586, -0.589515 } },
    ["Re of the product"] = { function(z) return torch.real(z:prod()) end, { 3, 1 }, { 1, -2 } },
    ["Im tanh z"] = { function(z) return torch.imag(z:tanh()):sum() end, { 0.568103, 0.009053 },
      { -0.302002, -0.004094 } },
    ["Re z^z"] = { function(z) return torch.real(z:pow(z)):sum() end, { -0.513081, -31.900524 },
      { 0.064608, 38.321854 } },
    ["as pairs of numbers"] = { function(z) return (torch.view_as_real(z) ^ 2):sum() end, { 2, 6 }, { 4, -2 } },
  } do
    it(name, function()
      local z = at()
      row[1](z):backward()
      equal(torch.real(z.grad):tolist(), row[2], 1e-5)
      equal(torch.imag(z.grad):tolist(), row[3], 1e-5)
      torch.autograd.gradcheck(row[1], { at() })
    end)
  end

  it("is real for real arguments of complex functions", function()
    local w = vector(1, 2):requires_grad_()
    ;(w * torch.complex(vector(0, 2), vector(1, 1))):abs():sum():backward()
    equal(w.grad, vector(1, math.sqrt(5)))
  end)

  it("Jacobians of complex functions are conjugate", function()
    local z = at():detach()
    local j = functional.jacobian(function(t) return t ^ 2 end, z)
    equal({ torch.real(j):tolist(), torch.imag(j):tolist() }, { { { 2, 0 }, { 0, 6 } }, { { -4, 0 }, { 0, 2 } } })
  end)
end)
