local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn, utils = torch.nn, torch.nn.utils

describe("weight_norm", function()
  it("splits a weight into length and direction, and puts it together again", function()
    local layer, x = nn.Linear(3, 2), torch.randn(4, 3)
    local before = layer(x):detach()
    utils.weight_norm(layer)
    equal(layer(x):detach(), before, 1e-6)
    layer(x):sum():backward()
    equal(layer.weight_g.grad:size(1), 2)
    utils.remove_weight_norm(layer)
    equal(#layer:parameters(), 2)
    equal(layer(x):detach(), before, 1e-6)
  end)
end)

describe("parametrizations", function()
  it("spectral_norm makes the largest singular value 1", function()
    local layer = utils.parametrizations.spectral_norm(nn.Linear(5, 5))
    for _ = 1, 100 do layer(torch.randn(1, 5)) end
    equal(torch.linalg.svdvals(layer.weight)[1]:item(), 1, 1e-3)
    assert(utils.parametrize.is_parametrized(layer, "weight"))
    utils.remove_spectral_norm(layer)
    assert(not utils.parametrize.is_parametrized(layer))
    equal(tostring(layer), "Linear(in_features=5, out_features=5, bias=True)")
  end)
  it("orthogonal makes rows orthonormal and lets gradients through", function()
    local layer = utils.parametrizations.orthogonal(nn.Linear(4, 3))
    equal(layer.weight:mm(layer.weight:t()):detach(), torch.eye(3), 1e-5)
    layer(torch.randn(2, 4)):sum():backward()
    equal(layer.parametrizations.weight.original.grad:numel(), 12)
  end)
  it("are named in the state, after what they change", function()
    local layer = utils.parametrizations.orthogonal(nn.Linear(2, 2))
    local names = {}
    for name in layer:state_dict():items() do names[#names + 1] = name end
    equal(table.concat(names, " "), "bias parametrizations.weight.original")
  end)
end)

describe("prune", function()
  it("keeps zeros where it took elements away", function()
    local layer = nn.Linear(4, 4)
    utils.prune.l1_unstructured(layer, "weight", 0.5)
    equal(layer.weight:eq(0):sum():item(), 8)
    utils.prune.l1_unstructured(layer, "weight", 4) -- of those that are left
    equal(layer.weight:eq(0):sum():item(), 12)
    layer(torch.randn(1, 4)):sum():backward()
    equal(layer.weight_orig.grad:ne(0):logical_and(layer.weight_mask:eq(0)):any():item(), false)
    utils.prune.remove(layer, "weight")
    assert(not utils.prune.is_pruned(layer))
    equal(#layer:parameters(), 2)
    equal(layer.weight:eq(0):sum():item(), 12)
  end)
  it("takes whole slices", function()
    local layer = nn.Linear(3, 4)
    utils.prune.ln_structured(layer, "weight", 0.25, 2, 1)
    equal(layer.weight:eq(0):all(2):sum():item(), 1)
  end)
  it("compares several parameters", function()
    local a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    torch.no_grad(function()
      a.weight:fill_(1)
      b.weight:fill_(2)
    end)
    utils.prune.global_l1_unstructured({ { a, "weight" }, { b, "weight" } }, 4)
    equal(a.weight:eq(0):all():item(), true)
    equal(b.weight:ne(0):all():item(), true)
  end)
  it("refuses amounts that make no sense", function()
    fails(function() utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 1.5) end, "amount is a share below 1")
    fails(function() utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 5) end, "more than the 4 elements")
  end)
end)

describe("rnn", function()
  it("takes padding away again", function()
    local a, b = torch.randn(3, 2), torch.randn(1, 2)
    local list = utils.rnn.unpad_sequence(utils.rnn.pad_sequence { a, b }, torch.tensor { 3, 1 }:long())
    equal(list[1], a)
    equal(list[2], b)
    list = utils.rnn.unpack_sequence(utils.rnn.pack_sequence({ b, a }, false))
    equal(list[1], b)
    equal(list[2], a)
  end)
end)

describe("fuse_conv_bn_eval", function()
  it("gives what convolution and normalisation give", function()
    local conv, norm, x = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), torch.randn(4, 2, 5, 5)
    norm(conv(x))
    local both = nn.Sequential(conv, norm):eval()
    equal(utils.fuse_conv_bn_eval(conv, norm)(x):detach(), both(x):detach(), 1e-5)
  end)
end)

describe("gradient checkpoints", function()
  it("give the plain gradients, with the same random numbers", function()
    local x = torch.randn(8, { requires_grad = true })
    local function block(v) return torch.nn.functional.dropout(v * v, 0.5, true) end
    torch.manual_seed(3)
    block(x):sum():backward()
    local plain = x.grad:clone()
    x.grad = nil
    torch.manual_seed(3)
    local y = torch.utils.checkpoint(block, x)
    torch.randn(5)
    y:sum():backward()
    equal(x.grad, plain)
  end)
  it("cut a Sequential into segments", function()
    local net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
    local x = torch.randn(3, 2, { requires_grad = true })
    local y = torch.utils.checkpoint.checkpoint_sequential(net, 2, x)
    equal(y:detach(), net(x):detach(), 1e-6)
    y:sum():backward()
    assert(net[1].weight.grad)
  end)
end)

