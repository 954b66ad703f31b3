--- The examples in the descriptions of operators, as they are shown by help() and can be run.

local torch = require "torch"

local examples = {}

local function quiet() end

--- Calls `visit(name, example)` for each public operator, in the order of their declaration; the text is "" where there
-- is none. Overloads share the first one's.
---@param visit fun(name: string, example: string)
function examples.each(visit)
  local seen = {}
  for _, op in ipairs(torch.core.operators()) do
    local public = not op.name:match("^_") and not op.name:match("%._")
    if public and not seen[op.name] then
      seen[op.name] = true
      visit(op.name, op.example)
    end
  end
end

--- The same for each function of `torch` and method of tensors that is no operator, where it has an example.
---@param visit fun(name: string, example: string)
function examples.each_function(visit)
  local seen = { [torch.core] = true }
  local function walk(t)
    if seen[t] then return end
    seen[t] = true
    for _, value in pairs(t) do
      if type(value) == "table" then walk(value) end
      local form = type(value) == "function" and (torch.core.describe(value) or {})[1]
      if form and not seen[form.name] and not torch.core.operator(form.name) and (form.example or "") ~= "" then
        seen[form.name] = true
        visit(form.name, form.example)
      end
    end
  end
  walk(torch)
  walk(torch.Tensor)
end

--- Runs an example, an expression or statements, as the prompt would. What it prints is dropped; its errors are raised.
---@param text string
---@return any ...  values of the expression
function examples.run(text)
  local chunk = loadstring("return " .. text, "=example") or assert(loadstring(text, "=example"))
  return setfenv(chunk, setmetatable({ torch = torch, print = quiet }, { __index = _G }))()
end

return examples
