--- Calls random operators with random arguments: facula tests/fuzz.lua [CALLS] [SEED] [LOG]
---
--- Most arguments are of the kind that the schema asks for, so that calls get deep into kernels; values, sizes and
--- dtypes are not, and some are of any kind. A call may succeed or raise an error that is a text; anything else is a
--- failure. LOG receives each call before it is made: after a crash its last line names the culprit. The same
--- seed makes the same calls.

local torch = require "torch"

local calls, seed = tonumber(arg[1] or 200000), tonumber(arg[2] or 1)
local log = arg[3] and assert(io.open(arg[3], "w"))
local memory_limit = 64 * 2 ^ 20 -- so that absurd sizes fail at once

local random = math.random
math.randomseed(seed)
torch.manual_seed(seed)

local function pick(list) return list[random(#list)] end
local function chance(p) return random() < p end

-- ---- random values, each with the text that the log shows ----

local DTYPES = { "float32", "float32", "float32", "float64", "float64", "int64", "int64", "int32", "uint8", "bool",
  "complex64", "complex128", "float16", "bfloat16", "int8", "int16" }
local SIZES = { 0, 1, 1, 2, 2, 3, 3, 4, 5, 7 }

local function random_sizes()
  local sizes = {}
  for d = 1, pick { 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5 } do sizes[d] = pick(SIZES) end
  return sizes
end

local function filled(sizes, dtype)
  local x = torch.randn(sizes) * 3
  if chance(0.05) and x:numel() > 0 then x:reshape(-1)[1] = pick { 0 / 0, 1 / 0, -1 / 0, 1e30 } end
  return x:to(torch[dtype])
end

-- Geometries that kernels must not trip over.
local SHAPES = {
  function(x) return x end,
  function(x) return x end,
  function(x) return x:dim() > 1 and x:transpose(-1, -2) or x end,
  function(x) return x:dim() > 0 and x:size(1) > 1 and x[{ { 1, -1, 2 } }] or x end,
  function(x) return x:unsqueeze(1):expand(3, -1) end,
  function(x) return x:dim() > 0 and x:narrow(1, 1, math.floor(x:size(1) / 2)) or x end,
}

local function random_tensor()
  local dtype, sizes = pick(DTYPES), random_sizes()
  local x = filled(sizes, dtype)
  local good, shaped = pcall(pick(SHAPES), x)
  if good then x = shaped end
  if chance(0.05) then x = x:to "meta" end
  if chance(0.3) and (x:is_floating_point() or x:is_complex()) then x = x:detach():requires_grad_(true) end
  local where = x.device.type == "meta" and " meta" or ""
  return x, ("%s(%s)%s"):format(dtype, table.concat(x:size(), "x"), where)
end

local function random_positions()
  local x = torch.randint(pick { 0, 1, 1, 1, -5 }, pick { 2, 3, 4, 9 }, random_sizes())
  return x, ("positions(%s)"):format(table.concat(x:size(), "x"))
end

local INTEGERS = { -2 ^ 62, -3, -2, -1, -1, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 8, 100, 2 ^ 31, 2 ^ 40, 2 ^ 53, 2 ^ 62 }
local NUMBERS = { 0, 1, -1, 0.5, -0.5, 2, 3, 1e-8, 1e10, 1e300, -1e300, 0 / 0, 1 / 0, -1 / 0 }
local WORDS = { "mean", "sum", "none", "max", "constant", "reflect", "replicate", "circular", "nearest", "bilinear",
  "bicubic", "area", "linear", "trilinear", "zeros", "border", "reflection", "same", "valid", "ortho", "forward",
  "backward", "fro", "nuc", "left", "right", "floor", "trunc", "prod", "amax", "amin", "tanh", "ij", "xy", "L", "U",
  "reduced", "complete", "r", "ij,jk->ik", "...ii", "a,a", "higher", "midpoint", "batchmean", "" }

local function shown(v) return tostring(v), v end
local function random_integer()
  local text, v = shown(chance(0.9) and random(-3, 6) or pick(INTEGERS))
  return v, text
end

local ITEMS = {
  Tensor = random_tensor,
  IndexTensor = function() return (chance(0.8) and random_positions or random_tensor)() end,
  Operand = function()
    if chance(0.7) then return random_tensor() end
    local v = pick(NUMBERS)
    return v, tostring(v)
  end,
  Scalar = function()
    local v = pick(NUMBERS)
    return v, tostring(v)
  end,
  int = random_integer,
  Dim = random_integer,
  NewDim = random_integer,
  Index = random_integer,
  bool = function()
    local v = chance(0.5)
    return v, tostring(v)
  end,
  str = function()
    local v = pick(WORDS)
    return v, ("%q"):format(v)
  end,
  DType = function()
    local name = pick(DTYPES)
    return torch[name], name
  end,
  Device = function()
    local name = pick { "cpu", "cpu", "meta", "cuda", "nonsense" }
    return name, name
  end,
  Generator = function() return torch.Generator(), "generator" end,
}
ITEMS.float = ITEMS.Scalar

local KINDS = {}
for kind in pairs(ITEMS) do KINDS[#KINDS + 1] = kind end
table.sort(KINDS)

local function random_list(item, count)
  local list, texts = {}, {}
  for i = 1, count do list[i], texts[i] = item() end
  return list, "{" .. table.concat(texts, ", ") .. "}"
end

--- A value for a parameter of the type that a schema writes as `text`.
local function random_value(text)
  if chance(0.03) then return random_list(ITEMS[pick(KINDS)], random(0, 3)) end
  if chance(0.03) then text = pick(KINDS) end
  local item = ITEMS[text:match "^%a+"] or ITEMS.Scalar
  if not text:find("[", 1, true) then return item() end
  local fixed = tonumber(text:match "%[(%d+)%]")
  return random_list(item, fixed and chance(0.8) and pick { 1, fixed } or random(0, 4))
end

-- ---- calls ----

local function lookup(path)
  local value = torch
  for name in path:gmatch "[^.]+" do value = value and value[name] end
  return value
end

-- What a script calls: overloads behind one name, in place, with out=.
local function targets()
  local list = {}
  for _, op in ipairs(torch.core.operators()) do
    local plain, in_place = lookup(op.name), op.in_place and lookup(op.name .. "_")
    if plain then list[#list + 1] = { name = op.name, call = plain, op = op } end
    if in_place then list[#list + 1] = { name = op.name .. "_", call = in_place, op = op } end
  end
  return list
end

--- Positional values for a random number of parameters, and a table of named ones behind them.
local function random_arguments(op)
  local values, texts, count, named = {}, {}, 0, nil
  for _, p in ipairs(op.parameters) do
    local optional = p.default ~= nil
    if named or p.named_only or (optional and chance(0.3)) then
      if chance(0.4) then
        named = named or {}
        local value, text = random_value(p.type)
        named[p.name] = value
        texts[#texts + 1] = p.name .. "=" .. text
      elseif not named then
        named = {}
      end
    else
      if optional and chance(0.5) then break end
      count = count + 1
      values[count], texts[#texts + 1] = random_value(p.type)
    end
  end
  if op.out and chance(0.05) then
    named = named or {}
    named.out = random_tensor()
    texts[#texts + 1] = "out=..."
  end
  if named then
    count = count + 1
    values[count] = named
  end
  return values, count, texts
end

local NOT_OURS = { "std::", "bad_alloc", "basic_string", "attempt to", "internal error", "assertion" }
local function is_accident(problem)
  if type(problem) ~= "string" then return true end
  for _, word in ipairs(NOT_OURS) do
    if problem:find(word, 1, true) then return true end
  end
  return false
end

--- What a script would do with a result: look at it and differentiate it.
local function use(result)
  tostring(result)
  if torch.is_tensor(result) and result.requires_grad then result:sum():abs():backward() end
end

local function run()
  local list, failed, succeeded = targets(), 0, 0
  torch.set_memory_limit(memory_limit + torch.memory_allocated())
  for _ = 1, calls do
    local target = pick(list)
    local values, count, texts = random_arguments(target.op)
    local text = ("%s(%s)"):format(target.name, table.concat(texts, ", "))
    if log then
      log:write(text, "\n")
      log:flush()
    end
    local good, result = pcall(target.call, unpack(values, 1, count))
    if good then
      succeeded = succeeded + 1
      good, result = pcall(use, result)
    end
    if not good and is_accident(result) then
      failed = failed + 1
      print("FAILED " .. text .. "\n  " .. tostring(result))
    end
  end
  torch.set_memory_limit(0)
  return succeeded, failed
end

local succeeded, failed = run()
print(("%d of %d calls gave a result, the others an error"):format(succeeded, calls))
print(("%d passed, %d failed"):format(calls - failed, failed))
os.exit(failed == 0 and 0 or 1)
