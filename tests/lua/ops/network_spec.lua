local torch = require "torch"
local spec = require "spec"
local describe, it, cases, equal, fails = spec.describe, spec.it, spec.cases, spec.equal, spec.fails
local F = torch.nn.functional

torch.manual_seed(5)

describe("dropout", function()
  local x = torch.ones(100, 200)

  it("leaves out a share and scales the rest", function()
    local y = F.dropout(x, 0.25)
    local kept = y:ne(0):float():mean():item()
    assert(math.abs(kept - 0.75) < 0.02, kept)
    equal(y:max(), 4 / 3)
  end)
  it("is nothing outside of training, without p, and for nothing", function()
    assert(F.dropout(x, 0.5, false) == x and F.dropout(x, 0) == x and F.alpha_dropout(x, 0.5) == x)
    equal(F.dropout(torch.empty(0), 0.5), torch.empty(0))
  end)
  it("leaves out everything with p = 1", function()
    equal(F.dropout(x, 1), torch.zeros(100, 200))
    equal(torch.feature_alpha_dropout(x, 1, true), torch.zeros(100, 200))
  end)
  it("leaves out whole channels", function()
    for _, case in ipairs { { F.dropout1d, { 50, 8, 5 } }, { F.dropout2d, { 50, 8, 3, 2 } },
      { F.dropout3d, { 50, 8, 2, 2, 1 } } } do
      local y = case[1](torch.ones(case[2]), 0.5):flatten(3)
      equal(y:amax(3), y:amin(3))
      local kept = y:ne(0):float():mean():item()
      assert(kept > 0.3 and kept < 0.7)
    end
    equal(F.dropout1d(torch.ones(8, 5), 0.5):size(), { 8, 5 })
  end)
  it("keeps mean and variance where it is alpha dropout", function()
    local y = F.alpha_dropout(torch.randn(300, 300), 0.3, true)
    assert(math.abs(y:mean():item()) < 0.02 and math.abs(y:std():item() - 1) < 0.02)
  end)
  it("changes its input when asked", function()
    local y = torch.ones(1000)
    assert(F.dropout(y, 0.5, true, true) == y)
    assert(y:eq(0):sum():item() > 300)
    local z = torch.ones(1000)
    assert(torch.dropout_(z, 0.5, true) == z and z:eq(0):any():item())
  end)
  it("has its mask for derivative", function()
    local y = torch.ones(100, { requires_grad = true })
    local z = F.dropout(y, 0.5)
    z:sum():backward()
    equal(y.grad, z:detach())
  end)
  it("is one with its mask in the native form", function()
    local y, mask = torch.native_dropout(x, 0.5, true)
    equal(y, mask:float() * 2)
  end)
  it("checks p and dimensions", function()
    fails(function() F.dropout(x, 1.5) end, "dropout: p must be within 0..1, got 1.5")
    fails(function() F.dropout(x, 0 / 0) end, "dropout: p must be within 0..1")
    fails(function() F.dropout2d(torch.ones(3), 0.5) end, "dropout2d: the input must have at least 2 dimensions")
    fails(function() F.dropout1d(torch.ones(3), 0.5) end, "dropout1d: the input must have 2 or 3 dimensions, got (3)")
  end)
end)

-- softmax(q k^T / sqrt(E)) v, row by row
local function attention(q, k, v, mask)
  local scores = torch.matmul(q, k:transpose(-2, -1)) / math.sqrt(q:size(-1))
  if mask then scores = scores + mask end
  return torch.matmul(scores:softmax(-1), v)
end
local q, k, v = torch.randn(2, 3, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 6)
local bias, INF = torch.randn(3, 5), math.huge
local seen = torch.tensor { { true, true, false, false, true }, { true, true, true, true, true },
  { false, true, false, true, false } }
local causal = torch.tensor { { 0, -INF, -INF, -INF, -INF }, { 0, 0, -INF, -INF, -INF }, { 0, 0, 0, -INF, -INF } }

cases("nn.functional.scaled_dot_product_attention", {
  { "without a mask", q, k, v, gives = attention(q, k, v), within = 1e-5 },
  { "with a mask that is added", q, k, v, bias, gives = attention(q, k, v, bias) },
  { "with a mask of what is seen", q, k, v, seen,
    gives = attention(q, k, v, torch.zeros(3, 5):masked_fill(seen:logical_not(), -INF)) },
  { "up to each query's place", q, k, v, { is_causal = true }, gives = attention(q, k, v, causal) },
  { "with another scale", q, k, v, { scale = 1 }, gives = attention(q * 2, k, v) },
  { "two masks", q, k, v, bias, 0, true, fails = "give either attn_mask or is_causal, not both" },
  { "sizes that do not fit", q, v, v, fails = "query (2, 3, 4) and key (2, 5, 6) differ in their last size" },
  { "another length", q, k, q, fails = "key (2, 5, 4) and value (2, 3, 4) differ in length" },
})

