--- Results of the prompt as text: what `tostring` says; tables without `__tostring` show what they hold, on one line
-- where it fits, to a limited depth and length.

local torch, class = require "torch", require "torch.class"
local source = require "torch.repl.source"

local show = {}

local most_items = 50 -- of one table
local most_keys = 10000 -- that are sorted
local most_text = 200 -- characters of a string or a tensor within a table

-- ANSI's "select graphic rendition".
local colours = { string = "32", number = "36", word = "35", key = "34", error = "31", faint = "2", strong = "1" }

--- A painter: `paint(kind, text)` is the text in the colour of its kind, or as it is.
---@param coloured boolean
---@return fun(kind: string, text: string): string
function show.painter(coloured)
  if not coloured then return function(_, text) return text end end
  return function(kind, text)
    local colour = colours[kind]
    return colour and text ~= "" and "\27[" .. colour .. "m" .. text .. "\27[0m" or text
  end
end

--- The columns that a text takes: colours and the continuation bytes of UTF-8 take none.
---@param text string
---@return integer
function show.columns(text)
  return select(2, text:gsub("\27%[[%d;]*m", ""):gsub("[^\128-\191]", ""))
end

local function quoted(s)
  local text = s:sub(1, most_text):gsub('[%c"\\\127]', function(c)
    if c == '"' or c == "\\" then return "\\" .. c end
    return c == "\n" and "\\n" or ("\\%03d"):format(c:byte())
  end)
  return '"' .. text .. '"' .. (#s > most_text and "..." or "")
end

local getmetatable_of = debug.getmetatable

local function has_tostring(x)
  local meta = getmetatable_of(x)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local Printer = {}
Printer.__index = Printer

local function key_text(key)
  if type(key) ~= "string" then return "[" .. tostring(key) .. "]" end
  return source.is_name(key) and key or "[" .. quoted(key) .. "]"
end

-- Keys that are not among 1..n: numbers before strings before others, each kind in order; and how many there are.
local function named_keys(t, n)
  local keys, count = {}, 0
  local rank = { number = 1, string = 2, boolean = 3 }
  for key in next, t do
    if not (type(key) == "number" and key >= 1 and key <= n and key == math.floor(key)) then
      count = count + 1
      if count <= most_keys then
        keys[count] = { key, rank[type(key)] or 4, type(key) == "number" and key or key_text(key) }
      end
    end
  end
  table.sort(keys, function(a, b)
    if a[2] ~= b[2] then return a[2] < b[2] end
    return a[3] < b[3]
  end)
  return keys, count
end

function Printer:items(t, indent)
  local items, n = {}, #t
  for i = 1, math.min(n, most_items) do items[i] = self:value(rawget(t, i), indent) end
  local keys, count = named_keys(t, n)
  local left = n - #items + count
  for _, key in ipairs(keys) do
    if #items >= most_items then break end
    items[#items + 1] = self.paint("key", key_text(key[1])) .. " = " .. self:value(rawget(t, key[1]), indent)
    left = left - 1
  end
  if left > 0 then items[#items + 1] = self.paint("faint", ("... %d more"):format(left)) end
  return items
end

-- A table whose text begins in column `indent`.
function Printer:table(t, indent)
  if self.open[t] or self.level >= self.depth then return "{...}" end
  self.open[t], self.level = true, self.level + 1
  local items = self:items(t, indent + 2)
  self.open[t], self.level = nil, self.level - 1
  local line = "{" .. table.concat(items, ", ") .. "}"
  if indent + show.columns(line) <= self.width and not line:find("\n", 1, true) then return line end
  local break_ = "\n" .. (" "):rep(indent + 2)
  return "{" .. break_ .. table.concat(items, "," .. break_) .. "\n" .. (" "):rep(indent) .. "}"
end

-- A value within a table.
function Printer:value(x, indent)
  local kind = type(x)
  if kind == "string" then return self.paint("string", quoted(x)) end
  if kind == "table" and not has_tostring(x) then return self:table(x, indent) end
  local text = tostring(x)
  if kind == "number" then return self.paint("number", text) end
  if #text <= most_text and not text:find("\n", 1, true) then return self.paint("word", text) end
  if torch.is_tensor(x) then
    return self.paint("word", ("tensor(..., size=(%s), dtype=%s)"):format(
      table.concat(x.shape, ", "), tostring(x.dtype)))
  end
  return #text <= 10 * most_text and text or text:sub(1, 10 * most_text) .. "..."
end

local function grouped(n)
  local text = ("%d"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

local function parameter_count(module)
  local count, trained = 0, 0
  for _, p in ipairs(module:parameters()) do
    count = count + p:numel()
    if p.requires_grad then trained = trained + p:numel() end
  end
  local text = grouped(count) .. (count == 1 and " parameter" or " parameters")
  return trained == count and text or text .. ", " .. grouped(trained) .. " of them trained"
end

--- A result as the prompt shows it. Raises what `__tostring` raises.
---@param x any
---@param options? table  paint (of `show.painter`, default: no colours), width (80 columns), depth (4 tables)
---@return string
function show.value(x, options)
  options = options or {}
  local paint = options.paint or show.painter(false)
  if type(x) == "table" and not has_tostring(x) then
    local printer = { paint = paint, width = options.width or 80, depth = options.depth or 4, open = {}, level = 0 }
    return setmetatable(printer, Printer):table(x, 0)
  end
  local text = tostring(x)
  if type(x) == "number" then return paint("number", text) end
  if type(x) == "boolean" or x == nil then return paint("word", text) end
  if class.isinstance(x, package.loaded["torch.nn.module"]) and next(x:parameters()) then
    return text .. "\n" .. paint("faint", parameter_count(x))
  end
  return text
end

return show
