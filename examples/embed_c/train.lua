--- Learns which points of the plane lie within the unit circle, and saves what it learned: facula train.lua FILE

local torch = require "torch"
local model = require "model"
local F = torch.nn.functional

local path = assert(arg[1], "expected a file to save the model to")
torch.manual_seed(1)
local net = model.network()
local optimizer = torch.optim.Adam(net:parameters(), {lr = 1e-2})
for step = 1, 400 do
  local x = torch.rand(256, 2) * 4 - 2 -- [N, 2], within -2..2
  local inside = (x * x):sum(2):lt(1):to(torch.int64) + 1 -- classes 1 and 2
  local loss = F.cross_entropy(net(x), inside)
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  if step % 100 == 0 then print(("step %d: loss %.3f"):format(step, loss:item())) end
end
torch.save(net:state_dict(), path)
