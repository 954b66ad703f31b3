--- A font of strokes, for pictures without a font file.
--
-- A glyph is a width and strokes, apart by `;`, in units of which a capital is 14 high, a small letter 10. A stroke is
-- a line through points `x,y`, with y up from the baseline, and through arcs of ellipses `(cx,cy,rx,ry,from,to)` with
-- their angles in degrees, counter-clockwise where `to` is larger. A single point is a dot.

local font = {}

-- Of the font's size, which is that of an em as in SVG: a unit, and the space between two glyphs in units.
local unit, gap = 0.05, 3.2

local glyphs = {
  [" "] = "3|",
  ["!"] = "1|0.5,14 0.5,4.5;0.5,0.4",
  ['"'] = "3|0,14 0,10.5;3,14 3,10.5",
  ["#"] = "10|3.2,14 1.2,0;8.8,14 6.8,0;1,9.5 10,9.5;0,4.5 9,4.5",
  ["$"] = "9|(4.5,10.4,4.2,3.2,35,270) (4.5,3.6,4.5,3.6,90,-150);4.5,16 4.5,-2",
  ["%"] = "13|(3,11,3,3,90,450);(10,3,3,3,90,450);11,14 2,0",
  ["&"] = "11|11,0 2.3,9.6 (4.5,11.5,2.5,2.5,220,-40) 1.5,6.3 (4,3.5,4,3.5,130,310) 10.5,6",
  ["'"] = "1|0.5,14 0.5,10.5",
  ["("] = "4|(8,6,8,11,120,240)",
  [")"] = "4|(-4,6,8,11,60,-60)",
  ["*"] = "7|3.5,14 3.5,7;0.4,12.2 6.6,8.8;6.6,12.2 0.4,8.8",
  ["+"] = "9|0.5,6.5 8.5,6.5;4.5,2.5 4.5,10.5",
  [","] = "1|0.7,0.6 0.7,0 0,-2.4",
  ["-"] = "5|0,5.5 5,5.5",
  ["."] = "1|0.5,0.4",
  ["/"] = "6|0,-1.5 6,15",
  ["0"] = "9|(4.5,7,4.5,7,90,450)",
  ["1"] = "9|1.3,11.3 5,14 5,0",
  ["2"] = "9|(4.5,10,4.2,4,160,-35) 0.3,0 9,0",
  ["3"] = "9|(4.4,10.6,3.9,3.4,150,-90) (4.4,3.6,4.6,3.6,90,-150)",
  ["4"] = "9|6.8,0 6.8,14 0,4.2 9.2,4.2",
  ["5"] = "9|8,14 1.5,14 0.9,7.4 (4.4,4.6,4.5,4.6,130,-150)",
  ["6"] = "9|(4.5,4.5,4.5,4.5,180,540);0,4.5 (8,4.5,8,9.5,180,100)",
  ["7"] = "9|0,14 9,14 3.2,0",
  ["8"] = "9|(4.5,10.6,3.7,3.4,90,450);(4.5,3.6,4.5,3.6,90,450)",
  ["9"] = "9|(4.5,9.5,4.5,4.5,0,360);9,9.5 (1,9.5,8,9.5,0,-80)",
  [":"] = "1|0.5,0.4;0.5,8.5",
  [";"] = "1|0.7,0.6 0.7,0 0,-2.4;0.5,8.5",
  ["<"] = "8|8,11 0.5,6.5 8,2",
  ["="] = "9|0.5,8.3 8.5,8.3;0.5,4.7 8.5,4.7",
  [">"] = "8|0.5,11 8,6.5 0.5,2",
  ["?"] = "8|(4,10.3,3.8,3.7,165,-60) 4,5.5 4,4.2;4,0.4",
  ["@"] = "14|(7,6,3,3.5,90,450);10,9.5 10,4.2 (12,4.2,2,1.9,180,360) 14,6.5 (7,6.5,7,7.5,0,300)",
  A = "10|0,0 5,14 10,0;1.8,5 8.2,5",
  B = "9|0,0 0,14 5,14 (5,10.75,3.5,3.25,90,-90) 0,7.5;5,7.5 (5.2,3.75,3.8,3.75,90,-90) 0,0",
  C = "10|(5.5,7,5.5,7,50,310)",
  D = "10|0,0 0,14 3.5,14 (3.5,7,6.5,7,90,-90) 0,0",
  E = "8|8,14 0,14 0,0 8,0;0,7.3 7,7.3",
  F = "8|8,14 0,14 0,0;0,7.3 6.5,7.3",
  G = "11|(5.5,7,5.5,7,50,335) 10.7,6.8 6.5,6.8",
  H = "10|0,0 0,14;10,0 10,14;0,7.3 10,7.3",
  I = "1|0.5,14 0.5,0",
  J = "7|7,14 7,4 (3.5,4,3.5,4,0,-160)",
  K = "9|0,0 0,14;9,14 0,5;3.2,8.2 9.5,0",
  L = "7|0,14 0,0 7.5,0",
  M = "12|0,0 0,14 6,3 12,14 12,0",
  N = "10|0,0 0,14 10,0 10,14",
  O = "11|(5.5,7,5.5,7,90,450)",
  P = "9|0,0 0,14 5,14 (5,10.2,4,3.8,90,-90) 0,6.4",
  Q = "11|(5.5,7,5.5,7,90,450);7,3.5 11,-1",
  R = "9|0,0 0,14 5,14 (5,10.2,4,3.8,90,-90) 0,6.4;4.5,6.4 9,0",
  S = "9|(4.5,10.4,4.2,3.6,35,250) (4.5,3.7,4.5,3.7,70,-150)",
  T = "10|0,14 10,14;5,14 5,0",
  U = "10|0,14 0,5 (5,5,5,5,180,360) 10,14",
  V = "10|0,14 5,0 10,14",
  W = "14|0,14 3.5,0 7,13 10.5,0 14,14",
  X = "9|0,14 9.5,0;9.5,14 0,0",
  Y = "10|0,14 5,6.5 10,14;5,6.5 5,0",
  Z = "9|0,14 9,14 0,0 9,0",
  ["["] = "4|4,15.5 0,15.5 0,-3 4,-3",
  ["\\"] = "6|0,15 6,-1.5",
  ["]"] = "4|0,15.5 4,15.5 4,-3 0,-3",
  ["^"] = "9|1,9 4.5,14 8,9",
  ["_"] = "9|0,-2 9,-2",
  ["`"] = "3|0,14 2.5,11.5",
  a = "8|8,10 8,0;(4,5,4,5,0,360)",
  b = "8|0,14 0,0;(4,5,4,5,90,450)",
  c = "7|(4,5,4,5,50,310)",
  d = "8|8,14 8,0;(4,5,4,5,90,450)",
  e = "8|0.1,5.3 8,5.3 (4,5,4,5,3,315)",
  f = "5|2,0 2,10.5 (5,10.5,3,3.5,180,75);0,10 5,10",
  g = "8|8,10 8,-0.5 (4,-0.5,4,3.7,0,-150);(4,5,4,5,90,450)",
  h = "8|0,14 0,0;0,6 (4,6,4,4,180,0) 8,0",
  i = "1|0.5,10 0.5,0;0.5,13.6",
  j = "3|3,10 3,-1.5 (0.5,-1.5,2.5,2.5,0,-100);3,13.6",
  k = "7|0,14 0,0;7,10 0,4;2.8,6.3 7.5,0",
  l = "1|0.5,14 0.5,0",
  m = "13|0,10 0,0;0,6.5 (3.25,6.5,3.25,3.5,180,0) 6.5,0;6.5,6.5 (9.75,6.5,3.25,3.5,180,0) 13,0",
  n = "8|0,10 0,0;0,6 (4,6,4,4,180,0) 8,0",
  o = "8|(4,5,4,5,90,450)",
  p = "8|0,10 0,-4.2;(4,5,4,5,90,450)",
  q = "8|8,10 8,-4.2;(4,5,4,5,90,450)",
  r = "4|0,10 0,0;0,5.5 (4.2,5.5,4.2,4.5,180,75)",
  s = "7|(3.5,7.5,3.1,2.5,35,250) (3.5,2.6,3.4,2.6,70,-150)",
  t = "5|2,13.5 2,3 (5,3,3,3,180,280);0,10 5,10",
  u = "8|0,10 0,4 (4,4,4,4,180,360);8,10 8,0",
  v = "8|0,10 4,0 8,10",
  w = "12|0,10 3,0 6,9.5 9,0 12,10",
  x = "7|0,10 7.5,0;7.5,10 0,0",
  y = "8|0,10 4.1,0;8,10 2.6,-4.2 0.8,-4.2",
  z = "7|0,10 7,10 0,0 7,0",
  ["{"] = "5|5,15.5 3,15 2.5,13.5 2.5,8.5 2,7 0,6.2 2,5.5 2.5,4 2.5,-1 3,-2.5 5,-3",
  ["|"] = "1|0.5,16 0.5,-3",
  ["}"] = "5|0,15.5 2,15 2.5,13.5 2.5,8.5 3,7 5,6.2 3,5.5 2.5,4 2.5,-1 2,-2.5 0,-3",
  ["~"] = "9|0,5.5 (2.3,5.5,2.3,2,180,0) (6.8,5.5,2.2,2,180,360)",
  ["−"] = "9|0.5,6.5 8.5,6.5",
  ["–"] = "8|0,5.5 8,5.5",
  ["×"] = "8|0.5,10 7.5,3;7.5,10 0.5,3",
  ["±"] = "9|0.5,7.5 8.5,7.5;4.5,3.5 4.5,11.5;0.5,0.5 8.5,0.5",
  ["·"] = "2|1,6.5",
  ["°"] = "4|(2,12,2,2,90,450)",
  ["µ"] = "8|0,10 0,-4.2;0,4 (4,4,4,4,180,360);8,10 8,0",
  ["…"] = "7|0.5,0.4;3.5,0.4;6.5,0.4",
}
glyphs["μ"] = glyphs["µ"]

