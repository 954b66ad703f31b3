--- How modules print: as PyTorch's do.

local class, repr = require "torch.class", require "torch.nn.repr"

-- A field as Python prints it: whole numbers with a fraction where the constructor takes a float, and what it was told
-- where the field is a tensor that it made or did not make (`bias`).
local function shown(module, name)
  local options, value = rawget(module, "_options"), module[name]
  if not options then return repr(value) end
  local type_of = options.signature:match("(%a+)%[?%d*%]?%??%s+" .. name .. "%f[^%w_]")
  if type_of == "bool" then value = options.values[name] end
  return repr(value, type_of == "float")
end

-- `{name}` stands for the field's value, `{?name}` for `, name=value` where that is neither false nor nil,
-- `{?name!value}` for the same where it is not `value`.
local function filled(module, format)
  local text = format:gsub("{(%??)([%w_]+)(!?)([^}]*)}", function(optional, name, unless, usual)
    local value = shown(module, name)
    if optional == "" then return value end
    local dull = value == "None" or value == (unless == "!" and usual or "False")
    return dull and "" or (", %s=%s"):format(name, value)
  end)
  return (text:gsub("^, ", ""))
end

local printed = { ["nil"] = true, boolean = true, number = true, string = true, table = true }

return function(Module)
  --- What stands in the parentheses of `tostring(module)`: as the class's `format` says, without one the constructor's
  --- arguments, but for tensors and objects.
  ---@return string
  function Module:extra_repr()
    local options = rawget(self, "_options")
    if self.format then return filled(self, self.format) end
    if not options then return "" end
    local parts = {}
    for _, name in ipairs(options.names) do
      local value = options.values[name]
      if printed[class.type(value)] then
        parts[#parts + 1] = name .. "=" .. shown(self, name)
      end
    end
    return table.concat(parts, ", ")
  end

  function Module:__tostring()
    local extra, lines = self:extra_repr(), {}
    for line in extra:gmatch("[^\n]+") do lines[#lines + 1] = line end
    local children = false
    for name, child in self:_child_items() do
      children = true
      lines[#lines + 1] = ("(%s): %s"):format(name, (tostring(child):gsub("\n", "\n  ")))
    end
    local name = class.type(self)
    if not children and #lines <= 1 then return name .. "(" .. extra .. ")" end
    return name .. "(\n  " .. table.concat(lines, "\n  ") .. "\n)"
  end
end
