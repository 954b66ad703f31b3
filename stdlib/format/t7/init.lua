--- Files of Torch7, binary and ascii, as torch.save wrote them there (torch7/File.lua).
--
-- A value is its type, then what it holds. Tables, tensors and objects have a number, by which they are referred to
-- when they come again. The reader goes from front to back with a stack of its own, so that depth does not matter;
-- functions are passed over, and nothing in a file is ever run.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local reader, modules = require "torch.format.reader", require "torch.format.t7.modules"
local Binary, Ascii = require "torch.format.t7.binary", require "torch.format.t7.ascii"
local core = torch.core

local t7 = {}

local NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, FUNCTION, OLD_CLOSURE, CLOSURE = 0, 1, 2, 3, 4, 5, 6, 7, 8
local MOST_DIMS, MOST_DEPTH, LONGEST_NAME = 64, 1e5, 256

-- The kinds of elements by the names of classes: torch.FloatTensor, torch.FloatStorage, torch.CudaLongTensor ...
local KINDS = {
  Byte = torch.uint8, Char = torch.int8, Short = torch.int16, Int = torch.int32, Long = torch.int64,
  Half = torch.float16, Float = torch.float32, Double = torch.float64,
}

local function element_type(class_name, ending)
  local name = class_name:match("^torch%.(%w+)" .. ending .. "$")
  if not name then return nil end
  if name == "Cuda" then return KINDS.Float end
  return KINDS[name:gsub("^Cuda", "")]
end

-- Reading -----------------------------------------------------------------------------------------------------

local Reader = class("Reader")

-- What an object is while it is read.
local UNFINISHED = {}

function Reader:init(source, valid, convert)
  self.source, self.valid, self.convert = source, valid, convert
  self.objects, self.frames = {}, {}
end

