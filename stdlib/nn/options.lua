--- What constructors accept beyond the types of their signatures, said once by the class:
--
--     Conv2d.allows = { groups = options.least(1), padding_mode = options.words("zeros", "reflect") }
--
-- Modules check it before `init` runs. A list has to hold to it in each of its numbers.

local class, check = require "torch.class", require "torch.check"
local repr = require "torch.nn.repr"

local options = {}

---@class nn.Rule
---@field text string                          "at least 1"
---@field holds fun(value: any): boolean

local function each(value, holds)
  if type(value) == "number" then return holds(value) end
  if type(value) ~= "table" or class.is_class(getmetatable(value)) then return false end
  for key, v in pairs(value) do
    if type(key) ~= "number" or type(v) ~= "number" or not holds(v) then return false end
  end
  return true
end

---@param n number
---@return nn.Rule
function options.least(n)
  return { text = "at least " .. n, holds = function(value)
    return each(value, function(v) return v >= n end)
  end }
end

---@param low number
---@param high number
---@return nn.Rule
function options.within(low, high)
  return { text = ("within %s..%s"):format(low, high), holds = function(value)
    return each(value, function(v) return v >= low and v <= high end)
  end }
end

---@param ... string  the words to choose from
---@return nn.Rule
function options.words(...)
  local known, quoted = {}, {}
  for i, word in ipairs { ... } do known[word], quoted[i] = true, "'" .. word .. "'" end
  local last = table.remove(quoted)
  return { text = table.concat(quoted, ", ") .. " or " .. last, holds = function(value) return known[value] end }
end

--- A number for all of so many dimensions or one for each, none below `least`; false stands where the input decides.
---@param dims integer
---@param least integer
---@return nn.Rule
function options.sizes(dims, least)
  local text = ("a number or a list of %d, at least %d"):format(dims, least)
  return { text = text, holds = function(value)
    if type(value) == "number" then return value >= least end
    if type(value) ~= "table" or #value ~= dims and #value ~= 1 then return false end
    for _, v in ipairs(value) do
      if v ~= false and (type(v) ~= "number" or v < least) then return false end
    end
    return true
  end }
end

--- An instance of a class.
---@param C table
---@param text string  what it is called
---@return nn.Rule
function options.instance(C, text)
  return { text = text, holds = function(value) return class.isinstance(value, C) end }
end

--- A function, or an object that can be called.
---@type nn.Rule
options.callable = { text = "a function", holds = function(value)
  return type(value) == "function" or type(value) == "table" and (getmetatable(value) or {}).__call ~= nil
end }

local function described(value)
  if type(value) == "string" then return "'" .. value .. "'" end
  if type(value) == "number" or type(value) == "table" and not class.is_class(getmetatable(value)) then
    return repr(value)
  end
  return "a " .. class.type(value)
end

--- Raises an error if one of the arguments that are there breaks its rule.
---@param name string                    the class
---@param allows table<string, nn.Rule>
---@param opt table<string, any>         the arguments
---@param names string[]                 in this order
function options.check(name, allows, opt, names)
  for _, key in ipairs(names) do
    local value, rule = opt[key], allows[key]
    if rule and value ~= nil and not rule.holds(value) then
      check(false, "%s: %s is %s, got %s", name, key, rule.text, described(value))
    end
  end
end

return options
