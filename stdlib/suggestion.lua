--- What a name that is nil may have been meant to be.

local torch = require "torch"

local suggestion = {}

-- In order, so that of equally near names always the same is found; without in-place forms.
local function names_in(...)
  local names = {}
  for _, t in ipairs { ... } do
    for name in pairs(t) do
      if type(name) == "string" and not name:find("_$") then names[#names + 1] = name end
    end
  end
  table.sort(names)
  return names
end

--- For an undefined global: `torch.zeros` for `zeros`, otherwise the nearest among globals, `env` and torch.
---@param name string
---@param env? table  more names
---@return string?
function suggestion.of_global(name, env)
  if torch[name] ~= nil then return "torch." .. name end
  local near = torch.core.nearest(name, names_in(_G, env or {}))
  if near then return near end
  near = torch.core.nearest(name, names_in(torch))
  return near and "torch." .. near
end

--- For a method that tensors do not have.
---@param name string
---@return string?
function suggestion.of_method(name)
  return torch.core.nearest(name, names_in(torch.Tensor))
end

return suggestion
