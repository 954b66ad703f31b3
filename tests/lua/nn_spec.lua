-- Layers, losses and initialisation, against their formulas.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn, F = torch.nn, torch.nn.functional

describe("layers", function()
  it("Linear is x W^T + b", function()
    local m = nn.Linear(2, 2)
    m:load_state_dict { weight = torch.tensor { { 1, 2 }, { 3, 4 } }, bias = torch.tensor { 10, 20 } }
    equal(m(torch.tensor { { 1, 1 }, { 0, 2 } }):tolist(), { { 13, 27 }, { 14, 28 } })
    equal(m(torch.tensor { 1, 1 }):tolist(), { 13, 27 })
  end)

  it("Linear starts within 1 / sqrt(in_features)", function()
    local m = nn.Linear(16, 500)
    for _, p in ipairs(m:parameters()) do
      local largest = p:abs():max():item()
      assert(largest <= 0.25 and largest > 0.24, largest)
    end
  end)

  it("Conv2d and MaxPool2d slide over the picture", function()
    local m = nn.Conv2d(1, 1, 2)
    m:load_state_dict { weight = torch.tensor { { { { 1, 0 }, { 0, -1 } } } }, bias = torch.tensor { 0.5 } }
    local x = torch.arange(9):view(1, 1, 3, 3):to(torch.float32)
    -- x[i][j] - x[i + 1][j + 1] = -4
    equal(m(x):tolist(), { { { { -3.5, -3.5 }, { -3.5, -3.5 } } } })
    equal(nn.MaxPool2d(2, 1)(x):tolist(), { { { { 4, 5 }, { 7, 8 } } } })
    local y, at = nn.MaxPool2d(2, { stride = 1, return_indices = true })(x)
    equal(y:tolist(), { { { { 4, 5 }, { 7, 8 } } } })
    equal(at:tolist(), { { { { 5, 6 }, { 8, 9 } } } })
    fails(function() nn.Conv2d(3, 4, 1, { groups = 2 }) end, "not both divisible by groups 2")
  end)

  it("Flatten, Unflatten and Identity rearrange", function()
    local x = torch.arange(12):view(2, 3, 2)
    equal(nn.Flatten()(x):tolist(), x:view(2, 6):tolist())
    equal(nn.Unflatten(-1, { 2, 1 })(x):tolist(), x:view(2, 3, 2, 1):tolist())
    equal(nn.Identity()(x), x)
  end)

  it("activations apply their function", function()
    local x = torch.tensor { -1, 0, 2 }
    equal(nn.ReLU()(x):tolist(), { 0, 0, 2 })
    equal(nn.Sigmoid()(x):tolist(), { 1 / (1 + math.exp(1)), 0.5, 1 / (1 + math.exp(-2)) })
    equal(nn.Tanh()(x):tolist(), { math.tanh(-1), 0, math.tanh(2) })
    local sum = math.exp(-1) + 1 + math.exp(2)
    equal(nn.Softmax(1)(x):tolist(), { math.exp(-1) / sum, 1 / sum, math.exp(2) / sum })
    equal(nn.LogSoftmax(1)(x):tolist(), { -1 - math.log(sum), -math.log(sum), 2 - math.log(sum) })
    equal(nn.ReLU(true)(x), x)
    equal(x:tolist(), { 0, 0, 2 })
  end)

  it("Dropout keeps the mean in training", function()
    torch.manual_seed(1)
    local y = nn.Dropout(0.25)(torch.ones(10000))
    local kept = y:ne(0):sum():item()
    assert(math.abs(kept - 7500) < 5 * math.sqrt(10000 * 0.25 * 0.75), kept)
    equal(y:max():item(), 4 / 3)
    fails(function() nn.Dropout(1.5) end, "Dropout: p is within 0..1, got 1.5")
  end)
end)

describe("losses", function()
  local x = torch.tensor { { 1, 2, 3 }, { 1, 1, 1 } }
  local y = torch.tensor({ 3, 1 }, { dtype = torch.int64 })
  -- -log softmax: log(e + e^2 + e^3) - 3 and log 3
  local a, b = math.log(math.exp(1) + math.exp(2) + math.exp(3)) - 3, math.log(3)

  it("CrossEntropyLoss is the negative log-likelihood of classes 1..C", function()
    equal(nn.CrossEntropyLoss()(x, y):item(), (a + b) / 2)
    equal(nn.CrossEntropyLoss { reduction = "none" }(x, y):tolist(), { a, b })
    equal(nn.CrossEntropyLoss { weight = torch.tensor { 3, 1, 1 } }(x, y):item(), (a + 3 * b) / 4)
    equal(nn.CrossEntropyLoss { weight = torch.ones(3) }:state_dict():keys(), { "weight" })
    fails(function() F.cross_entropy(x, torch.tensor({ 0, 1 }, { dtype = torch.int64 })) end, "1..3")
  end)

  it("NLLLoss takes log-probabilities, MSELoss squares", function()
    equal(nn.NLLLoss { reduction = "sum" }(x:log_softmax(2), y):item(), a + b)
    equal(nn.MSELoss()(torch.tensor { 1, 2 }, torch.tensor { 0, 4 }):item(), 2.5)
    equal(nn.MSELoss { reduction = "sum" }(torch.tensor { 1, 2 }, torch.tensor { 0, 4 }):item(), 5)
  end)
end)

