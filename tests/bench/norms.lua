-- There and back.
local torch, run = require "torch", require "bench"
local F = torch.nn.functional

-- `body(x)` and the gradient of its sum; `extra` adds arguments.
local function of(name, size, body, extra)
  run.bench(name, function()
    local x = torch.randn(size):requires_grad_()
    local more = extra and extra(x) or {}
    local ones
    return function()
      local y = body(x, unpack(more))
      ones = ones or torch.ones_like(y)
      y:backward(ones)
      x.grad = nil
    end
  end)
end

for _, size in ipairs { { 128, 1000 }, { 4096, 4096 } } do
  local tail = "_" .. size[2]
  of("softmax" .. tail, size, function(x) return F.softmax(x, 2) end)
  of("log_softmax" .. tail, size, function(x) return F.log_softmax(x, 2) end)
  of("layer_norm" .. tail, size, function(x, w, b) return F.layer_norm(x, { size[2] }, w, b) end, function()
    return { torch.ones(size[2], { requires_grad = true }), torch.zeros(size[2], { requires_grad = true }) }
  end)
  of("cross_entropy" .. tail, size, F.cross_entropy, function()
    return { torch.randint(1, size[2] + 1, { size[1] }) }
  end)
end
of("batch_norm", { 32, 64, 56, 56 }, function(x, layer) return layer(x) end, function()
  return { torch.nn.BatchNorm2d(64) }
end)

run.finish()
