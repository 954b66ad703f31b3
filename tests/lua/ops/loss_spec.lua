local torch = require "torch"
local spec = require "spec"
local describe, it, cases, equal, fails = spec.describe, spec.it, spec.cases, spec.equal, spec.fails
local F = torch.nn.functional

torch.manual_seed(4)
local log, exp = math.log, math.exp
local function whole(list) return torch.tensor(list, { dtype = torch.int64 }) end
local each = { reduction = "none" }

cases("nn.functional.huber_loss", {
  { "inside and beyond", torch.tensor { 1, 4, -3 }, torch.tensor { 0.5, 0, 0 }, { reduction = "none", delta = 2 },
    gives = { 0.125, 6, 4 } },
  { "no width", torch.ones(1), torch.ones(1), { delta = 0 }, fails = "huber_loss: delta must be positive, got 0" },
})
cases("nn.functional.smooth_l1_loss", {
  { "inside and beyond", torch.tensor { 1, 4, -3 }, torch.tensor { 0.5, 0, 0 }, { reduction = "none", beta = 2 },
    gives = { 0.0625, 3, 2 } },
  { "no width", torch.tensor { 2 }, torch.tensor { 5 }, { beta = 0 }, gives = 3 },
  { "a negative one", torch.ones(1), torch.ones(1), { beta = -1 },
    fails = "smooth_l1_loss: beta must not be negative" },
})
cases("nn.functional.soft_margin_loss", {
  { "both signs", torch.tensor { 2, -1 }, torch.tensor { 1, -1 }, each,
    gives = { log(1 + exp(-2)), log(1 + exp(-1)) } },
})
cases("nn.functional.kl_div", {
  { "probabilities", torch.tensor { { -1, -2 } }, torch.tensor { { 0.25, 0.75 } }, { reduction = "sum" },
    gives = 0.25 * (log(0.25) + 1) + 0.75 * (log(0.75) + 2) },
  { "their logarithms", torch.tensor { -1 }, torch.tensor { -0.5 }, { log_target = true },
    gives = exp(-0.5) * (-0.5 + 1) },
})
cases("nn.functional.poisson_nll_loss", {
  { "of logarithms", torch.tensor { 1 }, torch.tensor { 3 }, gives = exp(1) - 3 },
  { "of rates, with Stirling's term", torch.tensor { 2, 2 }, torch.tensor { 3, 1 }, false, true, each,
    gives = { 2 - 3 * log(2) + 3 * log(3) - 3 + 0.5 * log(6 * math.pi), 2 - log(2) }, grad = false },
})
cases("nn.functional.gaussian_nll_loss", {
  { "a variance for each", torch.tensor { 1, 2 }, torch.tensor { 0, 4 }, torch.tensor { 1, 2 }, each,
    gives = { 0.5, 0.5 * (log(2) + 2) } },
  { "a variance for each row", torch.tensor { { 1, 2 } }, torch.tensor { { 0, 4 } }, torch.tensor { 2 }, each,
    gives = { { 0.5 * (log(2) + 0.5), 0.5 * (log(2) + 2) } } },
  { "negative ones", torch.ones(1), torch.ones(1), torch.full({ 1 }, -1), fails = "var has negative elements" },
  { "sizes that do not fit", torch.ones(2, 3), torch.ones(2, 3), torch.ones(3), fails = "gaussian_nll_loss: var must" },
})

cases("nn.functional.binary_cross_entropy", {
  { "of probabilities", torch.tensor { 0.25, 0.75 }, torch.tensor { 1, 0.5 }, each,
    gives = { -log(0.25), -0.5 * log(0.75) - 0.5 * log(0.25) } },
  { "certainly wrong", torch.tensor { 0, 1 }, torch.tensor { 1, 0 }, each, gives = { 100, 100 }, grad = false },
  { "no probability", torch.tensor { 1.5 }, torch.ones(1), fails = "the elements of input must be within 0..1" },
  { "other sizes", torch.ones(2), torch.ones(1), fails = "input (2) and target (1) differ in size" },
})
cases("nn.functional.binary_cross_entropy_with_logits", {
  { "far off", torch.tensor { 1000, -1000 }, torch.tensor { 0, 1 }, each, gives = { 1000, 1000 } },
  { "with weights", torch.tensor { 0.5 }, torch.tensor { 1 }, torch.tensor { 3 }, { pos_weight = torch.tensor { 2 } },
    gives = 6 * log(1 + exp(-0.5)) },
})
cases("nn.functional.multilabel_soft_margin_loss", {
  { "the mean over classes", torch.tensor { { 0, 2 } }, torch.tensor { { 1, 0 } }, each,
    gives = { (log(2) + log(1 + exp(2))) / 2 } },
})

