-- Every public name of PyTorch's modules is here, or stands with a reason in docs/compatibility.md.
local torch = require "torch"
local spec = require "spec"
local describe, it = spec.describe, spec.it

local folder = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")

-- The table "Names that are not here": module -> name -> true. A row is | `module` | `name`, `name` | why |.
local function excused()
  local names = {}
  for line in io.lines(folder .. "/../../docs/compatibility.md") do
    local module, list, why = line:match("^| `(torch[%w.]*)` | (.-) | (.-) |$")
    if module and #why > 0 then
      names[module] = names[module] or {}
      for name in list:gmatch("`([%w_]+)`") do names[module][name] = true end
    end
  end
  return names
end

local function module_of(path)
  local value = torch
  for part in path:gmatch("[^.]+") do
    if part ~= "torch" then value = value[part] end
  end
  return value
end

describe("PyTorch's names", function()
  local reasons = excused()
  for path, names in pairs(require "pytorch_names") do
    it("in " .. path .. " are here or excused, not both", function()
      local module, wrong = module_of(path), {}
      for name in names:gmatch("%S+") do
        local here = module[name] ~= nil
        if here == ((reasons[path] or {})[name] == true) then wrong[#wrong + 1] = name end
      end
      assert(#wrong == 0, table.concat(wrong, " "))
    end)
  end
end)
