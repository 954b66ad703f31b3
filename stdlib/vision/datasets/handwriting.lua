--- Digits written by an imaginary hand: strokes of random slant, size, place and thickness, on slightly dirty paper.
--
-- A digit is a list of strokes, a stroke a list of points in a square of side 1 (x to the right, y down). Each image
-- has its own transformation, by which the centres of its pixels go back to the square; the ink there follows from
-- the distance to the nearest stroke. All images of a digit are drawn at once: u and v are [images, pixels].

local torch = require "torch"

local side = 28

-- Points of an ellipse from one angle to another, in degrees: 0 is right, 90 down, 180 left, 270 up.
local function arc(x, y, width, height, from, to)
  local points, steps = {}, math.ceil((to - from) / 40)
  for i = 0, steps do
    local a = math.rad(from + (to - from) * i / steps)
    points[i + 1] = { x + width * math.cos(a), y + height * math.sin(a) }
  end
  return points
end

local function line(...)
  local points, numbers = {}, { ... }
  for i = 1, #numbers, 2 do points[#points + 1] = { numbers[i], numbers[i + 1] } end
  return points
end

-- One stroke of several.
local function join(...)
  local points = {}
  for _, part in ipairs { ... } do
    for _, point in ipairs(part) do points[#points + 1] = point end
  end
  return points
end

-- For each digit the ways to write it.
local glyphs = {
  [0] = { { arc(.50, .50, .25, .37, -90, 270) }, { arc(.50, .50, .18, .37, -90, 270) } },
  [1] = { { line(.50, .12, .50, .88) }, { line(.36, .30, .54, .12, .54, .88) },
          { line(.36, .30, .54, .12, .54, .88), line(.36, .88, .70, .88) } },
  [2] = { { join(arc(.49, .34, .23, .22, 190, 390), line(.26, .86, .76, .86)) },
          { join(arc(.49, .34, .23, .22, 190, 390), line(.30, .82, .44, .76, .76, .88)) } },
  [3] = { { join(arc(.47, .31, .21, .19, 200, 440), arc(.47, .69, .24, .20, 280, 520)) },
          { join(line(.28, .14, .70, .14, .46, .44), arc(.47, .66, .24, .22, 275, 520)) } },
  [4] = { { line(.36, .12, .26, .55, .76, .55), line(.64, .12, .60, .88) },
          { line(.62, .88, .62, .12, .24, .62, .80, .62) } },
  [5] = { { join(line(.72, .14, .36, .14, .33, .46), arc(.47, .65, .24, .22, 240, 500)) },
          { join(line(.36, .16, .33, .46), arc(.47, .65, .24, .22, 240, 500)), line(.36, .14, .74, .12) } },
  [6] = { { join(line(.62, .12, .40, .36), arc(.50, .67, .21, .20, 180, 540)) },
          { join(line(.46, .10, .32, .42), arc(.50, .68, .19, .18, 180, 540)) } },
  [7] = { { line(.24, .15, .74, .15, .44, .88) }, { line(.24, .15, .74, .15, .44, .88), line(.34, .52, .68, .52) } },
  [8] = { { arc(.50, .31, .18, .18, 90, 450), arc(.50, .69, .22, .20, -90, 270) } },
  [9] = { { join(arc(.50, .34, .20, .21, 0, 360), line(.69, .60, .58, .88)) },
          { join(arc(.50, .34, .20, .21, 0, 360), line(.68, .88)) } },
}

-- Squared distance of points (u, v) to the segment from a to b; ends are [images, 1].
local function squared_distance(u, v, a, b)
  local dx, dy = b.x - a.x, b.y - a.y
  local px, py = u - a.x, v - a.y
  local t = ((px * dx + py * dy) / (dx * dx + dy * dy + 1e-6)):clamp_(0, 1)
  return (px - t * dx):square():add_((py - t * dy):square())
end

-- n images of one glyph, [n, side * side], ink from 0 to 1.
local function draw(strokes, n)
  local function uniform(low, high) return torch.empty(n, 1):uniform_(low, high) end
  local function near(point)
    return { x = torch.randn(n, 1) * .015 + point[1], y = torch.randn(n, 1) * .015 + point[2] }
  end

  -- pixel centres, from -0.5 to 0.5, turned, slanted, scaled and moved into the square
  local grid = (torch.arange(side) + .5) / side - .5
  local x = grid:view(1, side):expand(side, side):reshape(1, side * side) + uniform(-.07, .07)
  local y = grid:view(side, 1):expand(side, side):reshape(1, side * side) + uniform(-.07, .07)
  local angle, size = uniform(-.25, .25), uniform(.75, 1.05)
  local u = (x * angle:cos() + y * angle:sin()) / (size * uniform(.8, 1.1))
  local v = (y * angle:cos() - x * angle:sin()) / size
  u = u + v * uniform(-.2, .3) + .5
  v = v + .5

  local nearest
  for _, stroke in ipairs(strokes) do
    local a = near(stroke[1])
    for i = 2, #stroke do
      local b = near(stroke[i])
      local distance = squared_distance(u, v, a, b)
      nearest = nearest and torch.minimum(nearest, distance) or distance
      a = b
    end
  end
  local ink = ((uniform(.025, .065) - nearest:sqrt()) * side + .5):clamp_(0, 1) -- an edge is one pixel wide
  return (ink * uniform(.7, 1) + torch.randn(n, side * side) * uniform(0, .08)):clamp_(0, 1)
end

--- Images and the classes 1..10 of the digits 0..9 in them, as many of each digit, one digit after the other.
---@param each integer  images of each digit
---@return torch.Tensor x  [10 * each, 1, 28, 28], ink from 0 to 1
---@return torch.Tensor y  [10 * each]
return function(each)
  local images, labels = {}, {}
  for digit = 0, 9 do
    local ways = glyphs[digit]
    for i, strokes in ipairs(ways) do
      local n = math.floor(each * i / #ways) - math.floor(each * (i - 1) / #ways)
      if n > 0 then
        images[#images + 1] = draw(strokes, n)
        labels[#labels + 1] = torch.full({ n }, digit + 1, { dtype = torch.int64 })
      end
    end
  end
  return torch.cat(images):view(-1, 1, side, side), torch.cat(labels)
end