cases("nn.functional.hinge_embedding_loss", {
  { "together and apart", torch.tensor { 2, 0.25 }, torch.tensor { 1, -1 }, each, gives = { 2, 0.75 } },
})
cases("nn.functional.margin_ranking_loss", {
  { "either order", torch.tensor { 1, 1 }, torch.tensor { 3, 3 }, torch.tensor { 1, -1 }, 0.5, each,
    gives = { 2.5, 0 } },
  { "other dimensions", torch.ones(1), torch.ones(1, 1), torch.ones(1), fails = "must have as many dimensions" },
})
cases("nn.functional.cosine_embedding_loss", {
  { "both targets", torch.tensor { { 3, 4 }, { 3, 4 } }, torch.tensor { { 4, 3 }, { 4, 3 } }, torch.tensor { 1, -1 },
    0.5, each, gives = { 0.04, 0.46 } },
  { "targets of two dimensions", torch.ones(1, 1), torch.ones(1, 1), torch.ones(1, 1),
    fails = "cosine_embedding_loss: the target must have at most 1 dimension" },
})
cases("nn.functional.triplet_margin_loss", {
  { "distances", torch.tensor { { 0, 0 } }, torch.tensor { { 3, 4 } }, torch.tensor { { 0, 2 } }, gives = 4,
    within = 1e-4 },
  { "the nearer one", torch.tensor { { 0, 0 } }, torch.tensor { { 0, 3 } }, torch.tensor { { 0, 4 } }, { swap = true },
    gives = 3, within = 1e-4 },
})
describe("triplet_margin_with_distance_loss", function()
  it("takes any distance", function()
    local a, p, n = torch.tensor { { 1 } }, torch.tensor { { 4 } }, torch.tensor { { 3 } }
    local squares = function(u, v) return (u - v):square():sum(-1) end
    equal(F.triplet_margin_with_distance_loss(a, p, n, { distance_function = squares }), 9 - 4 + 1)
    equal(F.triplet_margin_with_distance_loss(a, p, n, { swap = true, reduction = "none" }), { 3 - 1 + 1 }, 1e-4)
    fails(function() F.triplet_margin_with_distance_loss(a, p, n, { reduction = "most" }) end, "got 'most'")
  end)
end)

cases("nn.functional.multi_margin_loss", {
  { "squares", torch.tensor { { 1, 1.5, 3 } }, whole { 1 }, 2, gives = (1.5 ^ 2 + 3 ^ 2) / 3 },
  { "a class beyond", torch.ones(1, 3), whole { 4 }, fails = "target 4 at position 1 is outside 1..3" },
  { "class 0", torch.ones(1, 3), whole { 0 }, fails = "target 0 at position 1 is outside 1..3" },
  { "another power", torch.ones(1, 3), whole { 1 }, 3, fails = "p must be 1 or 2, got 3" },
})
cases("nn.functional.multilabel_margin_loss", {
  { "up to the first 0", torch.tensor { { 0.1, 0.2, 0.4, 0.8 } }, whole { { 4, 1, 0, 2 } },
    gives = ((1 - 0.6) + (1 - 0.4) + (1 + 0.1) + (1 + 0.3)) / 4 },
  { "a class beyond", torch.ones(1, 2), whole { { 3, 0 } }, fails = "is outside 1..2" },
})

