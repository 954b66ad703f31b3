--- Tables whose fields are loaded when somebody asks for them, so that starting up costs nothing.

local lazy = {}

--- Fields of `t` come from modules: `"torch.optim"` is the module itself, `"torch.class:type"` a field of it. The
-- metatable keeps `homes` for those who list the fields, such as completion at the prompt.
---@param t table
---@param homes table<string, string>
---@return table t
function lazy.fields(t, homes)
  return setmetatable(t, { homes = homes, __index = function(_, name)
    local home = homes[name]
    if not home then return nil end
    local module, field = home:match("^([^:]+):?(.*)$")
    local value = require(module)
    if field ~= "" then value = value[field] end
    rawset(t, name, value)
    return value
  end })
end

--- The first field that `t` lacks loads `module`, which adds to `t` what it has (and may give it a metatable of its
--- own).
---@param t table
---@param module string
---@return table t
function lazy.rest(t, module)
  return setmetatable(t, { __index = function(_, name)
    setmetatable(t, nil)
    require(module)
    return t[name]
  end })
end

return lazy
