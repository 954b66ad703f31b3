--- A canvas of pixels, with the methods of `torch.plot.svg`.

local torch, class = require "torch", require "torch.class"
local font = require "torch.plot.font"
local core = torch.core

---@class plot.Raster
---@field pixels torch.Tensor  uint8 [H, W, 3]
local Raster = class "Raster"

---@param width number
---@param height number
---@param scale number  pixels for a pixel of the coordinates
function Raster:init(width, height, scale)
  self.scale = scale
  local h, w = math.max(1, math.floor(height * scale + 0.5)), math.max(1, math.floor(width * scale + 0.5))
  self.pixels = torch.full({ h, w, 3 }, 255, { dtype = torch.uint8 })
end

-- All points in a row, and how many each shape has.
local function flat(shapes, scale)
  local points, sizes = {}, {}
  for i, shape in ipairs(shapes) do
    sizes[i] = #shape / 2
    for _, v in ipairs(shape) do points[#points + 1] = v * scale end
  end
  return points, sizes
end

local function ink(style, scale)
  local c, box = style.colour, {}
  for i, edge in ipairs(style.box) do box[i] = edge * scale end
  return { c[1], c[2], c[3], style.alpha or 1 }, box
end

function Raster:stroke(lines, style)
  local points, sizes = flat(lines, self.scale)
  core.stroke(self.pixels, points, sizes, style.width * self.scale, ink(style, self.scale))
end

function Raster:fill(polygons, style)
  local points, sizes = flat(polygons, self.scale)
  core.fill(self.pixels, points, sizes, ink(style, self.scale))
end

local shares = { left = 0, middle = 0.5, right = 1 }

function Raster:text(text, x, y, style)
  local shift = shares[style.anchor] * font.width(text, style.size)
  local strokes = font.strokes(text, style.size)
  for _, points in ipairs(strokes) do
    for i = 1, #points, 2 do
      local along, down = points[i] - shift, points[i + 1]
      if style.up then along, down = down, -along end
      points[i], points[i + 1] = x + along, y + down
    end
  end
  local all = { 0, 0, self.pixels:size(2) / self.scale, self.pixels:size(1) / self.scale }
  self:stroke(strokes, { colour = style.colour, width = math.max(style.size * 0.085, 0.9 / self.scale), box = all })
end

-- For each pixel from `first` to `last` the position of the one among `count` that is shown there.
local function nearest(first, last, from, to, count)
  local place = (torch.arange(first, last):double() + 0.5 - from) * (count / (to - from))
  return place:floor():clamp(0, count - 1):to(torch.int64) + 1
end

function Raster:image(pixels, box)
  local edges = {}
  for i, edge in ipairs(box) do
    edges[i] = math.max(0, math.min(math.floor(edge * self.scale + 0.5), self.pixels:size(i % 2 == 1 and 2 or 1)))
  end
  local left, top, right, bottom = unpack(edges)
  if right <= left or bottom <= top then return end
  local scale = self.scale
  local shown = pixels:index_select(1, nearest(top, bottom, box[2] * scale, box[4] * scale, pixels:size(1)))
    :index_select(2, nearest(left, right, box[1] * scale, box[3] * scale, pixels:size(2)))
  self.pixels:narrow(1, top + 1, bottom - top):narrow(2, left + 1, right - left):copy_(shown)
end

--- The bytes of a PNG file.
---@return string
function Raster:bytes()
  return require("torch.vision.io").encode_png(self.pixels:permute(3, 1, 2):contiguous())
end

return Raster