-- The sum over all paths that collapse to the target, of the product of their probabilities.
local function ctc_by_paths(p, target, blank)
  local T, C, total = #p, #p[1], 0
  local function walk(t, path, product)
    if t > T then
      local collapsed = {}
      for i, c in ipairs(path) do
        if c ~= blank and c ~= path[i - 1] then collapsed[#collapsed + 1] = c end
      end
      if table.concat(collapsed, " ") == table.concat(target, " ") then total = total + product end
      return
    end
    for c = 1, C do
      path[t] = c
      walk(t + 1, path, product * p[t][c])
      path[t] = nil
    end
  end
  walk(1, {}, 1)
  return -log(total)
end

describe("ctc_loss", function()
  local scores = torch.randn(5, 3, 3, { dtype = torch.float64 })
  local log_p = F.log_softmax(scores, 3)
  local targets, lengths = { { 2, 3 }, { 3, 3 }, { 2 } }, whole { 2, 2, 1 }
  local rows = whole { { 2, 3 }, { 3, 3 }, { 2, 0 } }
  local steps = whole { 5, 4, 3 }
  local function expected(n, blank)
    return ctc_by_paths(log_p:exp():select(2, n):narrow(1, 1, steps[n]:item()):tolist(), targets[n], blank)
  end

  it("sums over all paths", function()
    local losses = { expected(1, 1), expected(2, 1), expected(3, 1) }
    equal(F.ctc_loss(log_p, rows, steps, lengths, each), losses)
    equal(F.ctc_loss(log_p, whole { 2, 3, 3, 3, 2 }, { 5, 4, 3 }, { 2, 2, 1 }, each), losses)
    equal(F.ctc_loss(log_p, rows, steps, lengths), (losses[1] / 2 + losses[2] / 2 + losses[3]) / 3)
    equal(F.ctc_loss(log_p:select(2, 1), whole { 2, 3 }, whole(5), whole(2), each), losses[1])
    equal(F.ctc_loss(log_p:float(), rows, steps, lengths, each), torch.tensor(losses))
  end)
  it("has the gradient of the scores", function()
    assert(torch.autograd.gradcheck(function(s)
      return F.ctc_loss(F.log_softmax(s, 3), rows, steps, lengths, each)
    end, { scores:clone():requires_grad_() }))
  end)
  it("is infinite, or 0 when asked, for targets that do not fit", function()
    local args = { log_p, rows, whole { 2, 2, 3 }, lengths }
    assert(F.ctc_loss(args[1], args[2], args[3], args[4], each)[2]:item() == math.huge)
    local p = log_p:clone():requires_grad_()
    local loss = F.ctc_loss(p, args[2], args[3], args[4], { zero_infinity = true, reduction = "none" })
    equal(loss[2], 0)
    loss:sum():backward()
    equal(p.grad:select(2, 2), torch.zeros(5, 3, { dtype = torch.float64 }))
    assert(not p.grad:isnan():any():item())
  end)
  it("checks classes, lengths and their numbers", function()
    fails(function() F.ctc_loss(log_p, whole { { 4, 1 }, { 1, 1 }, { 1, 1 } }, steps, lengths) end,
      "ctc_loss: target 4 at position 1 is outside 1..3")
    fails(function() F.ctc_loss(log_p, rows, whole { 6, 1, 1 }, lengths) end,
      "ctc_loss: input_lengths must be within 0..5, got 6")
    fails(function() F.ctc_loss(log_p, rows, steps, whole { 3, 1, 1 }) end,
      "ctc_loss: target_lengths must be within 0..2, got 3")
    fails(function() F.ctc_loss(log_p, rows, steps, whole { 1, 1 }) end, "target_lengths must have 3 elements, got (2)")
    fails(function() F.ctc_loss(log_p, whole { 1, 2 }, steps, lengths) end, "ctc_loss: target_lengths")
    fails(function() F.ctc_loss(log_p, rows, steps, lengths, 4) end, "ctc_loss: blank 4 is outside the classes 1..3")
  end)
  it("has no second derivative, and says so", function()
    local p = log_p:clone():requires_grad_()
    local g = torch.autograd.grad({ F.ctc_loss(p, rows, steps, lengths) }, { p }, { create_graph = true })
    g = torch.is_tensor(g) and g or g[1]
    fails(function() g:sum():backward() end, "ctc_loss: there is no second derivative")
  end)
end)
