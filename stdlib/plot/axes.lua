--- The axes of a figure: which range they show, where a number lies on them, their ticks.

local check = require "torch.check"
local ticks = require "torch.plot.ticks"

local axes = {}

---@class plot.Axis
---@field low number
---@field high number
---@field log boolean
---@field share fun(v: number): number   from 0 at `low` to 1 at `high`; NaN where the axis does not have the number
---@field ticks fun(count: number): { value: number, label: string }[]

local function named_ticks(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = { value = i, label = tostring(name) } end
  return list
end

local function finish(axis, names)
  local low, high = axis.low, axis.high
  if axis.log then
    local a, b = math.log10(low), math.log10(high)
    axis.share = function(v) return v > 0 and (math.log10(v) - a) / (b - a) or 0 / 0 end
  else
    axis.share = function(v) return (v - low) / (high - low) end
  end
  axis.ticks = function(count)
    if names then return named_ticks(names) end
    return (axis.log and ticks.log or ticks.linear)(low, high, count)
  end
  return axis
end

-- Room beyond the data, and a range even where there is one number or none.
local function widened(low, high, log, margins)
  if low > high then low, high = log and 1 or 0, log and 10 or 1 end
  if log then
    if low == high then return low / 2, high * 2 end
    local room = (high / low) ^ 0.04
    return low / room, high * room
  end
  if low == high then
    local room = low == 0 and 1 or math.abs(low) * 0.1
    return low - room, high + room
  end
  local room = (high - low) * 0.04
  return low - room * margins[1], high + room * margins[2]
end

local function check_scale(scale, name)
  check(scale == "linear" or scale == "log", "plot: %s is 'linear' or 'log', got '%s'", name, scale)
  return scale == "log"
end

local function check_limits(limits, log, name)
  check(#limits == 2 and limits[1] < limits[2] and math.abs(limits[1]) < math.huge and math.abs(limits[2]) < math.huge,
    "plot: %s is two numbers, the larger last", name)
  check(not log or limits[1] > 0, "plot: %s is above 0 on a logarithmic axis, got %s", name, limits[1])
end

--- Fails unless the figure's options for its axes fit together.
function axes.check(figure)
  for _, axis in ipairs { "x", "y" } do
    local log = check_scale(figure[axis .. "scale"], axis .. "scale")
    if figure[axis .. "lim"] then check_limits(figure[axis .. "lim"], log, axis .. "lim") end
  end
end

-- The range of what the series must show.
local function extents(figure, kinds, logs)
  local low, high = { math.huge, math.huge }, { -math.huge, -math.huge }
  local function see(x, y)
    for d, v in ipairs { x, y } do
      if v == v and math.abs(v) < math.huge and (v > 0 or not logs[d]) then
        low[d], high[d] = math.min(low[d], v), math.max(high[d], v)
      end
    end
  end
  for _, series in ipairs(figure.series) do kinds[series.kind].extent(series, see) end
  return low, high
end

--- The figure's two axes.
---@return plot.Axis x
---@return plot.Axis y
function axes.of(figure, kinds)
  local logs = { figure.xscale == "log", figure.yscale == "log" }
  local low, high = extents(figure, kinds, logs)
  local names, row_names, pixels, boxes, down
  for _, series in ipairs(figure.series) do
    names, row_names = names or series.names, row_names or series.row_names
    pixels = pixels or kinds[series.kind].pixels
    boxes = boxes or series.edges ~= nil
    down = down or series.sides and series.sides[3] > series.sides[4]
  end
  local result = {}
  for d, axis in ipairs { "x", "y" } do
    local from, to = low[d], high[d]
    if figure[axis .. "lim"] then
      from, to = unpack(figure[axis .. "lim"])
    elseif not pixels then
      -- Bars stand on their axis.
      local margins = { boxes and d == 2 and low[d] >= 0 and 0 or 1, 1 }
      from, to = widened(from, to, logs[d], margins)
    end
    result[d] = finish({ low = from, high = to, log = logs[d] }, d == 1 and names or d == 2 and row_names or nil)
  end
  if down then
    local share = result[2].share
    result[2].share = function(v) return 1 - share(v) end
  end
  return result[1], result[2]
end

return axes
