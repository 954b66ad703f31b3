--- PyTorch's files (.pt, .pth): zip archives since 1.6, and the pickles one after the other of the years before.
--
-- An archive has `NAME/data.pkl`, a pickle whose tensors refer to storages by key, and `NAME/data/KEY`, their bytes.
-- The pickle may name what stands in `globals`; nothing else is looked up, and nothing is executed.

local torch, check = require "torch", require "torch.check"
local Blobs, Pickler = require "torch.format.blobs", require "torch.format.pickler"
local Unpickler, reader = require "torch.format.unpickler", require "torch.format.reader"
local StateDict = require "torch.nn.state_dict"
local core = torch.core

local pytorch = {}

local storages = {
  FloatStorage = "float32", DoubleStorage = "float64", HalfStorage = "float16", BFloat16Storage = "bfloat16",
  LongStorage = "int64", IntStorage = "int32", ShortStorage = "int16", CharStorage = "int8", ByteStorage = "uint8",
  BoolStorage = "bool", ComplexFloatStorage = "complex64", ComplexDoubleStorage = "complex128",
  UntypedStorage = "uint8", _UntypedStorage = "uint8",
}
local storage_names = {}
for name, dtype in pairs(storages) do
  if not name:find("Untyped") then storage_names[torch[dtype]] = name end
end

-- Reading: the names that are allowed ------------------------------------------------------------------------

-- _rebuild_tensor(storage, offset, size, stride), with more behind it in _rebuild_tensor_v2: requires_grad and hooks.
local function rebuild_tensor(a)
  local row, offset, size, stride, requires_grad = a[1], a[2], a[3], a[4], a[5]
  local good = torch.is_tensor(row) and type(size) == "table" and type(stride) == "table" and #size == #stride
    and reader.is_count(offset) and reader.are_counts(size) and reader.are_counts(stride)
  local x = good and reader.view(row, size, stride, offset)
  if x and requires_grad == true and (x:is_floating_point() or x:is_complex()) then x:requires_grad_() end
  return x or nil
end

-- _rebuild_parameter(data, requires_grad, hooks)
local function rebuild_parameter(a)
  local x, requires_grad = a[1], a[2] ~= false
  if not torch.is_tensor(x) then return nil end
  return core.parameter(x:detach(), requires_grad and (x:is_floating_point() or x:is_complex()))
end

-- OrderedDict(), in older files with a list of its items.
local function ordered_dict(a)
  local dict = StateDict()
  for _, item in ipairs(type(a[1]) == "table" and a[1] or {}) do
    if type(item) ~= "table" or type(item[1]) ~= "string" then return nil end
    if item[2] ~= Unpickler.none then dict[item[1]] = item[2] end
  end
  return dict
end

-- encode(text, "latin1"): bytes
local function encode(a)
  if type(a[1]) ~= "string" then return nil end
  return (a[1]:gsub("[\194\195][\128-\191]", function(c) return string.char(c:byte(1) % 4 * 64 + c:byte(2) % 64) end))
end

local globals = {
  ["torch._utils._rebuild_tensor"] = rebuild_tensor,
  ["torch._utils._rebuild_tensor_v2"] = rebuild_tensor,
  ["torch._utils._rebuild_parameter"] = rebuild_parameter,
  ["torch._utils._rebuild_parameter_with_state"] = rebuild_parameter,
  ["torch.nn.parameter.Parameter"] = rebuild_parameter,
  ["collections.OrderedDict"] = ordered_dict,
  ["torch.Size"] = function(a) return type(a[1]) == "table" and a[1] or nil end,
  ["torch.device"] = function(a)
    local index = type(a[2]) == "number" and ":" .. a[2] or ""
    return type(a[1]) == "string" and a[1] .. index or nil
  end,
  ["_codecs.encode"] = encode,
}
for _, name in ipairs { "__builtin__.set", "builtins.set", "__builtin__.frozenset", "builtins.frozenset" } do
  globals[name] = function(a)
    local set = {}
    for _, item in ipairs(type(a[1]) == "table" and a[1] or {}) do
      if item == item then set[item] = true end
    end
    return set
  end
end

-- What a name in a pickle stands for: a function, a dtype, or a class of storages.
local function global(module, name)
  local path = module .. "." .. name
  if globals[path] then return Unpickler.Global(path, globals[path]) end
  local is_torch = module == "torch" or module == "torch.cuda" or module == "torch.storage"
  if is_torch and storages[name] then return Unpickler.Global(path, function() return nil end) end
  return module == "torch" and storage_names[torch[name]] and torch[name] or nil
