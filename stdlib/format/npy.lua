--- NumPy's files of one array (.npy, versions 1 to 3):
--- numpy.org/doc/stable/reference/generated/numpy.lib.format.html
--
-- "\x93NUMPY", two bytes of version, the length of the header in two bytes (four since version 2), the header: a
-- dictionary of Python's with `descr`, `fortran_order` and `shape`, then the elements.

local torch, check = require "torch", require "torch.check"
local reader = require "torch.format.reader"
local core = torch.core

local npy = {}

local MAGIC = "\147NUMPY"
local LONGEST_HEADER = 2 ^ 20

-- Types as NumPy writes them, without the byte order.
local dtypes = {
  b1 = "bool", u1 = "uint8", i1 = "int8", i2 = "int16", i4 = "int32", i8 = "int64", f2 = "float16", f4 = "float32",
  f8 = "float64", c8 = "complex64", c16 = "complex128",
}
local names = {}
for name, dtype in pairs(dtypes) do names[torch[dtype]] = (name:match("^[bui]1$") and "|" or "<") .. name end

-- Reading ---------------------------------------------------------------------------------------------------

-- The fields of a dictionary with strings, booleans and tuples of numbers for values; nil for anything else.
local function parse_header(text)
  local fields, at = {}, text:match("^%s*{()")
  while at and not text:find("^%s*}%s*$", at) do
    local key, next_at = text:match("^%s*['\"]([%w_]+)['\"]%s*:%s*()", at)
    if not key or fields[key] ~= nil then return nil end
    local quoted, after = text:match("^['\"]([^'\"]*)['\"]()", next_at)
    local word, after_word = text:match("^(%a+)()", next_at)
    local tuple, after_tuple = text:match("^%(([%d%s,L-]*)%)()", next_at)
    if quoted then fields[key], at = quoted, after
    elseif word == "True" or word == "False" then fields[key], at = word == "True", after_word
    elseif tuple then fields[key], at = tuple, after_tuple
    else return nil end
    at = text:match("^%s*,()", at) or text:match("^%s*()}", at)
  end
  return at and fields
end

-- The items of a tuple `3, 4`, also with Python 2's L behind numbers; nil for what are no sizes.
local function parse_shape(text)
  local sizes = {}
  for item in text:gmatch("[^,]+") do
    local digits = item:match("^%s*(%d+)L?%s*$")
    if digits then sizes[#sizes + 1] = tonumber(digits)
    elseif item:find("%S") then return nil end
  end
  return reader.are_counts(sizes) and sizes or nil
end

-- What the header says: the type, sizes, the order of dimensions, and where the elements begin.
local function read_header(source, valid)
  local start = source:read(0, math.min(source:size(), 12))
  valid(start:sub(1, 6) == MAGIC and #start >= 10, "it does not begin as a file of NumPy's")
  local major = start:byte(7)
  valid(major >= 1 and major <= 3, "version %s of the format is not known", major)
  local a, b, c, d = start:byte(9, 12)
  local length, first = a + 256 * b, 10
  if major > 1 then length, first = length + 65536 * (c or 0) + 2 ^ 24 * (d or 0), 12 end
  valid(length <= LONGEST_HEADER and first + length <= source:size(), "its header of %s bytes does not fit", length)
  local text = source:read(first, length)
  local fields = valid(parse_header(text), "its header is no dictionary of plain values")
  local order, name = tostring(fields.descr):match("^([<>|=]?)(%a%d*)$")
  if not name and fields.descr == "?" then order, name = "|", "b1" end
  local shape = valid(type(fields.shape) == "string" and parse_shape(fields.shape), "its shape is none")
  valid(name and type(fields.fortran_order) == "boolean", "its header lacks a type or an order")
  return { big = order == ">", name = name, shape = shape, fortran = fields.fortran_order, offset = first + length }
end

--- The array in a file or an entry of an archive.
---@param source table|userdata  with `size()`, `read(offset, count)` and `tensor(offset, dtype, sizes, mmap)`
---@param valid function  from reader.validator
---@param mmap boolean
---@return torch.Tensor
function npy.read(source, valid, mmap)
  local header = read_header(source, valid)
  local dtype, widen = torch[dtypes[header.name] or ""], nil
  if not dtype then dtype, widen = reader.unsigned(header.name) end
  valid(dtype, "there is no dtype for NumPy's type '%s' (objects and texts are not read)", header.name)
  local numel = reader.numel(header.shape)
  valid(numel and numel * dtype.itemsize <= source:size() - header.offset,
    "(%s) of type '%s' do not fit into its %s bytes", table.concat(header.shape, ", "), header.name, source:size())
  local sizes, order = {}, {}
  for d, n in ipairs(header.shape) do
    local at = header.fortran and #header.shape + 1 - d or d
    sizes[at], order[d] = n, at
  end
  local x = source:tensor(header.offset, dtype, sizes, mmap and not header.big)
  if header.big then core.swap_bytes(x) end
  if widen then x = valid(widen(x), "it has unsigned numbers beyond 2^63") end
  return header.fortran and #order > 1 and x:permute(order) or x
end

local read_load = core.signature("load_npy(str path, *, bool mmap=False)")

--- The tensor in a .npy file. Unsigned integers that have no dtype here become the next wider one.
---@param path string
---@param options? table  mmap: the tensor lies in the file. Default: a copy.
---@return torch.Tensor
function npy.load(...)
  local opt = read_load(...)
  return npy.read(core.open_file(opt.path, "load_npy"), reader.validator("load_npy", opt.path), opt.mmap)
end

-- Writing ---------------------------------------------------------------------------------------------------

--- What stands in front of a tensor's elements, a multiple of 64 bytes.
---@param x torch.Tensor
---@param operation string  for errors
---@return string
function npy.header(x, operation)
  check(torch.is_tensor(x), "%s: expected a tensor, got a %s", operation, type(x))
  local name = check(names[x.dtype], "%s: NumPy has no type for %s; convert the tensor first", operation, x.dtype)
  local shape = table.concat(x.shape, ", ") .. (x:dim() == 1 and "," or "")
  local text = ("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }"):format(name, shape)
  local padding = -(10 + #text + 1) % 64
  local length = #text + padding + 1
  return ("%s\1\0%s%s%s\n"):format(MAGIC, string.char(length % 256, math.floor(length / 256)), text, (" "):rep(padding))
end

local read_save = core.signature("save_npy(Tensor x, str path)")

--- Writes a tensor to a .npy file, which is replaced at once or not at all.
---@param x torch.Tensor
---@param path string
function npy.save(...)
  local opt = read_save(...)
  core.write_pieces(opt.path, "save_npy", { npy.header(opt.x, "save_npy"), opt.x })
end

return npy
