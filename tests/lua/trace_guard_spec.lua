-- What LuaJIT has compiled wrongly is never run (interp/trace_guard.h).

local ffi = require "ffi"
local spec = require "spec"
local torch = require "torch"
local it, equal = spec.it, spec.equal

ffi.cdef "int lua_next(void *, int);"

local CALL, SWAP, WIDE_SWAP, NOP = "\232", "\146", "\72\146", "\144"
local here = tonumber(ffi.cast("intptr_t", ffi.C.lua_next)) - 2 ^ 24

-- A call from `here` to `distance` bytes behind lua_next, and what follows.
local function code(distance, rest)
  local offset = 2 ^ 24 + distance - 5
  local bytes = {}
  for i = 1, 4 do bytes[i] = string.char(math.floor(offset / 256 ^ (i - 1)) % 256) end
  return CALL .. table.concat(bytes) .. rest
end

local truncates = torch.core.truncates_pointer

it("a 32-bit swap behind a call into LuaJIT is seen", function()
  assert(truncates(code(0x1234, SWAP), here))
  assert(truncates(code(-0x1234, SWAP .. NOP), here))
  assert(truncates(NOP:rep(9) .. code(0x1234, SWAP), here - 9))
end)

it("what only looks like it is left alone", function()
  assert(not truncates(code(0x1234, WIDE_SWAP), here))
  assert(not truncates(code(2 ^ 22, SWAP), here))
  assert(not truncates(code(0x1234, NOP .. SWAP), here))
  assert(not truncates("", here) and not truncates(SWAP:rep(20), here))
end)

if jit.status() then
  it("a function whose trace is bad is interpreted from then on", function()
    local compiled = 0
    local function total(t)
      local sum = 0
      for _, v in pairs(t) do sum = sum + v end
      return sum
    end
    torch.core.truncates_pointer = function() compiled = compiled + 1 return true end
    local sums = {}
    for i = 1, 300 do sums[i] = total { a = i, b = 2, c = 3 } end
    local before = compiled
    for _ = 1, 300 do total { a = 1, b = 2 } end
    torch.core.truncates_pointer = truncates
    assert(before > 0 and compiled == before)
    for i = 1, 300 do equal(sums[i], i + 5) end
  end)
end
