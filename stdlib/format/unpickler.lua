--- Reads Python's pickles (protocols 0 to 5, docs.python.org/3/library/pickletools.html) as data. A pickle is a
-- program for a small stack machine; here it builds values and calls what the caller allows by name, nothing else.
--
-- Lists and tuples become tables, dicts too, a set has its items for keys. A None for a dict's value leaves the key
-- out, elsewhere it is `none`. Whole numbers beyond 2^53 are int64.

local torch, class = require "torch", require "torch.class"
local StateDict, Stream = require "torch.nn.state_dict", require "torch.format.stream"
local core = torch.core

-- Bounds that no honest file of tensors comes near.
local MOST_MARKS, MOST_VALUES, MOST_CONTAINERS = 2 ^ 16, 2 ^ 22, 2 ^ 21

local none = setmetatable({}, { __tostring = function() return "None" end })

-- What a global name stands for.
local Global = class("Global")

function Global:init(name, call)
  self.name, self.call = name, call
end

---@class format.Unpickler
local Unpickler = class("Unpickler")

---@param source table|userdata  with `size()` and `read(offset, count)`
---@param offset integer         where the pickle begins
---@param options table  valid: from reader.validator; find(module, name): the Unpickler.Global of a name, whose
---                      `call(arguments)` gives a value or nil, or nil; persistent(id): what an id stands for, or nil
function Unpickler:init(source, offset, options)
  self.stream, self.options = Stream(source, offset, options.valid), options
  self.stack, self.height, self.floor = {}, 0, 0
  self.marks, self.memo, self.kinds, self.containers = {}, {}, {}, 0
end

function Unpickler:valid(good, text, ...)
  if good then return good end
  local count = select("#", ...)
  local parts = { ... }
  parts[count + 1] = self.stream:position()
  return self.options.valid(false, text .. ", before byte %s", unpack(parts, 1, count + 1))
end

-- The stack ---------------------------------------------------------------------------------------------------

function Unpickler:push(value)
  self:valid(self.height < MOST_VALUES, "it has more than %s values at a time", MOST_VALUES)
  self.height = self.height + 1
  self.stack[self.height] = value
end

function Unpickler:pop()
  local height = self.height
  self:valid(height > self.floor, "it takes a value that is not there")
  local value = self.stack[height]
  self.stack[height], self.height = nil, height - 1
  return value
end

function Unpickler:top()
  self:valid(self.height > self.floor, "it takes a value that is not there")
  return self.stack[self.height]
end

