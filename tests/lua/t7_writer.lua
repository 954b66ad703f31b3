--- Writes files in the formats of Torch7 (torch7/File.lua), for the tests of reading them.
--
-- A value is nil, a boolean, a number, a string, or a table made by one of the functions below; the same table again is
-- a reference.

local ffi = require "ffi"

local writer = {}

local NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, CLOSURE = 0, 1, 2, 3, 4, 5, 8

-- The C types of elements; those of Half are given as their bits.
local TYPES = {
  Byte = "uint8_t", Char = "int8_t", Short = "int16_t", Int = "int32_t", Half = "uint16_t", Float = "float",
  Double = "double",
}

-- Manners of writing: `int`, `longs`, `double`, `chars` and `elements` give the bytes.
local function binary(long)
  local function array(list, ctype)
    return ffi.string(ffi.new(ctype .. "[?]", #list, list), #list * ffi.sizeof(ctype))
  end
  return {
    int = function(n) return array({ n }, "int32_t") end,
    longs = function(list) return array(list, long) end,
    double = function(n) return array({ n }, "double") end,
    chars = function(s) return s end,
    elements = function(list, name) return array(list, TYPES[name] or long) end,
  }
end

local function words(list) return #list > 0 and table.concat(list, " ") .. "\n" or "" end

local ascii = {
  int = function(n) return n .. "\n" end,
  longs = words,
  double = function(n) return ("%.17g\n"):format(n) end,
  chars = function(s) return #s > 0 and s .. "\n" or "" end,
  elements = function(list, name)
    if name ~= "Byte" and name ~= "Char" then return words(list) end
    local bytes = {}
    for i, n in ipairs(list) do bytes[i] = string.char(n % 256) end
    return #list > 0 and table.concat(bytes) .. "\n" or ""
  end,
}

writer.manners = { binary = binary "int64_t", ["binary with longs of 32 bits"] = binary "int32_t", ascii = ascii }

function writer.map(...) return { kind = "map", ... } end

function writer.list(...)
  local entries = { kind = "map" }
  for i, value in ipairs { ... } do
    entries[2 * i - 1], entries[2 * i] = i, value
  end
  return entries
end

function writer.storage(name, elements) return { kind = "storage", name = name, elements = elements } end

--- A dense tensor with a storage of its own, or with `options`: storage, stride, offset (from 1).
function writer.tensor(name, size, elements, options)
  local stride, step = {}, 1
  for d = #size, 1, -1 do
    stride[d], step = step, step * size[d]
  end
  options = options or {}
  local storage = options.storage or #size > 0 and writer.storage(name, elements) or nil
  return { kind = "tensor", name = name, size = size, stride = options.stride or stride, offset = options.offset or 1,
    storage = storage }
end

function writer.object(name, ...) return { kind = "object", name = name, fields = writer.map(...) } end

function writer.closure() return { kind = "closure" } end

--- The bytes of a file.
---@param root any
---@param manner? string  a key of `manners`. Default: binary.
function writer.write(root, manner)
  local to, out, numbers, count = writer.manners[manner or "binary"], {}, {}, 0
  local function put(bytes) out[#out + 1] = bytes end
  local function text(s)
    put(to.int(#s))
    put(to.chars(s))
  end
  local value

  local function body(x)
    if x.kind == "map" then
      put(to.int(#x / 2))
      for _, item in ipairs(x) do value(item) end
    elseif x.kind == "closure" then
      text "\27LJ bytecode"
      value(writer.map())
    else
      text "V 1"
      text(x.kind == "object" and x.name or ("torch.%s%s"):format(x.name, x.kind == "tensor" and "Tensor" or "Storage"))
      if x.kind == "object" then return value(x.fields) end
      if x.kind == "storage" then
        put(to.longs { #x.elements })
        return put(to.elements(x.elements, (x.name:gsub("^Cuda$", "Float"):gsub("^Cuda", ""))))
      end
      put(to.int(#x.size))
      put(to.longs(x.size))
      put(to.longs(x.stride))
      put(to.longs { x.offset })
      value(x.storage)
    end
  end

  function value(x)
    if x == nil then return put(to.int(NIL)) end
    if type(x) == "number" then return put(to.int(NUMBER) .. to.double(x)) end
    if type(x) == "boolean" then return put(to.int(BOOLEAN) .. to.int(x and 1 or 0)) end
    if type(x) == "string" then
      put(to.int(STRING))
      return text(x)
    end
    put(to.int(x.kind == "map" and TABLE or x.kind == "closure" and CLOSURE or TORCH))
    local known = numbers[x]
    if not known then
      count = count + 1
      numbers[x] = count
    end
    put(to.int(numbers[x]))
    if not known then body(x) end
  end

  value(root)
  return table.concat(out)
end

return writer
