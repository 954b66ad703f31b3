--- Command line options of the examples: `--name VALUE`, `--name=VALUE`, and `--name` alone for what is on or off.

local function usage(defaults, help, problem)
  local lines = {}
  for name, value in pairs(defaults) do
    local shown = type(value) == "boolean" and "" or " " .. tostring(value)
    lines[#lines + 1] = ("  --%-16s %s"):format(name .. shown, help[name] or "")
  end
  table.sort(lines)
  local out = problem and io.stderr or io.stdout
  if problem then out:write(arg[0], ": ", problem, "\n") end
  out:write("options, with their defaults:\n", table.concat(lines, "\n"), "\n")
  os.exit(problem and 2 or 0)
end

--- Reads the script's arguments.
---@param defaults table<string, number|string|boolean>  an option's kind is that of its default
---@param help table<string, string>
---@return table<string, number|string|boolean>
return function(defaults, help)
  local options, i = setmetatable({}, { __index = defaults }), 1
  while arg[i] do
    local name, value = arg[i]:match("^%-%-([%w-]+)=?(.*)$")
    local default = name and defaults[name]
    if name == "help" then usage(defaults, help) end
    if default == nil then usage(defaults, help, "unknown option " .. arg[i]) end
    if type(default) == "boolean" then
      options[name] = true
    else
      if not arg[i]:find("=", 1, true) then
        i = i + 1
        value = arg[i]
      end
      if type(default) == "number" then value = tonumber(value) end
      if value == nil then usage(defaults, help, "option --" .. name .. " needs a " .. type(default)) end
      options[name] = value
    end
    i = i + 1
  end
  return options
end
