--- Writes values as a pickle of Python's (protocol 2), with the names that PyTorch's `torch.load` allows.
--
-- A list becomes a list, a state dict an OrderedDict, other tables dicts. Whole numbers become integers.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local json, StateDict = require "torch.json", require "torch.nn.state_dict"
local core = torch.core

local DEEPEST = 500

---@class format.Pickler
local Pickler = class("Pickler")

---@param write_tensor fun(pickler: format.Pickler, x: torch.Tensor)  writes a tensor by the methods of the pickler
---@param states table<nn.Module, StateDict>  of the modules in the value
---@param operation string                    for errors
function Pickler:init(write_tensor, states, operation)
  self.write_tensor, self.states, self.operation = write_tensor, states, operation
  self.out, self.places, self.count = {}, {}, 0
end

function Pickler:put(bytes)
  self.out[#self.out + 1] = bytes
end

local function little_endian(n, count)
  local bytes = {}
  for i = 1, count do
    bytes[i], n = string.char(n % 256), math.floor(n / 256)
  end
  return table.concat(bytes)
end

-- Remembers the value that was written last under `key`.
function Pickler:remember(key)
  self.places[key] = self.count
  self:put("r" .. little_endian(self.count, 4))
  self.count = self.count + 1
end

-- Writes a reference to what was remembered; false if nothing was.
function Pickler:recall(key)
  local place = self.places[key]
  if place then self:put("j" .. little_endian(place, 4)) end
  return place ~= nil
end

--- A global name.
function Pickler:name(module, name)
  local key = "c" .. module .. "\n" .. name .. "\n"
  if self:recall(key) then return end
  self:put(key)
  self:remember(key)
end

--- What a function of that name returns; `arguments` writes them.
function Pickler:call(module, name, arguments)
  self:name(module, name)
  self:put("(")
  arguments()
  self:put("tR")
end

function Pickler:text(s)
  self:put("X" .. little_endian(#s, 4) .. s)
end

-- Protocol 2 has no bytes: Python writes them as a text of Latin 1.
function Pickler:bytes(s)
  self:call("_codecs", "encode", function()
    self:text((s:gsub("[\128-\255]", function(c)
      return string.char(0xC0 + math.floor(c:byte() / 64), 0x80 + c:byte() % 64)
    end)))
    self:text("latin1")
  end)
end

function Pickler:int64(n)
  local bytes = core.bytes(torch.tensor({ n }, { dtype = torch.int64 }))
  self:put("\138\8" .. bytes)
end

function Pickler:number(x)
  if x ~= math.floor(x) or math.abs(x) > 2 ^ 53 or (x == 0 and 1 / x < 0) then
    return self:put("G" .. core.bytes(torch.tensor({ x }, { dtype = torch.float64 })):reverse())
  end
  if math.abs(x) < 2 ^ 31 then return self:put("J" .. little_endian(x % 2 ^ 32, 4)) end
  self:int64(x)
end

--- A tuple of whole numbers, as sizes and strides are.
function Pickler:integers(list)
  self:put("(")
  for _, n in ipairs(list) do self:number(n) end
  self:put("t")
end

--- An OrderedDict without entries.
function Pickler:ordered_dict()
  self:call("collections", "OrderedDict", function() end)
end

local function is_list(t)
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count == #t
end

local Size = getmetatable(torch.empty(0):size())

-- The entries that an iterator gives.
function Pickler:entries(depth, following, state, first)
  self:put("(")
  for key, value in following, state, first do
    self:value(key, depth)
    self:value(value, depth)
  end
  self:put("u")
end

function Pickler:table(t, depth)
  if self:recall(t) then return end
  check(depth < DEEPEST, "%s: tables are nested deeper than %s", self.operation, DEEPEST)
  local state = self.states[t]
  if class.isinstance(state, StateDict) then
    self:ordered_dict()
    self:remember(t)
    return self:entries(depth + 1, StateDict.items(state))
  end
  check(getmetatable(t) == nil or getmetatable(t) == Size, "%s: an object of class %s cannot be saved in this format",
    self.operation, class.type(t))
  if is_list(t) then
    self:put("]")
    self:remember(t)
    self:put("(")
    for _, value in ipairs(t) do self:value(value, depth + 1) end
    return self:put("e")
  end
  self:put("}")
  self:remember(t)
  self:entries(depth + 1, pairs(t))
end

--- Any value. Errors: functions and other things without a counterpart.
---@param x any
---@param depth? integer  of the tables around it. Default: 0.
function Pickler:value(x, depth)
  local kind = type(x)
  if x == nil then return self:put("N") end
  if kind == "boolean" then return self:put(x and "\136" or "\137") end
  if kind == "number" then return self:number(x) end
  if kind == "string" and json.is_utf8(x) then return self:text(x) end
  if kind == "string" then return self:bytes(x) end
  if torch.is_tensor(x) then
    if self:recall(x:id()) then return end
    self:write_tensor(x)
    return self:remember(x:id())
  end
  local dtype = tostring(x):match("^torch%.(%w+)$")
  if dtype and torch[dtype] == x then return self:name("torch", dtype) end
  if kind == "cdata" and tostring(x):find("^%-?%d+LL$") then return self:int64(x) end
  check(kind == "table", "%s: a %s cannot be saved in this format", self.operation, kind)
  self:table(x, depth or 0)
end

--- The pickle of a value.
---@return string
function Pickler:finish(x)
  self:put("\128\2")
  self:value(x)
  self:put(".")
  return table.concat(self.out)
end

return Pickler