describe("pruning methods", function()
  local prune = nn.utils.prune
  local function layer(values)
    local m = nn.Linear(#values, 1, false)
    m:load_state_dict { weight = torch.tensor { values } }
    return m
  end

  it("are classes that choose a mask", function()
    local m = prune.L1Unstructured:apply(layer { 1, -4, 3, 2 }, "weight", 2)
    equal(m.weight:tolist(), { { 0, -4, 3, 0 } })
    prune.CustomFromMask:apply(m, "weight", torch.tensor { { 1, 1, 0, 1 } })
    equal(m.weight:tolist(), { { 0, -4, 0, 0 } })
    equal(prune.identity(layer { 1, 2 }, "weight").weight:tolist(), { { 1, 2 } })
    local scored = prune.l1_unstructured(layer { 1, 2, 3 }, "weight", 1, torch.tensor { { 5, 1, 3 } })
    equal(scored.weight:tolist(), { { 1, 0, 3 } })
  end)

  it("may be one's own", function()
    local Every = torch.class("Every(int step)", prune.BasePruningMethod)
    function Every:init(opt) self.step = opt.step end
    function Every:compute_mask(weight, mask)
      mask = mask:clone()
      mask[{ {}, { 1, -1, self.step } }] = 0
      return mask
    end
    equal(Every:apply(layer { 1, 2, 3, 4, 5 }, "weight", 2).weight:tolist(), { { 0, 2, 0, 4, 0 } })
    fails(function() prune.BasePruningMethod:apply(layer { 1 }, "weight") end, "BasePruningMethod: this class has no")
    fails(function() prune.identity(layer { 1 }, "wait") end, "prune: Linear has no parameter 'wait'")
  end)

  it("go over several parameters at once", function()
    local a, b = layer { 1, 9 }, layer { 2, 3 }
    prune.global_unstructured({ { a, "weight" }, { b, "weight" } }, prune.L1Unstructured, { amount = 2 })
    equal({ a.weight:tolist(), b.weight:tolist() }, { { { 0, 9 } }, { { 0, 3 } } })
    fails(function() prune.global_unstructured({ { a, "weight" } }, 3) end, "expected a pruning method, got a number")
  end)
end)

describe("parametrize", function()
  local parametrize = nn.utils.parametrize
  local calls = 0
  local Double = torch.class("Double", nn.Module)
  function Double:forward(x)
    calls = calls + 1
    return x * 2
  end

  it("computes once while cached", function()
    local m = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Double())
    calls = 0
    local first, second = parametrize.cached(function() return m.weight, m.weight end)
    assert(first == second and calls == 1)
    fails(function() parametrize.cached(function() error("oh") end) end, "oh")
    assert(m.weight ~= m.weight and calls == 3)
    assert(parametrize.type_before_parametrizations(m) == nn.Linear)
    assert(parametrize.type_before_parametrizations(nn.ReLU()) == nn.ReLU)
  end)

  it("is copied to another module", function()
    local a, b = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Double()), nn.Linear(2, 2)
    parametrize.transfer_parametrizations_and_params(a, b)
    equal(b.weight:tolist(), a.weight:tolist())
    a.parametrizations.weight.original:detach():zero_()
    assert(b.weight:abs():sum():item() > 0)
    fails(function() parametrize.transfer_parametrizations_and_params(nn.ReLU(), b) end, "ReLU has no parametrization")
  end)
end)

describe("fused layers", function()
  it("do what the layer and the batch normalisation did", function()
    local linear, norm = nn.Linear(3, 2, false):eval(), nn.BatchNorm1d(2):eval()
    norm:load_state_dict { weight = torch.tensor { 2, 3 }, bias = torch.tensor { 1, -1 },
      running_mean = torch.tensor { 1, 2 }, running_var = torch.tensor { 4, 1 }, num_batches_tracked = torch.tensor(1) }
    local x = torch.randn(4, 3)
    equal(nn.utils.fuse_linear_bn_eval(linear, norm)(x), norm(linear(x)), 1e-4)
    local weight, bias = nn.utils.fuse_linear_bn_weights(linear.weight, nil, norm.running_mean, norm.running_var,
      norm.eps, norm.weight, norm.bias)
    equal(nn.functional.linear(x, weight, bias), norm(linear(x)), 1e-4)
    local conv, norm2 = nn.Conv2d(3, 2, 2):eval(), nn.BatchNorm2d(2):eval()
    norm2:load_state_dict(norm:state_dict())
    local image = torch.randn(1, 3, 4, 4)
    equal(nn.utils.fuse_conv_bn_eval(conv, norm2)(image), norm2(conv(image)), 1e-4)
    fails(function() nn.utils.fuse_linear_bn_eval(nn.Linear(1, 1), norm) end, "both modules must be in eval mode")
  end)
end)

describe("a permutation", function()
  it("is undone by its inverse", function()
    local p = torch.tensor({ 3, 1, 2 }, { dtype = torch.int64 })
    equal(nn.utils.rnn.invert_permutation(p):tolist(), { 2, 3, 1 })
  end)
end)
