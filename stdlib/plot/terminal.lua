--- Figures as text: series in braille dots, pictures in half blocks, axes and legend around them.

local torch, check = require "torch", require "torch.check"
local Braille = require "torch.plot.braille"
local axes, kinds = require "torch.plot.axes", require "torch.plot.series"
local terminal = require "torch.utils.terminal"
local core = torch.core

local function code(kind, rgb)
  return rgb and ("\27[%d;2;%d;%d;%dm"):format(kind, rgb[1] * 255 + 0.5, rgb[2] * 255 + 0.5, rgb[3] * 255 + 0.5) or ""
end

-- A row of cells { character, front, back }, whose colours are red, green and blue from 0 to 1.
local function painted(cells, colour)
  local parts, current = {}, ""
  for _, cell in ipairs(cells) do
    local wanted = colour and code(38, cell[2]) .. code(48, cell[3]) or ""
    if wanted ~= current and cell[1] ~= " " then
      parts[#parts + 1] = wanted == "" and "\27[0m" or wanted
      current = wanted
    end
    parts[#parts + 1] = cell[1]
  end
  if current ~= "" then parts[#parts + 1] = "\27[0m" end
  return (table.concat(parts):gsub(" +$", ""))
end

local function padded(text, width)
  return (" "):rep(width - terminal.columns(text)) .. text
end

local function centred(text, width)
  return (" "):rep(math.floor((width - terminal.columns(text)) / 2)) .. text
end

-- Rows of characters, from what the series drew ---------------------------------------------------------------------

local function dotted_rows(figure, x, y, columns, rows, colour)
  local canvas = Braille(columns, rows)
  local place = {
    x = function(v) return x.share(v) * (2 * columns - 1) end,
    y = function(v) return (1 - y.share(v)) * (4 * rows - 1) end,
  }
  for _, series in ipairs(figure.series) do
    kinds[series.kind].draw(series, canvas, place, { 0, 0, 2 * columns, 4 * rows })
  end
  local lines = {}
  for row = 0, rows - 1 do
    local cells = {}
    for column = 0, columns - 1 do
      local character, rgb = canvas:cell(column, row)
      cells[column + 1] = { character or " ", rgb }
    end
    lines[row + 1] = painted(cells, colour)
  end
  return lines
end

local shades = { [0] = " ", "░", "▒", "▓", "█" }

local function shade(rgb)
  return shades[math.floor((0.3 * rgb[1] + 0.59 * rgb[2] + 0.11 * rgb[3]) * 4 + 0.5)]
end

-- Two rows of pixels are one of characters: the upper half in front, the lower behind. Without colours, their mean.
local function pixel_rows(pixels, columns, rows, colour)
  local function positions(count, size)
    return ((torch.arange(0, count):double() + 0.5) * (size / count)):floor():to(torch.int64) + 1
  end
  local shown = pixels:index_select(1, positions(2 * rows, pixels:size(1)))
    :index_select(2, positions(columns, pixels:size(2)))
  shown = (shown:double() / 255):tolist()
  local lines = {}
  for row = 1, rows do
    local cells = {}
    for column = 1, columns do
      local upper, lower = shown[2 * row - 1][column], shown[2 * row][column]
      local mean = {}
      for part = 1, 3 do mean[part] = (upper[part] + lower[part]) / 2 end
      cells[column] = colour and { "▀", upper, lower } or { shade(mean) }
    end
    lines[row] = painted(cells, colour)
  end
  return lines
end

-- Axes --------------------------------------------------------------------------------------------------------------

-- Labels by row of characters.
local function row_labels(axis, rows)
  local labels, width = {}, 0
  for _, tick in ipairs(axis.ticks(math.max(2, rows / 4))) do
    local share = axis.share(tick.value)
    if share >= 0 and share <= 1 and tick.label ~= "" then
      local row = math.floor((1 - share) * (rows - 1) + 0.5) + 1
      if not labels[row] then
        labels[row] = tick.label
        width = math.max(width, terminal.columns(tick.label))
      end
    end
  end
  return labels, width
end

-- The line below the data, and the labels under it.
local function column_labels(axis, columns, left)
  local rule, labels, used = {}, "", 0
  for i = 1, columns do rule[i] = "─" end
  for _, tick in ipairs(axis.ticks(math.max(2, columns / 12))) do
    local share = axis.share(tick.value)
    if share >= 0 and share <= 1 and tick.label ~= "" then
      local column = math.floor(share * (columns - 1) + 0.5) + 1
      local at = left + column - math.floor(terminal.columns(tick.label) / 2)
      if at > used then
        rule[column] = "┬"
        labels = labels .. (" "):rep(at - terminal.columns(labels)) .. tick.label
        used = at + terminal.columns(tick.label)
      end
    end
  end
  return table.concat(rule), labels
end

local function legend(figure, colour)
  local entries = {}
  for _, series in ipairs(figure.series) do
    if (series.label or "") ~= "" then
      local mark = kinds[series.kind].swatch == "line" and "──" or kinds[series.kind].swatch == "box" and "██" or "••"
      entries[#entries + 1] = painted({ { mark, series.rgb } }, colour) .. " " .. series.label
    end
  end
  return figure.legend ~= false and #entries > 0 and table.concat(entries, "   ") or nil
end

-- Pixels keep their proportions where they fit.
local function pixel_size(pixels, columns, rows)
  local h, w = pixels:size(1), pixels:size(2)
  local scale = math.min(columns / w, 2 * rows / h, math.max(1, math.floor(math.min(columns / w, 2 * rows / h))))
  return math.max(1, math.floor(w * scale)), math.max(1, math.ceil(h * scale / 2))
end

--- The figure's text, without a line's end at its end.
---@param figure plot.Figure
---@param opt { width?: integer, height?: integer, color?: boolean }
---@return string
return function(figure, opt)
  local width = opt.width or math.min(core.terminal_width(), 100)
  local rows = opt.height or 20
  check(width >= 20 and width <= 1000, "plot: a text is 20 to 1000 columns wide, got %s", width)
  check(rows >= 2 and rows <= 1000, "plot: a text has 2 to 1000 rows, got %s", rows)
  local colour = opt.color
  if colour == nil then colour = terminal.wants_colour() end
  local x, y = axes.of(figure, kinds)
  local pixels
  for _, series in ipairs(figure.series) do pixels = pixels or series.pixels end
  local columns, lines
  local labels, left = row_labels(y, rows)
  if pixels then
    columns, rows = pixel_size(pixels, width - 3 - left, rows)
    labels, left = row_labels(y, rows)
    lines = pixel_rows(pixels, columns, rows, colour)
  else
    columns = width - left - 3
    lines = dotted_rows(figure, x, y, columns, rows, colour)
  end
  local out = {}
  if figure.title ~= "" then out[1] = centred(figure.title, width) end
  if figure.ylabel ~= "" then out[#out + 1] = figure.ylabel end
  for row, line in ipairs(lines) do
    out[#out + 1] = padded(labels[row] or "", left) .. (labels[row] and " ┤" or " │") .. line
  end
  local rule, names = column_labels(x, columns, left + 1)
  out[#out + 1] = (" "):rep(left) .. " └" .. rule
  out[#out + 1] = names
  if figure.xlabel ~= "" then out[#out + 1] = centred(figure.xlabel, 2 * left + 4 + columns) end
  out[#out + 1] = legend(figure, colour)
  return table.concat(out, "\n")
end
