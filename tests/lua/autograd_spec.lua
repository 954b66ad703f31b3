-- Gradients as a script meets them: modes, backward, hooks, the graph, operations written in Lua.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local function leaf(...) return torch.tensor({ ... }, { requires_grad = true }) end

describe("modes", function()
  it("return what the function returns and are restored", function()
    local x = leaf(1, 2)
    local y, n = torch.no_grad(function(k) return x * k, k end, 3)
    assert(not y.requires_grad and n == 3 and torch.is_grad_enabled())
    torch.no_grad(function()
      assert(torch.enable_grad(function() return (x * 2).requires_grad end))
      assert(not torch.is_grad_enabled())
    end)
  end)

  it("are restored after an error, which passes as it is", function()
    local value = {}
    local good, problem = pcall(torch.no_grad, function() error(value) end)
    assert(not good and problem == value and torch.is_grad_enabled())
  end)

  it("hold inside a coroutine that runs within", function()
    local inside
    torch.no_grad(function() coroutine.wrap(function() inside = torch.is_grad_enabled() end)() end)
    assert(inside == false and torch.is_grad_enabled())
  end)

  it("cannot be left by a yield", function()
    local thread = coroutine.create(function() torch.no_grad(coroutine.yield) end)
    local good = coroutine.resume(thread)
    assert(not good and torch.is_grad_enabled())
  end)

  it("set_grad_enabled takes a flag, or a flag and a function", function()
    torch.set_grad_enabled(false)
    local off = torch.is_grad_enabled()
    torch.set_grad_enabled(true)
    assert(not off and not torch.set_grad_enabled(false, torch.is_grad_enabled) and torch.is_grad_enabled())
    fails(function() torch.no_grad(3) end, "no_grad: argument 'fn' must be a function")
  end)
end)

describe("backward", function()
  it("adds up in .grad, which can be cleared and set", function()
    local x = leaf(1, 2)
    ;(x * 3):sum():backward()
    ;(x * 3):sum():backward()
    equal(x.grad:tolist(), { 6, 6 })
    x.grad = nil
    equal(x.grad, nil)
    x.grad = torch.ones(2)
    fails(function() x.grad = torch.ones(3) end, "sizes (3)")
  end)

  it("takes a gradient where there is no scalar", function()
    local x = leaf(1, 2)
    fails(function() (x * 2):backward() end, "scalar")
    ;(x * 2):backward(torch.tensor { 1, 10 })
    equal(x.grad:tolist(), { 2, 20 })
    torch.autograd.backward({ x * 2, x:sum() }, { torch.ones(2) })
    equal(x.grad:tolist(), { 5, 23 })
  end)

  it("goes through a graph once, unless told to keep it", function()
    local x = leaf(2)
    local y = (x * x):sum()
    y:backward { retain_graph = true }
    y:backward()
    fails(function() y:backward() end, "second time")
    equal(x.grad:tolist(), { 8 })
  end)

  it("from a leaf, and for chosen inputs", function()
    local x, w = leaf(3), leaf(4)
    x:sum():backward()
    torch.autograd.backward(x, torch.ones(1))
    equal(x.grad:tolist(), { 2 })
    ;(x * w):sum():backward { inputs = { w } }
    equal({ x.grad:item(), w.grad:item() }, { 2, 3 })
  end)

  it("autograd.grad returns an array and touches no .grad", function()
    local x, w = leaf(3), leaf(4)
    local g = torch.autograd.grad((x * x * w):sum(), { x, w }, { create_graph = true })
    equal({ g.n, g[1]:item(), g[2]:item(), x.grad == nil }, { 2, 24, 9, true })
    equal(torch.autograd.grad(g[1]:sum(), x)[1]:item(), 8)
    fails(function() torch.autograd.grad(w:sum(), { x }) end, "unused")
    local unused = torch.autograd.grad(w:sum(), { x, w }, { allow_unused = true })
    assert(unused[1] == nil and unused[2]:item() == 1 and unused.n == 2)
  end)

  it("refuses what has no gradient", function()
    fails(function() torch.ones(1):sum():backward() end, "does not require grad")
    fails(function() torch.zeros(1, { dtype = torch.int64 }):requires_grad_() end, "floating")
    local x = leaf(1)
    fails(function() x:add_(1) end, "leaf")
    fails(function() (x * 2).requires_grad = false end, "leaf")
  end)
end)

