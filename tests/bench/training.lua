-- Steps of training: forward, backward, optimiser.
package.path = "../../examples/?.lua;" .. package.path
local torch, run = require "torch", require "bench"
local nn, optim, F = torch.nn, torch.optim, torch.nn.functional

local function classifier(name, size, classes, model, optimizer)
  run.bench(name, function()
    local net, x, y = model(), torch.randn(size), torch.randint(1, classes + 1, { size[1] })
    local opt = optimizer(net:parameters())
    return function()
      opt:zero_grad()
      F.cross_entropy(net(x), y):backward()
      opt:step()
    end
  end)
end

classifier("mlp", { 64, 784 }, 10, function()
  return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
end, optim.Adam)

classifier("cnn", { 64, 1, 28, 28 }, 10, function()
  return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 25, 128), nn.ReLU(), nn.Linear(128, 10))
end, optim.Adam)

run.bench("lstm", function()
  local lstm, x = nn.LSTM(128, 256, 2), torch.randn(64, 32, 128)
  local opt = optim.Adam(lstm:parameters())
  return function()
    opt:zero_grad()
    lstm(x):sum():backward()
    opt:step()
  end
end)

run.bench("gpt", function()
  local vocabulary, batch, context = 65, 12, 64
  local model = require "char_lm.gpt" { vocabulary = vocabulary, width = 128, layers = 4, heads = 4, context = context }
  local matrices, vectors = {}, {}
  for _, p in ipairs(model:parameters()) do table.insert(p:dim() > 1 and matrices or vectors, p) end
  local opt = optim.AdamW({ { params = matrices, weight_decay = 0.1 }, { params = vectors, weight_decay = 0 } },
    { lr = 1e-3, betas = { 0.9, 0.99 } })
  local text = torch.randint(1, vocabulary + 1, { batch, context + 1 })
  local x, y = text:narrow(2, 1, context), text:narrow(2, 2, context)
  return function()
    local loss = F.cross_entropy(model(x):flatten(1, 2), y:flatten())
    opt:zero_grad()
    loss:backward()
    nn.utils.clip_grad_norm_(model:parameters(), 1)
    opt:step()
    return loss:item()
  end
end)

classifier("resnet18", { 8, 3, 224, 224 }, 1000, function() return torch.vision.models.resnet18() end,
  function(p) return optim.SGD(p, { lr = 0.01, momentum = 0.9 }) end)

run.bench("resnet18_inference", function()
  local net, x = torch.vision.models.resnet18():eval(), torch.randn(1, 3, 224, 224)
  return function() return torch.no_grad(function() return net(x) end) end
end)

run.finish()