-- Takes all values above the last mark.
function Unpickler:pop_mark()
  local items, floor = {}, self.floor
  self:valid(#self.marks > 0, "it takes a mark that is not there")
  for i = floor + 1, self.height do
    items[i - floor], self.stack[i] = self.stack[i], nil
  end
  self.height, self.floor = floor, table.remove(self.marks)
  return items
end

-- Containers --------------------------------------------------------------------------------------------------

function Unpickler:container(kind, t)
  self.containers = self.containers + 1
  self:valid(self.containers <= MOST_CONTAINERS, "it has more than %s tables", MOST_CONTAINERS)
  self.kinds[t] = kind
  return t
end

-- The container on top of the stack, which is of that kind.
function Unpickler:target(kind)
  local t = self:top()
  local is_dict = kind == "dict" and class.isinstance(t, StateDict)
  return self:valid((is_dict or self.kinds[t] == kind) and t, "it adds to a value that is no %s", kind)
end

function Unpickler:set(t, key, value)
  self:valid(key ~= none and key == key, "a dict has a key that Lua cannot have")
  self:valid(type(key) == "string" or not class.isinstance(t, StateDict), "an OrderedDict has a key that is no text")
  if value ~= none then t[key] = value end
end

function Unpickler:set_items(t, items)
  self:valid(#items % 2 == 0, "a dict has a key without a value")
  for i = 1, #items, 2 do self:set(t, items[i], items[i + 1]) end
end

function Unpickler:append_items(t, items)
  local count = #t
  for i, item in ipairs(items) do t[count + i] = item end
end

function Unpickler:add_items(t, items)
  for _, item in ipairs(items) do self:set(t, item, true) end
end

-- Calls -------------------------------------------------------------------------------------------------------

function Unpickler:find(module, name)
  self:valid(type(module) == "string" and type(name) == "string", "a name is none")
  local found = self.options.find(module, name)
  return self:valid(found, "it names '%s.%s', which is not among the names that are read", module, name)
end

function Unpickler:call(callable, arguments)
  self:valid(class.isinstance(callable, Global), "it calls a value that is no function")
  self:valid(self.kinds[arguments] == "tuple", "it calls with arguments that are no tuple")
  local value = callable.call(arguments)
  return self:valid(value ~= nil and value, "'%s' has wrong arguments", callable.name)
end

-- Objects of ordered dicts carry attributes, which mean nothing here.
function Unpickler:build()
  self:pop()
  self:valid(class.isinstance(self:top(), StateDict), "it gives a state to a value that takes none")
end

function Unpickler:persistent(id)
  local value = self.options.persistent and self.options.persistent(id)
  return self:valid(value, "it refers to something outside that is no storage")
end

-- Numbers and texts ---------------------------------------------------------------------------------------------

local function plain(n)
  return n >= -2LL ^ 53 and n <= 2LL ^ 53 and tonumber(n) or n
end

function Unpickler:signed(count)
  self:valid(count <= 8, "it has a whole number of %s bytes, more than 8", count)
  local bytes, n = self.stream:take(count), 0LL
  if count > 0 and bytes:byte(count) >= 128 then n = -1LL end
  for i = count, 1, -1 do n = n * 256LL + bytes:byte(i) end
  return plain(n)
end

function Unpickler:decimal(digits)
  self:valid(digits:find("^[+-]?%d+$") and #digits <= 19, "it has a number that is none or too long")
  local n, sign = 0LL, digits:sub(1, 1) == "-" and -1LL or 1LL
  for digit in digits:gmatch("%d") do n = n * 10LL + sign * tonumber(digit) end
  return plain(n)
end

function Unpickler:double()
  return core.swap_bytes(core.frombytes(self.stream:take(8), 0, { 1 }, torch.float64)):item()
end

function Unpickler:counted(size)
  return self.stream:take(self.stream:unsigned(size))
end

-- A text in quotes, as Python 2 wrote it.
function Unpickler:quoted()
  local text = self.stream:line():match("^(['\"].*)$")
  self:valid(text and #text >= 2 and text:sub(-1) == text:sub(1, 1) and not text:find("\\", 1, true),
    "it has a text without its quotes, or with escapes")
  return text:sub(2, -2)
end

-- Operations ----------------------------------------------------------------------------------------------------

function Unpickler:get(index)
  local value = self.memo[index]
  self:push(self:valid(value ~= nil and { value }, "it takes a memory %s that was never filled", index)[1])
end

function Unpickler:tuple(count)
  local t = self:container("tuple", {})
  for i = count, 1, -1 do t[i] = self:pop() end
  self:push(t)
end

local function pushes(value)
  return function(vm) vm:push(value) end
end

local function makes(kind)
  return function(vm) vm:push(vm:container(kind, {})) end
end

local function reads(method, ...)
  local arguments = { ... }
  return function(vm) vm:push(vm[method](vm, unpack(arguments))) end
end

local function unsigned(count)
  return function(vm) vm:push(vm.stream:unsigned(count)) end
end

local function puts(count)
  return function(vm) vm.memo[vm.stream:unsigned(count)] = vm:top() end
end

local operations = {
  -- marks, and the order of values
  ["("] = function(vm)
    vm:valid(#vm.marks < MOST_MARKS, "its values are nested deeper than %s", MOST_MARKS)
    vm.marks[#vm.marks + 1], vm.floor = vm.floor, vm.height
  end,
  ["0"] = function(vm)
    if vm.height > vm.floor then vm:pop() else vm:pop_mark() end
  end,
  ["1"] = function(vm) vm:pop_mark() end,
  ["2"] = function(vm) vm:push(vm:top()) end,
  -- constants and numbers
  ["N"] = pushes(none), ["\136"] = pushes(true), ["\137"] = pushes(false),
  ["K"] = unsigned(1), ["M"] = unsigned(2), ["J"] = reads("signed", 4), ["G"] = reads("double"),
  ["\138"] = function(vm) vm:push(vm:signed(vm.stream:unsigned(1))) end,
  ["\139"] = function(vm) vm:push(vm:signed(vm.stream:unsigned(4))) end,
  ["I"] = function(vm)
    local digits = vm.stream:line()
    if digits == "00" or digits == "01" then return vm:push(digits == "01") end
    vm:push(vm:decimal(digits))
  end,
  ["L"] = function(vm) vm:push(vm:decimal((vm.stream:line():gsub("L$", "")))) end,
  ["F"] = function(vm)
    local text = vm.stream:line()
    vm:push(vm:valid(text:find("^[%d.eE+-]+$") and tonumber(text), "it has a number that is none"))
  end,
  -- texts and bytes
  ["S"] = reads("quoted"), ["V"] = function(vm)
    local text = vm.stream:line()
    vm:valid(not text:find("\\", 1, true), "it has a text with escapes")
    vm:push(text)
  end,
  ["U"] = reads("counted", 1), ["T"] = reads("counted", 4), ["X"] = reads("counted", 4), ["C"] = reads("counted", 1),
  ["B"] = reads("counted", 4), ["\140"] = reads("counted", 1), ["\141"] = reads("counted", 8),
  ["\142"] = reads("counted", 8), ["\150"] = reads("counted", 8),
  -- containers
  ["]"] = makes("list"), ["}"] = makes("dict"), [")"] = makes("tuple"), ["\143"] = makes("set"),
  ["l"] = function(vm) vm:push(vm:container("list", vm:pop_mark())) end,
  ["t"] = function(vm) vm:push(vm:container("tuple", vm:pop_mark())) end,
  ["d"] = function(vm)
    local items, t = vm:pop_mark(), vm:container("dict", {})
    vm:set_items(t, items)
    vm:push(t)
  end,
  ["\145"] = function(vm)
    local items, t = vm:pop_mark(), vm:container("frozenset", {})
    vm:add_items(t, items)
    vm:push(t)
  end,
  ["\133"] = function(vm) vm:tuple(1) end,
  ["\134"] = function(vm) vm:tuple(2) end,
  ["\135"] = function(vm) vm:tuple(3) end,
  ["a"] = function(vm)
    local item = vm:pop()
    vm:append_items(vm:target("list"), { item })
  end,
  ["e"] = function(vm)
    local items = vm:pop_mark()
    vm:append_items(vm:target("list"), items)
  end,
  ["s"] = function(vm)
    local value = vm:pop()
    local key = vm:pop()
    vm:set(vm:target("dict"), key, value)
  end,
  ["u"] = function(vm)
    local items = vm:pop_mark()
    vm:set_items(vm:target("dict"), items)
  end,
  ["\144"] = function(vm)
    local items = vm:pop_mark()
    vm:add_items(vm:target("set"), items)
  end,
  -- the memory
  ["p"] = function(vm) vm.memo[vm:decimal(vm.stream:line())] = vm:top() end,
  ["q"] = puts(1), ["r"] = puts(4),
  ["\148"] = function(vm)
    vm.memorized = (vm.memorized or -1) + 1
    vm.memo[vm.memorized] = vm:top()
  end,
  ["g"] = function(vm) vm:get(vm:decimal(vm.stream:line())) end,
  ["h"] = function(vm) vm:get(vm.stream:unsigned(1)) end,
  ["j"] = function(vm) vm:get(vm.stream:unsigned(4)) end,
  -- names and calls
  ["c"] = function(vm)
    local module = vm.stream:line()
    vm:push(vm:find(module, vm.stream:line()))
  end,
  ["\147"] = function(vm)
    local name = vm:pop()
    vm:push(vm:find(vm:pop(), name))
  end,
  ["R"] = function(vm)
    local arguments = vm:pop()
    vm:push(vm:call(vm:pop(), arguments))
  end,
  ["Q"] = function(vm) vm:push(vm:persistent(vm:pop())) end,
  ["b"] = function(vm) vm:build() end,
  -- what frames the rest
  ["\128"] = function(vm)
    local protocol = vm.stream:byte()
    vm:valid(protocol <= 5, "it has protocol %s, 5 is the last one known", protocol)
  end,
  ["\149"] = function(vm) vm.stream:take(8) end,
}
operations["\129"] = operations["R"] -- an object made by its class

--- Reads one value, up to the end of its pickle.
---@return any value
---@return integer offset  of the byte behind it
function Unpickler:load()
  while true do
    local code = string.char(self.stream:byte())
    if code == "." then break end
    local operation = operations[code]
    self:valid(operation, "it has the operation 0x%s, which is none or not allowed", ("%02x"):format(code:byte()))
    operation(self)
  end
  self:valid(self.height == 1 and #self.marks == 0, "it leaves %s values, not one", self.height)
  return self:pop(), self.stream:position()
end

Unpickler.none, Unpickler.Global = none, Global

return Unpickler