describe("tensors in a graph", function()
  it("detach shares memory and has no history", function()
    local x = leaf(1, 2)
    local y = (x * 2):detach()
    assert(not y.requires_grad and y.is_leaf and y.grad_fn == nil)
    assert(x.data:data_ptr() == x:data_ptr() and not x.data.requires_grad)
    local z = x * 2
    assert(rawequal(z:detach_(), z) and z.is_leaf)
  end)

  it("a leaf that is detached in place leaves the graphs that hold it", function()
    local function detached()
      local x = leaf(1, 2)
      local y = (x * 2):sum()
      x:detach_()
      y:backward()
      equal({ x.requires_grad, x.grad }, { false })
    end
    detached()
    collectgarbage() -- the graph's end at x once looked for a part of x that was gone
    collectgarbage()
  end)

  it("data can be replaced", function()
    local x = leaf(1, 2)
    x.data = torch.tensor { 5, 6, 7 }
    equal({ x:size(1), x[1]:item(), x.requires_grad }, { 3, 5, true })
    fails(function() x.data = torch.zeros(2, { dtype = torch.int64 }) end, "cannot become int64")
  end)

  it("show their nodes", function()
    local x = leaf(1)
    local y = (x * 2):exp()
    equal({ tostring(y.grad_fn), y.grad_fn:name(), x.grad_fn == nil }, { "<ExpBackward0>", "ExpBackward0", true })
    local mul = y.grad_fn.next_functions[1][1]
    equal(mul:name(), "MulBackward0")
    equal(y.grad_fn:next_functions()[1][1]:name(), "MulBackward0")
    assert(mul:next_functions()[1][1]:name():find("AccumulateGrad"))
    assert(mul == y.grad_fn:next_functions()[1][1])
  end)

  it("of norms show that their results are no views, so that relu_ costs no copies", function()
    local F, x = torch.nn.functional, torch.randn({ 2, 4, 3, 3 }, { requires_grad = true })
    for _, y in ipairs { F.batch_norm(x, nil, nil, nil, nil, true), F.group_norm(x, 2), F.layer_norm(x, { 3, 3 }) } do
      equal({ y._base == nil, tostring(torch.relu_(y).grad_fn) }, { true, "<ReluBackward0>" })
    end
  end)

  it("retain_grad keeps the gradient of a result", function()
    local x = leaf(1)
    local y = x * 2
    y:retain_grad()
    ;(y * 3):sum():backward()
    equal({ y.grad:item(), y.retains_grad, x.retains_grad }, { 3, true, false })
  end)
end)

