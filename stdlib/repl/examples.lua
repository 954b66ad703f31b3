--- The examples in the descriptions of operators, as they are shown by help() and can be run.

local torch = require "torch"

local examples = {}

local function quiet() end

local function is_public(name)
  return not name:match("^_") and not name:match("%._")
end

--- Calls `visit(name, example)` for each public operator, in the order of their declaration; the text is "" where there
-- is none. Overloads share the first one's.
---@param visit fun(name: string, example: string)
function examples.each(visit)
  local seen = {}
  for _, op in ipairs(torch.core.operators()) do
    if is_public(op.name) and not seen[op.name] then
      seen[op.name] = true
      visit(op.name, op.example)
    end
  end
end

--- The same for each public function of `torch` and method of tensors that is no operator but made in C++, by name.
---@param visit fun(name: string, example: string)
function examples.each_function(visit)
  local seen, found = { [torch.core] = true }, {}
  local function walk(t)
    if seen[t] then return end
    seen[t] = true
    for _, value in pairs(t) do
      if type(value) == "table" then walk(value) end
      local form = type(value) == "function" and (torch.core.describe(value) or {})[1]
      if form and is_public(form.name) and not seen[form.name] and not torch.core.operator(form.name) then
        seen[form.name] = true
        found[#found + 1] = form
      end
    end
  end
  walk(torch)
  walk(torch.Tensor)
  table.sort(found, function(a, b) return a.name < b.name end)
  for _, form in ipairs(found) do visit(form.name, form.example) end -- examples may define what is walked through
end

--- Runs an example, an expression or statements, as the prompt would. What it prints is dropped; its errors are raised.
---@param text string
---@return any ...  values of the expression
function examples.run(text)
  local chunk = loadstring("return " .. text, "=example") or assert(loadstring(text, "=example"))
  return setfenv(chunk, setmetatable({ torch = torch, print = quiet }, { __index = _G }))()
end

return examples
