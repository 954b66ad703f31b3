local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local attend = torch.nn.functional.scaled_dot_product_attention

-- softmax(q k^T / sqrt(E) + mask) v as it is written.
local function by_formula(q, k, v, mask)
  local scores = q:matmul(k:transpose(-1, -2)) / math.sqrt(q:size(-1))
  if mask then scores = scores + mask end
  return torch.softmax(scores, -1):matmul(v)
end

-- 0 where row i may see column j <= i, minus infinity elsewhere.
local function causal(L, S)
  return torch.full({ L, S }, -math.huge):triu(1)
end

-- Results and gradients of two ways to compute agree.
local function agree(got, wanted, inputs, within)
  equal(got, wanted, within)
  local seed = torch.randn(got:size(), { dtype = got.dtype })
  local g, h = torch.autograd.grad(got, inputs, seed), torch.autograd.grad(wanted, inputs, seed)
  for i in ipairs(inputs) do equal(g[i], h[i], within) end
end

describe("scaled_dot_product_attention", function()
  torch.manual_seed(1)
  local function leaf(...) return torch.randn(...):requires_grad_() end

  it("is the formula, for few and for many positions", function()
    for _, sizes in ipairs { { 1, 1, 1 }, { 5, 5, 4 }, { 7, 3, 16 }, { 130, 140, 8 }, { 300, 17, 33 } } do
      local L, S, E = unpack(sizes)
      local q, k, v = leaf(2, 3, L, E), leaf(2, 3, S, E), leaf(2, 3, S, 6)
      agree(attend(q, k, v), by_formula(q, k, v), { q, k, v }, 1e-4)
      agree(attend(q, k, v, { is_causal = true }), by_formula(q, k, v, causal(L, S)), { q, k, v }, 1e-4)
    end
  end)

  it("takes masks of bools and of numbers that broadcast, and a scale", function()
    local q, k, v = leaf(2, 3, 4, 5), leaf(2, 3, 6, 5), leaf(2, 3, 6, 5)
    local seen = torch.rand(2, 1, 4, 6):gt(0.3)
    seen:select(4, 1):fill_(true)
    local penalties = torch.zeros(2, 1, 4, 6):masked_fill_(seen:logical_not(), -math.huge)
    agree(attend(q, k, v, { attn_mask = seen }), by_formula(q, k, v, penalties), { q, k, v }, 1e-4)
    local added = torch.randn(4, 6)
    agree(attend(q, k, v, { attn_mask = added }), by_formula(q, k, v, added), { q, k, v }, 1e-4)
    added:requires_grad_()
    agree(attend(q, k, v, { attn_mask = added }), by_formula(q, k, v, added), { q, k, v, added }, 1e-4)
    agree(attend(q, k, v, { scale = 0.5 }), by_formula(q * 0.5 * math.sqrt(5), k, v), { q, k, v }, 1e-4)
  end)

  it("reads queries, keys and values where they lie", function()
    local x = leaf(2, 7, 3 * 4 * 5)
    local function parts() return x:view(2, 7, 3, 4, 5):permute(3, 1, 4, 2, 5) end
    local p = parts()
    local y = attend(p[1], p[2], p[3], { is_causal = true })
    assert(y:transpose(2, 3):is_contiguous(), "heads lie side by side")
    agree(y, by_formula(p[1], p[2], p[3], causal(7, 7)), { x }, 1e-4)
    local one = leaf(1, 1, 1, 5)
    local k, v = one:expand(2, 3, 4, 5), leaf(2, 3, 5, 4):transpose(-1, -2)
    agree(attend(k, k, v), by_formula(k, k, v), { one }, 1e-4)
  end)

  it("has second derivatives", function()
    local function random() return torch.randn(1, 2, 3, 2, { dtype = torch.float64 }):requires_grad_() end
    local inputs = { random(), random(), random() }
    local function fn(q, k, v) return attend(q, k, v, { is_causal = true }) end
    assert(torch.autograd.gradcheck(fn, inputs))
    assert(torch.autograd.gradgradcheck(fn, inputs))
  end)

  it("has the same numbers with any number of threads", function()
    local q, k, v = leaf(3, 4, 200, 16), leaf(3, 4, 150, 16), leaf(3, 4, 150, 16)
    local threads, results = torch.get_num_threads(), {}
    for n = 1, 3 do
      torch.set_num_threads(n)
      local y = attend(q, k, v)
      results[n] = { y, unpack(torch.autograd.grad(y:square():sum(), { q, k, v })) }
    end
    torch.set_num_threads(threads)
    for n = 2, 3 do
      for i, t in ipairs(results[n]) do assert(torch.equal(t, results[1][i]), i) end
    end
  end)

  it("of a query that may see nothing is NaN, as softmax of nothing is", function()
    local q = torch.randn(1, 1, 2, 3)
    local y = attend(q, q, q, { attn_mask = torch.tensor { { true, true }, { false, false } } })
    equal(y:isnan():select(4, 1):view(-1), { false, true })
  end)

  it("says what does not fit", function()
    local q = torch.zeros(1, 2, 3, 4)
    fails(function() attend(q, torch.zeros(1, 2, 3, 5), q) end, "differ in their last size")
    fails(function() attend(q, q, q, { attn_mask = torch.ones(2, 3):bool() }) end,
      "sizes (2, 3) and (1, 2, 3, 3) do not broadcast at dimension 3")
    fails(function() attend(q, q, q, { attn_mask = torch.ones(3, 3), is_causal = true }) end,
      "give either attn_mask or is_causal, not both")
  end)
end)
