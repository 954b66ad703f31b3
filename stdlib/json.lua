--- JSON (RFC 8259), strictly: what is not JSON is an error that names the place.
--
-- Lists are made by `json.list` and recognised by it, so that an empty list stays one; null is `json.null`. Numbers are
-- written such that they come back as the same bits. Strings are UTF-8.

local check = require "torch.check"

local json = {}

local List = {}
local deepest = 100

json.null = setmetatable({}, { __tostring = function() return "null" end })

--- Marks a table as a list.
function json.list(t) return setmetatable(t, List) end

---@return boolean
function json.is_list(x) return getmetatable(x) == List end

-- Well-formed sequences of more than one byte (RFC 3629).
local sequences = {
  "[\194-\223][\128-\191]", "\224[\160-\191][\128-\191]", "[\225-\236\238\239][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]", "\240[\144-\191][\128-\191][\128-\191]",
  "[\241-\243][\128-\191][\128-\191][\128-\191]", "\244[\128-\143][\128-\191][\128-\191]",
}

--- Is the string UTF-8?
---@param s string
---@return boolean
function json.is_utf8(s)
  if not s:find("[\128-\255]") then return true end
  for _, sequence in ipairs(sequences) do s = s:gsub(sequence, "?") end
  return not s:find("[\128-\255]")
end

-- Writing ---------------------------------------------------------------------------------------------------

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(s)
  check(json.is_utf8(s), "json: a string is not UTF-8")
  return '"' .. s:gsub('[%c"\\\127]', function(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

local write

local function write_table(t, out, depth)
  check(depth < deepest, "json: tables are nested deeper than %s", deepest)
  if json.is_list(t) then
    out[#out + 1] = "["
    for i, value in ipairs(t) do
      if i > 1 then out[#out + 1] = "," end
      write(value, out, depth + 1)
    end
    out[#out + 1] = "]"
    return
  end
  local keys = {}
  for key in pairs(t) do
    check(type(key) == "string", "json: keys are strings, got a %s", type(key))
    keys[#keys + 1] = key
  end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    out[#out + 1] = (i > 1 and "," or "") .. quote(key) .. ":"
    write(t[key], out, depth + 1)
  end
  out[#out + 1] = "}"
end

function write(value, out, depth)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" then
    check(math.abs(value) < math.huge, "json: %s is not a number of JSON", value)
    out[#out + 1] = ("%.17g"):format(value)
  elseif kind == "boolean" or value == json.null then
    out[#out + 1] = tostring(value)
  else
    check(kind == "table", "json: a %s cannot be written", kind)
    write_table(value, out, depth)
  end
end

--- The text of strings, numbers, booleans, null, lists and tables with strings for keys (in alphabetical order).
---@return string
function json.encode(value)
  local out = {}
  write(value, out, 0)
  return table.concat(out)
end

-- Reading ---------------------------------------------------------------------------------------------------

local function expected(what, at)
  check(false, "json: expected %s at byte %s", what, at)
end

local function skip(s, at)
  return s:find("[^ \t\r\n]", at) or #s + 1
end

local plain = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8(code)
  if code < 0x80 then return string.char(code) end
  local tail = string.char(0x80 + code % 64)
  code = math.floor(code / 64)
  if code < 32 then return string.char(0xC0 + code) .. tail end
  tail = string.char(0x80 + code % 64) .. tail
  code = math.floor(code / 64)
  if code < 16 then return string.char(0xE0 + code) .. tail end
  return string.char(0xF0 + math.floor(code / 64), 0x80 + code % 64) .. tail
end

-- The character after `\u` at `at`; beyond U+FFFF it takes two escapes.
local function read_escape(s, at)
  local hex = s:match("^%x%x%x%x", at) or expected("4 hexadecimal digits", at)
  local code = tonumber(hex, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8(code), at + 4 end
  local low = tonumber(s:match("^\\u(%x%x%x%x)", at + 4) or "0", 16)
  if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF then expected("a pair of surrogates", at) end
  return utf8(0x10000 + (code - 0xD800) * 1024 + low - 0xDC00), at + 10
end

local function read_string(s, at)
  local parts = {}
  while true do
    local stop = s:find('["\\%c]', at)
    if not stop then expected("the end of a string", #s + 1) end
    parts[#parts + 1] = s:sub(at, stop - 1)
    local c = s:sub(stop, stop)
    if c == '"' then
      local text = table.concat(parts)
      if not json.is_utf8(text) then expected("UTF-8 in the string before", stop) end
      return text, stop + 1
    elseif c == "\127" then
      parts[#parts + 1], at = c, stop + 1
    elseif c ~= "\\" then
      expected("an escape for a control character", stop)
    elseif s:sub(stop + 1, stop + 1) == "u" then
      parts[#parts + 1], at = read_escape(s, stop + 2)
    else
      parts[#parts + 1] = plain[s:sub(stop + 1, stop + 1)] or expected("a character that can be escaped", stop + 1)
      at = stop + 2
    end
  end
end

local function read_number(s, at)
  local stop = select(2, s:find("^%-?%d+", at)) or expected("a value", at)
  if s:find("^%-?0%d", at) then expected("no zero in front of a number", at) end
  stop = select(2, s:find("^%.%d+", stop + 1)) or stop
  stop = select(2, s:find("^[eE][+-]?%d+", stop + 1)) or stop
  return tonumber(s:sub(at, stop)), stop + 1
end

local read

-- What stands between brackets: `item` reads one entry.
local function read_sequence(s, at, close, item)
  at = skip(s, at)
  if s:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(s, item(at))
    local c = s:sub(at, at)
    if c == close then return at + 1 end
    if c ~= "," then expected("',' or '" .. close .. "'", at) end
    at = skip(s, at + 1)
  end
end

local function read_table(s, at, depth)
  if depth >= deepest then expected("no more than " .. deepest .. " levels", at) end
  local t = {}
  if s:sub(at, at) == "[" then
    local stop = read_sequence(s, at + 1, "]", function(i)
      t[#t + 1], i = read(s, i, depth + 1)
      return i
    end)
    return json.list(t), stop
  end
  local stop = read_sequence(s, at + 1, "}", function(i)
    if s:sub(i, i) ~= '"' then expected("a key", i) end
    local key, colon = read_string(s, i + 1)
    if t[key] ~= nil then expected("keys that differ", i) end
    colon = skip(s, colon)
    if s:sub(colon, colon) ~= ":" then expected("':'", colon) end
    t[key], i = read(s, skip(s, colon + 1), depth + 1)
    return i
  end)
  return t, stop
end

function read(s, at, depth)
  local c = s:sub(at, at)
  if c == "{" or c == "[" then return read_table(s, at, depth) end
  if c == '"' then return read_string(s, at + 1) end
  if s:find("^true", at) then return true, at + 4 end
  if s:find("^false", at) then return false, at + 5 end
  if s:find("^null", at) then return json.null, at + 4 end
  return read_number(s, at)
end

--- The value that a text stands for.
---@param text string
---@return any
function json.decode(text)
  local value, at = read(text, skip(text, 1), 0)
  at = skip(text, at)
  if at <= #text then expected("the end", at) end
  return value
end

return json
