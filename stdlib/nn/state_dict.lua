--- The state of a module: an ordered map from names to tensors.
--
-- `sd["0.weight"]` reads and writes an entry, `sd:items()` goes through them in order. Entries lie in the map itself,
-- their order beside it, so that `pairs` shows entries and nothing else.

local class = require "torch.class"

local StateDict = class("StateDict")

local function by_map() return setmetatable({}, { __mode = "k" }) end

-- map -> its names in order; map -> the set of these, made when a name is added; map -> the name of the class of the
-- module that was saved
local orders, sets, classes = by_map(), by_map(), by_map()

---@param module_class? string  see `module_class`
function StateDict:init(module_class)
  orders[self], classes[self] = {}, module_class
end

--- Makes a map of what is there already.
---@param names string[]  in the map's order, whose list this becomes
---@param entries table<string, any>  those of these names, which becomes the map
---@return StateDict
function StateDict.of(names, entries)
  orders[entries] = names
  return setmetatable(entries, StateDict)
end

local function set_of(map)
  local set = sets[map]
  if not set then
    set = {}
    for _, name in ipairs(orders[map]) do set[name] = true end
    sets[map] = set
  end
  return set
end

function StateDict:__newindex(name, value)
  local order, set = orders[self], set_of(self)
  if not set[name] then
    order[#order + 1], set[name] = name, true
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
