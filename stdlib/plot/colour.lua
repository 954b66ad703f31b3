--- Colours of plots: those of series, those of values, and colours by name.

local check = require "torch.check"

local colour = {}

--- For series, in this order: distinct for the colour-blind and in print (Okabe and Ito 2008), the darker ones first.
colour.cycle = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b0a000" }

local names = {
  black = "#000000", white = "#ffffff", gray = "#808080", grey = "#808080", red = "#d62728", green = "#2ca02c",
  blue = "#1f77b4", orange = "#ff7f0e", purple = "#9467bd", brown = "#8c564b", pink = "#e377c2", yellow = "#f0c000",
  cyan = "#17becf", magenta = "#c020c0",
}

--- Red, green and blue from 0 to 1.
---@param value string|number[]  "#rrggbb", "#rgb", a name, "C1" for the first of the cycle; or the three numbers
---@return number[]
function colour.rgb(value)
  if type(value) == "table" and #value == 3 then
    for _, v in ipairs(value) do
      check(type(v) == "number" and v >= 0 and v <= 1, "plot: the parts of a color are from 0 to 1, got %s", v)
    end
    return value
  end
  check(type(value) == "string", "plot: expected a color such as '#0072b2', got a %s", type(value))
  local position = tonumber(value:match "^C(%d+)$")
  local text = position and position > 0 and colour.cycle[(position - 1) % #colour.cycle + 1] or names[value] or value
  if text:find "^#%x%x%x$" then text = text:gsub("%x", "%0%0") end
  local r, g, b = text:match "^#(%x%x)(%x%x)(%x%x)$"
  check(r, "plot: '%s' is no color; expected '#rrggbb', 'C1' to 'C%d', or a name such as 'red'", value, #colour.cycle)
  return { tonumber(r, 16) / 255, tonumber(g, 16) / 255, tonumber(b, 16) / 255 }
end

--- As SVG has it.
---@param rgb number[]
---@return string
function colour.hex(rgb)
  return ("#%02x%02x%02x"):format(rgb[1] * 255 + 0.5, rgb[2] * 255 + 0.5, rgb[3] * 255 + 0.5)
end

-- Colours at equal distances, between which maps are straight.
local maps = {
  -- Smith and van der Walt 2015: even steps to the eye, also for the colour-blind.
  viridis = {
    0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d, 0x2c728e, 0x26828e, 0x21918c, 0x1fa088, 0x28ae80,
    0x3fbc73, 0x5ec962, 0x84d44b, 0xaddc30, 0xd8e219, 0xfde725,
  },
  gray = { 0x000000, 0xffffff },
  -- Blue for what is below the middle, red for what is above (Moreland 2009).
  coolwarm = { 0x3b4cc0, 0x688aef, 0x99baff, 0xc9d8ef, 0xdddddd, 0xf2cab5, 0xf7a789, 0xe26952, 0xb40426 },
}

--- A map of colours, as a function from 0...1 to red, green, blue from 0 to 1. NaN is light grey.
---@param name string  "viridis", "gray" or "coolwarm"
---@return fun(t: number): number[]
function colour.map(name)
  local stops = check(maps[name], "plot: there is no color map '%s'; expected viridis, gray or coolwarm", name)
  return function(t)
    if t ~= t then return { 0.85, 0.85, 0.85 } end
    local place = math.max(0, math.min(t, 1)) * (#stops - 1)
    local i = math.min(math.floor(place), #stops - 2)
    local a, b, share, rgb = stops[i + 1], stops[i + 2], place - i, {}
    for part = 1, 3 do
      local weight = 256 ^ (3 - part)
      local from, to = math.floor(a / weight) % 256, math.floor(b / weight) % 256
      rgb[part] = (from + (to - from) * share) / 255
    end
    return rgb
  end
end

return colour
