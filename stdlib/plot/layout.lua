--- Puts a figure onto a canvas: title, axes, grid, series, legend.

local axes, kinds = require "torch.plot.axes", require "torch.plot.series"
local font, path = require "torch.plot.font", require "torch.plot.path"

local ink, pale, faint = { 0.15, 0.15, 0.15 }, { 0.45, 0.45, 0.45 }, { 0.89, 0.89, 0.89 }
local tick_size, label_size, title_size, legend_size = 11, 12.5, 15, 11.5

local function widest(list)
  local width = 0
  for _, tick in ipairs(list) do width = math.max(width, font.width(tick.label, tick_size)) end
  return width
end

-- The part of `box` that is left for the data, and the ticks of both axes.
local function inner(figure, x, y, box, bar)
  local left, top, right, bottom = unpack(box)
  top = top + (figure.title ~= "" and title_size + 16 or 12)
  bottom = bottom - tick_size - 14 - (figure.xlabel ~= "" and label_size + 6 or 0)
  local rows = y.ticks(math.max(2, (bottom - top) / 45))
  left = left + 16 + widest(rows) + (figure.ylabel ~= "" and label_size + 8 or 0)
  right = right - 14 - (bar and 30 + widest(bar) or 0)
  local columns = x.ticks(math.max(2, (right - left) / 80))
  if widest(columns) > 0 then right = right - math.max(0, font.width(columns[#columns].label, tick_size) / 2 - 14) end
  return { left, top, math.max(right, left + 10), math.max(bottom, top + 10) }, columns, rows
end

-- The largest box in the middle of `box` in which pixels are square.
local function squared(box, x, y)
  local width, height = box[3] - box[1], box[4] - box[2]
  local across, down = x.high - x.low, y.high - y.low
  local scale = math.min(width / across, height / down)
  local dx, dy = (width - across * scale) / 2, (height - down * scale) / 2
  return { box[1] + dx, box[2] + dy, box[3] - dx, box[4] - dy }
end

local function within(axis, value)
  local share = axis.share(value)
  return share >= -1e-6 and share <= 1 + 1e-6
end

-- Ticks that are in sight, without labels that would run into the one before: `half(tick)` is half a label's extent.
local function shown(list, axis, along, half)
  local result, last = {}, nil
  for _, tick in ipairs(list) do
    if within(axis, tick.value) then
      local at, reach = axis.share(tick.value) * along, half(tick)
      local clear = tick.label ~= "" and (not last or math.abs(at - last.at) >= reach + last.reach)
      if clear then last = { at = at, reach = reach } end
      result[#result + 1] = { value = tick.value, label = clear and tick.label or "" }
    end
  end
  return result
end

local function draw_frame(figure, canvas, place, box, columns, rows)
  local all = { box[1] - 12, box[2] - 12, box[3] + 12, box[4] + 12 }
  local grid, marks = {}, {}
  for _, tick in ipairs(columns) do
    local x, length = place.x(tick.value), tick.label == "" and 2.5 or 4.5
    if tick.label ~= "" then grid[#grid + 1] = { x, box[2], x, box[4] } end
    marks[#marks + 1] = { x, box[4], x, box[4] + length }
    canvas:text(tick.label, x, box[4] + tick_size + 6, { size = tick_size, anchor = "middle", colour = ink })
  end
  for _, tick in ipairs(rows) do
    local y, length = place.y(tick.value), tick.label == "" and 2.5 or 4.5
    if tick.label ~= "" then grid[#grid + 1] = { box[1], y, box[3], y } end
    marks[#marks + 1] = { box[1] - length, y, box[1], y }
    canvas:text(tick.label, box[1] - 8, y + tick_size * 0.35, { size = tick_size, anchor = "right", colour = ink })
  end
  if figure.grid and not figure:_has_pixels() then canvas:stroke(grid, { colour = faint, width = 1, box = box }) end
  marks[#marks + 1] = { box[1], box[2], box[1], box[4], box[3], box[4] }
  return function() canvas:stroke(marks, { colour = pale, width = 1, box = all }) end
end

local function draw_labels(figure, canvas, outer, box)
  local middle = (box[1] + box[3]) / 2
  if figure.title ~= "" then
    canvas:text(figure.title, middle, outer[2] + title_size + 6, { size = title_size, anchor = "middle", colour = ink })
  end
  if figure.xlabel ~= "" then
    canvas:text(figure.xlabel, middle, outer[4] - 9, { size = label_size, anchor = "middle", colour = ink })
  end
  if figure.ylabel ~= "" then
    canvas:text(figure.ylabel, outer[1] + label_size + 5, (box[2] + box[4]) / 2,
      { size = label_size, anchor = "middle", colour = ink, up = true })
  end
end

-- Legends ---------------------------------------------------------------------------------------------------------

-- How many points of the series lie in each corner that a legend could take.
local function crowding(figure, place, corner)
  local count = 0
  for _, series in ipairs(figure.series) do
    local step = math.max(1, math.floor(#(series.xs or {}) / 500))
    for i = 1, #(series.xs or {}), step do
      local x, y = place.x(series.xs[i]), place.y(series.ys[i])
      local under = series.edges and y < corner[4] -- a bar reaches down from there
      if x > corner[1] and x < corner[3] and y < corner[4] and (y > corner[2] or under) then count = count + 1 end
    end
  end
  return count
end

local function legend_corner(figure, place, box, width, height)
  local l, t, r, b = box[1] + 10, box[2] + 8, box[3] - 10, box[4] - 8
  local corners = {
    ["upper right"] = { r - width, t, r, t + height }, ["upper left"] = { l, t, l + width, t + height },
    ["lower right"] = { r - width, b - height, r, b }, ["lower left"] = { l, b - height, l + width, b },
  }
  if corners[figure.legend] then return corners[figure.legend] end
  local best, least = nil, math.huge
  for _, name in ipairs { "upper right", "upper left", "lower right", "lower left" } do
    local count = crowding(figure, place, corners[name])
    if count < least then best, least = corners[name], count end
  end
  return best
end

local function draw_swatch(canvas, series, x, y, box)
  local style = { colour = series.rgb, width = series.linewidth or 1, alpha = series.alpha, box = box }
  local swatch = kinds[series.kind].swatch
  if swatch == "box" then
    canvas:fill({ { x, y - 5, x + 20, y - 5, x + 20, y + 5, x, y + 5 } }, style)
    return
  end
  if swatch == "line" then
    canvas:stroke(path.dashed({ x, y, x + 20, y }, series.linestyle, series.linewidth), style)
  end
  if series.marker ~= "" then path.draw_markers(canvas, { x + 10, y }, series.marker, series.markersize, style) end
end

local function draw_legend(figure, canvas, place, box)
  local entries, width = {}, 0 -- of viewers' fonts, too, which may be wider
  for _, series in ipairs(figure.series) do
    if (series.label or "") ~= "" then
      entries[#entries + 1] = series
      width = math.max(width, font.width(series.label, legend_size))
    end
  end
  if #entries == 0 or figure.legend == false then return end
  local line = legend_size + 6
  local corner = legend_corner(figure, place, box, width * 1.08 + 46, #entries * line + 8)
  local l, t, r, b = unpack(corner)
  local frame = { l, t, r, t, r, b, l, b }
  canvas:fill({ frame }, { colour = { 1, 1, 1 }, alpha = 0.85, box = box })
  canvas:stroke({ { l, t, r, t, r, b, l, b, l, t } }, { colour = { 0.8, 0.8, 0.8 }, width = 1, box = box })
  for i, series in ipairs(entries) do
    local y = t + 4 + (i - 0.5) * line
    draw_swatch(canvas, series, l + 8, y, box)
    canvas:text(series.label, l + 36, y + legend_size * 0.35, { size = legend_size, anchor = "left", colour = ink })
  end
end

-- The bar of colours ----------------------------------------------------------------------------------------------

-- The heat map that has one, and its range as an axis.
local function bar_of(figure)
  for _, series in ipairs(figure.series) do
    if series.kind == "heatmap" and series.colorbar and series.high > series.low then
      local _, axis = axes.of({ series = {}, ylim = { series.low, series.high } }, kinds)
      return series, axis
    end
  end
end

local function draw_bar(canvas, series, axis, list, box)
  local left, steps = box[3] + 12, 64
  local height = box[4] - box[2]
  for i = 1, steps do
    local top, bottom = box[4] - height * i / steps, box[4] - height * (i - 1) / steps
    local strip = { left, top, left + 12, top, left + 12, bottom + 0.5, left, bottom + 0.5 }
    canvas:fill({ strip }, { colour = series.map((i - 0.5) / steps), box = { left, box[2], left + 12, box[4] } })
  end
  for _, tick in ipairs(list) do
    if within(axis, tick.value) then
      local y = box[4] - height * axis.share(tick.value)
      canvas:text(tick.label, left + 17, y + tick_size * 0.35, { size = tick_size, anchor = "left", colour = ink })
    end
  end
end

--- Draws the figure into `outer`: left, top, right, bottom.
return function(figure, canvas, outer)
  local x, y = axes.of(figure, kinds)
  local series, scale = bar_of(figure)
  local marks = series and scale.ticks(6)
  local box, columns, rows = inner(figure, x, y, outer, marks)
  if figure:_has_pixels("square") then box = squared(box, x, y) end
  local width, height = box[3] - box[1], box[4] - box[2]
  local place = {
    x = function(v) return box[1] + x.share(v) * width end,
    y = function(v) return box[4] - y.share(v) * height end,
  }
  columns = shown(columns, x, width, function(tick) return font.width(tick.label, tick_size) / 2 + 3 end)
  rows = shown(rows, y, height, function() return tick_size / 2 + 1 end)
  local draw_axes = draw_frame(figure, canvas, place, box, columns, rows)
  for _, one in ipairs(figure.series) do kinds[one.kind].draw(one, canvas, place, box) end
  draw_axes()
  if series then draw_bar(canvas, series, scale, marks, box) end
  draw_labels(figure, canvas, outer, box)
  draw_legend(figure, canvas, place, box)
end
