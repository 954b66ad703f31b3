--- The IDX files of MNIST and its relatives: a tensor behind a header of big-endian numbers, plain or gzipped.
--
--     0 0 type dims | size of each dimension, 4 bytes each | elements, row-major and big-endian

local torch, check = require "torch", require "torch.check"
local reader, core = require "torch.format.reader", torch.core

local idx = {}

-- The format's numbers of dtypes.
local DTYPES = {
  [0x08] = torch.uint8, [0x09] = torch.int8, [0x0b] = torch.int16, [0x0c] = torch.int32, [0x0d] = torch.float32,
  [0x0e] = torch.float64,
}
local NUMBERS = {}
for number, dtype in pairs(DTYPES) do NUMBERS[tostring(dtype)] = number end

local ITEM_SIZES = { [0x08] = 1, [0x09] = 1, [0x0b] = 2, [0x0c] = 4, [0x0d] = 4, [0x0e] = 8 }
local MOST_DIMS = 64

local function big_endian(bytes, at)
  local a, b, c, d = bytes:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- The dtype's number, the sizes, and the length of the header.
local function read_header(path)
  local bytes = core.read_file(path, "load_idx", 4 + 4 * MOST_DIMS)
  local zero, nought, number, dims = bytes:byte(1, 4)
  check(dims and zero == 0 and nought == 0 and DTYPES[number], "load_idx: '%s' is not an IDX file", path)
  check(dims <= MOST_DIMS, "load_idx: '%s' has %d dimensions, more than %d", path, dims, MOST_DIMS)
  local header = 4 + 4 * dims
  check(#bytes >= header, "load_idx: '%s' ends in its header, at byte %d", path, #bytes)
  local sizes = {}
  for d = 1, dims do sizes[d] = big_endian(bytes, 1 + 4 * d) end
  return number, sizes, header
end

--- The tensor in an IDX file, which may be gzipped.
---@param path string
---@return torch.Tensor  uint8, int8, int16, int32, float32 or float64, as the file says
function idx.load(path)
  check(type(path) == "string", "load_idx: expected a path, got a %s", type(path))
  local number, sizes, header = read_header(path)
  local length = (reader.numel(sizes) or math.huge) * ITEM_SIZES[number]
  check(length < 2 ^ 31, "load_idx: '%s' has %s elements, more than 2 GB", path, table.concat(sizes, " x "))
  local bytes = core.read_file(path, "load_idx", header + length + 1)
  if #bytes ~= header + length then
    check(false, "load_idx: '%s' should have %d bytes behind its header (%s), it has %s", path, length,
      table.concat(sizes, " x "), #bytes > header + length and "more" or #bytes - header)
  end
  return core.swap_bytes(core.frombytes(bytes, header, sizes, DTYPES[number]))
end

--- Writes a tensor as an IDX file, which is replaced at once or not at all.
---@param x torch.Tensor  uint8, int8, int16, int32, float32 or float64
---@param path string
function idx.save(x, path)
  check(torch.is_tensor(x), "save_idx: expected a tensor, got a %s", type(x))
  check(type(path) == "string", "save_idx: expected a path, got a %s", type(path))
  local number = NUMBERS[tostring(x.dtype)]
  check(number, "save_idx: the format has uint8, int8, int16, int32, float32 and float64, got %s", x.dtype)
  local sizes = core.swap_bytes(torch.tensor(x:size(), { dtype = torch.int32 }))
  local elements = core.swap_bytes(torch.empty(x:size(), { dtype = x.dtype }):copy_(x:detach()))
  core.write_pieces(path, "save_idx", { string.char(0, 0, number, x:dim()), sizes, elements })
end

return idx
