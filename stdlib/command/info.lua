--- `facula info FILE`: what a saved file holds: names, dtypes and sizes of its tensors, other values as they are.

local torch = require "torch"
local bytes, show = require("torch.units").bytes, require "torch.repl.show"

local path, more = ...
if not path or more then
  io.stderr:write("facula: info: expected one file\nusage: facula info FILE\n")
  os.exit(2)
end

local lines, total, count, seen = {}, 0, 0, {}

local function add(name, text)
  lines[#lines + 1] = { name == "" and "(value)" or name, text }
end

local visit

-- Of a state dict in its order, of other tables by name.
local function visit_table(name, t)
  if seen[t] then return add(name, "(again)") end
  seen[t] = true
  if t.items and getmetatable(t) then
    for key, value in t:items() do visit(name == "" and key or name .. "." .. key, value) end
    return
  end
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and type(a) ~= "boolean" then return a < b end
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    local part = type(key) == "number" and ("[%s]"):format(key) or (name == "" and "" or ".") .. tostring(key)
    visit(name .. part, t[key])
  end
end

function visit(name, value)
  if torch.is_tensor(value) then
    total, count = total + value.nbytes, count + 1
    add(name, ("%s (%s)"):format(tostring(value.dtype):gsub("^torch%.", ""), table.concat(value.shape, ", ")))
  elseif type(value) == "table" then
    visit_table(name, value)
  else
    add(name, show.value { value }:sub(2, -2))
  end
end

visit("", require("torch.format.by_name").load(path))
local width = 0
for _, line in ipairs(lines) do width = math.max(width, #line[1]) end
for _, line in ipairs(lines) do print(line[1] .. (" "):rep(width - #line[1] + 2) .. line[2]) end
print(("%d tensor%s, %s"):format(count, count == 1 and "" or "s", bytes(total)))
