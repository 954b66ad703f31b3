local torch, measure = require "torch", require "measure"

torch.manual_seed(1)
local lstm, x = torch.nn.LSTM(256, 256, 2), torch.randn(64, 32, 256)

measure(3, function()
  lstm:zero_grad()
  lstm(x):sum():backward()
end)
