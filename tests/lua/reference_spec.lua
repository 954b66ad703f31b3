--- What the registry says of itself: help, the reference pages, the annotations.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal = spec.describe, spec.it, spec.equal

local root = arg[0]:match "^(.*)/tests/lua/[^/]*$" or "."

local read = shell.read

describe("the registry", function()
  it("describes every public operator", function()
    local silent = {}
    for _, op in ipairs(torch.core.operators()) do
      local first = torch.core.operator(op.name) -- overloads share the first one's text
      local public = not op.name:match "^_" and not op.name:match "%._"
      if public and first.doc == "" then silent[#silent + 1] = op.name end
    end
    equal(table.concat(silent, " "), "")
  end)

  it("gives parameters with types and defaults, counted from 1", function()
    local dim = torch.core.operator("flatten").parameters[2]
    equal(dim.name, "start_dim")
    equal(dim.type, "Dim")
    equal(dim.default, "1")
  end)
end)

describe("docs/generate.lua", function()
  local folder = os.tmpname()
  os.remove(folder)
  local command = ("'%s' '%s/docs/generate.lua' '%s' 2>&1 >/dev/null"):format(shell.program, root, folder)
  it("writes a page for every operator, and annotations that are Lua", function()
    local failed = shell.output_of(command)
    equal(failed, "")
    local page = read(folder .. "/reference/conv2d.md")
    assert(page:find("conv2d(Tensor input, Tensor weight", 1, true), page)
    assert(read(folder .. "/reference/README.md"):find("[sum](sum.md)", 1, true))
    local annotations = read(folder .. "/torch.lua")
    assert(loadstring(annotations))
    assert(annotations:find("function Tensor:sum(dim, keepdim, dtype) end", 1, true))
  end)
  os.execute("rm -rf '" .. folder .. "'")
end)