describe("hooks", function()
  it("see and replace gradients, in order, until they are removed", function()
    local x = leaf(1)
    local log = {}
    local first = x:register_hook(function(g) log[#log + 1] = g:item() return g * 2 end)
    x:register_hook(function(g) log[#log + 1] = g:item() end)
    ;(x * 3):sum():backward()
    first:remove()
    first:remove()
    ;(x * 3):sum():backward()
    equal(log, { 3, 6, 3 })
    equal(x.grad:item(), 9)
  end)

  it("on results", function()
    local x = leaf(1)
    local y = x * 2
    y:register_hook(function(g) return g * 10 end)
    y:sum():backward()
    equal(x.grad:item(), 20)
  end)

  it("errors and wrong answers reach the caller", function()
    local x = leaf(1)
    local h = x:register_hook(function() error("hook says no") end)
    fails(function() (x * 1):sum():backward() end, "hook says no")
    h:remove()
    h = x:register_hook(function() return 5 end)
    fails(function() (x * 1):sum():backward() end, "expected a tensor or nil from the function, got the number 5")
    h:remove()
    ;(x * 1):sum():backward()
    equal(x.grad:item(), 1)
    fails(function() torch.ones(1):register_hook(print) end, "does not require grad")
    fails(function() x:register_hook(5) end, "must be a function")
  end)

  it("after accumulation", function()
    local x, seen = leaf(1), nil
    x:register_post_accumulate_grad_hook(function(t) seen = t.grad:item() end)
    ;(x * 4):sum():backward()
    equal(seen, 4)
  end)

  it("may run anything, another backward included", function()
    local x, w = leaf(1), leaf(2)
    x:register_hook(function(g)
      torch.enable_grad(function() (w * 5):sum():backward() end)
      collectgarbage()
      return g
    end)
    ;(x * 3):sum():backward()
    equal({ x.grad:item(), w.grad:item() }, { 3, 5 })
  end)

  it("run in the coroutine that called backward", function()
    local x = leaf(1)
    local main, inside = coroutine.running(), nil
    x:register_hook(function() inside = coroutine.running() end)
    coroutine.wrap(function() (x * 3):sum():backward() end)()
    assert(inside ~= nil and inside ~= main)
  end)
end)

describe("a Function", function()
  local Product = torch.autograd.Function.extend {
    name = "Product",
    forward = function(ctx, a, b, k)
      ctx:save_for_backward(a, b)
      ctx.k = k
      return a * b * k
    end,
    backward = function(ctx, g)
      local a, b = ctx:saved_tensors()
      return g * b * ctx.k, g * a * ctx.k, nil
    end,
  }

  it("is an operation like any other", function()
    local x, y = leaf(2), leaf(3)
    local z = Product:apply(x, y, 10)
    equal({ z:item(), z.grad_fn:name() }, { 60, "ProductBackward" })
    z:sum():backward()
    equal({ x.grad:item(), y.grad:item() }, { 30, 20 })
    assert(not Product:apply(x:detach(), y:detach(), 1).requires_grad)
    fails(function() z:sum():backward() end, "second time")
  end)

  it("is differentiated twice", function()
    local x = leaf(2)
    local g = torch.autograd.grad(Product:apply(x, x, 1):sum(), x, { create_graph = true })[1]
    equal(g:item(), 4)
    g:sum():backward()
    equal(x.grad:item(), 2)
  end)

  it("may save its result without keeping itself alive", function()
    local Exp = torch.autograd.Function.extend {
      forward = function(ctx, x)
        local y = x:exp()
        ctx:save_for_backward(y)
        return y
      end,
      backward = function(ctx, g) return g * ctx:saved_tensors() end,
    }
    collectgarbage()
    collectgarbage()
    local start = torch.memory_allocated()
    for _ = 1, 10 do
      local x = torch.zeros(1000, { requires_grad = true })
      local y = Exp:apply(x)
      local g = torch.autograd.grad(y:sum(), x, { create_graph = true })[1]
      equal(torch.autograd.grad(g:sum(), x)[1][1]:item(), 1)
    end
    collectgarbage()
    collectgarbage()
    equal(torch.memory_allocated(), start)
  end)

  it("knows which gradients are wanted, and gets zeros for those that did not come", function()
    local needs, second
    local Two = torch.autograd.Function.extend {
      forward = function(_, a, b) return a * 2, b * 3 end,
      backward = function(ctx, g, h)
        needs, second = ctx.needs_input_grad, h
        return g * 2, h * 3
      end,
    }
    local x = leaf(1)
    local y = Two:apply(x, torch.ones(1))
    y:sum():backward()
    equal(needs, { true, false })
    equal(second:tolist(), { 0 })
    equal(x.grad:item(), 2)
  end)

  it("marks what it changed in place and what has no derivative", function()
    local Double = torch.autograd.Function.extend {
      forward = function(ctx, x)
        ctx:mark_dirty(x)
        local big = x:gt(1)
        ctx:mark_non_differentiable(big)
        return x:mul_(2), big
      end,
      backward = function(_, g) return g * 2 end,
    }
    local x = leaf(3)
    local y = x * 1
    local z, big = Double:apply(y)
    assert(rawequal(z, y) and not big.requires_grad and z.grad_fn:name():find("Backward"))
    z:sum():backward()
    equal({ z:item(), x.grad:item() }, { 6, 2 })
  end)

  it("that changes its argument in place is freed with it", function()
    local Negate = torch.autograd.Function.extend {
      forward = function(ctx, x)
        ctx:mark_dirty(x)
        return x:neg_()
      end,
      backward = function(_, g) return -g end,
    }
    local x = torch.ones(1000, { requires_grad = true })
    collectgarbage()
    collectgarbage()
    local start = torch.memory_allocated();
    (function() Negate:apply(x * 1) end)()
    collectgarbage()
    collectgarbage()
    equal(torch.memory_allocated(), start)
  end)

  it("says what is wrong", function()
    local function broken(backward)
      local F = torch.autograd.Function.extend { forward = function(_, x) return x * 2 end, backward = backward }
      return function() F:apply(leaf(1, 2)):sum():backward() end
    end
    fails(broken(function() error("no gradient today") end), "no gradient today")
    fails(broken(function() end), "returned 0 gradients for 1 argument of forward")
    fails(broken(function(_, g) return g, g end), "returned 2 gradients for 1 argument of forward")
    fails(broken(function() return "text" end), "gradient 1 is the string 'text', not a tensor or nil")
    fails(broken(function() return torch.ones(5) end), "shape (5)")
    fails(broken(function() coroutine.yield() end), "yield")
    fails(function() torch.autograd.Function.extend { forward = print } end, "'backward' must be a function")
    fails(function() Product.apply(3) end, "F:apply")
    local ctx
    local function forward(c, x)
      ctx = c
      return x * 1
    end
    torch.autograd.Function.extend({ forward = forward, backward = print }):apply(leaf(1))
    fails(function() ctx:saved_tensors() end, "only while forward or backward run")
  end)

  it("notices that a saved tensor was changed", function()
    local x, y = leaf(2), leaf(3)
    local a = y * 1
    local z = Product:apply(x, a, 1)
    a:mul_(2)
    fails(function() z:sum():backward() end, "was changed in place after it was saved")
  end)
end)

describe("saved_tensors_hooks", function()
  local hooks = torch.autograd.graph.saved_tensors_hooks

  it("decide what is kept, and give it back", function()
    local w, packed, unpacked = leaf(1, 2, 3), 0, 0
    local y = hooks(function(t)
      packed = packed + 1
      return { t * 10 }
    end, function(kept)
      unpacked = unpacked + 1
      return kept[1] / 10
    end, function() return (w * w):exp():sum() end)
    assert(packed == 3 and unpacked == 0) -- w twice, and the result of exp
    y:backward()
    assert(unpacked == 3)
    equal(w.grad, 2 * w:detach() * (w * w):detach():exp())
  end)

  it("hold for tensors that a Function saves, inputs and results", function()
    local Square = torch.autograd.Function.extend {
      forward = function(ctx, x)
        local y = x * x
        ctx:save_for_backward(x, y)
        return y
      end,
      backward = function(ctx, g)
        local x, y = ctx:saved_tensors()
        return g * 2 * y / x
      end,
    }
    local w, seen = leaf(2, 3), 0
    local y = hooks(function(t) return t:clone() end, function(t)
      seen = seen + 1
      return t
    end, function() return Square:apply(w) end)
    y:sum():backward()
    equal(w.grad, torch.tensor { 4, 6 })
    equal(seen, 2)
  end)

  it("leave second derivatives as they are", function()
    local x = torch.tensor({ 0.3, -0.7 }, { dtype = torch.float64, requires_grad = true })
    assert(torch.autograd.gradgradcheck(function(v)
      return torch.autograd.graph.save_on_cpu(function() return (v * v):exp():sigmoid() end)
    end, { x }))
  end)

  it("are called in the coroutine that computes", function()
    local w, inside = leaf(2), nil
    local y = hooks(function(t)
      inside = coroutine.running()
      return t
    end, function(t) return t end, function()
      return coroutine.wrap(function() return w * w, coroutine.running() end)()
    end)
    assert(inside)
    y:backward()
    equal(w.grad, torch.tensor { 4 })
  end)

  it("end with the function, also by an error", function()
    local w, packed = leaf(1), 0
    local function pack(t)
      packed = packed + 1
      return t
    end
    fails(function() hooks(pack, pack, function() error("enough") end) end, "enough")
    local _ = w * w
    equal(packed, 0)
  end)

  it("are told what is wrong with them", function()
    local w = leaf(1, 2)
    local function same(t) return t end
    local function through(pack, unpack, text)
      fails(function() hooks(pack, unpack, function() (w * w):sum():backward() end) end, text)
    end
    through(same, function() return 3 end, "the unpack function must return a tensor, got the number 3")
    through(same, function() return torch.ones(3) end,
      "a float32 tensor (2) was packed, unpack returned a float32 tensor (3)")
    through(function(t) return t:add_(1) end, same, "the pack function changed the tensor in place")
    through(same, 3, "argument 'unpack' must be a function")
  end)
end)

describe("numbers in operators", function()
  it("stay what they were where a derivative keeps them", function()
    local w = leaf(1, 2)
    local y = w * 2
    local z = w * 5 + 7
    (y + z):sum():backward()
    equal(w.grad, torch.tensor { 7, 7 })
    local power = w ^ 3
    local _ = w ^ 2
    w.grad = nil
    power:sum():backward()
    equal(w.grad, torch.tensor { 3, 12 })
  end)

  it("may be made in inference mode before they are recorded", function()
    local w = leaf(1, 2)
    torch.inference_mode(function() return w * 2 end)
    local y = w * 2
    y:sum():backward()
    equal(w.grad, torch.tensor { 2, 2 })
  end)

  it("may stand twice in one call", function()
    equal(torch.tensor { 0, 5, 10 }:clamp(2, 7), torch.tensor { 2, 5, 7 })
    equal(torch.where(torch.tensor { true, false }, 1, 2), torch.tensor({ 1, 2 }, { dtype = torch.int64 }))
  end)
end)

describe("a row by x[i]", function()
  it("is a view whose changes reach the history of the whole", function()
    local x, w = torch.zeros(2, 2), leaf(3)
    x[2]:mul_(0):add_(w)
    assert(x.requires_grad)
    x:sum():backward()
    equal(w.grad, torch.tensor { 2 })
  end)

  it("is recorded where the whole is", function()
    equal(torch.randn(2, 2, { requires_grad = true })[1].grad_fn:name(), "SelectBackward0")
  end)
end)

describe("the parts of a tensor", function()
  it("have one node between them, whose gradient joins theirs", function()
    local x = torch.arange(6, { dtype = torch.float32 }):requires_grad_()
    local first, last = unpack(x:split(4))
    assert(first.grad_fn == last.grad_fn)
    equal(first.grad_fn:name(), "SplitWithSizesBackward0")
    last:mul(3):sum():backward()
    equal(x.grad, torch.tensor { 0, 0, 0, 0, 3, 3 })
    local rows = torch.ones(2, 3, { requires_grad = true })
    local top, bottom = unpack(rows:unbind())
    equal(top.grad_fn:name(), "UnbindBackward0");
    (top * 2 + bottom):sum():backward()
    equal(rows.grad, torch.tensor { { 2, 2, 2 }, { 1, 1, 1 } })
  end)

  it("may be changed in place", function()
    local x = torch.ones(4, { requires_grad = true })
    local y = x * 1
    local left = y:chunk(2)[1]
    left:mul_(5)
    y:sum():backward()
    equal(x.grad, torch.tensor { 5, 5, 1, 1 })
  end)
end)
