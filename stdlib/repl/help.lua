--- What is known of names and values: signatures, descriptions and examples of operators, comments above functions and
-- classes of Lua, searched by name and by word.

local torch, class = require "torch", require "torch.class"
local show = require "torch.repl.show"

local help = {}

local most_columns = 100 -- of a line of the search

-- Functions and classes of Lua -------------------------------------------------------------------------------

-- The text of the file that a chunk's name stands for; nil where it came from anywhere else.
local function source_text(chunk)
  local path = chunk:match("^@(.*)%.lua$")
  local embedded = path and torch.core.module_source((path:gsub("/", ".")))
  if embedded then return embedded end
  local file = path and io.open(path .. ".lua", "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do lines[#lines + 1] = line end
  return lines
end

-- The comment that ends above line `n`, without its dashes.
local function comment_above(lines, n)
  local first = n
  while first > 1 and lines[first - 1]:find("^%s*%-%-") do first = first - 1 end
  local comment = {}
  for i = first, n - 1 do comment[#comment + 1] = lines[i]:match("^%s*%-%-+ ?(.*)$") end
  return table.concat(comment, "\n")
end

local function parameters_of(f)
  local about, names = debug.getinfo(f, "u"), {}
  for i = 1, about.nparams do names[i] = debug.getlocal(f, i) end
  if about.isvararg then names[#names + 1] = "..." end
  return "(" .. table.concat(names, ", ") .. ")"
end

local function of_lua_function(f, name)
  local about = debug.getinfo(f, "S")
  local text = source_text(about.source)
  local comment = text and comment_above(lines_of(text), about.linedefined) or ""
  local place = ("%s, line %d"):format(about.short_src, about.linedefined)
  return (name or "function") .. parameters_of(f) .. "\n" .. (comment ~= "" and comment or "a function of " .. place)
end

-- The methods that a class defines itself.
local function methods_of(C)
  local names = {}
  for name, value in pairs(C) do
    if type(value) == "function" and type(name) == "string" and not name:find("^_") and name ~= "init" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return #names > 0 and "\nmethods: " .. table.concat(names, ", ") or ""
end

-- The comment above the line that names the class, which in a loop over dimensions is `Conv#d`, `BatchNorm%dd` or just
-- `ZeroPad`; there a `#d` of the comment stands for the number.
local function comment_of_class(C)
  local name = tostring(C)
  local source = getmetatable(C).source
  local lines = lines_of(source and source_text(source) or "")
  local pattern = "[(=]%s*[\"']" .. name:gsub("%dd$", "[%%%%#%%dd]*") .. "[\"'(]"
  for i, line in ipairs(lines) do
    local comment = line:find(pattern) and comment_above(lines, i) or ""
    if comment ~= "" then return (comment:gsub("#d", (name:match("%d") or "#") .. "d")) end
  end
  return ""
end

-- The function that a module of torch.nn applies, whose name is the same in other letters: cross_entropy of
-- CrossEntropyLoss.
local function function_of_module(C)
  local plain = tostring(C):lower()
  for name, f in pairs(torch.nn.functional) do
    local spelled = type(name) == "string" and name:gsub("_", "")
    if spelled == plain or (spelled and spelled .. "loss" == plain) then return name, f end
  end
end

local function of_class(C)
  local text = (getmetatable(C).signature or tostring(C)) .. "\n"
  local comment = comment_of_class(C)
  if comment ~= "" then return text .. comment .. methods_of(C) end
  local name, f = function_of_module(C)
  if not f or torch.nn[tostring(C)] ~= C then return text:sub(1, -2) .. methods_of(C) end
  return text .. "The module of\n\n" .. help.of_value(f, "nn.functional." .. name) .. methods_of(C)
end

-- Values -----------------------------------------------------------------------------------------------------

local function of_form(form)
  local text = form.schema
  if form.doc ~= "" then text = text .. "\n" .. form.doc end
  if (form.example or "") ~= "" then text = text .. "\nexample: " .. form.example end
  return text
end

local function of_forms(forms)
  local parts = {}
  for i, form in ipairs(forms) do parts[i] = of_form(form) end
  if #parts == 0 then parts[1] = forms.name .. "(...)" end
  local name = forms[1] and forms[1].name
  if name and forms.name == name .. "_" then
    parts[#parts + 1] = ("`%s` does this in place, and returns the tensor."):format(forms.name)
  end
  return table.concat(parts, "\n\n")
end

local function names_in(t)
  local names = {}
  for name in pairs(t) do
    if type(name) == "string" and not name:find("^_") then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- The comment at the head of a file.
local function head_comment(lines)
  local last = 0
  while lines[last + 1] and lines[last + 1]:find("^%-%-") do last = last + 1 end
  return comment_above(lines, last + 1)
end

local function of_module(name, t)
  local text = torch.core.module_source(name)
  local head = text and head_comment(lines_of(text)) or ""
  return name .. (head ~= "" and "\n" .. head or "") .. "\nholds: " .. table.concat(names_in(t), ", ")
end

local function module_name(x)
  for name, module in pairs(package.loaded) do
    if module == x and name:find("^torch%.") then return name end
  end
end

--- What is known of a value: signature and description of a function or class, the value itself otherwise.
---@param x any
---@param name? string  how it was called
---@param options? table  of `show.value`
---@return string
function help.of_value(x, name, options)
  if type(x) == "function" then
    local forms = torch.core.describe(x)
    if forms then return of_forms(forms) end
    if debug.getinfo(x, "S").what == "C" then return (name or "function") .. "(...)\na C function" end
    return of_lua_function(x, name)
  end
  if class.is_class(x) then return of_class(x) end
  local module = type(x) == "table" and module_name(x)
  if module then return of_module(module, x) end
  local C = type(x) == "table" and getmetatable(x)
  local text = show.value(x, options)
  return class.is_class(C) and text .. "\n\n" .. of_class(C) or text
end

-- Names ------------------------------------------------------------------------------------------------------

local function operator_names()
  local names = {}
  for _, op in ipairs(torch.core.operators()) do names[#names + 1] = op.name end
  return names
end

--- The same of operators by name, also without the prefix `nn.functional.`; nil if there is none.
---@param name string
---@return string?
function help.of_name(name)
  name = name:gsub("^torch%.", "")
  for _, prefix in ipairs { "", "nn.functional.", "linalg.", "fft.", "special." } do
    local found = torch
    for part in (prefix .. name):gmatch("[^.:]+") do found = type(found) == "table" and found[part] or nil end
    if found ~= nil then return help.of_value(found, prefix .. name) end
  end
  local method = torch.Tensor[name]
  return method and help.of_value(method, "Tensor." .. name) or nil
end

--- What to say of a name that is not there.
---@param name string
---@return string
function help.unknown(name)
  local near = torch.core.nearest(name:gsub("^torch%.", ""), operator_names())
  return ("nothing is known of '%s'"):format(name) .. (near and (", did you mean '%s'?"):format(near) or "")
end

-- Classes that the library's files define: names, and the first line above each.
local function each_class(visit)
  for _, module in ipairs(torch.core.modules()) do
    local lines = lines_of(torch.core.module_source(module) or "")
    for i, line in ipairs(lines) do
      local name = line:match('class%("([%a_][%w_]*)')
      if name then visit((module:match("^torch%.(%w+)") or "torch") .. "." .. name, comment_above(lines, i)) end
    end
  end
end

--- Operators and classes that have the text in their name or description, one a line.
---@param wanted string
---@return string
function help.search(wanted)
  local pattern, found = wanted:lower(), {}
  local function consider(name, doc)
    if (name .. "\n" .. doc):lower():find(pattern, 1, true) and not name:find("^_") then
      local line = name .. "  " .. doc:match("^[^\n]*")
      found[#found + 1] = #line <= most_columns and line or line:sub(1, most_columns - 3) .. "..."
    end
  end
  local seen = {}
  for _, op in ipairs(torch.core.operators()) do
    if not seen[op.name] then consider(op.name, op.doc) end
    seen[op.name] = true
  end
  each_class(consider)
  table.sort(found)
  if #found == 0 then return ("nothing has '%s' in its name or description"):format(wanted) end
  return table.concat(found, "\n")
end

return help
