--- torch.plot: pictures of numbers, in files and in the terminal.
--
--     local fig = torch.plot.figure { title = "loss", xlabel = "step", yscale = "log" }
--     fig:line(steps, train, { label = "training" }):line(steps, test, { label = "test" })
--     fig:save "loss.svg"         -- or .png
--     fig:show()                  -- in the terminal
--
--     print(torch.plot.histogram(torch.randn(10000)))

local torch, class = require "torch", require "torch.class"
local Figure, kinds = require "torch.plot.figure", require "torch.plot.series"

local plot = { figure = Figure, grid = require "torch.plot.grid" }

-- The options that a signature names.
local function names_in(signature)
  local known = {}
  for _, name in ipairs((select(2, torch.core.signature(signature)))) do known[name] = true end
  return known
end

local of_figure = names_in(getmetatable(Figure).signature)

-- The arguments of a series without those that are the figure's, and these.
local function divided(of_series, ...)
  local arguments, count = { ... }, select("#", ...)
  local named, figure, series = arguments[count], {}, {}
  if class.type(named) ~= "table" or type(next(named)) ~= "string" then return arguments, count, figure end
  for name, value in pairs(named) do
    local owner = of_figure[name] and not of_series[name] and figure or series
    owner[name] = value
  end
  arguments[count] = series
  if next(series) == nil then count = count - 1 end
  return arguments, count, figure
end

--- `torch.plot.line(x, y, {...})` and its like for every kind of series: a new figure with one, whose options are the
--- series' and the figure's together.
for kind, trade in pairs(kinds) do
  local of_series = names_in(trade.signature)
  plot[kind] = function(...)
    local arguments, count, options = divided(of_series, ...)
    local figure = Figure(options)
    return figure[kind](figure, unpack(arguments, 1, count))
  end
end

return plot
