-- What modules say about inputs they cannot take: their own name, what they expect, what came.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn = torch.nn

local function sized(...) return torch.zeros(...) end
local function positions(list) return torch.tensor(list, { dtype = torch.int64 }) end

-- One row or more for each class: a module, inputs that do not fit, and what follows "expected".
local rows = {
  Linear = { { nn.Linear(4, 3), sized(2, 3), "input (*, 4), got (2, 3)" },
    { nn.Linear(4, 3), positions { 1, 2, 3, 4 }, "input (*, 4) of torch.float32 on cpu, got (4) of torch.int64" },
    { nn.Linear(4, 3), torch.zeros(2, 4, { device = "meta" }),
      "input (*, 4) of torch.float32 on cpu, got (2, 4) on meta" },
    { nn.Linear(4, 3), torch.tensor(1), "input (*, 4), got ()" } },
  Bilinear = { { nn.Bilinear(2, 3, 4), sized(5, 2), sized(5, 2),
    "input1 (*, 2) and input2 (*, 3), got (5, 2) and (5, 2)" } },
  PReLU = { { nn.PReLU(3), sized(2, 4, 5), "input (N, 3, *), got (2, 4, 5)" } },
  Softmax2d = { { nn.Softmax2d(), sized(2, 3), "input (N, C, H, W) or (C, H, W), got (2, 3)" } },
  LayerNorm = { { nn.LayerNorm { 3, 5 }, sized(2, 5, 3), "input (*, 3, 5), got (2, 5, 3)" } },
  RMSNorm = { { nn.RMSNorm { 3, 5 }, sized(2, 5, 3), "input (*, 3, 5), got (2, 5, 3)" } },
  GroupNorm = { { nn.GroupNorm(2, 4), sized(2, 3, 5), "input (N, 4, *), got (2, 3, 5)" } },
  LocalResponseNorm = { { nn.LocalResponseNorm(2), sized(3, 4), "input (N, C, L, *), got (3, 4)" } },
  CrossMapLRN2d = { { nn.CrossMapLRN2d(2), sized(3, 4), "input (N, C, L, *), got (3, 4)" } },
  Embedding = { { nn.Embedding(10, 3), positions { 1, 11 }, "input (*) of 1..10, got (2) with 11" },
    { nn.Embedding(10, 3), positions { 0 }, "input (*) of 1..10, got (1) with 0" },
    { nn.Embedding(10, 3), sized(2), "input (*) of 1..10, got (2) of torch.float32" } },
  EmbeddingBag = { { nn.EmbeddingBag(10, 3), positions { { 1, 99 } },
    "input (B, N) of 1..10 or (N) of 1..10, got (1, 2) with 99" } },
  RNN = { { nn.RNN(3, 4), sized(2, 5, 2), "input (L, N, 3) or (L, 3) or PackedSequence, got (2, 5, 2)" } },
  LSTM = { { nn.LSTM(3, 4, { batch_first = true }), sized(1, 2, 5, 3),
    "input (N, L, 3) or (L, 3) or PackedSequence, got (1, 2, 5, 3)" } },
  GRU = { { nn.GRU(3, 4), sized(3), "input (L, N, 3) or (L, 3) or PackedSequence, got (3)" } },
  RNNCell = { { nn.RNNCell(3, 4), sized(2, 4),
    "input (N, 3) or (3) and state (N, 4) or (4) or nil, got (2, 4) and nil" } },
  GRUCell = { { nn.GRUCell(3, 4), sized(2, 3), sized(2, 5), "got (2, 3) and (2, 5)" } },
  LSTMCell = { { nn.LSTMCell(3, 4), sized(2, 4), "input (N, 3) or (3) and state table or nil, got (2, 4) and nil" },
    { nn.LSTMCell(3, 4), sized(2, 3), sized(2, 4), "got (2, 3) and (2, 4)" } },
  MultiheadAttention = { { nn.MultiheadAttention(4, 2), sized(5, 1, 3), sized(5, 1, 4), sized(5, 1, 4),
    "query (L, N, 4) or (L, 4) and key (S, N, 4) or (S, 4) and value (S, N, 4) or (S, 4), "
      .. "got (5, 1, 3) and (5, 1, 4) and (5, 1, 4)" } },
  TransformerEncoderLayer = { { nn.TransformerEncoderLayer(4, 2, 8), sized(5, 1, 3),
    "src (S, N, 4) or (S, 4), got (5, 1, 3)" } },
  TransformerDecoderLayer = { { nn.TransformerDecoderLayer(4, 2, 8), sized(5, 1, 4), sized(5, 1, 3),
    "tgt (T, N, 4) or (T, 4) and memory (S, N, 4) or (S, 4), got (5, 1, 4) and (5, 1, 3)" } },
  Transformer = { { nn.Transformer(4, 2, 1, 1, 8), sized(5, 1, 3), sized(5, 1, 4),
    "src (S, N, 4) or (S, 4) and tgt (T, N, 4) or (T, 4), got (5, 1, 3) and (5, 1, 4)" } },
  TransformerEncoder = { { nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1), sized(5, 1, 3),
    "src (S, N, 4) or (S, 4), got (5, 1, 3)" } },
  TransformerDecoder = { { nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8), 1), sized(5, 1, 4),
    sized(5, 1, 3), "tgt (T, N, 4) or (T, 4) and memory (S, N, 4) or (S, 4), got (5, 1, 4) and (5, 1, 3)" } },
  Unfold = { { nn.Unfold(2), sized(2, 3), "input (N, C, H, W) or (C, H, W), got (2, 3)" } },
  Fold = { { nn.Fold({ 4, 4 }, 2), sized(4), "input (N, K, L) or (K, L), got (4)" } },
  PixelShuffle = { { nn.PixelShuffle(2), sized(4, 4), "input (*, C, H, W), got (4, 4)" } },
  PixelUnshuffle = { { nn.PixelUnshuffle(2), sized(4, 4), "input (*, C, H, W), got (4, 4)" } },
  ChannelShuffle = { { nn.ChannelShuffle(2), sized(4), "input (N, C, *), got (4)" } },
  Upsample = { { nn.Upsample { scale_factor = 2 }, sized(4), "input (N, C, *), got (4)" } },
  UpsamplingNearest2d = { { nn.UpsamplingNearest2d(4), sized(4), "input (N, C, H, W), got (4)" } },
  UpsamplingBilinear2d = { { nn.UpsamplingBilinear2d(4), sized(4, 4, 4), "input (N, C, H, W), got (4, 4, 4)" } },
  CosineSimilarity = { { nn.CosineSimilarity(), sized(2, 3), sized(2, 4),
    "x1 (*) and x2 (*), got (2, 3) and (2, 4)" } },
  PairwiseDistance = { { nn.PairwiseDistance(), sized(2, 3), sized(2, 4),
    "x1 (*, D) and x2 (*, D), got (2, 3) and (2, 4)" } },
  AdaptiveLogSoftmaxWithLoss = {
    { nn.AdaptiveLogSoftmaxWithLoss(4, 6, { 2 }), sized(3, 5), positions { 1, 2, 3 },
      "input (N, 4) or (4) and target (N) of 1..6 or () of 1..6, got (3, 5) and (3)" },
    { nn.AdaptiveLogSoftmaxWithLoss(4, 6, { 2 }), sized(3, 4), positions { 1, 7, 3 }, "got (3, 4) and (3) with 7" } },
  Flatten = { { nn.Flatten(), "input (*), got nil" } },
  Unflatten = { { nn.Unflatten(2, { 2, 2 }), 5, "input (*), got a number" } },
  Dropout = { { nn.Dropout(), {}, "input (*), got nil" } },
  AlphaDropout = { { nn.AlphaDropout(), "input (*), got nil" } },
  FeatureAlphaDropout = { { nn.FeatureAlphaDropout(), "input (N, C, *), got nil" } },

  NLLLoss = { { nn.NLLLoss(), sized(2, 3), positions { 1, 4 },
    "input (N, C, *) or (C) and target (N, *) of 1..C or () of 1..C, got (2, 3) and (2) with 4" } },
  NLLLoss2d = { { nn.NLLLoss2d(), sized(2, 3, 4, 4), positions { 1, 4 }, "got (2, 3, 4, 4) and (2)" } },
  CrossEntropyLoss = {
    { nn.CrossEntropyLoss(), sized(2, 3), sized(2),
      "(N, C, *) of probabilities or (C) of probabilities, got (2, 3) and (2) of torch.float32" },
    { nn.CrossEntropyLoss { ignore_index = 9 }, sized(3, 3), positions { 9, 1, 5 }, "got (3, 3) and (3) with 5" } },
  GaussianNLLLoss = { { nn.GaussianNLLLoss(), sized(2, 3), sized(2, 3), sized(4, 4),
    "input (*, D) and target (*, D) and var (*, D) or (*, 1) or (*), got (2, 3) and (2, 3) and (4, 4)" } },
  MultiLabelMarginLoss = { { nn.MultiLabelMarginLoss(), sized(2, 3), positions { 1, 2 },
    "input (N, C) or (C) and target (N, C) of 0..C or (C) of 0..C, got (2, 3) and (2)" } },
  MultiMarginLoss = { { nn.MultiMarginLoss(), sized(2, 3), positions { 1, 4 },
    "input (N, C) or (C) and target (N) of 1..C or () of 1..C, got (2, 3) and (2) with 4" } },
  CosineEmbeddingLoss = { { nn.CosineEmbeddingLoss(), sized(2, 3), sized(2, 4), sized(2),
    "input1 (N, D) or (D) and input2 (N, D) or (D) and target (N) or (), got (2, 3) and (2, 4) and (2)" } },
  MarginRankingLoss = { { nn.MarginRankingLoss(), sized(2), sized(3), sized(2),
    "input1 (*) and input2 (*) and target (*), got (2) and (3) and (2)" } },
  TripletMarginLoss = { { nn.TripletMarginLoss(), sized(2, 3), sized(2, 3), sized(2, 4),
    "anchor (*, D) and positive (*, D) and negative (*, D), got (2, 3) and (2, 3) and (2, 4)" } },
  TripletMarginWithDistanceLoss = { { nn.TripletMarginWithDistanceLoss(), sized(2, 3), sized(2, 3), sized(2, 4),
    "anchor (*, D) and positive (*, D) and negative (*, D), got (2, 3) and (2, 3) and (2, 4)" } },
  CTCLoss = { { nn.CTCLoss(), sized(5, 2, 3, 1), positions { { 1 } }, { 5 }, { 1 },
    "log_probs (T, N, C) or (T, C) and targets (N, S) of integers or (S) of integers, got (5, 2, 3, 1) and (1, 1)" } },
}

