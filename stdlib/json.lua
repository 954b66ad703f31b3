--- JSON (RFC 8259), strictly: what is not JSON is an error that names the place.
--
-- Lists are made by `json.list` and recognised by it, so that an empty list stays one; null is `json.null`. Numbers are
-- written such that they come back as the same bits. Strings are UTF-8.

local check, core = require "torch.check", require("torch").core

local json = {}

local List = {}
local deepest = 100

json.null = setmetatable({}, { __tostring = function() return "null" end })

--- Marks a table as a list.
function json.list(t) return setmetatable(t, List) end

---@return boolean
function json.is_list(x) return getmetatable(x) == List end

--- Is the string UTF-8?
---@param s string
---@return boolean
json.is_utf8 = core.is_utf8

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

--- The value that a text stands for. Errors: where it is not JSON, has two equal keys in a table, or is nested deeper
--- than 100 levels.
---@param text string
---@return any
function json.decode(text)
  return core.decode_json(text, List, json.null, deepest)
end

return json
