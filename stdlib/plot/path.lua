--- Shapes that series are drawn with: lines without gaps, dashes, markers.
--
-- A path is x1, y1, x2, y2, ... in pixels.

local check = require "torch.check"

local path = {}

local patterns = { ["-"] = false, ["--"] = { 6, 4 }, [":"] = { 0.01, 3.5 }, ["-."] = { 7, 3.5, 0.01, 3.5 }, [""] = {} }

--- Fails unless there is a line of that style.
---@param style string  "-", "--", ":", "-.", or "" for none
function path.check_style(style)
  check(patterns[style] ~= nil, "plot: there is no linestyle '%s'; expected '-', '--', ':', '-.' or ''", style)
end

local function finite(v) return v == v and v < math.huge and v > -math.huge end

--- The runs of points that are numbers on the axes.
---@param xs number[]
---@param ys number[]
---@param to_x fun(v: number): number
---@param to_y fun(v: number): number
---@return number[][] paths
function path.runs(xs, ys, to_x, to_y)
  local runs, run = {}, nil
  for i = 1, #xs do
    local x, y = to_x(xs[i]), to_y(ys[i])
    if finite(x) and finite(y) then
      if not run then
        run = {}
        runs[#runs + 1] = run
      end
      run[#run + 1], run[#run + 2] = x, y
    else
      run = nil
    end
  end
  return runs
end

-- What lies in one column of pixels, as its first, lowest, highest and last point.
local function put_column(out, points, from, to)
  if to - from < 8 then
    for k = from, to + 1 do out[#out + 1] = points[k] end
    return
  end
  local low, high = from, from
  for k = from, to, 2 do
    if points[k + 1] < points[low + 1] then low = k end
    if points[k + 1] > points[high + 1] then high = k end
  end
  for _, k in ipairs { from, math.min(low, high), math.max(low, high), to } do
    out[#out + 1], out[#out + 2] = points[k], points[k + 1]
  end
end

--- Looks the same to the eye with few points a pixel: those of one column that follow each other are thinned out.
---@param points number[]
---@return number[]
function path.thinned(points)
  if #points < 4000 then return points end
  local out, from = {}, 1
  for k = 3, #points + 2, 2 do
    if k > #points or math.floor(points[k]) ~= math.floor(points[from]) then
      put_column(out, points, from, k - 2)
      from = k
    end
  end
  return out
end

--- The path in pieces.
---@param points number[]
---@param style string
---@param width number  of the line
---@return number[][]
function path.dashed(points, style, width)
  local pattern = patterns[style]
  if not pattern then return { points } end
  if #pattern == 0 then return {} end
  local unit = math.max(width, 1) * 0.8
  local pieces, part, left, on = { { points[1], points[2] } }, 1, pattern[1] * unit, true
  for k = 1, #points - 3, 2 do
    local ax, ay, bx, by = points[k], points[k + 1], points[k + 2], points[k + 3]
    local length = math.sqrt((bx - ax) ^ 2 + (by - ay) ^ 2)
    local at = 0
    while length - at > left do
      at = at + left
      local x, y = ax + (bx - ax) * at / length, ay + (by - ay) * at / length
      local piece = pieces[#pieces]
      if on then
        piece[#piece + 1], piece[#piece + 2] = x, y
      else
        pieces[#pieces + 1] = { x, y }
      end
      on, part = not on, part % #pattern + 1
      left = pattern[part] * unit
    end
    left = left - (length - at)
    local piece = pieces[#pieces]
    if on then piece[#piece + 1], piece[#piece + 2] = bx, by end
  end
  return pieces
end

local function star(corners, inner)
  local shape = {}
  for i = 0, 2 * corners - 1 do
    local r, angle = i % 2 == 0 and 1.2 or inner, math.pi * i / corners - math.pi / 2
    shape[#shape + 1], shape[#shape + 2] = r * math.cos(angle), r * math.sin(angle)
  end
  return shape
end

-- Outlines around (0, 0) of about radius 1; `open` ones are lines.
local markers = {
  o = "disc",
  ["."] = "disc",
  s = { { -0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9 } },
  ["^"] = { { 0, -1.1, 1.05, 0.8, -1.05, 0.8 } },
  v = { { 0, 1.1, 1.05, -0.8, -1.05, -0.8 } },
  D = { { 0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0 } },
  ["*"] = { star(5, 0.5) },
  x = { { -0.8, -0.8, 0.8, 0.8 }, { -0.8, 0.8, 0.8, -0.8 }, open = true },
  ["+"] = { { -1, 0, 1, 0 }, { 0, -1, 0, 1 }, open = true },
}

--- Fails unless there is a marker of that name.
---@param name string  "o", ".", "s", "^", "v", "D", "*", "x", "+", or "" for none
function path.check_marker(name)
  check(name == "" or markers[name], "plot: there is no marker '%s'; expected o . s ^ v D * x + or ''", name)
end

--- Draws a marker at every point.
---@param canvas table
---@param points number[]
---@param name string
---@param size number  in pixels across
---@param style table
function path.draw_markers(canvas, points, name, size, style)
  local marker, shapes = markers[name], {}
  if name == "." then size = size / 2 end
  for k = 1, #points, 2 do
    for _, outline in ipairs(marker == "disc" and { { 0, 0 } } or marker) do
      local shape = {}
      for i = 1, #outline, 2 do
        shape[i] = points[k] + outline[i] * size / 2
        shape[i + 1] = points[k + 1] + outline[i + 1] * size / 2
      end
      shapes[#shapes + 1] = shape
    end
  end
  if #shapes == 0 then return end
  if marker ~= "disc" and not marker.open then return canvas:fill(shapes, style) end
  local line = { colour = style.colour, alpha = style.alpha, box = style.box, width = marker == "disc" and size or 1.6 }
  canvas:stroke(shapes, line)
end

return path
