-- The parts of examples/names.lua.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local NameList = require "names.list"

local function list_of(text, context)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local good, list = pcall(NameList, path, context)
  os.remove(path)
  if not good then error(list, 0) end
  return list
end

describe("a list of names", function()
  it("has each once, whatever ends its lines", function()
    local list = list_of("ab\r\n ba \n\nab\nc\nd\ne\nf\ng\nh\ni\nj\nk", 2)
    equal({ #list.names, list.names[1], list.names[2] }, { 11, "ab", "ba" })
    equal(list.letters, "\nabcdefghijk")
    assert(list.known.ab and not list.known.zz)
  end)

  it("becomes letters and what was before them, split by names", function()
    local list = list_of("ab\n" .. ("cdefghijklmnopqrst"):gsub(".", "%0\n"), 3)
    local train, test = list:split()
    equal({ train:size() + test:size(), test:size() >= 2 }, { 3 + 18 * 2, true })
    local x, y = {}, {}
    list:_add("ab", x, y)
    equal(x, { { 1, 1, 1 }, { 1, 1, 2 }, { 1, 2, 3 } })
    equal(y, { 2, 3, 1 })
  end)

  it("is continued until names end", function()
    local list = list_of("ab\n" .. ("cdefghijk"):gsub(".", "%0\n"), 2)
    local function after(ids) -- a follows the beginning, b follows a, then the name ends
      return torch.nn.functional.one_hot(ids:select(2, 2) % 3 + 1, 12) * 1e4
    end
    local model = setmetatable({ eval = function() end }, { __call = function(_, ids) return after(ids) end })
    equal(list:invent(model, 3, 1), { "ab", "ab", "ab" })
  end)

  it("that cannot be used is an error that names the file", function()
    fails(function() NameList("/no/such", 3) end, "names: cannot open '/no/such' (No such file or directory)")
    fails(function() list_of("", 3) end, " has 0 names, 10 are the least")
    fails(function() list_of("a\nb\na\n", 3) end, " has 2 names, 10 are the least")
  end)
end)
