--- Command line options of the examples: `--name VALUE`, `--name=VALUE`, and `--name` alone for what is on or off.

local options = {}

local function usage(defaults, help, problem)
  local shown, width, lines = {}, 0, {}
  for name, value in pairs(defaults) do
    shown[name] = type(value) == "boolean" and name or name .. " " .. tostring(value)
    width = math.max(width, #shown[name])
  end
  for name in pairs(defaults) do
    lines[#lines + 1] = "  --" .. shown[name] .. (" "):rep(width - #shown[name] + 2) .. (help[name] or "")
  end
  table.sort(lines)
  local out = problem and io.stderr or io.stdout
  if problem then out:write(arg[0], ": ", problem, "\n") end
  out:write("options, with their defaults:\n", table.concat(lines, "\n"), "\n")
  os.exit(problem and 2 or 0)
end

-- `require "options"(defaults, help)` reads the script's arguments.
---@param defaults table<string, number|string|boolean>  an option's kind is that of its default
---@param help table<string, string>
---@return table<string, number|string|boolean>  fields are what was given, defaults stand behind them
local function read(_, defaults, help)
  local given, i = setmetatable({}, { __index = defaults }), 1
  while arg[i] do
    local name, value = arg[i]:match("^%-%-([%w-]+)=?(.*)$")
    local default = name and defaults[name]
    if name == "help" then usage(defaults, help) end
    if default == nil then usage(defaults, help, "unknown option " .. arg[i]) end
    if type(default) == "boolean" then
      given[name] = true
    else
      if not arg[i]:find("=", 1, true) then
        i = i + 1
        value = arg[i]
      end
      if type(default) == "number" then value = tonumber(value) end
      if value == nil then usage(defaults, help, "option --" .. name .. " needs a " .. type(default)) end
      given[name] = value
    end
    i = i + 1
  end
  return given
end

local function refuse_unless(good, values, names, what)
  for _, name in ipairs(names) do
    local n = values[name]
    if not good(n) then error(("--%s is %s, not %s"):format(name, what, n), 0) end
  end
end

--- Fails unless these options are whole numbers from 1.
---@param values table<string, any>
---@param names string[]
function options.whole(values, names)
  refuse_unless(function(n) return n >= 1 and n == math.floor(n) and n < math.huge end, values, names,
    "a whole number from 1")
end

--- Fails unless these options are numbers from 0.
---@param values table<string, any>
---@param names string[]
function options.not_negative(values, names)
  refuse_unless(function(n) return n >= 0 and n < math.huge end, values, names, "a number from 0")
end

return setmetatable(options, { __call = read })