-- Waits for values: each is given to `step(self, frame, value)`, until that returns true and what came of them.
function Reader:wait(frame, step)
  frame.step = step
  self.valid(#self.frames < MOST_DEPTH, "more than %d values lie in each other", MOST_DEPTH)
  self.frames[#self.frames + 1] = frame
  return false
end

local function fill_table(_, frame, value)
  frame.left = frame.left - 1
  if frame.left % 2 == 1 then
    frame.key = value
  else
    frame.valid(frame.key ~= nil and frame.key == frame.key, "a table has a key that is none")
    frame.table[frame.key] = value
  end
  return frame.left == 0, frame.table
end

function Reader:table(index)
  local t, count = {}, self.source:int()
  self.valid(count >= 0 and count <= self.source:room() / 2, "a table has %d entries", count)
  self.objects[index] = t
  if count == 0 then return true, t end
  return self:wait({ table = t, left = 2 * count, valid = self.valid }, fill_table)
end

local function finish_tensor(self, frame, storage)
  local x
  if storage == nil then
    self.valid(reader.numel(frame.size) == 0 or #frame.size == 0, "a tensor has no storage")
    x = torch.empty(#frame.size > 0 and frame.size or { 0 }, { dtype = frame.dtype })
  else
    self.valid(torch.is_tensor(storage) and storage.dtype == frame.dtype and storage:dim() == 1,
      "a tensor has something else for a storage")
    -- Without dimensions Torch7's tensors have no elements.
    x = #frame.size > 0 and reader.view(storage, frame.size, frame.stride, frame.offset) or nil
    self.valid(x or #frame.size == 0, "a tensor reaches beyond its storage")
    x = x or torch.empty({ 0 }, { dtype = frame.dtype })
  end
  self.objects[frame.index] = x
  return true, x
end

function Reader:tensor(index, dtype)
  local source, dims = self.source, self.source:int()
  self.valid(dims >= 0 and dims <= MOST_DIMS, "a tensor has %d dimensions", dims)
  local size, stride = source:longs(dims), source:longs(dims)
  local offset = source:longs(1)[1] - 1
  if dims == 0 then offset = 0 end
  self.valid(reader.are_counts(size) and reader.are_counts(stride) and reader.is_count(offset),
    "a tensor has no proper sizes, strides and offset")
  return self:wait({ index = index, dtype = dtype, size = size, stride = stride, offset = offset }, finish_tensor)
end

local function finish_object(self, frame, fields)
  local object = frame.object
  self.valid(fields == nil or type(fields) == "table", "a %s holds a %s", object.torch_typename, type(fields))
  for key, value in pairs(fields or {}) do object[key] = value end
  object.torch_typename = frame.name
  local made = self.convert(object) or object
  self.objects[frame.index] = made
  return true, made
end

-- "V 1" and the name of the class, or, before there were versions, the name alone.
function Reader:class_name()
  local name
  for _ = 1, 2 do
    local length = self.source:int()
    self.valid(length >= 0 and length <= LONGEST_NAME, "the name of a class has %d bytes", length)
    name = self.source:chars(length)
    if not name:find "^V %d+$" then break end
  end
  return name
end

function Reader:object(index)
  local name = self:class_name()
  local dtype = element_type(name, "Tensor")
  if dtype then
    self.objects[index] = UNFINISHED
    return self:tensor(index, dtype)
  end
  dtype = element_type(name, "Storage")
  if dtype then
    local storage = self.source:elements(dtype, self.source:longs(1)[1])
    self.objects[index] = storage
    return true, storage
  end
  local object = { torch_typename = name }
  self.objects[index] = object
  return self:wait({ index = index, name = name, object = object }, finish_object)
end

local function finish_function(_, frame)
  return true, frame.opaque
end

-- The bytecode and the values beside it are passed over.
function Reader:fn(index)
  self:text()
  local opaque = { torch_typename = "function" }
  if index then self.objects[index] = opaque end
  return self:wait({ opaque = opaque }, finish_function)
end

function Reader:text()
  local length = self.source:int()
  self.valid(length >= 0, "a string has %d bytes", length)
  return self.source:chars(length)
end

-- Values without a number of their own.
local simple = {
  [NIL] = function() return nil end,
  [NUMBER] = function(self) return self.source:double() end,
  [STRING] = Reader.text,
  [BOOLEAN] = function(self) return self.source:int() == 1 end,
}

local numbered = { [TABLE] = Reader.table, [TORCH] = Reader.object, [CLOSURE] = Reader.fn, [OLD_CLOSURE] = Reader.fn }

-- Begins a value: true and the value if that is all, false if it waits for others.
function Reader:begin()
  local kind = self.source:int()
  if simple[kind] then return true, simple[kind](self) end
  if kind == FUNCTION then return self:fn() end
  self.valid(numbered[kind], "a value is of the unknown type %d", kind)
  local index = self.source:int()
  local known = self.objects[index]
  self.valid(known ~= UNFINISHED, "a tensor lies in itself")
  if known ~= nil then return true, known end
  return numbered[kind](self, index)
end

-- The value at the beginning of the file.
function Reader:value()
  local frames = self.frames
  while true do
    local done, value = self:begin()
    while done do
      local frame = frames[#frames]
      if not frame then return value end
      done, value = frame.step(self, frame, value)
      if done then frames[#frames] = nil end
    end
  end
end

-- Files -------------------------------------------------------------------------------------------------------

-- A check that names the place in the file.
local function validator(path, place)
  return function(good, text, ...)
    if good then return good end
    return check(false, "load_t7: '%s' is damaged near byte %d: " .. text, path, place(), ...)
  end
end

local function read_with(Source, file, opt, long_size)
  local source
  local valid = validator(opt.path, function() return source and source:position() or 0 end)
  source = Source(file, valid, long_size)
  local function convert(object)
    if not opt.modules then return nil end
    local good, made = pcall(modules.convert, object)
    if good then return made end
    return check(false, "load_t7: '%s' has a %s that cannot be made: %s", opt.path, object.torch_typename,
      tostring(made):gsub("^[^\n]-:%d+: ", ""))
  end
  return Reader(source, valid, convert):value()
end

local read_load = core.signature "load_t7(str path, *, int? long_size=None, bool modules=True)"

--- What Torch7's torch.save wrote, binary or ascii. Tensors keep their dtype and share memory as they did, those of
--- CUDA come to the CPU; storages become tensors of one dimension. Objects of other classes are tables with their
--- class's name in `torch_typename`, and so are functions, which are never run.
---@param path string
---@param options? table
--- long_size: 8 or 4, the bytes of a C long where the file was written. Default: 8, then 4 if that does not fit.
--- modules: modules of nn become those of torch.nn where there are such. Default: true.
---@return any
function t7.load(...)
  local opt = read_load(...)
  local size = opt.long_size
  check(size == nil or size == 4 or size == 8, "load_t7: long_size is 4 or 8, got %s", size)
  local file = core.open_file(opt.path, "load_t7")
  local head = file:read(0, math.min(file:size(), 4))
  if head:find "^[0-8]\r?\n" then return read_with(Ascii, file, opt) end
  check(head:find "^[%z\1-\8]%z%z%z$", "load_t7: '%s' is not a file of Torch7", opt.path)
  if size then return read_with(Binary, file, opt, size) end
  local good, value = pcall(read_with, Binary, file, opt, 8)
  if good then return value end
  local shorter, other = pcall(read_with, Binary, file, opt, 4)
  if not shorter then error(value, 0) end
  return other
end

return t7