for _, name in ipairs { "L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss", "KLDivLoss",
  "PoissonNLLLoss", "HingeEmbeddingLoss", "MultiLabelSoftMarginLoss", "SoftMarginLoss" } do
  rows[name] = { { nn[name](), sized(2, 3), sized(2, 4), "input (*) and target (*), got (2, 3) and (2, 4)" } }
end

for _, name in ipairs { "ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "ELU", "CELU", "LeakyReLU",
  "Hardtanh", "GELU", "GLU", "Softmax", "LogSoftmax", "Softmin", "Softplus", "Hardshrink", "Softshrink", "Sigmoid",
  "Tanh", "LogSigmoid", "Softsign", "Tanhshrink", "RReLU" } do
  rows[name] = { { nn[name](), "text", "input (*), got a string" } }
end
rows.Threshold = { { nn.Threshold(0, 1), nn.ReLU(), "input (*), got a ReLU" } }

local SPATIAL = { "L", "H, W", "D, H, W" }
for d = 1, 3 do
  local spatial, sizes = SPATIAL[d], ({ "5", "5, 5", "5, 5, 5" })[d]
  local fives = { 5, 5, 5, unpack({ 5, 5, 5 }, 1, d) }
  local both = ("input (N, C, %s) or (C, %s), got (%s, 5, 5, 5)"):format(spatial, spatial, sizes)
  local function row(name, module) rows[name:gsub("#", d)] = { { module, torch.zeros(fives), both } } end
  local function nth(name) return nn[(name:gsub("#", d))] end

  for _, name in ipairs { "MaxPool#d", "AvgPool#d", "AdaptiveAvgPool#d", "AdaptiveMaxPool#d", "ReflectionPad#d",
    "ReplicationPad#d", "CircularPad#d" } do
    row(name, nth(name)(2))
  end
  if d < 3 then row("LPPool#d", nth "LPPool#d"(2, 2)) end
  if d > 1 then row("FractionalMaxPool#d", nth "FractionalMaxPool#d"(2, 2)) end
  rows["MaxUnpool" .. d .. "d"] = { { nth "MaxUnpool#d"(2), torch.zeros(2, 3), positions { 1 },
    ("input (N, C, %s) or (C, %s) and indices (N, C, %s) of integers or (C, %s) of integers, got (2, 3) and "
      .. "(1)"):format(spatial, spatial, spatial, spatial) } }
  for _, name in ipairs { "ZeroPad#d", "ConstantPad#d" } do
    local module = nth(name)(2, name:find "Const" and 1 or nil)
    rows[name:gsub("#", d)] = { { module, torch.tensor(1), ("input (*, %s), got ()"):format(spatial) } }
  end
  rows["Dropout" .. d .. "d"] = { { nth "Dropout#d"(),
    ("input (N, C, %s) or (C, %s), got nil"):format(spatial, spatial) } }

  local channels = ("input (N, 3, %s) or (3, %s), got (2, 1, %s)"):format(spatial, spatial, sizes)
  local one = torch.zeros { 2, 1, unpack({ 5, 5, 5 }, 1, d) }
  for _, name in ipairs { "Conv#d", "ConvTranspose#d" } do
    rows[name:gsub("#", d)] = { { nth(name)(3, 8, 3), one, channels } }
    local lazy = "Lazy" .. name
    rows[lazy:gsub("#", d)] = { { nth(lazy)(8, 3), sized(2),
      ("input (N, in_channels, %s) or (in_channels, %s), got (2)"):format(spatial, spatial) } }
  end
  local batch = ("input %s(N, 3, %s), got (%s)"):format(d == 1 and "(N, 3) or " or "", spatial, sizes)
  rows["BatchNorm" .. d .. "d"] = { { nth "BatchNorm#d"(3), torch.zeros { unpack({ 5, 5, 5 }, 1, d) }, batch },
    { nth "BatchNorm#d"(3), one, ("got (2, 1, %s)"):format(sizes) } }
  rows["InstanceNorm" .. d .. "d"] = { { nth "InstanceNorm#d"(3, { affine = true }), one, channels } }
  for _, name in ipairs { "LazyBatchNorm#d", "LazyInstanceNorm#d" } do
    rows[name:gsub("#", d)] = { { nth(name)(), sized(2), "got (2)" } }
  end