describe("nn.init", function()
  local init = nn.init

  it("fills parameters in place without recording", function()
    local p = nn.Parameter(torch.zeros(2, 3))
    assert(init.constant_(p, 2) == p and p.is_leaf)
    equal(p:tolist(), { { 2, 2, 2 }, { 2, 2, 2 } })
    equal(init.eye_(torch.ones(2, 3)):tolist(), { { 1, 0, 0 }, { 0, 1, 0 } })
    equal(init.ones_(torch.zeros(2)):tolist(), { 1, 1 })
    equal(init.zeros_(torch.ones(2)):tolist(), { 0, 0 })
    equal(init.dirac_(torch.ones(2, 2, 3)):tolist(), { { { 0, 1, 0 }, { 0, 0, 0 } }, { { 0, 0, 0 }, { 0, 1, 0 } } })
    fails(function() init.eye_(torch.ones(2)) end, "eye_: expected a matrix")
  end)

  it("draws from the distributions that the papers give", function()
    torch.manual_seed(1)
    local function range(x) return x:min():item(), x:max():item() end
    local low, high = range(init.uniform_(torch.empty(1000), 2, 3))
    assert(low >= 2 and low < 2.02 and high <= 3 and high > 2.98)
    equal(init.normal_(torch.empty(40000), 1, 2):std():item(), 2, 0.02)
    local k = math.sqrt(6 / (100 + 200)) -- Glorot: sqrt(6 / (fan_in + fan_out))
    low, high = range(init.xavier_uniform_(torch.empty(200, 100)))
    assert(low >= -k and low < -0.98 * k and high <= k and high > 0.98 * k)
    k = math.sqrt(6 / 100) -- He: gain sqrt(2), sqrt(3) * gain / sqrt(fan_in)
    low, high = range(init.kaiming_uniform_(torch.empty(200, 100), { nonlinearity = "relu" }))
    assert(low >= -k and low < -0.98 * k and high <= k and high > 0.98 * k)
    equal(init.kaiming_normal_(torch.empty(50, 20, 5, 5), { mode = "fan_out" }):std():item(), math.sqrt(2 / 1250), 0.02)
    equal(init.sparse_(torch.empty(10, 4), 0.35):eq(0):sum(1):tolist(), { 4, 4, 4, 4 })
    fails(function() init.xavier_normal_(torch.empty(3)) end, "fans need at least 2 dimensions, got 1")
  end)

  it("knows the gains", function()
    equal(init.calculate_gain("relu"), math.sqrt(2))
    equal(init.calculate_gain("leaky_relu", 0.2), math.sqrt(2 / 1.04))
    fails(function() init.calculate_gain("relo") end, "unknown nonlinearity 'relo'")
  end)
end)

describe("nn.utils", function()
  local function with_gradients()
    local a, b = torch.ones(2, { requires_grad = true }), torch.ones(1, { requires_grad = true })
    ;((a * 3):sum() + (b * 6):sum()):backward()
    return a, b -- gradients 3, 3 and 6
  end

  it("clip_grad_norm_ scales all gradients by one factor", function()
    local a, b = with_gradients()
    equal(nn.utils.clip_grad_norm_({ a, b }, 1):item(), math.sqrt(54))
    equal(a.grad:tolist(), { 3 / math.sqrt(54), 3 / math.sqrt(54) })
    equal(b.grad:tolist(), { 6 / math.sqrt(54) })
    equal(nn.utils.clip_grad_norm_({ a, b }, 10, math.huge):item(), 6 / math.sqrt(54))
    equal(b.grad:tolist(), { 6 / math.sqrt(54) })
    equal(nn.utils.clip_grad_norm_(torch.ones(1), 1):item(), 0)
  end)

  it("clip_grad_value_ clamps", function()
    local a, b = with_gradients()
    nn.utils.clip_grad_value_({ a, b }, 4)
    equal(a.grad:tolist(), { 3, 3 })
    equal(b.grad:tolist(), { 4 })
  end)

  it("parameters become a vector and come back", function()
    local a, b = torch.ones(2, 2), torch.zeros(1)
    equal(nn.utils.parameters_to_vector { a, b }:tolist(), { 1, 1, 1, 1, 0 })
    nn.utils.vector_to_parameters(torch.arange(5):to(torch.float32), { a, b })
    equal(a:tolist(), { { 0, 1 }, { 2, 3 } })
    equal(b:tolist(), { 4 })
  end)
end)

