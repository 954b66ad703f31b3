--- A canvas of braille characters, each of 2 by 4 dots, and a colour for each; with the methods of `torch.plot.svg`
-- that series draw with. Coordinates count dots.

local class = require "torch.class"

---@class plot.Braille
local Braille = class "Braille"

---@param columns integer
---@param rows integer
function Braille:init(columns, rows)
  self.columns, self.rows = columns, rows
  self.dots, self.colours, self.letters = {}, {}, {}
end

-- The bit of each dot of a character: left column from the top, then the right one.
local bits = { [0] = { [0] = 1, 2, 4, 64 }, { [0] = 8, 16, 32, 128 } }

function Braille:dot(x, y, colour)
  x, y = math.floor(x), math.floor(y)
  if x < 0 or y < 0 or x >= 2 * self.columns or y >= 4 * self.rows then return end
  local cell = math.floor(y / 4) * self.columns + math.floor(x / 2)
  self.dots[cell] = bit.bor(self.dots[cell] or 0, bits[x % 2][y % 4])
  self.colours[cell] = colour
end

-- The part of the line from (ax, ay) to (bx, by) that is in sight (Liang and Barsky 1984).
local function clipped(self, ax, ay, bx, by)
  local from, to, dx, dy = 0, 1, bx - ax, by - ay
  for _, side in ipairs {
    { -dx, ax + 1 }, { dx, 2 * self.columns - ax }, { -dy, ay + 1 }, { dy, 4 * self.rows - ay },
  } do
    local p, q = side[1], side[2]
    if p == 0 and q < 0 then return nil end
    if p < 0 then from = math.max(from, q / p) elseif p > 0 then to = math.min(to, q / p) end
  end
  if from > to then return nil end
  return ax + from * dx, ay + from * dy, ax + to * dx, ay + to * dy
end

function Braille:stroke(lines, style)
  for _, points in ipairs(lines) do
    if #points == 2 then self:dot(points[1], points[2], style.colour) end
    for k = 1, #points - 3, 2 do
      local ax, ay, bx, by = clipped(self, points[k], points[k + 1], points[k + 2], points[k + 3])
      local steps = ax and math.max(1, math.ceil(math.max(math.abs(bx - ax), math.abs(by - ay)))) or -1
      for i = 0, steps do
        self:dot(ax + (bx - ax) * i / steps, ay + (by - ay) * i / steps, style.colour)
      end
    end
  end
end

-- Where the row of dots at `y` crosses the polygon, from the left.
local function crossings(polygon, y)
  local list = {}
  for k = 1, #polygon, 2 do
    local ax, ay = polygon[k], polygon[k + 1]
    local bx, by = polygon[k + 2] or polygon[1], polygon[k + 3] or polygon[2]
    if (ay <= y) ~= (by <= y) then list[#list + 1] = ax + (y - ay) / (by - ay) * (bx - ax) end
  end
  table.sort(list)
  return list
end

function Braille:fill(polygons, style)
  local every = (style.alpha or 1) < 0.5 and 2 or 1 -- what is pale has every second dot
  for _, polygon in ipairs(polygons) do
    local top, bottom = math.huge, -math.huge
    for k = 2, #polygon, 2 do top, bottom = math.min(top, polygon[k]), math.max(bottom, polygon[k]) end
    for y = math.max(0, math.floor(top)), math.min(4 * self.rows - 1, math.ceil(bottom)) do
      local list = crossings(polygon, y + 0.5)
      for i = 1, #list - 1, 2 do
        for x = math.max(0, math.floor(list[i] + 0.5)), math.min(2 * self.columns, math.ceil(list[i + 1] - 0.5)) - 1 do
          if (x + y) % every == 0 then self:dot(x, y, style.colour) end
        end
      end
    end
  end
end

--- The character at a column and a row, both from 0, and its colour.
---@return string? character  nil where nothing was drawn
---@return number[]? colour
function Braille:cell(column, row)
  local place = row * self.columns + column
  local dots = self.dots[place]
  if not dots then return nil end
  -- U+2800 and the dots, as UTF-8
  return string.char(0xe2, 0xa0 + math.floor(dots / 64), 0x80 + dots % 64), self.colours[place]
end

return Braille
