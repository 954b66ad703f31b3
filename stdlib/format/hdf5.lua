--- Files in the format HDF5, by libhdf5, which is looked for when the first file is opened.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local core = torch.core

local hdf5 = {}

local MOST_DEPTH, MOST_OBJECTS = 64, 1e5

--- An open file. Names are paths, "group/data"; groups on the way are made when something is written.
---@class hdf5.File
local File = class("File")

function File:init(handle, path)
  self._handle, self._path = handle, path
end

function File:__tostring()
  return ("hdf5.File '%s'"):format(self._path)
end

-- Ranges ------------------------------------------------------------------------------------------------------

local function position(n, size, d)
  check(type(n) == "number" and n == math.floor(n), "hdf5.read: position %s in dimension %d is no whole number", n, d)
  local at = n < 0 and size + 1 + n or n
  check(at >= 1 and at <= size, "hdf5.read: position %d is outside 1..%d in dimension %d", n, size, d)
  return at
end

-- Start (from 0), count and step of one dimension.
local function span(range, size, d)
  if type(range) == "number" then return position(range, size, d) - 1, 1, 1 end
  check(type(range) == "table" and #range <= 3, "hdf5.read: range %d is a position or {first, last, step}, got a %s", d,
    class.type(range))
  if #range == 0 then return 0, size, 1 end
  local step = range[3] or 1
  check(type(step) == "number" and step >= 1 and step == math.floor(step),
    "hdf5.read: the step in dimension %d is a positive whole number, got %s", d, step)
  if size == 0 then return 0, 0, 1 end
  local first, last = position(range[1], size, d), position(range[2] or range[1], size, d)
  return first - 1, math.max(0, math.floor((last - first) / step) + 1), step
end