end
rows.LazyLinear = { { nn.LazyLinear(2), torch.tensor(1), "input (*, in_features), got ()" } }

-- Classes that take whatever their children take, or anything at all.
local WITHOUT = { Module = "the base", Identity = "returns anything", Sequential = "its first module checks",
  ModuleList = "is not called", ModuleDict = "is not called", ParameterList = "is not called",
  ParameterDict = "is not called", RNNBase = "the base of RNN, LSTM and GRU",
  RNNCellBase = "the base of their cells" }

local function call(row)
  return function() row[1](unpack(row, 2, #row - 1)) end
end

describe("a module names itself and what it expects", function()
  for name, home in pairs(getmetatable(nn).homes) do
    if torch.class.is_class(nn[name]) and not WITHOUT[name] then
      it(name .. " (" .. home .. ")", function()
        assert(rows[name], "there is no row for " .. name)
        for _, row in ipairs(rows[name]) do
          local text = fails(call(row), row[#row])
          assert(text:find("nn_errors_spec.lua:%d+: " .. torch.type(row[1]):gsub("%p", "%%%0") .. ".-: "), text)
        end
        for _, odd in ipairs { "text", { {} }, function() end, torch.float32 } do
          fails(function() rows[name][1][1](odd) end, ", got ")
        end
        fails(function() rows[name][1][1]() end, ", got nil")
      end)
    end
  end
end)

describe("the error of a call", function()
  it("names the place in a container, and the outermost module that does not fit", function()
    local m = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh(), nn.Conv2d(3, 8, 3)))
    fails(function() m(torch.zeros(8, 1, 28, 28)) end, "nn_errors_spec.lua:" .. debug.getinfo(1, "l").currentline
      .. ": Sequential[2] Sequential[2] Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1)): expected input (N, 3, H, W) "
      .. "or (3, H, W), got (8, 1, 28, 28)")
    fails(function() nn.TransformerEncoderLayer(4, 2, 8)(torch.zeros(5, 1, 3)) end, "TransformerEncoderLayer: expected")
  end)

  it("stays the operator's, behind the module's name, where the inputs are as expected", function()
    fails(function() nn.MaxPool2d(9)(torch.zeros(1, 1, 4, 4)) end, "ceil_mode=False): max_pool2d: ")
    fails(function() nn.Flatten()(torch.zeros(3)) end, "Flatten(start_dim=2, end_dim=-1): flatten: dim 2 is")
    fails(function() nn.Sequential(nn.GLU())(torch.zeros(3)) end, "Sequential[1] GLU(dim=-1): glu: ")
    fails(function() nn.LSTM(3, 4)(torch.zeros(2, 1, 3), torch.zeros(1, 1, 4)) end, "LSTM(3, 4): the state is 2")
  end)

  it("is named once, by the innermost module", function()
    local mask = torch.zeros(1, 9):to(torch.bool)
    local text = fails(function() nn.TransformerEncoderLayer(4, 2, 8)(torch.zeros(5, 1, 4), nil, mask) end,
      "MultiheadAttention: ")
    assert(not text:find("TransformerEncoderLayer", 1, true), text)
    fails(function() nn.ConvTranspose2d(1, 1, 2)(torch.zeros(1, 4, 4), { output_size = { 9, 9 } }) end,
      "stride=(1, 1)): output size 9 of dimension 1 is outside 5..5")
    fails(function() nn.ConvTranspose2d(1, 1, 2)(torch.zeros(1, 4, 4), "big") end, "'output_size'")
  end)

  it("passes as it came when it is not a text, or comes from a module of the user's", function()
    local problem = {}
    local Odd = torch.class("Odd", nn.Module)
    function Odd:forward() error(problem) end
    local good, message = pcall(nn.Sequential(Odd()), 1)
    assert(not good and message == problem)
    local distance = nn.TripletMarginWithDistanceLoss { distance_function = function() error(problem) end }
    good, message = pcall(distance, torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 3))
    assert(not good and message == problem)
  end)

  it("is the same when there are hooks", function()
    local m = nn.Linear(4, 3)
    m:register_forward_hook(function() end)
    fails(function() m(torch.zeros(3)) end, "out_features=3, bias=True): expected input (*, 4), got (3)")
  end)

  it("comes from modules of the user's that say what they expect", function()
    local Net = torch.class("Net(int width=3)", nn.Module)
    Net.expects = "picture (N, 1, {width}, {width}) and label (N) of 1..10"
    function Net:forward(x, y) return x.missing.field end
    fails(function() Net()(torch.zeros(2, 1, 3, 4), positions { 1, 2 }) end, "Net(width=3): expected picture "
      .. "(N, 1, 3, 3) and label (N) of 1..10, got (2, 1, 3, 4) and (2)")
    fails(function() Net()(torch.zeros(2, 1, 3, 3), positions { 1, 11 }) end, "got (2, 1, 3, 3) and (2) with 11")
    fails(function() Net() { picture = torch.zeros(2, 1, 3, 3), label = 3 } end, "got (2, 1, 3, 3) and a number")
  end)
end)

describe("a constructor", function()
  -- Each class: arguments it cannot take, and what it says.
  for _, row in ipairs {
    { "Linear", { 4 }, "Linear: argument 'out_features' is missing" },
    { "Linear", { 4, "three" }, "Linear: argument 'out_features' must be int, got the string 'three'" },
    { "Linear", { 4, 3, { biass = false } }, "Linear: unknown argument 'biass', did you mean 'bias'?" },
    { "Conv2d", { 3, 8 }, "Conv2d: argument 'kernel_size' is missing" },
    { "Conv2d", { 3, 8, { 3, 3, 3 } }, "Conv2d: argument 'kernel_size'" },
    { "Conv2d", { 3, 8, 3, { padding_mode = "mirror" } }, "Conv2d: padding_mode is 'zeros', 'reflect', 'replicate'" },
    { "Conv2d", { 3, 8, 3, { padding = "full" } },
      "Conv2d: padding is a number or a list of 2, at least 0, or 'same' or 'valid', got 'full'" },
    { "Conv2d", { 3, 8, 3, { padding = "same", stride = 2 } }, "Conv2d: padding 'same' goes with stride 1, got (2," },
    { "Conv2d", { 3, 8, -3 }, "Conv2d: kernel_size is at least 1, got (-3, -3)" },
    { "Conv2d", { -3, 8, 3 }, "Conv2d: in_channels is at least 0, got -3" },
    { "MaxPool2d", { "two" }, "MaxPool2d: kernel_size is a number or a list of 2, at least 1, got 'two'" },
    { "MaxPool2d", { { 2, 2, 2 } }, "MaxPool2d: kernel_size is a number or a list of 2, at least 1, got (2, 2, 2)" },
    { "AvgPool1d", { nn.ReLU() }, "AvgPool1d: kernel_size is a number or a list of 1, at least 1, got a ReLU" },
    { "AdaptiveAvgPool3d", { true }, "AdaptiveAvgPool3d: output_size is a number or a list of 3, at least 0, got a b" },
    { "ReflectionPad2d", { { 1, 2 } }, "ReflectionPad2d: padding is a number or 4 of them, got 2" },
    { "BatchNorm2d", { -1 }, "BatchNorm2d: num_features is at least 0, got -1" },
    { "BatchNorm2d", { 3, { momentum = "x" } }, "BatchNorm2d: momentum is a number, or false, got 'x'" },
    { "GroupNorm", { 3, 4 }, "GroupNorm: num_channels 4 is not divisible by num_groups 3" },
    { "LayerNorm", { { -2 } }, "LayerNorm: normalized_shape is at least 0, got (-2,)" },
    { "Dropout", { 2 }, "Dropout: p is within 0..1, got 2" },
    { "Embedding", { 3, 2, 4 }, "Embedding: padding_idx 4 is outside 1..3" },
    { "EmbeddingBag", { 3, 2, { mode = "median" } }, "EmbeddingBag: mode is 'sum', 'mean' or 'max', got" },
    { "RNN", { 3, 4, { nonlinearity = "sin" } }, "RNN: nonlinearity is 'tanh' or 'relu', got 'sin'" },
    { "LSTM", { 3, 4, { proj_size = 4 } }, "LSTM: proj_size is less than hidden_size 4, got 4" },
    { "GRU", { 3, 0 }, "GRU: hidden_size is at least 1, got 0" },
    { "GRUCell", { 3, 0 }, "GRUCell: hidden_size is at least 1, got 0" },
    { "RNNCell", { 3, 4, { nonlinearity = "sin" } }, "RNNCell: nonlinearity is 'tanh' or 'relu', got 'sin'" },
    { "MultiheadAttention", { 4, 3 }, "MultiheadAttention: embed_dim 4 is not divisible by num_heads 3" },
    { "TransformerEncoderLayer", { 4, 2, { activation = "tan" } }, "activation is 'relu', 'gelu' or a function" },
    { "TransformerEncoder", { 3, 2 }, "TransformerEncoder: encoder_layer is a module, got 3" },
    { "TransformerDecoder", { nn.ReLU(), 0 }, "TransformerDecoder: num_layers is at least 1, got 0" },
    { "CrossEntropyLoss", { { reduction = "max" } }, "CrossEntropyLoss: reduction is 'none', 'mean' or 'sum'" },
    { "TripletMarginWithDistanceLoss", { { distance_function = 3 } }, "distance_function is a function, got 3" },
    { "Upsample", { { scale_factor = 2, mode = "best" } }, "Upsample: mode is 'nearest'" },
    { "Unfold", { "a" }, "Unfold: kernel_size is a number or a list of 2, at least 1, got 'a'" },
    { "Fold", { 4, {} }, "Fold: kernel_size is a number or a list of 2, at least 1, got ()" },
    { "PixelShuffle", { 0 }, "PixelShuffle: upscale_factor is at least 1, got 0" },
    { "GELU", { "cosh" }, "GELU: approximate is 'none' or 'tanh', got 'cosh'" },
    { "AdaptiveLogSoftmaxWithLoss", { 4, 6, { 7 } }, "cutoffs rise from 1 to n_classes - 1, got 7" },
    { "Sequential", { 3 }, "Sequential: expected a module, got a number" },
    { "ModuleList", { 3 }, "ModuleList: expected a list, got a number" },
    { "ModuleDict", { { 3 } }, "ModuleDict: entry 1 is not a pair of name and module" },
    { "ModuleDict", { 3 }, "ModuleDict: expected a list of pairs, got a number" },
    { "LayerNorm", { { bias = 3 } }, "LayerNorm: " },
    { "PReLU", { -1 }, "PReLU: num_parameters is at least 1, got -1" },
    { "RNNBase", { 3, 4 }, "RNNBase: this is the base of RNN, LSTM and GRU" },
    { "RNNCellBase", { 3, 4 }, "RNNCellBase: this is the base of RNNCell, LSTMCell and GRUCell" },
    { "ParameterList", { "a" }, "ParameterList: expected a list, got a string" },
    { "Bilinear", { 0, 2, 3 }, "Bilinear: in1_features is at least 1, got 0" },
  } do
    it(row[1] .. ": " .. row[3], function()
      fails(function() nn[row[1]](unpack(row[2])) end, row[3])
    end)
  end
end)

describe("a lazy module", function()
  it("has nothing to list, to save or to load before its first call, wherever it stands", function()
    local m = nn.Sequential(nn.ReLU(), nn.LazyLinear(2))
    for _, method in ipairs { "parameters", "named_parameters", "buffers", "state_dict",
      "requires_grad_" } do
      fails(function() m[method](m) end, "LazyLinear '1': its parameters are not there before the first call")
    end
    fails(function() m:load_state_dict {} end, "LazyLinear '1': its parameters are not there")
    fails(function() nn.LazyConv2d(2, 3):parameters() end, "LazyConv2d: its parameters are not there")
    fails(function() torch.save(m, os.tmpname()) end, "LazyLinear '1': its parameters are not there")
    fails(function() torch.optim.SGD(m:parameters(), 0.1) end, "its parameters are not there")
    m(torch.zeros(3, 4))
    equal(#m:parameters(), 2)
  end)

  it("stays lazy after an input that it cannot take", function()
    local m = nn.LazyConv2d(8, 3)
    fails(function() m(torch.zeros(1, 1, 3, 5, 5)) end, "LazyConv2d(0, 8, kernel_size=(3, 3), stride=(1, 1)): exp")
    equal(m(torch.zeros(2, 3, 5, 5)):size(), { 2, 8, 3, 3 })
    fails(function() m(torch.zeros(2, 4, 5, 5)) end, "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1)): expected input")
  end)

  it("is converted before it has parameters", function()
    local m = nn.LazyLinear(2):double()
    equal(m(torch.zeros(1, 3, { dtype = torch.float64 })).dtype, torch.float64)
  end)
end)

describe("functions of nn.utils", function()
  local utils, linear = nn.utils, nn.Linear(2, 2)
  for name, row in pairs {
    clip_grad_norm_ = { utils.clip_grad_norm_, { 3, 1 }, "expected a tensor or a list of them, got a number" },
    clip_grad_value_ = { utils.clip_grad_value_, { { 3 }, 1 }, "item 1 is not a tensor but a number" },
    parameters_to_vector = { utils.parameters_to_vector, {}, "expected a tensor or a list of them, got a nil" },
    vector_to_parameters = { utils.vector_to_parameters, { 3, {} }, "argument 'vec' must be" },
    fuse_linear_bn_eval = { utils.fuse_linear_bn_eval, { linear, 3 }, "expected a module, got a number" },
    fuse_conv_bn_weights = { utils.fuse_conv_bn_weights, { torch.ones(1) }, "item 2 is not a tensor but a boolean" },
    weight_norm = { utils.weight_norm, { linear, "wait" }, "Linear has no parameter 'wait'" },
    remove_weight_norm = { utils.remove_weight_norm, { 3 }, "expected a module, got a number" },
    spectral_norm = { utils.spectral_norm, { torch.ones(1) }, "expected a module, got a Tensor" },
    orthogonal = { utils.parametrizations.orthogonal, { linear, "bias" }, "'bias' of Linear is no matrix" },
    register_parametrization = { utils.parametrize.register_parametrization, { linear, "weight", 3 },
      "expected a module, got a number" },
    is_parametrized = { utils.parametrize.is_parametrized, { 3 }, "expected a module, got a number" },
    cached = { utils.parametrize.cached, { 3 }, "expected a function, got a number" },
    prune = { utils.prune.identity, { linear, {} }, "a parameter's name is a string, got a table" },
    global_unstructured = { utils.prune.global_unstructured, { { 3 }, utils.prune.Identity }, "item 1 is not a pair" },
    is_pruned = { utils.prune.is_pruned, { 3 }, "expected a module, got a number" },
    pack_sequence = { utils.rnn.pack_sequence, { { 3 } }, "argument 'sequences'" },
    pack_padded_sequence = { utils.rnn.pack_padded_sequence, { torch.ones(2, 1), { "x" } }, "length x of sequence 1" },
    unpad_sequence = { utils.rnn.unpad_sequence, { torch.ones(2, 1), torch.ones(3) }, "3 lengths for 1 sequences" },
    checkpoint_sequential = { torch.utils.checkpoint.checkpoint_sequential, { 3, 1, 1 }, "expected a Sequential or a" },
    update_bn = { torch.optim.swa_utils.update_bn, { {}, 3 }, "expected a module, got a number" },
    multi_head_attention_forward = { nn.functional.multi_head_attention_forward, {}, "'query' must be a tensor" },
  } do
    it(name .. " refuses odd arguments", function()
      fails(function() row[1](unpack(row[2])) end, name .. ": ")
      fails(function() row[1](unpack(row[2])) end, row[3])
    end)
  end
end)
