--- safetensors (huggingface.co/docs/safetensors): eight bytes with the header's length, the header in JSON, then the
--- elements of all tensors without gaps.
--
--     {"__metadata__": {"format": "pt"}, "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}

local torch, check = require "torch", require "torch.check"
local json, reader = require "torch.json", require "torch.format.reader"
local StateDict, Module = require "torch.nn.state_dict", require "torch.nn.module"
local class = require "torch.class"
local core = torch.core

local safetensors = {}

local LONGEST_HEADER = 100e6 -- the format's own bound
local ALIGNMENT = 64

local dtypes = {
  BOOL = "bool", U8 = "uint8", I8 = "int8", I16 = "int16", I32 = "int32", I64 = "int64", F16 = "float16",
  BF16 = "bfloat16", F32 = "float32", F64 = "float64", C64 = "complex64",
}
local unsigned = { U16 = "u2", U32 = "u4", U64 = "u8" }
local names = {}
for name, dtype in pairs(dtypes) do names[torch[dtype]] = name end

-- Reading ---------------------------------------------------------------------------------------------------

local function read_header(file, valid)
  local size = file:size()
  valid(size >= 8, "it is too short for a header")
  local length = 0
  for i, byte in ipairs { file:read(0, 8):byte(1, 8) } do length = length + byte * 256 ^ (i - 1) end
  valid(length >= 2 and length <= LONGEST_HEADER and length <= size - 8, "its header of %s bytes does not fit", length)
  local text = file:read(8, length)
  valid(text:sub(1, 1) == "{", "its header does not begin with '{'")
  local good, header = pcall(json.decode, text)
  valid(good, "its header is no JSON (%s)", tostring(header):gsub("^.-json: ", ""))
  return header, 8 + length
end

-- What the header says of one tensor, as far as it can be true of a file with so many bytes of elements.
local function read_row(name, row, available, valid)
  valid(type(row) == "table" and json.is_list(row.shape) and json.is_list(row.data_offsets) and #row.data_offsets == 2
    and reader.are_counts(row.shape) and reader.are_counts(row.data_offsets) and type(row.dtype) == "string",
    "tensor '%s' is not described by dtype, shape and data_offsets", name)
  local dtype, widen = torch[dtypes[row.dtype] or ""], nil
  if not dtype then dtype, widen = reader.unsigned(unsigned[row.dtype]) end
  valid(dtype, "tensor '%s' has the unknown dtype '%s'", name, row.dtype)
  local first, last, numel = row.data_offsets[1], row.data_offsets[2], reader.numel(row.shape)
  valid(first <= last and last <= available, "tensor '%s' lies from byte %s to %s of %s", name, first, last, available)
  valid(numel and numel * dtype.itemsize == last - first, "tensor '%s' (%s) of %s does not fill %s bytes", name,
    table.concat(row.shape, ", "), row.dtype, last - first)
  return { name = name, dtype = dtype, widen = widen, shape = row.shape, first = first, last = last }
end

-- All tensors as they lie in the file, which they fill without gap or overlap.
local function read_rows(header, available, valid)
  local rows = {}
  for name, row in pairs(header) do
    if name ~= "__metadata__" then rows[#rows + 1] = read_row(name, row, available, valid) end
  end
  table.sort(rows, function(a, b)
    if a.first ~= b.first then return a.first < b.first end
    if a.last ~= b.last then return a.last < b.last end
    return a.name < b.name
  end)
  local at = 0
  for _, row in ipairs(rows) do
    valid(row.first == at, "tensor '%s' begins at byte %s, the one before ends at %s", row.name, row.first, at)
    at = row.last
  end
  valid(at == available, "there are %s bytes behind the last tensor", available - at)
  return rows
end

local function read_metadata(metadata, valid)
  if metadata == nil then return {} end
  local good = type(metadata) == "table" and metadata ~= json.null and not json.is_list(metadata)
  for _, value in pairs(good and metadata or {}) do good = good and type(value) == "string" end
  return valid(good and metadata, "__metadata__ has other values than texts")
end

local read_load = core.signature("load_safetensors(str path, Device? device=None, *, bool mmap=False)")

--- The tensors of a .safetensors file by name, in the order of the file.
---@param path string
---@param device? torch.Device|string  where they go. Default: the CPU.
---@param options? table  mmap: they lie in the file, which must not become shorter meanwhile. Default: copies.
---@return StateDict tensors
---@return table<string, string> metadata
function safetensors.load(...)
  local opt = read_load(...)
  local file, valid = core.open_file(opt.path, "load_safetensors"), reader.validator("load_safetensors", opt.path)
  local header, start = read_header(file, valid)
  local metadata = read_metadata(header.__metadata__, valid)
  local tensors = StateDict()
  for _, row in ipairs(read_rows(header, file:size() - start, valid)) do
    local x = file:tensor(start + row.first, row.dtype, row.shape, opt.mmap)
    if row.widen then x = valid(row.widen(x), "tensor '%s' has numbers beyond 2^63", row.name) end
    tensors[row.name] = opt.device and x:to(opt.device) or x
  end
  return tensors, metadata
end

-- Writing ---------------------------------------------------------------------------------------------------

-- Names and tensors in the order of the format's own library: the widest dtypes first, then by name.
local function sorted(tensors)
  local rows = {}
  for name, x in pairs(tensors) do
    check(type(name) == "string" and name ~= "__metadata__" and json.is_utf8(name),
      "save_safetensors: '%s' is no name for a tensor", name)
    check(torch.is_tensor(x), "save_safetensors: '%s' is a %s, not a tensor", name, type(x))
    check(names[x.dtype], "save_safetensors: '%s' is %s, which the format does not have", name, x.dtype)
    rows[#rows + 1] = { name = name, x = x, dtype = names[x.dtype], itemsize = x.dtype.itemsize }
  end
  table.sort(rows, function(a, b)
    if a.itemsize ~= b.itemsize then return a.itemsize > b.itemsize end
    return a.name < b.name
  end)
  return rows
end

local function header_of(rows, metadata)
  local header, at = {}, 0
  if next(metadata) then header.__metadata__ = metadata end
  for _, row in ipairs(rows) do
    local last = at + row.x:numel() * row.itemsize
    header[row.name] = {
      dtype = row.dtype, shape = json.list { unpack(row.x.shape) }, data_offsets = json.list { at, last },
    }
    at = last
  end
  local text = json.encode(header)
  return text .. (" "):rep(-(8 + #text) % ALIGNMENT)
end

local read_save = core.signature("save_safetensors(any tensors, str path, any? metadata=None)")

--- Writes tensors to a .safetensors file, which is replaced at once or not at all.
---@param tensors table<string, torch.Tensor>|StateDict|nn.Module  by name; of a module, its state
---@param path string
---@param metadata? table<string, string>  texts that are kept with them. Default: none.
function safetensors.save(...)
  local opt = read_save(...)
  local tensors, metadata = opt.tensors, opt.metadata or {}
  if class.isinstance(tensors, Module) then tensors = tensors:state_dict() end
  check(type(tensors) == "table", "save_safetensors: expected tensors by name, got a %s", class.type(tensors))
  check(type(metadata) == "table", "save_safetensors: metadata is a table of texts, got a %s", type(metadata))
  for key, value in pairs(metadata) do
    check(type(key) == "string" and type(value) == "string", "save_safetensors: metadata '%s' is not a text", key)
  end
  local rows = sorted(tensors)
  local header = header_of(rows, metadata)
  check(#header <= LONGEST_HEADER, "save_safetensors: the names are too long for a header of %s bytes", LONGEST_HEADER)
  local length, bytes = #header, {}
  for i = 1, 8 do
    bytes[i], length = string.char(length % 256), math.floor(length / 256)
  end
  local pieces = { table.concat(bytes), header }
  for _, row in ipairs(rows) do pieces[#pieces + 1] = row.x end
  core.write_pieces(opt.path, "save_safetensors", pieces)
end

return safetensors
