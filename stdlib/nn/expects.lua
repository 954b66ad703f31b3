--- What a module's inputs have to be like: its class says so in one line, which is read only after a call has failed.
--
--     Linear.expects = "input (*, {in_features})"
--     Conv2d.expects = "input (N, {in_channels}, H, W) or ({in_channels}, H, W)"
--     NLLLoss.expects = "input (N, C, *) or (C) and target (N, *) of 1..C or () of 1..C"
--
-- Inputs are joined by `and`, an input's forms by `or`. `{field}` stands for what the module's field holds. A word is
-- any size, the same one wherever it occurs; `*` any number of sizes, the same ones wherever it occurs. `of` says what
-- the elements are: positions within a range, integers, or probabilities; without it they have the dtype and the
-- device of the module's parameters. A form without parentheses is a class or a Lua type, such as `nil`. `expects` may
-- also be a method that returns such a line.
--
-- So the good path costs a protected call, and an error speaks of the module and the inputs it was given.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local getinfo, getlocal = debug.getinfo, debug.getlocal

local expects = {}

--- Functions that call the modules of a container one by one: their first local variables are the container and the
--- position.
---@type table<function, true>
expects.steps = {}

local SPATIAL = { "L", "H, W", "D, H, W" }

--- The line with the words for one to three spatial dimensions in the place of `#`.
---@param line string
---@param dims integer
---@return string
function expects.over(line, dims)
  return (line:gsub("#", SPATIAL[dims]))
end

-- The line of a module with its fields filled in.
local function line_of(module)
  local line = module.expects
  if type(line) == "function" then line = line(module) end
  return (line:gsub("{([%w_]+)}", function(name)
    local value = module[name]
    return type(value) == "table" and table.concat(value, ", ") or tostring(value)
  end))
end

local function each_part(text, separator)
  return (text .. separator):gmatch("(.-)" .. separator)
end

