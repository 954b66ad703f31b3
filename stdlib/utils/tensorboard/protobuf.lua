--- Protocol buffers, as far as event files need them (protobuf.dev, "Encoding").
--
-- A message is the fields' encodings in a row: `varint(1, n) .. text(2, s)`. A field that is nil is left out.

local protobuf = {}

-- The wire's types of fields.
local VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5

-- A whole number from 0 to 2^53 in groups of seven bits, the lowest first.
local function varint(n)
  local bytes = {}
  while n >= 128 do
    bytes[#bytes + 1] = string.char(n % 128 + 128)
    n = math.floor(n / 128)
  end
  bytes[#bytes + 1] = string.char(n)
  return table.concat(bytes)
end

--- `n` as so many bytes, the lowest first.
---@param n number  whole, from 0
---@param count integer
---@return string
function protobuf.little_endian(n, count)
  local bytes = {}
  for i = 1, count do
    bytes[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(bytes)
end

-- The nearest whole number, the even one of two.
local function rounded(x)
  local low = math.floor(x)
  local rest = x - low
  return (rest > 0.5 or rest == 0.5 and low % 2 == 1) and low + 1 or low
end

-- The fields of an IEEE 754 number: exponent and mantissa, both whole, where `digits` bits are the mantissa's.
local function ieee_parts(x, exponent_bits, digits)
  local most = 2 ^ exponent_bits - 1
  if x ~= x then return most, 2 ^ (digits - 1) end
  if x == math.huge then return most, 0 end
  if x == 0 then return 0, 0 end
  local fraction, exponent = math.frexp(x) -- x = fraction * 2^exponent, 0.5 <= fraction < 1
  local biased = exponent - 1 + (most - 1) / 2
  if biased < 1 then -- no leading one
    return 0, rounded(math.ldexp(fraction, digits + biased))
  end
  local mantissa = rounded((fraction * 2 - 1) * 2 ^ digits)
  if mantissa == 2 ^ digits then biased, mantissa = biased + 1, 0 end
  if biased >= most then return most, 0 end
  return biased, mantissa
end

local function ieee(x, exponent_bits, digits)
  local negative = x < 0 or 1 / x == -math.huge
  local exponent, mantissa = ieee_parts(math.abs(x), exponent_bits, digits)
  -- The highest 16 bits apart: all 64 are more than a Lua number holds.
  local low_bits = exponent_bits + digits + 1 - 16
  local high = (negative and 2 ^ 15 or 0) + exponent * 2 ^ (15 - exponent_bits) + math.floor(mantissa / 2 ^ low_bits)
  return protobuf.little_endian(mantissa % 2 ^ low_bits, low_bits / 8) .. protobuf.little_endian(high, 2)
end

local function double(x) return ieee(x, 11, 52) end

local function key(number, kind) return varint(number * 8 + kind) end

---@param number integer  of the field
---@param n? number       whole, from 0 to 2^53; true is 1
---@return string
function protobuf.varint(number, n)
  if n == nil then return "" end
  if type(n) == "boolean" then n = n and 1 or 0 end
  return key(number, VARINT) .. varint(n)
end

---@param number integer
---@param x? number
---@return string
function protobuf.double(number, x)
  return x and key(number, DOUBLE) .. double(x) or ""
end

---@param number integer
---@param x? number  rounded to 32 bits
---@return string
function protobuf.float(number, x)
  return x and key(number, FLOAT) .. ieee(x, 8, 23) or ""
end

--- A string, bytes, or a message.
---@param number integer
---@param bytes? string
---@return string
function protobuf.bytes(number, bytes)
  return bytes and key(number, BYTES) .. varint(#bytes) .. bytes or ""
end

--- Many doubles in one field.
---@param number integer
---@param list number[]
---@return string
function protobuf.doubles(number, list)
  local parts = {}
  for i, x in ipairs(list) do parts[i] = double(x) end
  return protobuf.bytes(number, table.concat(parts))
end

return protobuf
