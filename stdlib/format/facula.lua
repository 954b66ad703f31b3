--- facula's own files: tables, strings, numbers, booleans and tensors, with all sharing and cycles kept. A file holds
-- data only: loading runs no code. A module is saved as its state.
--
-- The archive has one blob per storage, of the part that the saved tensors use, and a description in JSON:
--
--     {"format": "facula", "version": 1, "root": value, "objects": [object, ...], "tensors": [tensor, ...]}
--     tensor: {"blob": 0, "size": [2, 3], "stride": [3, 1], "offset": 0, "parameter": true, "requires_grad": true}
--     object: {"list": [value, ...]}, {"map": [key, value, ...]} or {"state_dict": [name, value, ...]}, the state of a
--             module with the name of its class, {"state_dict": [...], "class": "Linear"}
--     value:  null, true, 1.5, "text", {"object": 0}, {"tensor": 0}, {"number": "inf"}, {"int64": "-1"},
--             {"bytes": "ff"}, {"dtype": "float32"}
--
-- Positions in it count from 0. Objects refer to each other by position, so that neither depth nor cycles matter.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local json, StateDict = require "torch.json", require "torch.nn.state_dict"
local Blobs, reader = require "torch.format.blobs", require "torch.format.reader"
local core = torch.core

local facula = {}

-- Saving ----------------------------------------------------------------------------------------------------

-- What is being saved: `tensors`, and `places` of tensors and tables by identity. The queue has the tables that were
-- reached: each with the entry of the table that holds it and its key there.
local Saver = class("Saver")

-- Where a value is, for errors: "the value.layers[3]".
local function path_of(entry, key)
  local parts = {}
  while entry do
    table.insert(parts, 1, type(key) == "number" and ("[%s]"):format(key) or "." .. tostring(key))
    entry, key = entry.holder, entry.key
  end
  return "the value" .. table.concat(parts)
end

function Saver:init()
  self.tensors, self.queue, self.places, self.blobs = {}, {}, {}, Blobs()
end

local function dtype_name(x)
  local name = (type(x) == "userdata" or type(x) == "table") and tostring(x):match("^torch%.(%w+)$")
  return name and torch[name] == x and name
end

