--- Classes with single inheritance.
--
--     local Net = class("Net(int hidden=128)", nn.Module)
--     function Net:init(opt) self.fc = nn.Linear(784, opt.hidden) end
--     local a, b = Net(64), Net{hidden=64}
--
-- A signature in the operators' notation is read before `init` runs: `init` gets one table with every argument,
-- checked and with its default. A bare name passes the arguments through. A subclass calls `Parent.init(self, ...)`
-- with the parent's arguments; one with a signature and no `init` has its parent's, with the arguments by name.
--
-- A class is the metatable of its objects. Methods are found class by class through __index; metamethods, which Lua
-- looks up without it, are taken over when the subclass is made.

local torch = require "torch"
local check = require "torch.check"
local getinfo = debug.getinfo

local Object = { __name = "Object", __ancestors = {} }
Object.__index = Object

function Object:init() end

--- Called with the arguments that the signature gave, before `init`, which may still change them.
---@param opt table<string, any>  the arguments by name
---@param names string[]          their names in the signature's order
function Object:_admit(opt, names) end

--- Called after `init` with what the signature gave.
---@param opt table<string, any>  the arguments by name
---@param names string[]          their names in the signature's order
---@param signature string
function Object:_configured(opt, names, signature) end

function Object:__tostring()
  return getmetatable(self).__name
end

local class = {}

--- The `init` that a class has or inherits, as it was written: it takes the arguments by name if there is a signature.
function class.plain_init(C)
  local meta = getmetatable(C)
  if not meta then return C.init end
  return meta.plain_init or rawget(C, "init") or class.plain_init(meta.__index)
end

-- A class with a signature that never defined `init` reads its arguments and hands them to its parent's.
local function settle(C)
  local meta = getmetatable(C)
  if meta.reads and rawget(C, "init") == nil then C.init = class.plain_init(meta.__index) end
end

local function construct(C, ...)
  settle(C)
  local object = setmetatable({}, C)
  object:init(...)
  return object
end

-- Wraps the `init` that is put into a class with a signature.
local function reading(signature)
  local read, names = torch.core.signature(signature)
  return function(C, key, value)
    if key == "init" then
      local init = value
      getmetatable(C).plain_init = init
      value = function(self, ...)
        local opt = read(...)
        self:_admit(opt, names)
        init(self, opt)
        self:_configured(opt, names, signature)
      end
    end
    rawset(C, key, value)
  end
end

--- A new class.
---@param signature string  "Name" or "Name(type argument=default, ...)"
---@param parent? table      Default: no parent.
---@return table class
local function define(_, signature, parent)
  local name = type(signature) == "string" and signature:match("^%s*([%a_][%w_]*)")
  check(name, "class: expected a name, or a name and arguments in parentheses, got %s", signature)
  check(parent == nil or class.is_class(parent), "class: the parent of %s is not a class but a %s", name, type(parent))
  parent = parent or Object
  if parent ~= Object then settle(parent) end

  local C = { }
  for key, value in pairs(parent) do
    if key:sub(1, 2) == "__" then C[key] = value end
  end
  C.__name, C.__index, C.__ancestors = name, C, { [C] = true }
  for ancestor in pairs(parent.__ancestors) do C.__ancestors[ancestor] = true end

  local reads = signature:find("(", 1, true) ~= nil
  return setmetatable(C, {
    __index = parent,
    __call = construct,
    __newindex = reads and reading(signature) or nil,
    __tostring = function() return name end,
    reads = reads,
    signature = signature,
    source = (getinfo(2, "S") or {}).source, -- where help() finds the comment
  })
end

-- What a value is an instance of: a class, or nil.
local function class_of(x)
  if type(x) ~= "table" then return nil end
  local C = getmetatable(x)
  return type(C) == "table" and rawget(C, "__ancestors") and C or nil
end

--- Is `x` a class made by this module?
---@return boolean
function class.is_class(x)
  return type(x) == "table" and rawget(x, "__ancestors") ~= nil
end

--- Is `x` an object of class `C` or of a class derived from it?
---@return boolean
function class.isinstance(x, C)
  local own = class_of(x)
  return own ~= nil and own.__ancestors[C] == true
end

--- The name of a value's class, "Tensor" for tensors, otherwise what Lua's `type` says.
---@return string
function class.type(x)
  local C = class_of(x)
  if C then return C.__name end
  return torch.is_tensor(x) and "Tensor" or type(x)
end

return setmetatable(class, { __call = define })
