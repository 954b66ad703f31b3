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

local dtype_names, LONGEST_HEADER = core.safetensors_format()
local ALIGNMENT = 64

-- Reading ---------------------------------------------------------------------------------------------------

local read_load = core.signature("load_safetensors(str path, Device? device=None, *, bool mmap=False)")

--- The tensors of a .safetensors file by name, in the order of the file.
---@param path string
---@param device? torch.Device|string  where they go. Default: the CPU.
---@param options? table  mmap: they lie in the file. Default: copies.
---@return StateDict tensors
---@return table<string, string> metadata
function safetensors.load(...)
  local opt = read_load(...)
  local names, tensors, unsigned, metadata = core.read_safetensors(opt.path, opt.mmap)
  for _, name in ipairs(unsigned) do
    local _, widen = reader.unsigned("u" .. tensors[name].dtype.itemsize)
    tensors[name] = check(widen(tensors[name]),
      "load_safetensors: '%s' is damaged: tensor '%s' has numbers beyond 2^63", opt.path, name)
  end
  if opt.device then
    for _, name in ipairs(names) do tensors[name] = tensors[name]:to(opt.device) end
  end
  return StateDict.of(names, tensors), metadata
end

-- Writing ---------------------------------------------------------------------------------------------------

-- Names and tensors in the order of the format's own library: the widest dtypes first, then by name.
local function sorted(tensors)
  local rows = {}
  for name, x in pairs(tensors) do
    check(type(name) == "string" and name ~= "__metadata__" and json.is_utf8(name),
      "save_safetensors: '%s' is no name for a tensor", name)
    check(torch.is_tensor(x), "save_safetensors: '%s' is a %s, not a tensor", name, type(x))
    check(dtype_names[x.dtype], "save_safetensors: '%s' is %s, which the format does not have", name, x.dtype)
    rows[#rows + 1] = { name = name, x = x, dtype = dtype_names[x.dtype], itemsize = x.dtype.itemsize }
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
