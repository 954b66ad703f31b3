--- Containers. Children of lists count from 1 (`m[1]`, `#m`, `ipairs(m)`); their names in the state from 0, as in
--- PyTorch.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module, expects = require "torch.nn.module", require "torch.nn.expects"

local function append_all(container, values)
  check(type(values) == "table" and not class.isinstance(values, Module), "%s: expected a list, got a %s",
    class.type(container), class.type(values))
  for _, value in ipairs(values) do container:append(value) end
  return container
end

-- Adds what lists of modules and lists of parameters have in common; `accepts` says what they may hold.
local function make_list(List, what, accepts)
  ---@param value any  a module (or parameter)
  function List:append(value)
    check(accepts(value), "%s: expected a %s, got a %s", class.type(self), what, class.type(value))
    self[#self + 1] = value
    return self
  end

  ---@param values table  a list
  function List:extend(values)
    return append_all(self, values)
  end

  ---@return integer
  function List:size()
    return #self
  end
end

-- Adds what dictionaries of modules and of parameters have in common.
local function make_dict(Dict, what, accepts)
  --- Takes a list of pairs, `{{"first", a}, {"second", b}}`, whose order is known.
  function Dict:init(pairs_list)
    check(pairs_list == nil or type(pairs_list) == "table", "%s: expected a list of pairs, got a %s", class.type(self),
      class.type(pairs_list))
    for i, pair in ipairs(pairs_list or {}) do
      check(type(pair) == "table" and #pair == 2, "%s: entry %s is not a pair of name and %s", class.type(self), i,
        what)
      self:set(pair[1], pair[2])
    end
  end

  ---@param name string
  ---@param value any  a module (or parameter)
  function Dict:set(name, value)
    check(accepts(value), "%s: expected a %s under '%s', got a %s", class.type(self), what, name, class.type(value))
    self:_put(name, value)
    return self
  end

  --- Names and values in order.
  function Dict:items()
    return self:_items(accepts)
  end

  ---@return string[]
  function Dict:keys()
    local names = {}
    for name in self:items() do names[#names + 1] = name end
    return names
  end
end

local function is_module(x) return class.isinstance(x, Module) end
local is_parameter = torch.core.is_parameter

--- Modules in a row: each gets what the one before returned. `add_module(name, m)` puts one with a name at the end.
--
--     torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU())(torch.randn(2, 3))
---@class nn.Sequential: nn.Module
local Sequential = class("Sequential", Module)
make_list(Sequential, "module", is_module)

function Sequential:init(...)
  append_all(self, { ... })
end

local function run(sequence, i, modules, ...)
  local m = modules[i]
  if m == nil then return ... end
  return run(sequence, i + 1, modules, m(...))
end
expects.steps[run] = true

-- The modules in their order: itself, unless some have names instead of positions.
local function in_order(sequence)
  local order = rawget(sequence, "_order")
  if not order or #order == #sequence then return sequence end
  local modules = {}
  for _, m in sequence:_child_items() do modules[#modules + 1] = m end
  return modules
end

function Sequential:forward(...)
  return run(self, 1, in_order(self), ...)
end

--- A list of modules, which does not call them.
--
--     torch.nn.ModuleList{torch.nn.Linear(3, 4), torch.nn.ReLU()}:size()
---@class nn.ModuleList: nn.Module
local ModuleList = class("ModuleList", Module)
make_list(ModuleList, "module", is_module)

---@param modules? nn.Module[]
function ModuleList:init(modules)
  append_all(self, modules or {})
end

--- Modules by name, `m.name` or `m["name"]`.
--
--     torch.nn.ModuleDict{first=torch.nn.Linear(3, 4)}.first
---@class nn.ModuleDict: nn.Module
local ModuleDict = class("ModuleDict", Module)
make_dict(ModuleDict, "module", is_module)

---@class nn.ParameterList: nn.Module
local ParameterList = class("ParameterList", Module)
make_list(ParameterList, "parameter", is_parameter)

---@param parameters? torch.Tensor[]
function ParameterList:init(parameters)
  append_all(self, parameters or {})
end

---@class nn.ParameterDict: nn.Module
local ParameterDict = class("ParameterDict", Module)
make_dict(ParameterDict, "parameter", is_parameter)

return {
  Sequential = Sequential,
  ModuleList = ModuleList,
  ModuleDict = ModuleDict,
  ParameterList = ParameterList,
  ParameterDict = ParameterDict,
}
