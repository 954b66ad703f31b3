--- What all models for classes share: they load old checkpoints, they are initialised by kinds of layers, and functions
--- make them from configurations.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = torch.nn.Module

---@class vision.Classifier: nn.Module
local Classifier = class("Classifier", Module)
Classifier.format = ""

--- Sets every layer of one of the given classes by the function that stands beside it.
---@param rules table<table, fun(m: nn.Module)>
function Classifier:_initialise(rules)
  for _, m in ipairs(self:modules()) do
    local rule = rules[getmetatable(m)]
    if rule then rule(m) end
  end
end

-- The names in a state that a pattern finds get another spelling: old checkpoints have those of their time.
local function rename(state, pattern, replacement)
  local changed = {}
  for name, x in pairs(state) do
    local new, count = tostring(name):gsub(pattern, replacement)
    if count > 0 then changed[name] = { new, x } end
  end
  for name, entry in pairs(changed) do
    state[name] = nil
    state[entry[1]] = entry[2]
  end
end

-- Checkpoints from before PyTorch 0.4.1 do not count batches.
local function count_batches(model, state, prefix)
  for name in model:named_buffers() do
    local key = prefix .. name
    if name:find("num_batches_tracked$") and rawget(state, key) == nil then
      state[key] = torch.tensor(0, { dtype = torch.int64 })
    end
  end
end

--- Loads states of older versions, too.
---@param renamed? table<string, string>  patterns in their names, and what takes their place
function Classifier:_accept_old_states(renamed)
  self:register_load_state_dict_pre_hook(function(model, state, prefix)
    for pattern, replacement in pairs(renamed or {}) do rename(state, pattern, replacement) end
    count_batches(model, state, prefix)
  end)
end

--- A function that makes models of the class: its named arguments are those of the class, but for the `fixed` ones;
--- `usual` ones have other defaults than in the class.
---@param fixed table<string, any>
---@param usual? table<string, any>
---@return fun(options?: table): vision.Classifier
function Classifier.builder(Model, fixed, usual)
  local known, _, names = {}, torch.core.signature(getmetatable(Model).signature)
  for _, name in ipairs(names) do known[name] = true end
  return function(options)
    check(options == nil or type(options) == "table" and #options == 0, "%s: expected named arguments, got a %s",
      tostring(Model), class.type(options))
    local arguments = {}
    for name, value in pairs(usual or {}) do arguments[name] = value end
    for name, value in pairs(options or {}) do
      check(known[name], "%s: unknown argument '%s'", tostring(Model), name)
      check(fixed[name] == nil, "%s: %s is fixed for this model", tostring(Model), name)
      arguments[name] = value
    end
    for name, value in pairs(fixed) do arguments[name] = value end
    return Model(arguments)
  end
end

return Classifier
