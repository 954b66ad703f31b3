--- Several figures in rows and columns of one picture.

local class, check = require "torch.class", require "torch.check"
local Figure = require "torch.plot.figure"

--- Takes a list of figures, row by row, and `columns`, by default all in one row. Each has the size of the largest. It
--- is saved and shown like a figure.
---@class plot.Grid
local Grid = class("Grid(any figures, *, int? columns=None)")

function Grid:init(opt)
  local figures = opt.figures
  check(type(figures) == "table" and #figures > 0, "plot.grid: expected a list of figures, got a %s",
    class.type(figures))
  for i, figure in ipairs(figures) do
    check(class.isinstance(figure, Figure), "plot.grid: figure %d of the list is a %s", i, class.type(figure))
  end
  self.figures, self.columns = figures, opt.columns or #figures
  check(self.columns >= 1, "plot.grid: there is at least 1 column, got %s", self.columns)
  self.cell_width, self.cell_height = 0, 0
  for _, figure in ipairs(figures) do
    self.cell_width = math.max(self.cell_width, figure.width)
    self.cell_height = math.max(self.cell_height, figure.height)
  end
  self.width = math.min(self.columns, #figures) * self.cell_width
  self.height = math.ceil(#figures / self.columns) * self.cell_height
end

function Grid:draw(canvas)
  for i, figure in ipairs(self.figures) do
    local left = (i - 1) % self.columns * self.cell_width
    local top = math.floor((i - 1) / self.columns) * self.cell_height
    figure:draw(canvas, { left, top, left + self.cell_width, top + self.cell_height })
  end
end

Grid.svg, Grid.pixels, Grid.save, Grid.show = Figure.svg, Figure.pixels, Figure.save, Figure.show

--- The figures as text, one below the other.
---@param options? table  as for a figure's `text`
---@return string
function Grid:text(...)
  local texts = {}
  for i, figure in ipairs(self.figures) do texts[i] = figure:text(...) end
  return table.concat(texts, "\n\n")
end

Grid.__tostring = Grid.text

return Grid
