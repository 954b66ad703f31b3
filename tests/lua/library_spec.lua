-- torch.library: operators written in Lua; x:data(): elements for LuaJIT's FFI.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local define = torch.library.define

define("spec.scaled(Tensor self, *, Scalar by=2) -> Tensor", {
  doc = "x times `by`.",
  forward = function(x, by) return x * by end,
})
define("spec_scaled(Tensor self, *, Scalar by=2) -> Tensor", { forward = function(x, by) return x * by end })
define("spec_square(Tensor self) -> Tensor", {
  forward = function(ctx, x)
    ctx:save_for_backward(x)
    return x:detach() ^ 2
  end,
  backward = function(ctx, g) return 2 * g * ctx:saved_tensors() end,
})
define("spec_split(Tensor self, Dim dim, int[2] sizes=1, Tensor[] more=[]) -> (Tensor a, Tensor b)", {
  forward = function(x, dim, sizes, more)
    return x:narrow(dim, 1, sizes[1]), x:narrow(dim, 1 + sizes[1], sizes[2]) + #more
  end,
})

describe("an operator of torch.library", function()
  local x = torch.tensor { 1, 2, 3 }

  it("is a function, a method and an in-place method, and writes to out=", function()
    equal(torch.spec.scaled(x), { 2, 4, 6 })
    equal(torch.spec_scaled(x, { by = 3 }), { 3, 6, 9 })
    equal(x:spec_scaled { by = 3 }, { 3, 6, 9 })
    local y = x:clone()
    assert(rawequal(y:spec_scaled_(), y))
    equal(y, { 2, 4, 6 })
    local out = torch.empty(3)
    torch.spec_scaled(x, { out = out })
    equal(out, { 2, 4, 6 })
  end)

  it("checks its arguments by its signature", function()
    fails(function() x:spec_scaled(3) end, "spec_scaled: takes at most 1 positional argument, got 2")
    fails(function() x:spec_scaled { buy = 3 } end, "spec_scaled: unknown argument 'buy', did you mean 'by'?")
    fails(function() x:spec_split(2) end, "spec_split: dim 2 is out of range for a tensor with 1 dimension")
  end)

  it("gets dimensions as Lua counts them, numbers as lists, and returns several results", function()
    local a, b = torch.arange(8):reshape(2, 4):spec_split { dim = -1, more = { x, x } }
    equal(a, { { 0 }, { 4 } })
    equal(b, { { 3 }, { 7 } })
  end)

  it("is differentiated through what it calls, or by its backward", function()
    local v = torch.tensor({ 0.5, -2 }, { dtype = torch.float64, requires_grad = true })
    assert(torch.autograd.gradgradcheck(torch.spec_scaled, { v }))
    assert(torch.autograd.gradgradcheck(torch.spec_square, { v }))
    equal(tostring(v:spec_square().grad_fn), "<spec_squareBackward>")
    local y = (v * 1):spec_scaled_()
    y:sum():backward()
    equal(v.grad, { 2, 2 })
  end)

  it("runs on meta tensors, and is seen by the profiler", function()
    equal(torch.empty(2, 3, { device = "meta" }):spec_scaled():size(), torch.Size { 2, 3 })
    local p = torch.profiler.profile(function() x:spec_scaled() end, { print = false })
    local keys = {}
    for _, e in ipairs(p:key_averages()) do keys[e.key] = e.count end
    assert(keys.spec_scaled == 1 and keys.mul == 1)
  end)

  it("passes errors of its functions on", function()
    define("spec_wrong(Tensor self) -> Tensor", { forward = function(t) return t:sum(7) end })
    fails(function() x:spec_wrong() end, "sum: dim 7 is out of range")
    define("spec_wrong(Tensor self) -> Tensor", { forward = function() return 3 end })
    fails(function() x:spec_wrong() end, "spec_wrong: forward must return a tensor, got the number 3")
    define("spec_wrong(Tensor self) -> Tensor", { forward = function(t) return t, t end })
    fails(function() x:spec_wrong() end, "its signature has 1 result, forward returned 2")
    equal(x:spec_scaled(), { 2, 4, 6 })
  end)

  it("is refused with a wrong declaration", function()
    local impl = { forward = function(t) return t end }
    fails(function() define("add(Tensor self) -> Tensor", impl) end, "there is an operator 'add' already")
    fails(function() define("spec_(Tensor self) -> Tensor", impl) end, "in-place forms come by themselves")
    fails(function() define("spec(Tensor self)", impl) end, "has no result")
    fails(function() define("spec(any x) -> Tensor", impl) end, "parameter 'x' needs a type")
    fails(function() define("spec(Tensor self) -> Tensor", {}) end, "'forward' must be a function, got nil")
    fails(function() define("spec(Tensor", impl) end, "signature 'spec(Tensor'")
    fails(function() define("spec(Tensor self) -> Tensor") end, "expected a table with 'forward', got nothing")
  end)
end)

describe("x:data()", function()
  it("is the tensor's own memory, of its type", function()
    for _, dtype in ipairs { "uint8", "int8", "int16", "int32", "int64", "float32", "float64" } do
      local x = torch.tensor({ 1, 2, 3 }, { dtype = torch[dtype] })
      local p = x:data()
      p[1] = 7
      equal(x, { 1, 7, 3 })
      equal(tonumber(p[2]), 3)
      equal(tonumber(x:narrow(1, 3, 1):data()[0]), 3)
    end
    assert(torch.tensor({ true, false }):data()[0] == true)
    local z = torch.tensor({ 1 }, { dtype = torch.complex128 })
    z:data()[0] = require("ffi").new("complex", 1, 2)
    equal(torch.view_as_real(z), { { 1, 2 } })
  end)

  it("needs dense memory of the CPU", function()
    fails(function() return torch.ones(2, 3):t():data() end, "data: expected a dense tensor")
    fails(function() return torch.ones(2, { device = "meta" }):data() end, "this one is on meta")
  end)

  it("leaves x.data a tensor, and calls of tensors an error", function()
    local x = torch.ones(2, { requires_grad = true })
    assert(torch.is_tensor(x.data) and not x.data.requires_grad)
    fails(function() return x(1) end, "a tensor cannot be called")
  end)
end)