-- The spans of all dimensions, one after the other, and the dimensions of which one position is wanted.
local function spans(ranges, shape)
  check(type(ranges) == "table", "hdf5.read: ranges is a list, got a %s", class.type(ranges))
  check(#ranges <= #shape, "hdf5.read: %d ranges for %d dimensions", #ranges, #shape)
  local list, single = {}, {}
  for d = 1, #shape do
    local start, count, step = span(ranges[d] or {}, shape[d], d)
    list[3 * d - 2], list[3 * d - 1], list[3 * d] = start, count, step
    if type(ranges[d]) == "number" then table.insert(single, 1, d) end
  end
  return list, single
end

-- Reading -----------------------------------------------------------------------------------------------------

local function read_group(self, name, depth, count)
  check(depth <= MOST_DEPTH, "hdf5.read: '%s' has groups deeper than %d in each other", self._path, MOST_DEPTH)
  local group = {}
  for _, key in ipairs(self:keys(name)) do
    count.objects = count.objects + 1
    check(count.objects <= MOST_OBJECTS, "hdf5.read: '%s' has more than %d objects in one group", self._path,
      MOST_OBJECTS)
    local path = name .. "/" .. key
    local kind = self._handle:about(path, "read")
    group[key] = kind == "group" and read_group(self, path, depth + 1, count) or self._handle:read(path)
  end
  return group
end

--- What is at `name`: a tensor, a string or a list of strings, or for a group the table of what is in it.
---@param name? string   Default: "/", the whole file.
---@param ranges? table  the part of a tensor that is read: for each dimension {first, last, step}, a position (which
--- drops the dimension), or {} for all of it; positions count from 1, negative ones from the end. Default: all.
---@return any
function File:read(name, ranges)
  name = name or "/"
  local kind, shape, dtype = self._handle:about(name, "read")
  if kind == "group" then
    check(not ranges, "hdf5.read: '%s' is a group, of which there are no ranges", name)
    return read_group(self, name, 1, { objects = 0 })
  end
  if not ranges then return self._handle:read(name) end
  check(dtype, "hdf5.read: '%s' has text, of which there are no ranges", name)
  local list, single = spans(ranges, shape)
  local x = self._handle:read(name, list)
  for _, d in ipairs(single) do x = x:squeeze(d) end
  return x
end

---@param name string
---@return boolean
function File:exists(name)
  return self._handle:exists(name)
end

--- The names in a group, sorted.
---@param group? string  Default: "/".
---@return string[]
function File:keys(group)
  return self._handle:keys(group or "/")
end

--- What there is at a name, without reading it.
---@param name string
---@return {kind: string, shape: integer[]?, dtype: torch.DType?}  kind: "group" or "dataset"; no dtype: text
function File:info(name)
  local kind, shape, dtype = self._handle:about(name)
  return { kind = kind, shape = shape, dtype = dtype }
end

-- Writing -----------------------------------------------------------------------------------------------------

local read_write = core.signature "write(str name, any value, *, int[] chunks=[], int compression=0)"

-- Numbers and booleans as tensors without dimensions.
local function storable(value)
  if type(value) == "number" then return torch.tensor(value, { dtype = torch.float64 }) end
  return type(value) == "boolean" and torch.tensor(value) or value
end

local function write_value(self, name, value, opt, above)
  value = storable(value)
  local is_group = type(value) == "table" and type(value[1]) ~= "string"
  if not is_group then return self._handle:write(name, value, opt.chunks, opt.compression) end
  check(not above[value], "hdf5.write: the table of '%s' lies in itself", name)
  above[value] = true
  if not self._handle:exists(name) then self._handle:make_group(name) end
  for key, item in pairs(value) do
    check(type(key) == "string" and not key:find("/", 1, true) and key ~= "" and key ~= ".",
      "hdf5.write: '%s' has the key %s, which is no name; write lists of numbers as tensors", name, key)
    write_value(self, name .. "/" .. key, item, opt, above)
  end
  above[value] = nil
end

--- Writes a tensor, a number, a boolean, a string, a list of strings, or a table of these by name, which becomes a
--- group.
---@param name string
---@param value any
---@param options? table
--- chunks: sizes of the pieces that are stored, and compressed, one by one. Default: none, or 1 MB when compressed.
--- compression: 0 to 9. Default: 0.
function File:write(...)
  local opt = read_write(...)
  check(opt.compression >= 0 and opt.compression <= 9, "hdf5.write: compression is 0 to 9, got %s", opt.compression)
  local value, chunks = opt.value, opt.chunks
  if #chunks > 0 then
    check(torch.is_tensor(value) and value:dim() == #chunks, "hdf5.write: chunks has %d sizes, the value %s dimensions",
      #chunks, torch.is_tensor(value) and value:dim() or "no")
    for d, n in ipairs(chunks) do
      check(n >= 1 and n <= math.max(value:size(d), 1), "hdf5.write: chunks of %d for %d elements in dimension %d", n,
        value:size(d), d)
    end
  end
  write_value(self, opt.name, value, opt, {})
end

---@param name string
function File:create_group(name)
  self._handle:make_group(name)
end

--- Takes a group or data set out of the file. The file does not become smaller by that.
---@param name string
function File:remove(name)
  self._handle:remove(name)
end

-- Attributes --------------------------------------------------------------------------------------------------

local function plain(value)
  if torch.is_tensor(value) and value:dim() == 0 then return value:item() end
  return value
end

--- An attribute of a group or data set: a number, boolean, string, tensor or list of strings; nil if there is none.
---@param name string  of the group or data set
---@param key string
---@return any
function File:get_attribute(name, key)
  return plain(self._handle:attribute(name, key))
end

---@param name string
---@return table<string, any>
function File:attributes(name)
  local all = {}
  for _, key in ipairs(self._handle:attributes(name)) do all[key] = self:get_attribute(name, key) end
  return all
end

---@param name string
---@param key string
---@param value any  as for `write`, but no groups
function File:set_attribute(name, key, value)
  self._handle:set_attribute(name, key, storable(value))
end

--- What was written takes its place when the file is closed; a file that never is stays as it was.
function File:close()
  self._handle:close()
end

local read_open = core.signature "hdf5.open(str path, str mode='r')"

--- Opens a file.
---@param path string
---@param mode? string  "r" to read (default), "w" to write a new file, "a" to add to one, or "r+"
---@return hdf5.File
function hdf5.open(...)
  local opt = read_open(...)
  local mode = opt.mode == "r+" and "a" or opt.mode
  return File(core.open_hdf5(opt.path, mode), opt.path)
end

return hdf5
