--- x:data(): the elements of a tensor as a C array, counted from 0, that compiled loops read and write.
--
--     local p = x:data()
--     for i = 0, x:numel() - 1 do p[i] = p[i] * 2 end
--
-- The array is the tensor's own memory. It lives as long as something holds the tensor, which the pointer does not, and
-- what is written is not seen by autograd. Positions are not checked.

local ffi = require "ffi"
local check = require "torch.check"

local types = {
  ["torch.bool"] = "bool *",
  ["torch.uint8"] = "uint8_t *",
  ["torch.int8"] = "int8_t *",
  ["torch.int16"] = "int16_t *",
  ["torch.int32"] = "int32_t *",
  ["torch.int64"] = "int64_t *",
  ["torch.float32"] = "float *",
  ["torch.float64"] = "double *",
  ["torch.complex64"] = "complex float *",
  ["torch.complex128"] = "complex double *",
  ["torch.float16"] = "uint16_t *", -- the bits
  ["torch.bfloat16"] = "uint16_t *",
}

---@param x torch.Tensor  dense, on the CPU
---@return ffi.cdata* pointer  to the dtype's C type; to uint16_t, for the bits, for float16 and bfloat16
return function(x)
  check(x.device.type == "cpu", "data: expected a tensor on the cpu, this one is on %s", x.device)
  check(x:is_contiguous(), "data: expected a dense tensor; x:contiguous() makes one")
  return ffi.cast(types[tostring(x.dtype)], ffi.cast("uintptr_t", x:data_ptr()))
end