describe("multi_head_attention_forward", function()
  local E, heads = 8, 2
  local x, w, b = torch.randn(5, 3, E), torch.randn(3 * E, E), torch.randn(3 * E)
  local wo, bo = torch.randn(E, E), torch.randn(E)
  local function call(options, input)
    local x1 = input or x
    local named = { in_proj_weight = w, in_proj_bias = b, out_proj_weight = wo, out_proj_bias = bo }
    for name, value in pairs(options or {}) do named[name] = value end
    return F.multi_head_attention_forward(x1, x1, x1, E, heads, named)
  end

  it("is attention in each head, put together", function()
    local y, weights = call()
    local parts = F.linear(x, w, b):chunk(3, -1)
    local outputs = {}
    for h = 1, heads do
      local function head(t) return t:narrow(3, (h - 1) * E / heads + 1, E / heads):transpose(1, 2) end
      outputs[h] = attention(head(parts[1]), head(parts[2]), head(parts[3]))
    end
    equal(y, F.linear(torch.cat(outputs, 3):transpose(1, 2), wo, bo), 1e-4)
    equal(weights:size(), { 3, 5, 5 })
    equal(weights:sum(3), torch.ones(3, 5))
  end)
  it("takes separate weights, a single sample, and no weights back", function()
    local chunks = w:chunk(3, 1)
    local separate = call { use_separate_proj_weight = true, q_proj_weight = chunks[1], k_proj_weight = chunks[2],
      v_proj_weight = chunks[3] }
    equal(separate, (call()), 1e-4)
    local one, none = call({ need_weights = false }, x:select(2, 1))
    equal(one, (call()):select(2, 1), 1e-4)
    assert(none == nil)
  end)
  it("hides what masks say", function()
    local hidden = torch.zeros(3, 5):bool()
    hidden[{ 2, 5 }] = true
    local _, weights = call { key_padding_mask = hidden, average_attn_weights = false }
    equal(weights:size(), { 3, heads, 5, 5 })
    equal(weights[2]:select(-1, 5), torch.zeros(heads, 5))
    local _, later = call { attn_mask = torch.arange(5):gt(torch.arange(5):reshape(5, 1)), add_zero_attn = true,
      bias_k = torch.randn(1, 1, E), bias_v = torch.randn(1, 1, E) }
    equal(later:size(), { 3, 5, 7 })
    equal(later:select(2, 1):narrow(2, 2, 4), torch.zeros(3, 4))
  end)
  it("checks its sizes", function()
    fails(function()
      F.multi_head_attention_forward(x, x, x, 7, heads, { in_proj_weight = w, out_proj_weight = wo })
    end, "expected 7 features, got 8")
    fails(function() F.multi_head_attention_forward(x) end, "'key' must be a tensor, got nil")
  end)
end)

describe("recurrent cells", function()
  local I, H = 3, 2
  local function random(...) return torch.randn({ ... }, { dtype = torch.float64, requires_grad = true }) end
  local x, h, c = random(4, I), random(4, H), random(4, H)
  local function weights(gates)
    return random(gates * H, I), random(gates * H, H), random(gates * H), random(gates * H)
  end

  it("follow their formulas", function()
    local w, u, a, b = weights(4)
    local i, f, g, o = unpack((F.linear(x, w, a) + F.linear(h, u, b)):chunk(4, 2))
    local next = f:sigmoid() * c + i:sigmoid() * g:tanh()
    local y, state = torch.lstm_cell(x, { h, c }, w, u, a, b)
    equal(state, next)
    equal(y, o:sigmoid() * next:tanh())

    w, u, a, b = weights(3)
    local xr, xz, xn = unpack(F.linear(x, w, a):chunk(3, 2))
    local hr, hz, hn = unpack(F.linear(h, u, b):chunk(3, 2))
    local z, n = (xz + hz):sigmoid(), (xn + (xr + hr):sigmoid() * hn):tanh()
    equal(torch.gru_cell(x, h, w, u, a, b), (h - n) * z + n)

    w, u, a, b = weights(1)
    equal(torch.rnn_tanh_cell(x, h, w, u, a, b), (F.linear(x, w, a) + F.linear(h, u, b)):tanh())
    equal(torch.rnn_relu_cell(x, h, w, u), (F.linear(x, w) + F.linear(h, u)):relu())
  end)
  it("have derivatives", function()
    local w, u, a, b = weights(4)
    assert(torch.autograd.gradcheck(function() return torch.lstm_cell(x, { h, c }, w, u, a, b) end,
      { x, h, c, w, u, a, b }))
    w, u, a, b = weights(3)
    assert(torch.autograd.gradcheck(torch.gru_cell, { x, h, w, u, a, b }))
  end)
  it("check their sizes", function()
    local w, u = weights(4)
    fails(function() torch.lstm_cell(x, { h }, w, u) end, "lstm_cell: the state is a list of two tensors, got 1")
    fails(function() torch.gru_cell(x, h, w, u) end, "expect w_ih of sizes (3 * 2, 3), got (8, 3)")
    fails(function() torch.gru_cell(x, torch.ones(5, H), w, u) end, "differ in batch size")
  end)
end)
