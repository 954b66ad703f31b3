local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn, summary = torch.nn, torch.utils.summary

-- The FLOPs of a model of one layer, by hand.
local function flops(model, size, options)
  return summary(model, size, options).total_flops
end

describe("the summary of a model", function()
  local model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))

  it("has a row for every module, with sizes and parameters", function()
    local s = summary(model, { 2, 3, 8, 8 })
    local sizes, parameters, paths = {}, {}, {}
    for i, row in ipairs(s.rows) do sizes[i], parameters[i], paths[i] = row.output_size, row.parameters, row.path end
    equal(sizes, { "(2, 5)", "(2, 8, 6, 6)", "(2, 8, 6, 6)", "(2, 8, 6, 6)", "(2, 288)", "(2, 5)" })
    equal(parameters, { 0, 8 * 27 + 8, 16, 0, 0, 288 * 5 + 5 })
    equal(paths, { "", "0", "1", "2", "3", "4" })
    equal(s.total_parameters, 224 + 16 + 1445)
    equal(s.parameter_bytes, 4 * 1685)
  end)

  it("counts a multiplication with an addition as two", function()
    local s = summary(model, { 2, 3, 8, 8 })
    -- conv: 27 products for each of 2 x 8 x 36 outputs; batch norm: one scale and shift each; linear: 2 x 288 x 5
    equal({ s.rows[2].flops, s.rows[3].flops, s.rows[4].flops, s.rows[6].flops },
      { 2 * 27 * 576, 2 * 576, 0, 2 * 2 * 288 * 5 })
    equal(s.total_flops, 2 * 27 * 576 + 2 * 576 + 2 * 2 * 288 * 5)
  end)

  it("counts what is not a layer's, too", function()
    equal(flops(nn.Conv2d(4, 6, 3, { groups = 2 }), { 1, 4, 5, 5 }), 2 * 9 * 2 * 6 * 9)
    equal(flops(nn.ConvTranspose2d(4, 6, 3), { 1, 4, 5, 5 }), 2 * 9 * 4 * 6 * 25)
    equal(flops(nn.LayerNorm(8), { 3, 8 }), 2 * 24)
    local Product = torch.class("Product", nn.Module)
    function Product:forward(x) return torch.einsum("ij,kj->ik", { x, x }) end
    equal(flops(Product(), { 3, 7 }), 2 * 3 * 7 * 3)
    -- gates of the input, gates of the state: 5 steps, batch 2, 4 gates of 3
    equal(flops(nn.LSTM(4, 3), { 5, 2, 4 }), 2 * 5 * 2 * 12 * (4 + 3))
    -- q, k, v and the output by linear layers of 8 x 8; scores and their products with v: 2 x 5 x 5 x 8 each
    local attention = nn.MultiheadAttention(8, 2, { batch_first = true })
    equal(flops(attention, { { 1, 5, 8 }, { 1, 5, 8 }, { 1, 5, 8 } }), 4 * 2 * 5 * 8 * 8 + 2 * 2 * 5 * 5 * 8)
  end)

  it("leaves the model as it was", function()
    local norm = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), nn.ReLU())
    norm[3]:eval()
    local before = norm[1].running_mean:clone()
    torch.manual_seed(5)
    local expected = torch.rand(1):item()
    torch.manual_seed(5)
    summary(norm, { 4, 3 })
    equal(torch.rand(1):item(), expected)
    equal(norm[1].running_mean, before)
    equal({ norm.training, norm[1].training, norm[3].training }, { true, true, false })
    assert(not rawget(norm[1], "_hooks"))
    assert(not torch.is_tensor(norm[1].weight.grad))
  end)

  it("leaves it so after an error, too", function()
    fails(function() summary(model, { 2, 4, 8, 8 }) end, "expected input (N, 3, H, W)")
    assert(model.training and not rawget(model[1], "_hooks"))
    equal(summary(model, { 2, 3, 8, 8 }).rows[1].output_size, "(2, 5)")
  end)

  it("counts shared parameters and modules once", function()
    local layer = nn.Linear(4, 4)
    local s = summary(nn.Sequential(layer, layer), { 1, 4 })
    equal(s.total_parameters, 20)
    equal(s.rows[2].calls, 2)
    equal(s.total_flops, 2 * 2 * 16)
  end)

  it("takes positions, tensors and several inputs", function()
    equal(summary(nn.Embedding(10, 4), { 2, 3 }, { dtype = torch.int64 }).rows[1].output_size, "(2, 3, 4)")
    equal(summary(nn.Linear(3, 2), torch.zeros(5, 3)).rows[1].output_size, "(5, 2)")
    equal(summary(nn.Bilinear(3, 4, 2), { { 5, 3 }, { 5, 4 } }).rows[1].output_size, "(5, 2)")
    local out = summary(nn.LSTM(4, 3), { 5, 2, 4 }).rows[1].output_size
    assert(out:find("(5, 2, 3)", 1, true), out)
  end)

  it("prints as a table", function()
    equal(tostring(summary(nn.Sequential(nn.Linear(1000, 500), nn.ReLU()), { 1, 1000 })), [[
Layer        Output size  Parameters   FLOPs
--------------------------------------------
Sequential   (1, 500)
  0: Linear  (1, 500)        500,500  1.00 M
  1: ReLU    (1, 500)              0       0
--------------------------------------------
Parameters: 500,500 (2.00 MB), 500,500 of them trainable
FLOPs: 1.00 M   Outputs: 0.00 MB]])
  end)

  it("says what it cannot do", function()
    fails(function() summary(3, { 1 }) end, "summary: expected a module, got a number")
    fails(function() summary(model, "x") end, "summary: expected the input's size, such as { 1, 3, 224, 224 }")
    fails(function() summary(model, { -1, 2 }) end, "summary: size 1 of the input is -1")
    fails(function() summary(nn.LazyLinear(3), { 1, 2 }) end, "its parameters are not there before the first call")
    torch.profiler.start()
    fails(function() summary(model, { 2, 3, 8, 8 }) end, "flops: the calls are being traced or profiled")
    torch.profiler.stop()
  end)
end)
