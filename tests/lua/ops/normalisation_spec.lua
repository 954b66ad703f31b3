local torch = require "torch"
local spec = require "spec"
local describe, it, cases, equal, fails = spec.describe, spec.it, spec.cases, spec.equal, spec.fails
local F = torch.nn.functional

torch.manual_seed(3)

-- The moments by their definition: of x over dims, kept.
local function standardised(x, dims, eps)
  local centred = x - x:mean(dims, true)
  return centred / (centred * centred):mean(dims, true):add(eps or 1e-5):sqrt()
end
local function random(...)
  return torch.randn({ ... }, { dtype = torch.float64 })
end

local x, w, b = random(4, 3, 5), random(5), random(5)
cases("nn.functional.layer_norm", {
  { "without weights", x, { 5 }, gives = standardised(x, { 3 }) },
  { "with weights", x, { 5 }, w, b, gives = standardised(x, { 3 }) * w + b },
  { "with a bias only", x, { 5 }, { bias = b }, gives = standardised(x, { 3 }) + b },
  { "over two dimensions", x, { 3, 5 }, w:expand(3, 5), b:expand(3, 5), 0.5,
    gives = standardised(x, { 2, 3 }, 0.5) * w + b },
  { "other sizes", x, { 4 }, fails = "layer_norm: input (4, 3, 5) does not end in normalized_shape (4)" },
  { "no sizes", x, {}, fails = "layer_norm: normalized_shape needs at least one size" },
  { "a weight of another size", x, { 5 }, random(4), fails = "layer_norm: weight must have sizes (5), got (4)" },
})

local images, wc, bc = random(2, 6, 3, 2), random(6), random(6)
local function per_channel(t) return t:reshape(6, 1, 1) end
local grouped = standardised(images:reshape(2, 3, 2, 3, 2), { 3, 4, 5 }):reshape(2, 6, 3, 2)
cases("nn.functional.group_norm", {
  { "without weights", images, 3, gives = grouped },
  { "with weights", images, 3, wc, bc, gives = grouped * per_channel(wc) + per_channel(bc) },
  { "groups that do not fit", images, 4, fails = "group_norm: 6 channels cannot be divided into 4 groups" },
  { "no groups", images, 0, fails = "group_norm: 6 channels cannot be divided into 0 groups" },
  { "one element in each group", random(1, 6), 6, fails = "group_norm: expected more than 1 element in each group" },
})

cases("nn.functional.instance_norm", {
  { "each channel by itself", images, gives = standardised(images, { 3, 4 }) },
  { "with weights", images, { weight = wc, bias = bc },
    gives = standardised(images, { 3, 4 }) * per_channel(wc) + per_channel(bc) },
  { "single elements", random(2, 3, 1), fails = "instance_norm: expected more than 1 element in each channel" },
})

local batch = standardised(images, { 1, 3, 4 }) * per_channel(wc) + per_channel(bc)
local mean, var = random(6), random(6):abs()
cases("nn.functional.batch_norm", {
  { "of the batch", images, nil, nil, wc, bc, true, gives = batch },
  { "of running statistics", images, mean, var, wc, bc, false,
    gives = (images - per_channel(mean)) / per_channel(var):add(1e-5):sqrt() * per_channel(wc) + per_channel(bc),
    grad = false },
  { "no statistics", images, fails = "batch_norm: running_mean and running_var are needed when not training" },
  { "statistics of another size", images, random(5), random(6), fails = "running_mean must have 6 elements, got (5)" },
  { "one element for each channel", random(1, 6), { training = true },
    fails = "batch_norm: expected more than 1 element in each channel in training, got input (1, 6)" },
  { "one dimension", random(6), fails = "batch_norm: the input must have at least 2 dimensions" },
})