describe("layers of later PyTorch versions and other tongues", function()
  it("RMSNorm divides by the root of the mean square", function()
    local m = nn.RMSNorm({ 2 }, { eps = 0 })
    m:load_state_dict { weight = torch.tensor { 1, 10 } }
    local rms = math.sqrt((9 + 16) / 2)
    equal(m(torch.tensor { { 3, 4 } }):tolist(), { { 3 / rms, 40 / rms } })
    equal(tostring(nn.RMSNorm(3)), "RMSNorm((3,), eps=None, elementwise_affine=True)")
    equal(nn.RMSNorm({ 2 }, { elementwise_affine = false })(torch.zeros(2)):tolist(), { 0, 0 })
    fails(function() F.rms_norm(torch.zeros(2, 3), { 2 }) end, "input (2, 3) does not end in normalized_shape (2)")
  end)

  it("conv_tbc slides over time", function()
    local x = torch.arange(6):to(torch.float32):reshape(3, 1, 2) -- T, N, C
    local w = torch.ones(2, 2, 1) -- K, C, O
    -- sums of two rows: 0 + 1 + 2 + 3, 2 + 3 + 4 + 5
    equal(F.conv_tbc(x, w, torch.tensor { 100 }):tolist(), { { { 106 } }, { { 114 } } })
    equal(F.conv_tbc(x, w, torch.tensor { 0 }, 1):size(), { 4, 1, 1 })
  end)
end)

describe("nn.grad", function()
  it("has the gradients of convolutions by themselves", function()
    local x = torch.randn(2, 4, 5, 6, { requires_grad = true })
    local w = torch.randn(6, 2, 3, 2, { requires_grad = true })
    local y = F.conv2d(x, w, nil, { 2, 1 }, 1, 1, 2)
    local g = torch.randn(y:size())
    y:backward(g)
    equal(nn.grad.conv2d_input(x:size(), w:detach(), g, { 2, 1 }, 1, 1, 2), x.grad)
    equal(nn.grad.conv2d_weight(x:detach(), w:size(), g, { 2, 1 }, 1, { groups = 2 }), w.grad)
    local line = nn.grad.conv1d_input({ 1, 1, 3 }, torch.tensor { { { 2, 3 } } }, torch.tensor { { { 1, 10 } } })
    equal(line:tolist(), { { { 2, 23, 30 } } })
  end)
end)

describe("reset_parameters", function()
  it("draws what a new module would have", function()
    for _, make in ipairs {
      function() return nn.Linear(3, 2) end, function() return nn.Bilinear(2, 3, 2) end,
      function() return nn.Conv2d(2, 4, 3) end, function() return nn.ConvTranspose1d(2, 4, 3) end,
      function() return nn.Embedding(4, 2, 1) end, function() return nn.LSTM(3, 4, 2, { bidirectional = true }) end,
      function() return nn.GRUCell(3, 4) end, function() return nn.BatchNorm1d(3) end,
      function() return nn.LayerNorm(3) end, function() return nn.GroupNorm(1, 3) end,
      function() return nn.RMSNorm(3) end,
    } do
      torch.manual_seed(5)
      local fresh = make()
      local used = make()
      for _, p in ipairs(used:parameters()) do p:detach():fill_(9) end
      torch.manual_seed(5)
      used:reset_parameters()
      for name, p in fresh:named_parameters() do equal(used:get_parameter(name):detach(), p:detach(), 0) end
    end
  end)
end)

describe("a Sequential", function()
  -- modules put in by name were skipped
  it("calls modules with names in their order", function()
    local twice, more = nn.Module(), nn.Module()
    function twice:forward(x) return x * 2 end
    function more:forward(x) return x + 1 end
    local net = nn.Sequential()
    net:add_module("twice", twice)
    net:add_module("more", more)
    equal(net(torch.tensor { 1, 2 }), { 3, 5 })
    local mixed = nn.Sequential(more)
    mixed:add_module("twice", twice)
    equal(mixed(torch.tensor { 1, 2 }), { 4, 6 })
  end)
end)
