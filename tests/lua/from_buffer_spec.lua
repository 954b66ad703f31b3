local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local has_ffi, ffi = pcall(require, "ffi")
if not has_ffi then return end

describe("torch.from_buffer", function()
  it("shares the memory of arrays and pointers", function()
    local array = ffi.new("float[6]", { 1, 2, 3, 4, 5, 6 })
    local x = torch.from_buffer(array, { 2, 3 })
    equal(x, torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } })
    x:fill_(7)
    equal(array[5], 7)
    array[0] = 1
    equal(torch.from_buffer(ffi.cast("const float *", array), { 2 }), torch.tensor { 1, 7 })
  end)

  it("reads the dtype off C's type, or is told", function()
    local names = {
      ["bool[2]"] = "bool", ["uint8_t[2]"] = "uint8", ["int8_t[2]"] = "int8", ["int16_t[2]"] = "int16",
      ["int32_t[2]"] = "int32", ["int64_t[2]"] = "int64", ["float[2]"] = "float32", ["double[2]"] = "float64",
      ["complex float[2]"] = "complex64", ["complex[2]"] = "complex128",
    }
    for ctype, name in pairs(names) do equal(torch.from_buffer(ffi.new(ctype), { 2 }).dtype, torch[name]) end
    local halves = torch.from_buffer(ffi.new("uint16_t[2]", 0x3c00), { 2 }, { dtype = torch.float16 })
    equal(halves:tolist(), { 1, 1 })
  end)

  it("refuses bytes that are no booleans", function()
    local bytes = ffi.new("uint8_t[4]", 0, 1, 2, 255)
    fails(function() torch.from_buffer(bytes, { 4 }, { dtype = torch.bool }) end, "have other values than 0 and 1")
    equal(torch.from_buffer(bytes, { 2 }, { dtype = torch.bool }):tolist(), { false, true })
  end)

  it("keeps the array, or the owner of a pointer, as long as the tensor lives", function()
    local x, alive
    do
      local owner = newproxy(true)
      alive = setmetatable({ owner }, { __mode = "v" })
      x = torch.from_buffer(ffi.new("double[4]"), { 4 }, { owner = owner })
    end
    collectgarbage()
    collectgarbage()
    assert(alive[1])
    equal(x:sum():item(), 0)
    x = nil -- luacheck: ignore
    for _ = 1, 3 do collectgarbage() end
    equal(alive[1], nil)
  end)

  it("copies strings", function()
    equal(torch.from_buffer("abc", { 3 }, { dtype = torch.uint8 }):tolist(), { 97, 98, 99 })
  end)

  it("refuses what it cannot know", function()
    local array = ffi.new("float[6]")
    fails(function() torch.from_buffer(array, { 7 }) end, "from_buffer: 28 bytes are needed, the array has 24")
    fails(function() torch.from_buffer(array, { -7 }) end, "is negative")
    fails(function() torch.from_buffer(ffi.cast("void *", array), { 6 }) end, "give one")
    fails(function() torch.from_buffer(ffi.cast("float *", 0), { 6 }) end, "the pointer is NULL")
    fails(function() torch.from_buffer(ffi.cast("char *", array) + 1, { 1 }, { dtype = torch.float32 }) end,
      "the memory is not aligned to 4 bytes")
    fails(function() torch.from_buffer(3, { 1 }) end, "expected a pointer, an array or a string, got a number")
    fails(function() torch.from_buffer(1i, { 1 }, { dtype = torch.int32 }) end,
      "expected a pointer or an array")
    fails(function() torch.from_buffer("abc", { 4 }, { dtype = torch.uint8 }) end, "need more than the 3 bytes")
  end)
end)