describe("normalisations", function()
  it("agree on long rows and planes, in float32 too", function()
    for _, size in ipairs { 15, 16, 17, 33, 4097, 20000 } do
      local y = random(3, 2, size) * 3 + 100
      equal(F.batch_norm(y, nil, nil, nil, nil, true), standardised(y, { 1, 3 }), 1e-9)
      equal(F.group_norm(y, 1), standardised(y, { 2, 3 }), 1e-9)
      equal(F.layer_norm(y, { size }), standardised(y, { 3 }), 1e-9)
      equal(F.layer_norm(y:float(), { size }), standardised(y, { 3 }):float(), 1e-4)
      equal(F.batch_norm(y:float(), nil, nil, nil, nil, true), standardised(y, { 1, 3 }):float(), 1e-4)
    end
    local columns = random(300, 700) - 50
    equal(F.batch_norm(columns, nil, nil, nil, nil, true), standardised(columns, { 1 }), 1e-9)
  end)

  it("have the gradients of their definition on long rows and planes", function()
    local function gradients(f, y, ...)
      local inputs = {}
      for i, t in ipairs { y, ... } do inputs[i] = t:clone():requires_grad_() end
      local g = torch.arange(y:numel(), { dtype = torch.float64 }):cos():reshape(y:size())
      f(unpack(inputs)):mul(g):sum():backward()
      for i, t in ipairs(inputs) do inputs[i] = t.grad end
      return inputs
    end
    local function same(f, definition, ...)
      local got, expected = gradients(f, ...), gradients(definition, ...)
      for i = 1, #got do equal(got[i], expected[i], 1e-8) end
    end
    for _, size in ipairs { 3, 40, 5000 } do
      local y = random(40, 4, size)
      local function channels(t) return t:reshape(4, 1) end
      same(function(a, u, v) return F.batch_norm(a, nil, nil, u, v, true) end,
        function(a, u, v) return standardised(a, { 1, 3 }) * channels(u) + channels(v) end, y, random(4), random(4))
      same(function(a, u, v) return F.group_norm(a, 2, u, v) end, function(a, u, v)
        return standardised(a:reshape(40, 2, 2, size), { 3, 4 }):reshape(40, 4, size) * channels(u) + channels(v)
      end, y, random(4), random(4))
      same(function(a, u, v) return F.layer_norm(a, { size }, u, v) end,
        function(a, u, v) return standardised(a, { 3 }) * u + v end, y, random(size), random(size))
      same(function(a) return F.layer_norm(a, { size }) end, function(a) return standardised(a, { 3 }) end, y)
    end
  end)

  it("do not depend on the number of threads", function()
    local y, threads = torch.randn(64, 4, 50, { requires_grad = true }), torch.get_num_threads()
    local results = {}
    for n = 1, 3 do
      torch.set_num_threads(n)
      y.grad = nil
      local u, v = torch.ones(50, { requires_grad = true }), torch.zeros(50, { requires_grad = true })
      F.layer_norm(F.batch_norm(y, nil, nil, nil, nil, true), { 50 }, u, v):square():sum():backward()
      results[n] = { y.grad, u.grad, v.grad }
    end
    torch.set_num_threads(threads)
    for i = 1, 3 do
      assert(torch.equal(results[1][i], results[2][i]) and torch.equal(results[1][i], results[3][i]))
    end
  end)

  it("move running statistics towards the batch's", function()
    local y, m, v = random(8, 2, 3), torch.zeros(2, { dtype = torch.float64 }), torch.ones(2, { dtype = torch.float64 })
    F.batch_norm(y, m, v, nil, nil, true, 0.25)
    equal(m, y:mean { 1, 3 } * 0.25)
    equal(v, y:var { 1, 3 } * 0.25 + 0.75)
    local before = m:clone()
    F.batch_norm(y, m, v)
    equal(m, before)
    F.instance_norm(y, m:zero_(), v:fill_(1), { momentum = 1 })
    equal(m, y:mean { 1, 3 })
    equal(v, y:var { 3 }:mean(1))
  end)

  it("give their moments in the native forms", function()
    local y, m, r = torch.native_layer_norm(x, { 5 }, w, b, 1e-5)
    equal(y, F.layer_norm(x, { 5 }, w, b))
    equal(m, x:mean({ 3 }, true))
    equal(r, x:var { dim = 3, correction = 0, keepdim = true }:add(1e-5):rsqrt())
    local z, n = torch.native_batch_norm(images, nil, nil, nil, nil, true, 0.1, 1e-5)
    equal(z, standardised(images, { 1, 3, 4 }))
    equal(n, images:mean { 1, 3, 4 })
  end)

  it("compute halves in float32", function()
    local half = (torch.randn(4, 100) + 5):to(torch.bfloat16)
    equal(F.layer_norm(half, { 100 }), F.layer_norm(half:float(), { 100 }):to(torch.bfloat16))
    assert(F.batch_norm(half, nil, nil, nil, nil, true).dtype == torch.bfloat16)
  end)

  it("infer sizes on meta", function()
    local y = torch.empty(2, 4, 3, { device = "meta", requires_grad = true })
    local z = F.layer_norm(F.group_norm(F.batch_norm(y, nil, nil, nil, nil, true), 2), { 3 })
    assert(z.device.type == "meta" and z:size(2) == 4)
    z:sum():backward()
  end)

  it("refuse integers", function()
    local whole = torch.ones(2, 3, { dtype = torch.int64 })
    fails(function() F.layer_norm(whole, { 3 }) end, "layer_norm: expected floating numbers, got int64")
    fails(function() F.batch_norm(whole, nil, nil, nil, nil, true) end, "batch_norm: expected floating numbers")
  end)
end)

local a, c = torch.tensor { { 3, 4 }, { 1, 0 } }, torch.tensor { { 4, 3 }, { 0, 2 } }
cases("nn.functional.cosine_similarity", {
  { "of rows", a, c, gives = { 24 / 25, 0 } },
  { "along the first dimension", a, c, 1, gives = { 12 / math.sqrt(160), 12 / math.sqrt(16 * 13) } },
  { "broadcast", a, torch.tensor { 0, 5 }, gives = { 0.8, 0 } },
  { "a zero vector", torch.zeros(1, 2), torch.ones(1, 2), gives = { 0 }, grad = false },
  { "a dim beyond", a, c, 3, fails = "cosine_similarity: dim 3 is out of range for 2 dimensions" },
})

cases("nn.functional.normalize", {
  { "rows", torch.tensor { { 3, 4 }, { 0, 2 } }, gives = { { 0.6, 0.8 }, { 0, 1 } } },
  { "by the 1-norm of columns", torch.tensor { { 1, -2 }, { 3, 2 } }, 1, 1, gives = { { 0.25, -0.5 }, { 0.75, 0.5 } } },
})

cases("nn.functional.bilinear", {
  { "with bias", torch.tensor { { 1, 2 } }, torch.tensor { { 3, 4, 5 } },
    torch.tensor { { { 1, 0, 0 }, { 0, 1, 0 } }, { { 0, 0, 1 }, { 0, 0, 0 } } }, torch.tensor { 10, 20 },
    gives = { { 1 * 3 + 2 * 4 + 10, 1 * 5 + 20 } } },
  { "a weight of other sizes", torch.ones(1, 2), torch.ones(1, 3), torch.ones(4, 2, 2),
    fails = "expect a weight of sizes (O, 2, 3), got (4, 2, 2)" },
})
