-- torch.vision.models against torchvision 0.15.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local models = torch.vision.models

-- How many entries the state has, and a hash of their names and sizes.
local function outline(model)
  local count, hash = 0, 0
  for name, x in model:state_dict():items() do
    count = count + 1
    local line = name .. " " .. table.concat(x:size(), ",") .. "\n"
    for i = 1, #line do hash = (hash * 31 + line:byte(i)) % 2 ^ 32 end
  end
  return { count, hash }
end

-- Fills the state with numbers that any language can compute.
local function fill(model)
  local i, double = 0, { dtype = torch.float64 }
  for name, x in model:state_dict():items() do
    i = i + 1
    local n = x:numel()
    local p = torch.arange(n, double):add_(i):mul_(12.9898):sin_():mul_(43.7):frac_() -- within -1..1
    if name:find "running_var" then
      p:mul_(0.2):add_(1)
    elseif x:dim() > 1 then
      p:mul_(math.sqrt(6 * x:size(1) / n)) -- as many inputs do not make larger outputs
    elseif name:find "weight$" then
      p:mul_(0.1):add_(1)
    else
      p:mul_(0.1)
    end
    if not name:find "num_batches_tracked" then x:copy_(p:view(x:size())) end
  end
end

local function image(side)
  return torch.arange(3 * side * side, { dtype = torch.float64 }):mul_(0.37):sin_():view(1, 3, side, side):float()
end

-- The logits of a filled model for an image.
local function logits(model, side)
  fill(model:eval())
  return torch.no_grad(function() return model(image(side))[1]:tolist() end)
end

describe("models", function()
  -- The outline and the logits for an image of 64 x 64, or of another size, as torchvision has them; large models are
  -- not run.
  for _, row in ipairs {
    { "alexnet", 16, 301039793 },
    { "vgg11_bn", 62, 2961858006 },
    { "resnet18", 122, 2746001263, { -0.124797, 0.164762, -0.848573 } },
    { "resnext50_32x4d", 320, 16523740, { 18.565, 15.8431, 4.01795 } },
    { "densenet121", 727, 2873360701, { -0.674125, -0.659181, -0.381197 } },
    { "squeezenet1_0", 52, 2180100340, { 0.0688215, 0.15583, 0 } },
    { "squeezenet1_1", 52, 2121454049, { 0.0873053, 0.0686361, 0 } },
    { "googlenet", 364, 1769924517, { 2.153, 2.5535, 2.81285 } },
    { "inception_v3", 580, 812168933, { -0.0495931, -0.14438, -0.0149289 }, 80 },
    { "mobilenet_v2", 314, 2655927112, { -0.888067, 0.448549, 1.95449 } },
    { "shufflenet_v2_x0_5", 338, 3031477610, { -183.591, -129.182, -210.401 } },
    { "shufflenet_v2_x1_0", 338, 566952172, { -51.98, -27.4626, -45.3648 } },
    { "mobilenet_v3_small", 244, 2823197864, { 0.562199, 0.51737, 0.651817 } },
    { "mobilenet_v3_large", 312, 3564987950, { 1.51063, 0.804698, -0.480795 } },
    { "convnext_tiny", 182, 860408546, { 1.24222, 1.39651, -1.37695 } },
    { "efficientnet_b0", 360, 2433325428, { -0.514391, -0.0836173, 0.267177 } },
  } do
    local name, count, hash, expected, side = unpack(row)
    it("have the names, sizes and numbers of torchvision's: " .. name, function()
      local model = models[name] { num_classes = 3 }
      equal(outline(model), { count, hash })
      if expected then equal(logits(model, side or 64), expected, 1e-4) end
    end)
  end

  it("have the names, sizes and numbers of torchvision's: VisionTransformer", function()
    local model = models.VisionTransformer { image_size = 16, patch_size = 8, num_layers = 2, num_heads = 2,
      hidden_dim = 8, mlp_dim = 16, num_classes = 3 }
    equal(outline(model), { 32, 1725748068 })
    equal(logits(model, 16), { -1.14347, -1.18082, 0.279621 }, 1e-4)
  end)

  it("learn: every parameter gets a gradient", function()
    for _, name in ipairs { "resnet18", "mobilenet_v2", "shufflenet_v2_x0_5", "efficientnet_b0", "googlenet",
      "mobilenet_v3_small", "convnext_tiny" } do
      local model = models[name] { num_classes = 2 }
      local total = 0
      for _, y in ipairs { model(torch.rand(2, 3, 32, 32)) } do total = total + y:sum() end
      total:backward()
      for key, p in model:named_parameters() do assert(p.grad, name .. ": " .. key) end
    end
  end)

  it("give a second opinion's logits in training only", function()
    local model = models.inception_v3 { num_classes = 2 }
    equal(model.AuxLogits(torch.rand(2, 768, 17, 17)):size(), { 2, 2 })
    equal(select("#", model:eval()(torch.rand(1, 3, 75, 75))), 1)
    local without = models.inception_v3 { num_classes = 2, aux_logits = false }
    equal(select("#", without(torch.rand(2, 3, 75, 75))), 1)
    equal(without:state_dict()["AuxLogits.fc.weight"], nil)
  end)

  it("have a LeNet for small images", function()
    equal(models.lenet()(torch.zeros(2, 1, 28, 28)):size(), { 2, 10 })
    equal(models.lenet { num_classes = 4, channels = 3 }(torch.zeros(2, 3, 28, 28)):size(), { 2, 4 })
  end)

  it("load old checkpoints: without counts of batches, with names of their time", function()
    local net = models.DenseNet { growth_rate = 4, block_config = { 1, 1, 1, 1 }, num_init_features = 4, bn_size = 1,
      num_classes = 2 }
    local old = {}
    for name, x in net:state_dict():items() do
      if not name:find "num_batches_tracked$" then
        old[(name:gsub("(denselayer%d+%.%a+)([12])%.", "%1.%2."))] = x:clone()
      end
    end
    assert(old["features.denseblock1.denselayer1.norm.1.weight"])
    local missing, unexpected = net:load_state_dict(old)
    equal({ #missing, #unexpected }, { 0, 0 })
    old["classifier.bias"] = nil
    fails(function() net:load_state_dict(old) end, 'missing keys: "classifier.bias"')

    local vit = models.VisionTransformer { image_size = 4, patch_size = 4, num_layers = 1, num_heads = 1,
      hidden_dim = 4, mlp_dim = 4 }
    old = {}
    for name, x in vit:state_dict():items() do
      old[(name:gsub("mlp%.0", "mlp.linear_1"):gsub("mlp%.3", "mlp.linear_2"))] = x
    end
    vit:load_state_dict(old)
  end)

  it("take named arguments, and say which are wrong", function()
    fails(function() models.resnet18(10) end, "ResNet: expected named arguments, got a number")
    fails(function() models.resnet18 { classes = 10 } end, "unknown argument 'classes'")
    fails(function() models.resnet50 { layers = { 1, 1, 1, 1 } } end, "ResNet: layers is fixed for this model")
    fails(function() models.SqueezeNet { version = "2" } end, "version is 1_0 or 1_1, got '2'")
    fails(function() models.vit_b_32 { image_size = 100 } end, "image_size 100 is not divisible by patch_size 32")
    local vit = models.VisionTransformer { image_size = 8, patch_size = 4, num_layers = 1, num_heads = 1,
      hidden_dim = 4, mlp_dim = 4 }
    fails(function() vit(torch.zeros(1, 3, 8, 9)) end, "expected images (N, 3, 8, 8), got (1, 3, 8, 9)")
  end)
end)
