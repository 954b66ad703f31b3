-- The examples of docs/formats.md and docs/files.md, run as they stand, in a folder of their own.
local torch = require "torch"
local spec, shell = require "spec", require "shell"
local describe, it = spec.describe, spec.it

local ffi = require "ffi"
ffi.cdef "int chdir(const char *path);"

local docs = (arg[0]:match "^(.*)/[^/]*$" or ".") .. "/../../docs/"

local function missing(code)
  return code:find("hdf5", 1, true)
    and tostring(select(2, pcall(torch.hdf5.open, "/no/such/file"))):find("not installed", 1, true)
end

-- The page's examples, of which a later one may need an earlier one.
local function examples(page)
  local code = {}
  for example in shell.read(docs .. page):gmatch "```lua\n(.-)```" do
    if not missing(example) then code[#code + 1] = example end
  end
  return table.concat(code)
end

-- The lines that `code` prints, as a set; files without a folder are in a new one, which goes.
local function printed_by(code)
  local lines = {}
  local function print_(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    lines[table.concat(words, "  ")] = true
  end
  local folder, here = shell.folder(), shell.output_of("pwd"):gsub("\n$", "")
  assert(ffi.C.chdir(folder) == 0)
  local good, problem = pcall(setfenv(assert(loadstring(code)), setmetatable({ print = print_ }, { __index = _G })))
  assert(ffi.C.chdir(here) == 0)
  os.execute("rm -r " .. folder)
  assert(good, problem)
  return lines
end

for _, page in ipairs { "formats.md", "files.md" } do
  describe("docs/" .. page, function()
    it("has examples that print what they say", function()
      local code = examples(page)
      local lines = printed_by(code)
      for promised in code:gmatch "%-%- (torch%.Size%(%[[^\n]-%]%)[^\n:]*)" do
        assert(lines[promised], promised .. " is promised, but not printed")
      end
    end)
  end)
end
