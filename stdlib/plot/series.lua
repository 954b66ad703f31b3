--- What a figure can hold: how each kind reads its arguments, what range it takes, how it is drawn.
--
-- A kind is a table with `signature`, `read(opt)`, which gives the series' own fields, `extent(series)`, which calls
-- `see(x, y)` with points that must be in sight, and `draw(series, canvas, place, box)`, where `place.x` and `place.y`
-- take numbers to pixels. `swatch` says how a legend shows it.

local torch, check = require "torch", require "torch.check"
local path, values = require "torch.plot.path", require "torch.plot.values"
local colours = require "torch.plot.colour"

local kinds = {}

local function check_positive(x, what)
  check(x > 0 and x <= 1000, "plot: %s is above 0 and at most 1000, got %s", what, x)
end

local function check_alpha(x)
  check(x >= 0 and x <= 1, "plot: alpha is from 0 to 1, got %s", x)
end

local function see_points(series, see)
  for i = 1, #series.xs do see(series.xs[i], series.ys[i]) end
end

local function style_of(series, box)
  return { colour = series.rgb, width = series.linewidth, alpha = series.alpha, box = box }
end

kinds.line = {
  signature = "line(any x, any? y=None, *, str label='', any? color=None, float linewidth=1.8, str linestyle='-', "
    .. "str marker='', float markersize=6, float alpha=1)",
  swatch = "line",
  read = function(opt)
    check_positive(opt.linewidth, "linewidth")
    check_positive(opt.markersize, "markersize")
    check_alpha(opt.alpha)
    path.check_style(opt.linestyle)
    path.check_marker(opt.marker)
    opt.xs, opt.ys = values.pair(opt.x, opt.y, "plot.line")
    return opt
  end,
  extent = see_points,
  draw = function(series, canvas, place, box)
    local lines, style = {}, style_of(series, box)
    for _, run in ipairs(path.runs(series.xs, series.ys, place.x, place.y)) do
      local points = path.thinned(run)
      for _, piece in ipairs(path.dashed(points, series.linestyle, series.linewidth)) do lines[#lines + 1] = piece end
      if series.marker ~= "" then path.draw_markers(canvas, points, series.marker, series.markersize, style) end
    end
    canvas:stroke(lines, style)
  end,
}

kinds.scatter = {
  signature = "scatter(any x, any? y=None, *, str label='', any? color=None, str marker='o', float markersize=6, "
    .. "float alpha=0.8)",
  swatch = "marker",
  read = function(opt)
    check_positive(opt.markersize, "markersize")
    check_alpha(opt.alpha)
    check(opt.marker ~= "", "plot.scatter: it needs a marker")
    path.check_marker(opt.marker)
    opt.xs, opt.ys = values.pair(opt.x, opt.y, "plot.scatter")
    return opt
  end,
  extent = see_points,
  draw = function(series, canvas, place, box)
    for _, run in ipairs(path.runs(series.xs, series.ys, place.x, place.y)) do
      path.draw_markers(canvas, run, series.marker, series.markersize, style_of(series, box))
    end
  end,
}

kinds.band = {
  signature = "band(any x, any low, any high, *, str label='', any? color=None, float alpha=0.25)",
  swatch = "box",
  read = function(opt)
    check_alpha(opt.alpha)
    opt.xs, opt.ys = values.pair(opt.x, opt.low, "plot.band")
    opt.tops = select(2, values.pair(opt.x, opt.high, "plot.band"))
    return opt
  end,
  extent = function(series, see)
    see_points(series, see)
    for i = 1, #series.xs do see(series.xs[i], series.tops[i]) end
  end,
  draw = function(series, canvas, place, box)
    local shape = {}
    local upper = path.runs(series.xs, series.tops, place.x, place.y)[1] or {}
    local lower = path.runs(series.xs, series.ys, place.x, place.y)[1] or {}
    for _, v in ipairs(upper) do shape[#shape + 1] = v end
    for k = #lower - 1, 1, -2 do shape[#shape + 1], shape[#shape + 2] = lower[k], lower[k + 1] end
    if #shape > 0 then canvas:fill({ shape }, style_of(series, box)) end
  end,
}

-- Boxes [from, to] x [0, y] at `edges`, pairs of from and to.
local function see_boxes(series, see)
  for i, height in ipairs(series.ys) do
    see(series.edges[2 * i - 1], height)
    see(series.edges[2 * i], 0)
  end
end

local function draw_boxes(series, canvas, place, box)
  local shapes, floor = {}, place.y(0)
  if floor ~= floor or floor == math.huge then floor = box[4] end -- on a logarithmic axis
  for i, height in ipairs(series.ys) do
    local top = place.y(height)
    local from, to = place.x(series.edges[2 * i - 1]), place.x(series.edges[2 * i])
    if from ~= from then from = box[1] end -- a bin from 0 on a logarithmic axis
    if top == top and to == to and math.abs(top) < math.huge then
      local space = to - from > 4 and series.space or 0
      shapes[#shapes + 1] = { from + space, floor, to - space, floor, to - space, top, from + space, top }
    end
  end
  canvas:fill(shapes, style_of(series, box))
end

kinds.bar = {
  signature = "bar(any x, any? height=None, *, str label='', any? color=None, float width=0.8, float alpha=1)",
  swatch = "box", extent = see_boxes, draw = draw_boxes,
  read = function(opt)
    check(opt.width > 0 and opt.width <= 1, "plot.bar: width is above 0 and at most 1, got %s", opt.width)
    check_alpha(opt.alpha)
    if type(opt.x) == "table" and type(opt.x[1]) == "string" then
      check(opt.height ~= nil, "plot.bar: there are names, but no heights")
      opt.names = { unpack(opt.x) }
      for i, name in ipairs(opt.names) do check(type(name) == "string", "plot.bar: name %d is a %s", i, type(name)) end
      opt.xs, opt.ys = values.pair(opt.height, nil, "plot.bar")
      check(#opt.names == #opt.ys, "plot.bar: there are %d names and %d heights", #opt.names, #opt.ys)
    else
      opt.xs, opt.ys = values.pair(opt.x, opt.height, "plot.bar")
    end
    opt.edges, opt.space = {}, 0
    for i, x in ipairs(opt.xs) do opt.edges[2 * i - 1], opt.edges[2 * i] = x - opt.width / 2, x + opt.width / 2 end
    return opt
  end,
}

-- How many bins: by Freedman and Diaconis (1981), by Sturges where the quartiles are equal, at most 200.
local function bins_for(x, low, high)
  local n = x:numel()
  local spread = (x:quantile(0.75) - x:quantile(0.25)):item()
  if spread <= 0 or high <= low then return math.ceil(math.log(math.max(n, 1)) / math.log(2)) + 1 end
  return math.max(1, math.min(200, math.ceil((high - low) * n ^ (1 / 3) / (2 * spread))))
end

kinds.histogram = {
  signature = "histogram(any x, int? bins=None, *, float[]? range=None, bool density=False, str label='', "
    .. "any? color=None, float alpha=0.85)",
  swatch = "box", extent = see_boxes, draw = draw_boxes,
  read = function(opt)
    check_alpha(opt.alpha)
    local x = opt.x
    if torch.is_tensor(x) then x = x:detach():to("cpu"):double():reshape(-1) end
    x = torch.is_tensor(x) and x or torch.tensor(values.list(x, "plot.histogram"), { dtype = torch.float64 })
    x = x[x:isfinite()]
    local low, high = 0, 1
    if opt.range then
      check(#opt.range == 2 and opt.range[1] < opt.range[2], "plot.histogram: range is two numbers, the larger last")
      low, high = opt.range[1], opt.range[2]
      x = x[x:ge(low):logical_and(x:le(high))]
    elseif x:numel() > 0 then
      low, high = x:min():item(), x:max():item()
    end
    if high <= low then low, high = low - 0.5, high + 0.5 end
    local bins = opt.bins or x:numel() > 0 and bins_for(x, low, high) or 1
    check(bins >= 1 and bins <= 100000, "plot.histogram: there are 1 to 100000 bins, got %s", bins)
    local counts = torch.histc(x, bins, low, high)
    local width = (high - low) / bins
    if opt.density and x:numel() > 0 then counts = counts / (x:numel() * width) end
    opt.ys, opt.edges, opt.space, opt.xs = counts:tolist(), {}, 0.5, {}
    for i = 1, bins do
      opt.edges[2 * i - 1], opt.edges[2 * i] = low + (i - 1) * width, low + i * width
      opt.xs[i] = low + (i - 0.5) * width
    end
    return opt
  end,
}

-- Where the pixels' edges lie: left, right, bottom, top. Without an extent rows count from the top, and the middle of
-- pixel (1, 1) is at (1, 1).
local function edges_of(extent, pixels)
  if not extent then return { 0.5, pixels:size(2) + 0.5, pixels:size(1) + 0.5, 0.5 } end
  check(#extent == 4 and extent[1] < extent[2] and extent[3] < extent[4],
    "plot: an extent is left, right, bottom, top, with left < right and bottom < top")
  return extent
end

local function see_pixels(series, see)
  see(series.sides[1], series.sides[3])
  see(series.sides[2], series.sides[4])
end

local function draw_pixels(series, canvas, place)
  local left, right, bottom, top = unpack(series.sides)
  canvas:image(series.pixels, { place.x(left), place.y(top), place.x(right), place.y(bottom) })
end

kinds.image = {
  signature = "image(Tensor x, *, float[]? extent=None)",
  pixels = true, square = true, extent = see_pixels, draw = draw_pixels,
  read = function(opt)
    opt.pixels = values.picture(opt.x, "plot.image")
    opt.sides = edges_of(opt.extent, opt.pixels)
    return opt
  end,
}

-- uint8 [H, W, 3] for numbers [H, W].
local function coloured(x, low, high, map)
  local steps, table_ = 256, {}
  for i = 1, steps do table_[i] = map((i - 1) / (steps - 1)) end
  table_[steps + 1] = map(0 / 0)
  local palette = (torch.tensor(table_, { dtype = torch.float64 }) * 255):round():to(torch.uint8)
  local span = high > low and high - low or 1
  local share = ((x - low) / span):clamp(0, 1)
  local position = torch.where(x:isnan(), torch.full_like(x, steps), (share * (steps - 1)):round())
  return palette:index_select(1, position:to(torch.int64):reshape(-1) + 1):reshape(x:size(1), x:size(2), 3)
end

-- Writes each number into its cell, black or white, whichever is legible there.
local function draw_numbers(series, canvas, place, box)
  local left, top = place.x(series.sides[1]), place.y(series.sides[4])
  local width = (place.x(series.sides[2]) - left) / series.pixels:size(2)
  local height = (place.y(series.sides[3]) - top) / series.pixels:size(1)
  local size = math.min(12, height * 0.5, width * 0.3)
  for row, list in ipairs(series.matrix:tolist()) do
    for column, v in ipairs(list) do
      local rgb = series.map((v - series.low) / math.max(series.high - series.low, 1e-300))
      local dark = 0.3 * rgb[1] + 0.6 * rgb[2] + 0.1 * rgb[3] < 0.55
      local text = v == math.floor(v) and math.abs(v) < 1e6 and ("%d"):format(v)
        or (math.abs(v) < 100 and "%.2f" or "%.3g"):format(v)
      canvas:text(text, left + (column - 0.5) * width, top + (row - 0.5) * height + size * 0.35,
        { size = size, anchor = "middle", colour = dark and { 1, 1, 1 } or { 0, 0, 0 }, box = box })
    end
  end
end

kinds.heatmap = {
  signature = "heatmap(any x, *, str cmap='viridis', float? vmin=None, float? vmax=None, bool colorbar=True, "
    .. "bool numbers=False, any? xticks=None, any? yticks=None, float[]? extent=None)",
  pixels = true, extent = see_pixels,
  read = function(opt)
    local x = values.matrix(opt.x, "plot.heatmap")
    local finite = x[x:isfinite()]
    local some = finite:numel() > 0
    opt.matrix, opt.map = x, colours.map(opt.cmap)
    opt.low = opt.vmin or some and finite:min():item() or 0
    opt.high = opt.vmax or some and finite:max():item() or 1
    check(opt.low <= opt.high, "plot.heatmap: vmin %s is above vmax %s", opt.low, opt.high)
    opt.pixels = coloured(x, opt.low, opt.high, opt.map)
    opt.sides = edges_of(opt.extent, opt.pixels)
    opt.names, opt.row_names = opt.xticks, opt.yticks
    for _, names in pairs { opt.names or nil, opt.row_names } do
      check(type(names) == "table" and not getmetatable(names), "plot.heatmap: xticks and yticks are lists of names")
    end
    return opt
  end,
  draw = function(series, canvas, place, box)
    draw_pixels(series, canvas, place)
    if series.numbers then draw_numbers(series, canvas, place, box) end
  end,
}

return kinds
