-- Recurrent layers as operators over whole sequences, against single steps.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn, F = torch.nn, torch.nn.functional

-- The outputs of an LSTM's first layer over x [T, N, I] by nn.LSTMCell, and the last state.
local function by_cells(lstm, x, h, c, suffix, order)
  local cell = nn.LSTMCell(x:size(3), h:size(2))
  for _, name in ipairs { "weight_ih", "weight_hh", "bias_ih", "bias_hh" } do
    cell[name] = lstm[name .. "_l0" .. suffix]
  end
  local outputs = {}
  for _, t in ipairs(order) do
    h, c = cell(x[t], { h, c })
    outputs[t] = h
  end
  return torch.stack(outputs), h, c
end

describe("an LSTM", function()
  it("agrees with its cell, in both directions and with gradients, whatever its width", function()
    torch.manual_seed(1)
    for _, hidden in ipairs { 1, 3, 16, 17, 40 } do
      local lstm = nn.LSTM(5, hidden, { bidirectional = true })
      local x = torch.randn(4, 3, 5):requires_grad_()
      local h, c = torch.randn(2, 3, hidden):requires_grad_(), torch.randn(2, 3, hidden):requires_grad_()
      local inputs = { x, h, c, unpack(lstm:parameters()) }

      local y, last = lstm(x, { h, c })
      local there, h1, c1 = by_cells(lstm, x, h[1], c[1], "", { 1, 2, 3, 4 })
      local back, h2, c2 = by_cells(lstm, x, h[2], c[2], "_reverse", { 4, 3, 2, 1 })
      local expected = { torch.cat({ there, back }, 3), torch.stack { h1, h2 }, torch.stack { c1, c2 } }
      equal(y, expected[1])
      equal(last[1], expected[2])
      equal(last[2], expected[3])

      local seeds = { torch.randn(y:size()), torch.randn(h:size()), torch.randn(c:size()) }
      local got = torch.autograd.grad({ y, last[1], last[2] }, inputs, seeds)
      local wanted = torch.autograd.grad(expected, inputs, seeds)
      for i, g in ipairs(got) do equal(g, wanted[i], 1e-4) end
    end
  end)

  it("has the same numbers with any number of threads", function()
    local lstm, x, threads = nn.LSTM(32, 64, 2), torch.randn(8, 48, 32), torch.get_num_threads()
    local results = {}
    for n = 1, 3 do
      torch.set_num_threads(n)
      local y = lstm(x)
      results[n] = { y, unpack(torch.autograd.grad(y:square():sum(), lstm:parameters())) }
    end
    torch.set_num_threads(threads)
    for n = 2, 3 do
      for i, t in ipairs(results[n]) do
        assert(torch.equal(t, results[1][i]), ("result %d of %d threads"):format(i, n))
      end
    end
  end)

  it("of narrow numbers is composed of operators", function()
    local lstm, x = nn.LSTM(3, 4), torch.randn(2, 1, 3)
    local y = lstm(x)
    equal(lstm:bfloat16()(x:bfloat16()):float(), y, 0.02)
  end)

  it("says what does not fit", function()
    local g, s, w = torch.zeros(2, 3, 8), torch.zeros(3, 2), torch.zeros(8, 2)
    fails(function() F._lstm_layer(torch.zeros(0, 3, 8), s, s, w) end, "gates must be [T, N, 4 H] with T > 0")
    fails(function() F._lstm_layer(g, s, torch.zeros(3, 3), w) end,
      "expect states of sizes (3, 2), got (3, 2) and (3, 3)")
    fails(function() F._lstm_layer(g, s, s, torch.zeros(2, 8)) end, "expect a weight of sizes (8, 2), got (2, 8)")
    fails(function() F._lstm_layer(g, s:double(), s, w) end, "one floating dtype, got float32 and float64")
  end)
end)
