--- A canvas that becomes an SVG file. `torch.plot.raster` draws the same on pixels.
--
-- Coordinates are pixels from the top left corner. Colours are red, green and blue from 0 to 1; `box` is left, top,
-- right, bottom of what may be drawn on.

local class = require "torch.class"
local colour, base64 = require "torch.plot.colour", require "torch.plot.base64"

---@class plot.Svg
local Svg = class "Svg"

---@param width number
---@param height number
function Svg:init(width, height)
  self.width, self.height, self.parts, self.clips, self.clip_count = width, height, {}, {}, 0
end

-- At most two digits behind the point.
local function short(x)
  return (("%.2f"):format(x):gsub("%.?0+$", ""):gsub("^%-0$", "0"))
end

local function escaped(text)
  local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
  return (text:gsub('[&<>"]', entities):gsub("[%z\1-\8\11-\31]", " "))
end

function Svg:_add(text, ...)
  self.parts[#self.parts + 1] = text:format(...)
end

-- The attribute that keeps within the box.
function Svg:_clip(box)
  local key = ("%s %s %s %s"):format(short(box[1]), short(box[2]), short(box[3]), short(box[4]))
  if not self.clips[key] then
    self.clip_count = self.clip_count + 1
    self.clips[key] = ("clip%d"):format(self.clip_count)
    self:_add('<clipPath id="%s"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath>', self.clips[key],
      short(box[1]), short(box[2]), short(box[3] - box[1]), short(box[4] - box[2]))
  end
  return (' clip-path="url(#%s)"'):format(self.clips[key])
end

local function opacity(style, kind)
  return style.alpha and style.alpha < 1 and (' %s-opacity="%s"'):format(kind, short(style.alpha)) or ""
end

local function path(shape, close)
  local words = {}
  for i = 1, #shape, 2 do
    words[#words + 1] = (i == 1 and "M" or "L") .. short(shape[i]) .. " " .. short(shape[i + 1])
  end
  if #shape == 2 then words[2] = "h0" end -- a dot, by its round ends
  return table.concat(words) .. (close and "Z" or "")
end

local function paths(shapes, close)
  local all = {}
  for i, shape in ipairs(shapes) do all[i] = path(shape, close) end
  return table.concat(all)
end

--- Lines through x1, y1, x2, y2, ... each; a single point is a disc.
---@param lines number[][]
---@param style { colour: number[], width: number, alpha?: number, box: number[] }
function Svg:stroke(lines, style)
  if #lines == 0 then return end
  self:_add('<path d="%s" fill="none" stroke="%s" stroke-width="%s" stroke-linecap="round" stroke-linejoin="round"'
    .. '%s%s/>', paths(lines), colour.hex(style.colour), short(style.width), opacity(style, "stroke"),
    self:_clip(style.box))
end

--- Closed polygons.
---@param polygons number[][]
---@param style { colour: number[], alpha?: number, box: number[] }
function Svg:fill(polygons, style)
  if #polygons == 0 then return end
  self:_add('<path d="%s" fill="%s"%s%s/>', paths(polygons, true), colour.hex(style.colour), opacity(style, "fill"),
    self:_clip(style.box))
end

local anchors = { left = "start", middle = "middle", right = "end" }

--- A line of text whose baseline begins, has its middle or ends at (x, y).
---@param text string
---@param style { size: number, anchor: "left"|"middle"|"right", colour: number[], up?: boolean }  up: read upwards
function Svg:text(text, x, y, style)
  local turned = style.up and (' transform="rotate(-90 %s %s)"'):format(short(x), short(y)) or ""
  self:_add('<text x="%s" y="%s" font-size="%s" text-anchor="%s" fill="%s"%s>%s</text>', short(x), short(y),
    short(style.size), anchors[style.anchor], colour.hex(style.colour), turned, escaped(text))
end

-- Viewers smooth pictures that they magnify, so small ones are magnified here, to squares.
local function magnified(pixels, box)
  local times = math.ceil(2 * (box[3] - box[1]) / pixels:size(2))
  if times <= 1 then return pixels end
  return pixels:repeat_interleave(times, 1):repeat_interleave(times, 2)
end

--- Pixels, uint8 [H, W, 3], over the box.
---@param pixels torch.Tensor
---@param box number[]
function Svg:image(pixels, box)
  local png = require("torch.vision.io").encode_png(magnified(pixels, box):permute(3, 1, 2):contiguous())
  self:_add('<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" href="data:image/png;base64,%s"/>',
    short(box[1]), short(box[2]), short(box[3] - box[1]), short(box[4] - box[2]), base64(png))
end

--- The bytes of the file.
---@return string
function Svg:bytes()
  return ('<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" '
    .. 'font-family="Helvetica,Arial,\'Liberation Sans\',\'DejaVu Sans\',sans-serif">\n'):format(short(self.width),
    short(self.height), short(self.width), short(self.height)) .. table.concat(self.parts, "\n") .. "\n</svg>\n"
end

return Svg
