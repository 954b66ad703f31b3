--- torch.from_buffer: a tensor over memory that LuaJIT's FFI knows, without a copy.
--
--     local samples = ffi.new("float[?]", 480)
--     local x = torch.from_buffer(samples, { 2, 240 })

local ffi, torch, check = require "ffi", require "torch", require "torch.check"

local dtypes = {
  bool = "bool", float = "float32", double = "float64", ["complex float"] = "complex64", complex = "complex128",
  char = "int8", ["signed char"] = "int8", ["unsigned char"] = "uint8", short = "int16", int = "int32",
  int64_t = "int64",
}

-- The dtype of a pointer's or array's elements; nil for others.
local function dtype_of(cdata)
  local element = tostring(ffi.typeof(cdata)):match("^ctype<(.-)%s*[%*%[&(]")
  return torch[dtypes[(element or ""):gsub("^const ", "")] or ""]
end

-- The address; nil for what is neither pointer nor array.
local function address_of(cdata)
  local good, address = pcall(function() return ffi.cast("intptr_t", ffi.cast("void *", cdata)) end)
  return good and tonumber(address) or nil
end

local read = torch.core.signature("from_buffer(any buffer, int[] size, *, DType? dtype=None, any? owner=None)")

--- A dense tensor of the elements that a pointer or an array of C's leads to; it is the same memory. Of a string it is
--- a copy. How far a pointer reaches is known to nobody: sizes beyond it read and write foreign memory. Arrays and
--- strings are compared with the sizes.
---@param buffer ffi.cdata*|string
---@param size integer[]
---@param options? table  dtype: of the elements. Default: as C's type says; needed for `void *` and strings.
---                       owner: any value that is kept as long as a tensor uses the memory. Default: the buffer.
---@return torch.Tensor
return function(...)
  local opt = read(...)
  local buffer, sizes = opt.buffer, opt.size
  local is_string = type(buffer) == "string"
  check(is_string or type(buffer) == "cdata", "from_buffer: expected a pointer, an array or a string, got a %s",
    type(buffer))
  local dtype = check(opt.dtype or not is_string and dtype_of(buffer),
    "from_buffer: the type of the elements does not say their dtype; give one")
  if is_string then return torch.core.frombytes(buffer, 0, sizes, dtype) end
  local address = check(address_of(buffer), "from_buffer: expected a pointer or an array, got %s", tostring(buffer))
  if tostring(ffi.typeof(buffer)):find("[", 1, true) then
    local bytes = dtype.itemsize
    for _, n in ipairs(sizes) do bytes = bytes * n end
    check(bytes <= ffi.sizeof(buffer), "from_buffer: %s bytes are needed, the array has %s", bytes, ffi.sizeof(buffer))
  end
  return torch.core.borrow(address, sizes, dtype, opt.owner == nil and buffer or opt.owner)
end
