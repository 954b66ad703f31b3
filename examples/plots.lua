--- Draws what happens when small networks tell two spirals apart, into files and in the terminal.
--
--     facula examples/plots.lua                    into the current folder
--     facula examples/plots.lua --to docs/images   the pictures of the documentation

local torch = require "torch"
local nn, F, plot = torch.nn, torch.nn.functional, torch.plot

local opt = require "options"({
  to = ".", steps = 400, points = 150, seed = 1, format = "svg", smoke = false,
}, {
  to = "folder for the pictures",
  steps = "training steps of each network",
  points = "on each spiral",
  seed = "of the random numbers",
  format = "svg or png",
  smoke = "a few steps only, to see that everything runs",
})

-- Points [2 n, 2] on two spirals, and their classes 1 and 2.
local function spirals(n)
  local angle = torch.rand(n):sqrt() * 3 * math.pi
  local arm = torch.stack({ angle * angle:cos(), angle * angle:sin() }, 2) / 5
  local x = torch.cat({ arm, -arm }, 1) + torch.randn(2 * n, 2) * 0.05
  return x, torch.cat({ torch.ones(n), torch.full({ n }, 2) }, 1):to(torch.int64)
end

local function network()
  return nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))
end

-- The network and its loss at every step.
local function train(name, new_optimizer, x, y)
  torch.manual_seed(opt.seed)
  local model, losses = network(), {}
  local optimizer = new_optimizer(model:parameters())
  local bar = torch.utils.progress(opt.smoke and 20 or opt.steps, { desc = name })
  for step in bar do
    local loss = F.cross_entropy(model(x), y)
    optimizer:zero_grad()
    loss:backward()
    optimizer:step()
    losses[step] = loss:item()
    bar:set_postfix { loss = losses[step] }
  end
  return model, losses
end

local function loss_curves(runs)
  local figure = plot.figure { title = "Loss of three optimizers", xlabel = "step", ylabel = "cross entropy",
    yscale = "log", width = 560, height = 360 }
  for i, run in ipairs(runs) do
    figure:line(run.losses, { label = run.name, linestyle = ({ "-", "--", "-." })[i] })
  end
  return figure
end

local function points_of(x, y)
  local figure = plot.figure { title = "Two spirals", xlabel = "x", ylabel = "y", width = 560, height = 360 }
  for class, marker in ipairs { "o", "^" } do
    local chosen = x[y:eq(class)]
    figure:scatter(chosen:select(2, 1), chosen:select(2, 2), { label = "class " .. class, marker = marker,
      markersize = 5 })
  end
  return figure
end

-- How sure the network is of class 1, over the square in which the spirals lie, and the points.
local function confidence(model, x, y)
  local size = 60
  local side = torch.linspace(-2, 2, size)
  local columns = side:unsqueeze(1):expand(size, -1)
  local rows = side:flip(1):unsqueeze(2):expand(-1, size)
  local place = torch.stack({ columns, rows }, 3):reshape(-1, 2)
  local share = torch.no_grad(function() return model(place):softmax(2):select(2, 1) end)
  local figure = plot.heatmap(share:reshape(size, size), { title = "Probability of class 1", width = 560, height = 360,
    extent = { -2, 2, -2, 2 }, vmin = 0, vmax = 1 })
  for class, color in ipairs { "black", "white" } do
    local chosen = x[y:eq(class)]
    figure:scatter(chosen:select(2, 1), chosen:select(2, 2), { color = color, markersize = 4 })
  end
  return figure
end

local function weights_of(model)
  local figure = plot.figure { title = "Weights between the hidden layers", ylabel = "count", width = 560,
    height = 360 }
  local range = { -1.5, 1.5 }
  figure:histogram(model[3].weight, 40, { label = "trained", range = range })
  torch.manual_seed(opt.seed)
  return figure:histogram(network()[3].weight, 40, { label = "at the start", range = range, alpha = 0.6 })
end

torch.manual_seed(opt.seed)
local x, y = spirals(opt.smoke and 20 or opt.points)
local runs = {
  { name = "SGD", new = function(p) return torch.optim.SGD(p, { lr = 0.3 }) end },
  { name = "momentum", new = function(p) return torch.optim.SGD(p, { lr = 0.1, momentum = 0.9 }) end },
  { name = "Adam", new = function(p) return torch.optim.Adam(p, { lr = 0.01 }) end },
}
for _, run in ipairs(runs) do run.model, run.losses = train(run.name, run.new, x, y) end

local best = runs[3].model
local curves = loss_curves(runs)
curves:show { height = 14 }
local all = plot.grid({ curves, points_of(x, y), confidence(best, x, y), weights_of(best) }, { columns = 2 })
for name, picture in pairs { ["loss-curves"] = curves, plots = all } do
  local path = ("%s/%s.%s"):format(opt.to, name, opt.format)
  picture:save(path)
  print("saved " .. path)
end