-- A box, for what the font does not have.
local missing = "8|0,0 0,14 8,14 8,0 0,0"

-- Raised and smaller forms of other glyphs.
local raised = { ["⁰"] = "0", ["¹"] = "1", ["²"] = "2", ["³"] = "3", ["⁴"] = "4", ["⁵"] = "5", ["⁶"] = "6",
  ["⁷"] = "7", ["⁸"] = "8", ["⁹"] = "9", ["⁻"] = "−" }

local function arc(points, numbers)
  local cx, cy, rx, ry, from, to = unpack(numbers)
  local steps = math.max(2, math.ceil(math.abs(to - from) / 15))
  for i = 0, steps do
    local angle = math.rad(from + (to - from) * i / steps)
    points[#points + 1], points[#points + 2] = cx + rx * math.cos(angle), cy + ry * math.sin(angle)
  end
end

local function stroke(text)
  local points = {}
  for word in text:gmatch "%S+" do
    local numbers = {}
    for number in word:gmatch "[%d.-]+" do numbers[#numbers + 1] = tonumber(number) end
    if #numbers == 6 then
      arc(points, numbers)
    else
      points[#points + 1], points[#points + 2] = numbers[1], numbers[2]
    end
  end
  return points
end

local function parsed(text, scale, rise)
  local width, strokes = text:match "^(%d+)|(.*)$"
  local glyph = { width = tonumber(width) * scale }
  for one in strokes:gmatch "[^;]+" do
    local points = stroke(one)
    for i = 1, #points, 2 do points[i], points[i + 1] = points[i] * scale, points[i + 1] * scale + rise end
    glyph[#glyph + 1] = points
  end
  return glyph
end

-- The glyphs that were asked for, read.
local known = setmetatable({}, { __index = function(known, character)
  local full = raised[character]
  local glyph = full and parsed(glyphs[full], 0.65, 7) or parsed(glyphs[character] or missing, 1, 0)
  known[character] = glyph
  return glyph
end })

local function characters(text)
  return text:gmatch "[%z\1-\127\194-\253][\128-\191]*"
end

--- How long a line of text is.
---@param text string
---@param size number  of the font: a capital is 0.7 of it high
---@return number
function font.width(text, size)
  local width = 0
  for character in characters(text) do width = width + known[character].width + gap end
  return math.max(width - gap, 0) * unit * size
end

--- The strokes of a line of text that begins at (0, 0), with y down.
---@param text string
---@param size number
---@return number[][] strokes  each x1, y1, x2, y2, ...
function font.strokes(text, size)
  local strokes, at, scale = {}, 0, unit * size
  for character in characters(text) do
    local glyph = known[character]
    for _, points in ipairs(glyph) do
      local placed = {}
      for i = 1, #points, 2 do placed[i], placed[i + 1] = (at + points[i]) * scale, -points[i + 1] * scale end
      strokes[#strokes + 1] = placed
    end
    at = at + glyph.width + gap
  end
  return strokes
end

return font
