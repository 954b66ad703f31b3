--- What specs about files share: temporary files, damaged copies, and the other side's readers in Python.

local shell = require "shell"

local files = {}

--- Calls `body` with the name of a file, which is removed afterwards.
function files.with(body)
  local path = os.tmpname()
  local good, problem = pcall(body, path)
  os.remove(path)
  if not good then error(problem, 0) end
end

--- Calls `body` with the name of a file that holds `bytes`.
function files.holding(bytes, body)
  files.with(function(path)
    shell.write(path, bytes)
    body(path)
  end)
end

--- The little-endian bytes of a whole number.
function files.little_endian(n, count)
  local out = {}
  for i = 1, count do
    out[i], n = string.char(n % 256), math.floor(n / 256)
  end
  return table.concat(out)
end

files.dtypes = {
  "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
  "complex128",
}

---@param text string  hexadecimal digits
function files.bytes(text)
  return (text:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- What sizes and offsets that lie are made of.
local EXTREMES = { ("\0"):rep(4), ("\255"):rep(4), ("\255"):rep(8), "\255\255\255\127", "\127\255\255\255",
  ("\255"):rep(7) .. "\127", "\0\0\0\128", "\1\0\0\0" }

--- Calls `body` with `count` damaged copies of `bytes`, always the same for a seed: cut short, with some bytes changed,
--- with an extreme number in them, or with a piece moved.
function files.damaged(bytes, count, body, seed)
  local state = seed or 1
  local function random(n) -- from 1 to n; the minimal standard generator of Park and Miller 1988
    state = state * 48271 % 2147483647
    return state % n + 1
  end
  local function put(copy, at, piece)
    return copy:sub(1, at - 1) .. piece .. copy:sub(at + #piece)
  end
  local manners = {
    function() return bytes:sub(1, random(#bytes) - 1) end,
    function()
      local copy = bytes
      for _ = 1, random(4) do copy = put(copy, random(#copy), string.char(random(256) - 1)) end
      return copy
    end,
    function() return put(bytes, random(#bytes), EXTREMES[random(#EXTREMES)]) end,
    function()
      local from = random(#bytes)
      return put(bytes, random(#bytes), bytes:sub(from, from + random(32)))
    end,
  }
  for i = 1, count do body(manners[i % #manners + 1](), i) end
end

local python = {}

--- What a Python program prints, with `...` as its sys.argv[1:]; nil, with a line that says so, where a module that it
--- needs is not installed.
---@param modules string  "numpy, PIL"
---@param program string
---@return string?
function files.python(modules, program, ...)
  if python[modules] == nil then
    python[modules] = os.execute(("python3 -c 'import %s' 2>/dev/null"):format(modules)) == 0
    if not python[modules] then print("skipped what needs Python's " .. modules) end
  end
  if not python[modules] then return nil end
  local arguments = ""
  for _, argument in ipairs { ... } do arguments = arguments .. (" '%s'"):format(argument) end
  local output
  files.holding(("import sys, %s\n"):format(modules) .. program, function(path)
    output = shell.output_of(("python3 %s%s 2>&1"):format(path, arguments))
  end)
  return output
end

--- Fails unless a Python program printed `expected`, or could not run.
---@param output string?  from files.python
function files.agree(output, expected)
  assert(output == nil or output == expected, output)
end

return files