function Saver:tensor(x)
  local id = x:id()
  if not self.places[id] then
    self.places[id] = #self.tensors
    self.tensors[#self.tensors + 1] = x
    self.blobs:note(x)
  end
  return self.places[id]
end

-- The description of a value, which stands at `key` in the table of `entry`; tables are put into the queue.
function Saver:value(x, entry, key)
  local kind = type(x)
  if x == nil then return json.null end
  if kind == "boolean" then return x end
  if kind == "number" then
    if x ~= x then return { number = "nan" } end
    return math.abs(x) < math.huge and x or { number = tostring(x) }
  end
  if kind == "string" then
    if json.is_utf8(x) then return x end
    return { bytes = (x:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) }
  end
  if torch.is_tensor(x) then return { tensor = self:tensor(x) } end
  if dtype_name(x) then return { dtype = dtype_name(x) } end
  local int64 = kind == "cdata" and tostring(x):match("^(%-?%d+)LL$")
  if int64 then return { int64 = int64 } end
  if kind ~= "table" then check(false, "save: %s is a %s, which cannot be saved", path_of(entry, key), kind) end
  if not self.places[x] then
    self.places[x] = #self.queue
    self.queue[#self.queue + 1] = { table = x, holder = entry, key = key }
  end
  return { object = self.places[x] }
end

local Size = getmetatable(torch.empty(0):size())

local function is_list(t)
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count == #t
end

function Saver:object(entry)
  local t, out = entry.table, json.list {}
  local module_class = class.isinstance(t, torch.nn.Module) and class.type(t) or nil
  if module_class then t = t:state_dict() end
  if class.isinstance(t, StateDict) then
    for name, value in StateDict.items(t) do
      out[#out + 1], out[#out + 2] = name, self:value(value, entry, name)
    end
    return { state_dict = out, class = module_class or StateDict.module_class(t) }
  end
  if getmetatable(t) ~= nil and getmetatable(t) ~= Size then
    check(false, "save: %s is an object of class %s; save a plain table of what it holds",
      path_of(entry.holder, entry.key), class.type(t))
  end
  if is_list(t) then
    for i, value in ipairs(t) do out[i] = self:value(value, entry, i) end
    return { list = out }
  end
  for key, value in pairs(t) do
    if type(key) ~= "string" and type(key) ~= "number" and type(key) ~= "boolean" then
      check(false, "save: %s has a %s for a key", path_of(entry.holder, entry.key), type(key))
    end
    out[#out + 1] = self:value(key)
    out[#out + 1] = self:value(value, entry, key)
  end
  return { map = out }
end

function Saver:row(x)
  local place = self.blobs:place(x)
  return {
    blob = place.blob - 1, size = json.list(place.size), stride = json.list(place.stride), offset = place.offset,
    requires_grad = x.requires_grad and x.is_leaf, parameter = core.is_parameter(x),
  }
end

-- Describes the tables that are reached, one after the other, then the tensors in them.
function Saver:finish(root)
  local objects, rows = json.list {}, json.list {}
  local description = { format = "facula", version = 1, objects = objects, tensors = rows, root = self:value(root) }
  while #objects < #self.queue do objects[#objects + 1] = self:object(self.queue[#objects + 1]) end
  local blobs = self.blobs:finish()
  for i, x in ipairs(self.tensors) do rows[i] = self:row(x) end
  return json.encode(description), blobs
end

--- Writes `object` to a file, which is replaced at once or not at all.
---@param object any   tables, strings, numbers, booleans, tensors, dtypes; a module is saved as its `state_dict()`
---@param path string
function facula.save(object, path)
  local description, blobs = Saver():finish(object)
  core.write_archive(path, description, blobs)
end

-- Loading ---------------------------------------------------------------------------------------------------

-- Fails unless `good`; everything that a file says is looked at before it is used.
local function valid(good, path, text, ...)
  return check(good, "load: %s is damaged: " .. text, path, ...)
end

local function is_counts(list)
  return json.is_list(list) and reader.are_counts(list)
end

local function make_tensor(record, blobs, path, place)
  valid(type(record) == "table" and reader.is_count(record.blob) and blobs[record.blob + 1], path,
    "tensor %s has no data", place)
  local blob, size, stride = blobs[record.blob + 1], record.size, record.stride
  valid(is_counts(size) and is_counts(stride) and #size == #stride and reader.is_count(record.offset), path,
    "tensor %s has no sizes, strides or offset", place)
  local x = valid(reader.view(blob, size, stride, record.offset), path, "tensor %s reaches beyond its data", place)
  local requires_grad = record.requires_grad == true
  valid(not requires_grad or x:is_floating_point() or x:is_complex(), path, "tensor %s of %s requires grad", place,
    x.dtype)
  if record.parameter == true then return core.parameter(x, requires_grad) end
  return requires_grad and x:requires_grad_() or x
end

local numbers = { inf = math.huge, ["-inf"] = -math.huge, nan = 0 / 0 }

local function parse_int64(digits)
  if type(digits) ~= "string" or not digits:find("^%-?%d+$") or #digits > 20 then return nil end
  local n, sign = 0LL, digits:sub(1, 1) == "-" and -1LL or 1LL
  for digit in digits:gmatch("%d") do n = n * 10LL + sign * tonumber(digit) end
  return tostring(n) == digits .. "LL" and n or nil
end

-- What a value's description stands for.
local readers = {
  object = function(at, tables) return reader.is_count(at) and tables[at + 1] end,
  tensor = function(at, _, tensors) return reader.is_count(at) and tensors[at + 1] end,
  number = function(name) return numbers[name] end,
  int64 = parse_int64,
  dtype = function(name) return type(name) == "string" and dtype_name(torch[name]) and torch[name] end,
  bytes = function(hex)
    if type(hex) ~= "string" or #hex % 2 ~= 0 or hex:find("%X") then return nil end
    return (hex:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
  end,
}

local function read_value(x, tables, tensors, path)
  if x == json.null then return nil end
  if type(x) ~= "table" then return x end
  local kind, content = next(x)
  local read = valid(readers[kind], path, "it holds a value of unknown kind '%s'", kind)
  return (valid(read(content, tables, tensors) or nil, path, "it holds a '%s' that does not exist", kind))
end

-- The kind of an object, and what its record lists.
local function listing(record)
  for _, kind in ipairs { "list", "map", "state_dict" } do
    if type(record) == "table" and json.is_list(record[kind]) then return kind, record[kind] end
  end
end

-- Puts what a record lists into its table. No closures: traces of LuaJIT would keep the tensors in their upvalues.
local function fill(t, record, tables, tensors, path)
  local kind, content = listing(record)
  if kind == "list" then
    for i, x in ipairs(content) do t[i] = read_value(x, tables, tensors, path) end
    return
  end
  valid(#content % 2 == 0, path, "a table has a key without a value")
  for i = 1, #content, 2 do
    local key = read_value(content[i], tables, tensors, path)
    valid(key ~= nil and key == key and (kind == "map" or type(key) == "string"), path, "a table has a wrong key")
    t[key] = read_value(content[i + 1], tables, tensors, path)
  end
end

--- What `facula.save` wrote. The file may come from anywhere: no code in it is run, and wrong files are errors.
---@param opt table  path; map_location: where the tensors go; mmap: they lie in the file
---@return any
function facula.load(opt)
  local path = opt.path
  local text, blobs = core.read_archive(path, opt.map_location, opt.mmap)
  local good, description = pcall(json.decode, text)
  valid(good, path, "%s", tostring(description):gsub("^.-json: ", ""))
  valid(type(description) == "table" and description.format == "facula", path, "it is not a file of torch.save")
  check(description.version == 1, "load: %s has version %s of the format, this program reads version 1", path,
    description.version)
  local objects, records = description.objects, description.tensors
  valid(json.is_list(objects) and json.is_list(records), path, "the description has no objects or tensors")

  local tables, tensors = {}, {}
  for i, record in ipairs(records) do tensors[i] = make_tensor(record, blobs, path, i - 1) end
  for i, record in ipairs(objects) do
    local kind = valid(listing(record), path, "object %s is of unknown kind", i - 1)
    tables[i] = kind == "state_dict" and StateDict(type(record.class) == "string" and record.class or nil) or {}
  end
  for i, record in ipairs(objects) do fill(tables[i], record, tables, tensors, path) end
  return read_value(description.root, tables, tensors, path)
end

return facula