end

-- What a persistent id refers to: ("storage", class, key, location, count of elements, view of older files).
local function read_reference(id)
  local kind, class, key, count, view = id[1], id[2], id[3], id[5], id[6]
  local name = type(class) == "table" and type(class.name) == "string" and class.name:match("(%w+)$")
  local dtype = name and torch[storages[name] or storages["_" .. name] or ""]
  if kind ~= "storage" or not dtype or not reader.is_count(count) then return nil end
  if type(key) ~= "string" and type(key) ~= "number" then return nil end
  return { key = tostring(key), dtype = dtype, count = count, view = view ~= Unpickler.none and view or nil }
end

-- The part of a storage that a view of an older file has: (key, offset, count).
local function narrowed(row, view)
  if not view then return row end
  if type(view) ~= "table" or not (reader.is_count(view[2]) and reader.is_count(view[3])) then return nil end
  return reader.view(row, { view[3] }, { 1 }, view[2])
end

-- What an unpickler asks for, of the file at `path`.
local function options_for(path, row_of)
  return {
    valid = reader.validator("load", path),
    find = function(module, name)
      return check(global(module, name), "load: '%s' has an object of %s.%s, which is not read; save tensors in plain "
        .. "containers, of a model its state_dict()", path, module, name)
    end,
    persistent = function(id)
      local r = row_of and type(id) == "table" and read_reference(id)
      return r and narrowed(row_of(r), r.view)
    end,
  }
end

-- Reading: archives ------------------------------------------------------------------------------------------

-- The name of the folder that everything in the archive is in; nil if it is not one of PyTorch's.
local function folder_of(zip)
  for _, name in ipairs(zip:names()) do
    local folder = name:match("^(.*/?)data%.pkl$")
    if folder and zip:size(folder .. "version") then return folder end
  end
end

--- Is the archive one of PyTorch's?
---@param zip userdata  from core.open_zip
---@return boolean
function pytorch.is_archive(zip)
  return folder_of(zip) ~= nil
end

-- Traces of LuaJIT keep what closures saw in upvalues; emptied, `rows` keeps no tensors for them.
local function forget(rows)
  for key in pairs(rows) do rows[key] = nil end
end

-- A function from references to the rows of elements they stand for, each read once and then kept in `rows`.
local function archive_rows(zip, folder, opt, valid, rows)
  local big = zip:size(folder .. "byteorder") and zip:read(folder .. "byteorder") == "big"
  return function(r)
    local name, key = folder .. "data/" .. r.key, tostring(r.dtype) .. r.key
    if rows[key] then return rows[key] end
    local size = valid(zip:size(name), "%s is missing", name)
    valid(size == r.count * r.dtype.itemsize, "%s has %s bytes, %s of %s need %s", name, size, r.count, r.dtype,
      r.count * r.dtype.itemsize)
    rows[name] = rows[name] or zip:tensor(name, opt.mmap and not big)
    local where = ("load: '%s' is damaged: %s"):format(opt.path, name)
    local row = core.reinterpret(rows[name], 0, r.dtype, { r.count }, where)
    if big then row = core.swap_bytes(row:clone()) end
    rows[key] = opt.map_location and row:to(opt.map_location) or row
    return rows[key]
  end
end

--- What a zip archive of PyTorch's holds.
---@param zip userdata  from core.open_zip
---@param opt table     path; mmap; map_location
---@return any
function pytorch.load_archive(zip, opt)
  local valid, folder = reader.validator("load", opt.path), folder_of(zip)
  check(not zip:size(folder .. "constants.pkl"),
    "load: '%s' is a program of TorchScript; save model.state_dict() with torch.save in PyTorch", opt.path)
  local rows = {}
  local options = options_for(opt.path, archive_rows(zip, folder, opt, valid, rows))
  local pickle = reader.entry(zip, folder .. "data.pkl", "load: '" .. opt.path .. "'")
  local value = Unpickler(pickle, 0, options):load()
  forget(rows)
  return value
end

-- Reading: pickles one after the other -----------------------------------------------------------------------

local MAGIC = "\138\10\108\252\156\70\249\32\106\168\80\25."

--- Where the magic number of a file from before 1.6 ends in a file's first bytes; nil if there is none.
---@param head string
---@return integer?
function pytorch.legacy_start(head)
  return select(2, head:find(MAGIC, 1, true))
end

