-- The examples of docs/formats.md, run as they stand.
local torch = require "torch"
local spec, shell = require "spec", require "shell"
local describe, it = spec.describe, spec.it

local root = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/../.."

local function missing(code)
  return code:find("hdf5", 1, true)
    and tostring(select(2, pcall(torch.hdf5.open, "/no/such/file"))):find("not installed", 1, true)
end

describe("docs/formats.md", function()
  it("has examples that print what they say", function()
    local folder = shell.folder()
    for code in shell.read(root .. "/docs/formats.md"):gmatch "```lua\n(.-)```" do
      local printed = {}
      local function print_(...)
        local words = {}
        for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
        printed[#printed + 1] = table.concat(words, "  ")
      end
      if not missing(code) then
        local run = assert(loadstring((code:gsub("/tmp/", folder .. "/"))))
        setfenv(run, setmetatable({ print = print_ }, { __index = _G }))()
        for promised in code:gmatch "%-%- (torch%.Size%(%[[^\n]-%]%)[^\n:]*)" do
          local found = false
          for _, line in ipairs(printed) do found = found or line == promised end
          assert(found, promised .. " is promised, printed was " .. table.concat(printed, " / "))
        end
      end
    end
    os.execute("rm -r " .. folder)
  end)
end)
