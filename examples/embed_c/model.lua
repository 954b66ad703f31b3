--- The network that train.lua trains and the host uses.

local torch = require "torch"
local nn = torch.nn

local model = {}

--- Points (N, 2) to scores (N, 2) of being outside and inside.
function model.network()
  return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
end

--- What the host calls: a function from points (N, 2) to how probable it is that each lies inside (N).
---@param path string  what train.lua saved
function model.load(path)
  local net = model.network()
  net:load_state_dict(torch.load(path))
  net:eval()
  return function(x)
    return torch.no_grad(function() return torch.softmax(net(x), 2):select(2, 2):contiguous() end)
  end
end

return model
