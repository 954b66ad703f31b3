--- The state of a module: an ordered map from names to tensors.
--
-- `sd["0.weight"]` reads and writes an entry, `sd:items()` goes through them in order. Entries lie in the map itself,
-- their order beside it, so that `pairs` shows entries and nothing else.

local class = require "torch.class"

local StateDict = class("StateDict")

-- map -> its names in order, and each name -> true; map -> the name of the class of the module that was saved
local orders, classes = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "k" })

---@param module_class? string  see `module_class`
function StateDict:init(module_class)
  orders[self], classes[self] = {}, module_class
end

function StateDict:__newindex(name, value)
  local order = orders[self]
  if not order[name] then
    order[#order + 1], order[name] = name, true
  end
  rawset(self, name, value)
end

--- Iterates over names and values in order.
---@return fun(): string?, any
function StateDict:items()
  local order, i = orders[self], 0
  return function()
    local name, value
    repeat
      i = i + 1
      name = order[i]
      value = name ~= nil and rawget(self, name)
    until name == nil or value ~= nil
    return name, value
  end
end
StateDict.__pairs = StateDict.items -- where the interpreter knows __pairs

--- The names in order.
---@return string[]
function StateDict:keys()
  local names = {}
  for name in StateDict.items(self) do names[#names + 1] = name end
  return names
end

--- The number of entries.
---@return integer
function StateDict:size()
  return #StateDict.keys(self)
end

--- The name of the class of the module whose state `torch.save` wrote, when it was given the module itself.
---@return string?
function StateDict:module_class()
  return classes[self]
end

function StateDict:__tostring()
  local lines = {}
  for name, value in StateDict.items(self) do lines[#lines + 1] = ("  %s: %s"):format(name, tostring(value)) end
  return "StateDict {\n" .. table.concat(lines, "\n") .. "\n}"
end

return StateDict