-- The inputs of a line: {name =, forms = {{sizes = {...} or nil, of =, kind =}}}.
local function parsed(line)
  local inputs = {}
  for text in each_part(line, " and ") do
    local name, rest = text:match("^(%S+) (.*)$")
    local forms = {}
    for form in each_part(rest, " or ") do
      local sizes, of = form:match("^(%b())%s*o?f?%s*(.*)$")
      if sizes then
        local list = {}
        for size in sizes:gmatch("[^(), ]+") do list[#list + 1] = tonumber(size) or size end
        forms[#forms + 1] = { sizes = list, of = of }
      else
        forms[#forms + 1] = { kind = form }
      end
    end
    inputs[#inputs + 1] = { name = name, forms = forms }
  end
  return inputs
end

-- Do sizes[i..] of a form stand for x's sizes from j on? `bound` holds what the words stand for, and grows.
local function sizes_fit(sizes, i, x, j, bound)
  local size = sizes[i]
  if size == nil then return j == x:dim() + 1 end
  if size == "*" then
    local count = x:dim() - j + 1 - (#sizes - i)
    if count < 0 or bound["*"] and #bound["*"] ~= count then return false end
    local run = {}
    for d = 1, count do
      run[d] = x:size(j + d - 1)
      if bound["*"] and bound["*"][d] ~= run[d] then return false end
    end
    bound["*"] = run
    return sizes_fit(sizes, i + 1, x, j + count, bound)
  end
  if j > x:dim() then return false end
  local expected = bound[size] or type(size) == "number" and size or x:size(j)
  bound[size] = expected
  return expected == x:size(j) and sizes_fit(sizes, i + 1, x, j + 1, bound)
end

-- What speaks against x's elements, as it is reported, or nil. `ignored` is a position that is always allowed.
local function objection(x, of, bound, ignored)
  local low, high = of:match("^(%d+)%.%.(%w+)$")
  local dtype = x.dtype
  if of == "probabilities" then return not x:is_floating_point() and " of " .. tostring(dtype) or nil end
  if x:is_floating_point() or x:is_complex() or dtype == torch.bool then return " of " .. tostring(dtype) end
  if not low or x:numel() == 0 then return nil end
  low, high = tonumber(low), tonumber(high) or bound[high]
  local outside = x[x:lt(low):logical_or(x:gt(high)):logical_and(x:ne(ignored))]
  return outside:numel() > 0 and " with " .. tostring(tonumber(outside[1]:item())) or nil
end

-- The parameter whose dtype and device inputs are to share, or nil.
local function measure(module)
  for _, p in module:_items(torch.core.is_parameter) do
    if p:is_floating_point() or p:is_complex() then return p end
  end
end

local function foreign(x, p)
  if x.device ~= p.device then return " on " .. tostring(x.device) end
  return x.dtype ~= p.dtype and " of " .. tostring(x.dtype) or nil
end

-- What is looked at, in this order: sizes, then elements, then dtype and device. Each gives the objection to an x that
-- has a form's sizes, or nil.
local LEVELS = {
  function() return nil end,
  function(x, form, bound, module)
    return form.of ~= "" and objection(x, form.of, bound, module.ignore_index or -math.huge) or nil
  end,
  function(x, form, _, module)
    local p = form.of == "" and measure(module)
    return p and foreign(x, p) or nil
  end,
}

local function has_form(x, form, bound, level, module)
  if form.kind then return class.type(x) == form.kind end
  if not torch.is_tensor(x) or not sizes_fit(form.sizes, 1, x, 1, bound) then return false end
  for i = 1, level do
    local what = LEVELS[i](x, form, bound, module)
    if what then return false, what end
  end
  return true
end

-- Are values[i..] as the inputs should be, by the first levels? `notes[i]` becomes the objection to the i-th.
local function fit(inputs, values, i, bound, level, module, notes)
  if not inputs[i] then return true end
  for _, form in ipairs(inputs[i].forms) do
    local extended = {}
    for word, size in pairs(bound) do extended[word] = size end
    local good, what = has_form(values[i], form, extended, level, module)
    if good and fit(inputs, values, i + 1, extended, level, module, notes) then return true end
    notes[i] = notes[i] or what
  end
  return false
end

local function described(x)
  if x == nil then return "nil" end
  if torch.is_tensor(x) then return "(" .. table.concat(x:size(), ", ") .. ")" end
  return "a " .. class.type(x)
end

-- The module as it prints, without its children.
local function name_of(module)
  local extra, name = module:extra_repr(), class.type(module)
  local short = extra:find("\n", 1, true) or extra == "" and module:named_children()()
  return short and name or ("%s(%s)"):format(name, extra)
end

-- What is wrong with the inputs of a module that has `expects`, or nil if they are as it says.
local function complaint(module, values)
  local line = line_of(module)
  local inputs, first = parsed(line), values[1]
  if type(first) == "table" and not getmetatable(first) and #first == 0 then -- arguments by name
    values = {}
    for i, input in ipairs(inputs) do values[i] = first[input.name] end
  end
  for level = 1, #LEVELS do
    local notes = {}
    if not fit(inputs, values, 1, {}, level, module, notes) then
      local got = {}
      for i in ipairs(inputs) do got[i] = described(values[i]) .. (notes[i] or "") end
      local p = level == 3 and measure(module)
      return ("%s: expected %s%s, got %s"):format(name_of(module), line,
        p and (" of %s on %s"):format(tostring(p.dtype), tostring(p.device)) or "", table.concat(got, " and "))
    end
  end
end

-- Where the module that is being called stands in containers: "Sequential[3] ".
local function place()
  local parts, level = {}, 1
  while true do
    local frame = getinfo(level, "f")
    if not frame then return table.concat(parts) end
    if expects.steps[frame.func] then
      local _, container = getlocal(level, 1)
      local _, position = getlocal(level, 2)
      table.insert(parts, 1, ("%s[%d] "):format(class.type(container), position))
    end
    level = level + 1
  end
end

--- Raises an error if `values` are not as the module expects: where an operator would not notice.
---@param module nn.Module
---@param values any[]   the inputs in order, nil where there is none
function expects.check(module, values)
  local what = complaint(module, values)
  check(not what, "%s%s", what and place(), what)
end

local said -- the text raised last: modules above one that has named itself add nothing

-- A text with the module's name in front; anything else as it is, and so Ctrl-C, which is nobody's fault.
local function named(module, problem)
  if type(problem) ~= "string" or problem == said then return problem end
  local where, text = problem:match("^([^\n]-:%d+: )(.*)$")
  local name = name_of(module)
  if not text or text:find(name, 1, true) == 1 or text:find("interrupted$") then return problem end
  said = ("%s%s%s: %s"):format(where, place(), name, text)
  return said
end

--- Raises the error `problem` of a module's forward: in terms of the module where `values` are not as it expects;
--- otherwise as it came, with the module's name in front.
---@param module nn.Module
---@param values any[]   the inputs in order, nil where there is none
---@param problem any
function expects.raise(module, values, problem)
  local good, misfit = pcall(expects.check, module, values)
  if good then error(named(module, problem), 0) end
  said = misfit
  error(said, 0)
end

return expects
