--- A picture with axes, which holds series and becomes a file or text.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local axes, colours = require "torch.plot.axes", require "torch.plot.colour"
local kinds, layout = require "torch.plot.series", require "torch.plot.layout"
local core = torch.core

---@class plot.Figure
---@field series table[]
local Figure = class("Figure(*, str title='', str xlabel='', str ylabel='', str xscale='linear', str yscale='linear', "
  .. "float[]? xlim=None, float[]? ylim=None, bool grid=True, any? legend=None, int width=640, int height=400)")

local corners = { ["upper right"] = true, ["upper left"] = true, ["lower right"] = true, ["lower left"] = true }

function Figure:init(opt)
  for _, side in ipairs { "width", "height" } do
    check(opt[side] >= 50 and opt[side] <= 10000, "plot: %s is from 50 to 10000, got %s", side, opt[side])
  end
  check(opt.legend == nil or type(opt.legend) == "boolean" or corners[opt.legend],
    "plot: legend is true, false, 'upper right', 'upper left', 'lower right' or 'lower left'; got %s", opt.legend)
  for name, value in pairs(opt) do self[name] = value end
  self.series = {}
  axes.check(self)
end

-- Does the figure show pixels, or pixels with a trait such as "square"?
function Figure:_has_pixels(trait)
  for _, series in ipairs(self.series) do
    if kinds[series.kind][trait or "pixels"] then return true end
  end
  return false
end

--- `fig:line(x, y, {label=...})`, `fig:scatter`, `fig:band`, `fig:bar`, `fig:histogram`, `fig:image`, `fig:heatmap`:
--- each adds a series as its signature in `torch.plot.series` says, and returns the figure. Without `color` series take
--- the colours of the cycle in turn.
for kind, trade in pairs(kinds) do
  local read = core.signature(trade.signature)
  Figure[kind] = function(self, ...)
    local series = trade.read(read(...))
    if trade.swatch then
      self.coloured = (self.coloured or 0) + (series.color == nil and 1 or 0)
      series.rgb = colours.rgb(series.color == nil and "C" .. self.coloured or series.color)
    end
    series.kind = kind
    self.series[#self.series + 1] = series
    return self
  end
end

--- Draws onto a canvas.
function Figure:draw(canvas, box)
  layout(self, canvas, box)
end

--- As the bytes of an SVG file.
---@return string
function Figure:svg()
  local canvas = require("torch.plot.svg")(self.width, self.height)
  canvas:fill({ { 0, 0, self.width, 0, self.width, self.height, 0, self.height } },
    { colour = { 1, 1, 1 }, box = { 0, 0, self.width, self.height } })
  self:draw(canvas, { 0, 0, self.width, self.height })
  return canvas:bytes()
end

local function check_scale(scale)
  check(type(scale) == "number" and scale >= 0.1 and scale <= 10, "plot: scale is from 0.1 to 10, got %s", scale)
  return scale
end

--- As pixels.
---@param scale? number  pixels for each of the figure's. Default: 2, which is sharp on all screens.
---@return torch.Tensor  uint8 (3, H, W)
function Figure:pixels(scale)
  scale = check_scale(scale or 2)
  local canvas = require("torch.plot.raster")(self.width, self.height, scale)
  self:draw(canvas, { 0, 0, self.width, self.height })
  return canvas.pixels:permute(3, 1, 2):contiguous()
end

local read_save = core.signature "save(str path, *, float scale=2)"

--- Writes a file: SVG or PNG, as its name ends. It is replaced at once or not at all.
---@param path string
---@param options? { scale: number }  pixels of a PNG for each of the figure's. Default: 2.
function Figure:save(...)
  local opt = read_save(...)
  local ending = opt.path:lower():match "%.(%w+)$"
  check(ending == "svg" or ending == "png", "plot: expected a file that ends in .svg or .png, got '%s'", opt.path)
  if ending == "svg" then return core.write_file(opt.path, self:svg(), "plot.save") end
  core.write_file(opt.path, require("torch.vision.io").encode_png(self:pixels(opt.scale)), "plot.save")
end

local read_text = core.signature "text(*, int? width=None, int? height=None, bool? color=None)"

--- As text for a terminal: lines of braille dots, pictures of half blocks.
---@param options? { width: integer, height: integer, color: boolean }  columns (the terminal's, at most 100), rows of
---  the data (20), and whether to colour (on terminals, unless NO_COLOR is set)
---@return string
function Figure:text(...)
  return require("torch.plot.terminal")(self, read_text(...))
end

--- Prints the figure as text.
---@param options? table  as for `text`
function Figure:show(...)
  io.write(self:text(...), "\n")
end

Figure.__tostring = Figure.text

return Figure
