--- Writes what the binding knows of itself: facula docs/generate.lua FOLDER
---
--- FOLDER/reference/   a Markdown page for every operator and function, and README.md, their index
--- FOLDER/torch.lua    annotations for the Lua language server (LuaLS), the same signatures

local torch = require "torch"
local core = torch.core

local folder = assert(arg[1], "usage: facula docs/generate.lua FOLDER")

-- ---- what there is: functions by the name they are called by ----

--- Calls `visit(path, function)` for the functions of a module and of the tables within it.
local function walk(module, prefix, visit, seen)
  if seen[module] then return end
  seen[module] = true
  for name, value in pairs(module) do
    local path = prefix .. tostring(name)
    if type(value) == "function" then
      visit(path, value)
    elseif type(value) == "table" and value ~= core then
      walk(value, path .. ".", visit, seen)
    end
  end
end

local function is_public(name)
  return not name:match "^_" and not name:match "%._"
end

--- The functions of the binding: {name, forms, in_place}. Aliases and in-place forms are told by the forms.
local function functions()
  local found, by_name = {}, {}
  local function visit(path, value)
    local form = core.describe(value)
    if not form or not form[1] or form[1].name ~= path or by_name[path] or not is_public(path) then return end
    by_name[path] = { name = path, forms = form, doc = form[1].doc or "" }
    found[#found + 1] = by_name[path]
  end
  walk(torch, "", visit, {})
  walk(torch.Tensor, "", visit, {})
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

-- ---- pages ----

local function write(path, lines)
  local file = assert(io.open(path, "w"))
  assert(file:write(table.concat(lines, "\n"), "\n"))
  assert(file:close())
end

local function any(forms, flag)
  for _, form in ipairs(forms) do
    if form[flag] then return true end
  end
  return false
end

--- One sentence for each way to call the function beside `torch.name(...)`.
local function ways(entry)
  local lines, short = {}, entry.name:match "[^.]*$"
  if any(entry.forms, "method") and short == entry.name then
    lines[#lines + 1] = ("A method too: `x:%s(...)`."):format(short)
  end
  if any(entry.forms, "in_place") then lines[#lines + 1] = ("In place: `%s_`."):format(entry.name) end
  if any(entry.forms, "out") then lines[#lines + 1] = "`out=` names the tensor that receives the result." end
  if any(entry.forms, "view") then lines[#lines + 1] = "The result shares the tensor's memory." end
  lines[#lines + 1] = any(entry.forms, "differentiable") and "Differentiable." or nil
  local aliases = {}
  for _, form in ipairs(entry.forms) do
    for _, alias in ipairs(form.aliases or {}) do aliases[#aliases + 1] = ("`torch.%s`"):format(alias) end
  end
  if aliases[1] then lines[#lines + 1] = "Other names: " .. table.concat(aliases, ", ") .. "." end
  return table.concat(lines, " ")
end

local function page(entry)
  local lines = { "# torch." .. entry.name, "" }
  for _, form in ipairs(entry.forms) do
    lines[#lines + 1] = "    " .. form.schema
    lines[#lines + 1] = ""
    if (form.doc or "") ~= "" then
      lines[#lines + 1] = form.doc
      lines[#lines + 1] = ""
    end
    if (form.example or "") ~= "" then
      lines[#lines + 1] = "```lua\n" .. form.example .. "\n```\n"
    end
  end
  lines[#lines + 1] = ways(entry)
  return lines
end

local function index(entries)
  local lines, space = { "# Reference", "", "Dimensions and positions count from 1." }, nil
  for _, entry in ipairs(entries) do
    local here = ("torch." .. entry.name):match "^(.*)%."
    if here ~= space then
      space = here
      lines[#lines + 1] = ("\n## %s\n"):format(space)
    end
    lines[#lines + 1] = ("* [%s](%s.md) %s"):format(entry.name, entry.name, entry.doc:match "^[^\n]*")
  end
  return lines
end

-- ---- annotations ----

local ANNOTATED = {
  Tensor = "torch.Tensor", IndexTensor = "torch.Tensor|integer|integer[]", Operand = "torch.Tensor|number",
  Scalar = "number", int = "integer", float = "number", bool = "boolean", str = "string", Dim = "integer",
  NewDim = "integer", Index = "integer", DType = "torch.dtype", Device = "torch.device|string",
  Generator = "torch.Generator", any = "any",
}
local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
  while]]):gmatch "%a+" do
  KEYWORDS[word] = true
end

--- A schema's type in LuaLS's words: `int[2]` is `integer|integer[]`.
local function annotated(text)
  local name = text:match "^%a+"
  local type = ANNOTATED[name] or "any"
  if text:find("[", 1, true) then
    local item = type:find("|", 1, true) and "(" .. type .. ")" or type
    type = name == "Tensor" and item .. "[]" or type .. "|" .. item .. "[]"
  end
  return type
end

local function results(form)
  local text = form.schema:match "%->%s*(.*)$" or ""
  local types = {}
  for item in text:gsub("[()]", ""):gmatch "[^,]+" do
    types[#types + 1] = annotated(item:match "^%s*([%w%[%]]+)")
  end
  return types
end

--- The annotation of one form, as a function named `called`, a method if it holds a colon.
local function annotation(called, form)
  local lines, names = {}, {}
  for line in ((form.doc or "") .. "\n"):gmatch "([^\n]+)\n" do lines[#lines + 1] = "---" .. line end
  for i, p in ipairs(form.parameters) do
    local name = KEYWORDS[p.name] and p.name .. "_" or p.name
    if not (i == 1 and called:find(":", 1, true)) then
      names[#names + 1] = name
      lines[#lines + 1] = ("---@param %s%s %s%s"):format(name, p.default and "?" or "", annotated(p.type),
        p.default and p.default ~= "None" and "  default " .. p.default or "")
    end
  end
  if form.varargs then names[1] = "..." end
  local given = results(form)
  if given[1] then lines[#lines + 1] = "---@return " .. table.concat(given, ", ") end
  local last = called:match "[^.:]*$"
  if KEYWORDS[last] then -- torch["repeat"]; a method is a function of self
    if called:find(":", 1, true) then table.insert(names, 1, "self") end
    lines[#lines + 1] = ("%s[%q] = function(%s) end\n"):format(called:sub(1, -#last - 2), last,
      table.concat(names, ", "))
  else
    lines[#lines + 1] = ("function %s(%s) end\n"):format(called, table.concat(names, ", "))
  end
  return table.concat(lines, "\n")
end

local function annotations(entries)
  local lines = { "---@meta torch\n", "---@class torch.dtype", "---@class torch.device", "---@class torch.Generator\n",
    "---@class torch", "local torch = {}\n", "---@class torch.Tensor", "local Tensor = {}", "torch.Tensor = Tensor\n" }
  local declared = {}
  for _, entry in ipairs(entries) do
    for path in entry.name:gmatch "()%." do
      local space = entry.name:sub(1, path - 1)
      if not declared[space] then lines[#lines + 1] = ("torch.%s = {}\n"):format(space) end
      declared[space] = true
    end
    for _, form in ipairs(entry.forms) do
      if rawget(torch, entry.name) or entry.name:find(".", 1, true) then
        lines[#lines + 1] = annotation("torch." .. entry.name, form)
      end
      if rawget(torch.Tensor, entry.name) then lines[#lines + 1] = annotation("Tensor:" .. entry.name, form) end
    end
  end
  lines[#lines + 1] = "return torch"
  return lines
end

-- ---- the run ----

local entries = functions()
assert(os.execute(("mkdir -p '%s/reference'"):format((folder:gsub("'", "'\\''")))) == 0, "cannot make " .. folder)
for _, entry in ipairs(entries) do write(("%s/reference/%s.md"):format(folder, entry.name), page(entry)) end
write(folder .. "/reference/README.md", index(entries))
write(folder .. "/torch.lua", annotations(entries))
print(("%d pages in %s/reference, annotations in %s/torch.lua"):format(#entries, folder, folder))
