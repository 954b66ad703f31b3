-- The parts of examples/digits.lua.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local idx, render = require "digits.idx", require "digits.render"

describe("rendered digits", function()
  it("are pictures with ink between 0 and 1, as many of each digit", function()
    torch.manual_seed(1)
    local x, y = render(7)
    equal(x:size(), { 70, 1, 28, 28 })
    for class = 1, 10 do equal(y:eq(class):sum():item(), 7) end
    assert(x:min():item() >= 0 and x:max():item() <= 1)
    -- every picture has some ink, and more paper than ink
    local ink = x:reshape(70, -1):gt(0.5):sum(2)
    assert(ink:min():item() > 15 and ink:max():item() < 300)
  end)
end)

-- The bytes of an IDX file.
local function file_of(sizes, body)
  local text = string.char(0, 0, 8, #sizes)
  for _, n in ipairs(sizes) do text = text .. string.char(0, 0, math.floor(n / 256), n % 256) end
  return text .. body
end

local function with_file(text, body)
  local path = shell.write(os.tmpname(), text)
  local good, problem = pcall(body, path)
  os.remove(path)
  if not good then error(problem, 0) end
end

describe("IDX files", function()
  it("are read as tensors of bytes", function()
    with_file(file_of({ 2, 3 }, "\0\1\2\3\4\255"), function(path)
      equal(idx.read(path, 2), torch.tensor({ { 0, 1, 2 }, { 3, 4, 255 } }, { dtype = torch.uint8 }))
    end)
  end)

  it("that are missing, cut or something else are errors that name the file", function()
    fails(function() idx.read("/no/such/file", 1) end, "neither /no/such/file nor /no/such/file.gz exists")
    with_file(file_of({ 2, 3 }, "\0\1\2"), function(path)
      fails(function() idx.read(path, 2) end, path .. "' should have 6 bytes behind its header (2 x 3), it has 3")
    end)
    with_file(file_of({ 2, 3 }, "\0\1\2\3\4\255"), function(path)
      fails(function() idx.read(path, 3) end, path .. " is not an IDX file of bytes with 3 dimensions")
    end)
    with_file("", function(path) fails(function() idx.read(path, 1) end, "is not an IDX file") end)
  end)
end)