-- Where the elements of each storage begin: behind the pickles in the order of `keys`, each after its count.
local function find_storages(file, offset, keys, references, valid)
  local places = {}
  for _, key in ipairs(keys) do
    local r = valid(references[tostring(key)], "it has a storage %s that nothing refers to", key)
    valid(offset + 8 <= file:size(), "storage %s is missing", key)
    local count = file:tensor(offset, torch.int64, { 1 }):item()
    valid(count == r.count, "storage %s has %s elements at byte %s, not %s", key, count, offset, r.count)
    places[r.key], offset = offset + 8, offset + 8 + r.count * r.dtype.itemsize
    valid(offset <= file:size(), "storage %s reaches beyond its end", key)
  end
  return places
end

--- What a file of PyTorch before 1.6 holds: its value is read twice, first to learn where the storages behind it begin.
---@param file userdata  from core.open_file
---@param offset integer of the byte behind the magic number
---@param opt table      path; mmap; map_location
---@return any
function pytorch.load_legacy(file, offset, opt)
  local valid, references, rows = reader.validator("load", opt.path), {}, {}
  local function read_pickle(at, row_of) return Unpickler(file, at, options_for(opt.path, row_of)):load() end
  local protocol, system, start
  protocol, offset = read_pickle(offset)
  valid(protocol == 1001, "it has protocol %s, 1001 is the only one known", tostring(protocol))
  system, start = read_pickle(offset)
  valid(type(system) == "table" and system.little_endian ~= false, "it has big-endian elements")
  local _, last = read_pickle(start, function(r)
    references[r.key] = references[r.key] or r
    return torch.empty(r.count, { dtype = r.dtype, device = "meta" })
  end)
  local keys, behind = read_pickle(last)
  valid(type(keys) == "table", "it has no list of storages")
  local places = find_storages(file, behind, keys, references, valid)
  local value = read_pickle(start, function(r)
    local key = tostring(r.dtype) .. r.key
    if not rows[key] then
      local place = valid(places[r.key], "storage %s is missing", r.key)
      local row = file:tensor(place, r.dtype, { r.count }, opt.mmap)
      rows[key] = opt.map_location and row:to(opt.map_location) or row
    end
    return rows[key]
  end)
  forget(rows)
  return value
end

-- Writing ----------------------------------------------------------------------------------------------------

-- Writes a tensor as a call of _rebuild_tensor_v2 on a view of its blob.
local function write_tensor(pickler, x, place)
  local dtype = x.dtype
  local name = check(storage_names[dtype], "save: PyTorch has no storage of %s", dtype)
  pickler:call("torch._utils", "_rebuild_tensor_v2", function()
    pickler:put("(")
    pickler:text("storage")
    pickler:name("torch", name)
    pickler:text(tostring(place.blob - 1))
    pickler:text("cpu")
    pickler:number(place.count)
    pickler:put("tQ")
    pickler:number(place.offset)
    pickler:integers(place.size)
    pickler:integers(place.stride)
    pickler:value(x.requires_grad and x.is_leaf)
    pickler:ordered_dict()
  end)
end

-- Notes every tensor in a value, and the state of every module.
local function note(value, blobs, states)
  if torch.is_tensor(value) then return blobs:note(value) end
  if type(value) ~= "table" or states[value] then return end
  states[value] = torch.isinstance(value, torch.nn.Module) and value:state_dict() or value
  for _, x in pairs(states[value]) do note(x, blobs, states) end
end

--- Writes a file that PyTorch's `torch.load(path, weights_only=True)` reads, 1.6 and later.
---@param object any    tables, texts, numbers, booleans, tensors, dtypes; a module is saved as its `state_dict()`
---@param path string
function pytorch.save(object, path)
  local blobs, states = Blobs(), {}
  note(object, blobs, states)
  local rows = blobs:finish()
  local pickle = Pickler(function(pickler, x)
    local place = blobs:place(x)
    if not core.is_parameter(x) then return write_tensor(pickler, x, place) end
    pickler:call("torch._utils", "_rebuild_parameter", function()
      write_tensor(pickler, x:detach(), place)
      pickler:value(x.requires_grad)
      pickler:ordered_dict()
    end)
  end, states, "save"):finish(object)
  local names, contents = { "archive/data.pkl", "archive/byteorder" }, { pickle, "little" }
  for i, row in ipairs(rows) do names[#names + 1], contents[#contents + 1] = "archive/data/" .. i - 1, row end
  names[#names + 1], contents[#contents + 1] = "archive/version", "3\n"
  core.write_zip(path, "save", names, contents)
end

return pytorch
