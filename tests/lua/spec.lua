--- The specs' own small framework.
--
--     describe("a queue", function()
--       it("gives back what came first", function() equal(queue:pop(), 1) end)
--     end)
--
--     cases("index_select", {
--       {"rows in any order", m, 1, {3, 1},  gives = {{5, 6}, {1, 2}}},
--       {"a position beyond", m, 1, {4},     fails = "position 4 is outside 1..3"},
--     })
--
-- A row of `cases` is a name, the operator's arguments, and what it gives (`several(a, b)` for several results) or
-- the text of its error. It is run as a function, a method, in place, with `out=`, on strided and on empty tensors,
-- and its gradients are checked, as far as the operator has these. `grad = false` leaves the gradients out (at a
-- kink), `within` widens the tolerance.

local torch = require "torch"

local spec = { passed = 0, failed = 0 }

local context = {}
local unpack = unpack

local function path_of(name)
  return table.concat(context, ": ") .. (#context > 0 and ": " or "") .. name
end

-- Turns an error into a text: what `refuse` raised as it is, others with those frames that are not the framework's.
local function explained(problem)
  if type(problem) == "table" and problem.text then return problem.text end
  local lines = { tostring(problem) }
  for line in debug.traceback("", 2):gmatch("\n(\t[^\n]+)") do
    local ours = line:find("/spec.lua:", 1, true) or line:find("/run.lua:", 1, true) or line:find("%[C%]")
    if not ours then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

local function try(name, body)
  local good, problem = xpcall(body, explained)
  if not good then
    spec.failed = spec.failed + 1
    print("FAILED " .. path_of(name) .. "\n  " .. problem:gsub("\n", "\n  "))
  end
  return good
end

--- Names what the tests inside are about.
function spec.describe(name, body)
  context[#context + 1] = name
  try("(outside of a test)", body)
  context[#context] = nil
end

--- A test: passes if `body` raises no error.
function spec.it(name, body)
  if try(name, body) then spec.passed = spec.passed + 1 end
end

-- Raises an error which is reported without a traceback but with the line of the test.
local function refuse(text, ...)
  local level = 2
  while debug.getinfo(level, "S") and debug.getinfo(level, "S").short_src:find("spec%.lua$")
    and not debug.getinfo(level, "S").short_src:find("_spec%.lua$") do
    level = level + 1
  end
  local frame = debug.getinfo(level, "Sl") or { short_src = "?", currentline = 0 }
  error({ text = ("%s:%d: "):format(frame.short_src, frame.currentline) .. text:format(...) }, 0)
end

-- Comparing ---------------------------------------------------------------------------------------------------

local Several = {}

--- Several expected results.
function spec.several(...)
  return setmetatable({ n = select("#", ...), ... }, Several)
end

local function show(x)
  if type(x) ~= "table" or getmetatable(x) then return tostring(x) end
  local parts = {}
  for i, v in ipairs(x) do parts[i] = show(v) end
  for k, v in pairs(x) do
    if type(k) ~= "number" then parts[#parts + 1] = tostring(k) .. "=" .. show(v) end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function sizes_of(x)
  local sizes = {}
  for d = 1, x:dim() do sizes[d] = x:size(d) end
  return sizes
end

local function same(a, b, tolerance)
  if type(a) == "cdata" or type(b) == "cdata" then return a == b end
  if type(a) == "number" and type(b) == "number" then
    return a == b or (a ~= a and b ~= b) or math.abs(a - b) <= tolerance * (1 + math.abs(b))
  end
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in pairs(b) do
    if not same(a[k], v, tolerance) then return false end
  end
  for k in pairs(a) do
    if b[k] == nil then return false end
  end
  return true
end

--- `actual` is `expected`, tables by their fields, numbers within a relative tolerance. A tensor equals a tensor of the
--- same dtype and sizes, or the (nested) table of its elements.
function spec.equal(actual, expected, tolerance)
  tolerance = tolerance or 1e-5
  local a, b = actual, expected
  if torch.is_tensor(expected) then
    if not torch.is_tensor(actual) then refuse("expected %s, got %s", show(expected), show(actual)) end
    if actual.dtype ~= expected.dtype then
      refuse("expected %s, got %s", tostring(expected.dtype), tostring(actual.dtype))
    end
    if not same(sizes_of(actual), sizes_of(expected), 0) then
      refuse("expected sizes %s, got %s", show(sizes_of(expected)), show(sizes_of(actual)))
    end
    b = expected:detach():tolist()
  end
  if torch.is_tensor(actual) then a = actual:detach():tolist() end
  if not same(a, b, tolerance) then refuse("expected %s, got %s", show(b), show(a)) end
end

--- Calling `fn` raises an error whose message contains `text` as it stands; returns the message.
function spec.fails(fn, text)
  local good, message = pcall(fn)
  if good then refuse("expected an error with '%s', none came", text) end
  if not tostring(message):find(text, 1, true) then
    refuse("expected an error with '%s', got '%s'", text, tostring(message))
  end
  return tostring(message)
end

-- Cases -------------------------------------------------------------------------------------------------------

local function pack(...) return { n = select("#", ...), ... } end

local function resolve(name)
  local value = torch
  for part in name:gmatch("[^.]+") do value = value[part] end
  return value or refuse("torch.%s is missing", name)
end

-- The arguments with every tensor, also in lists, replaced.
local function mapped(list, change)
  local copy = { n = list.n }
  for key, value in pairs(list) do
    if torch.is_tensor(value) then
      copy[key] = change(value)
    elseif type(value) == "table" and not getmetatable(value) then
      copy[key] = mapped(value, change)
    end
    if copy[key] == nil then copy[key] = value end
  end
  return copy
end

local function each_tensor(list, see)
  mapped(list, function(x)
    see(x)
    return x
  end)
end

local function call(fn, arguments)
  return pack(fn(unpack(arguments, 1, arguments.n)))
end

local function compare(results, expected, within)
  local list = getmetatable(expected) == Several and expected or { n = 1, expected }
  if results.n ~= list.n then refuse("expected %d results, got %d", list.n, results.n) end
  for i = 1, list.n do spec.equal(results[i], list[i], within) end
end

-- Equal elements in memory with gaps between them.
local function strided(x)
  if x:dim() == 0 then return x end
  local sizes = sizes_of(x)
  sizes[#sizes + 1] = 2
  local y = torch.empty(sizes, { dtype = x.dtype }):select(-1, 2)
  y:copy_(x)
  return y
end

local function with_named(arguments, name, value)
  local copy = mapped(arguments, function(x) return x end)
  local last = copy[copy.n]
  if type(last) == "table" and next(last) ~= nil and #last == 0 and not getmetatable(last) then
    local named = { [name] = value }
    for k, v in pairs(last) do named[k] = v end
    copy[copy.n] = named
  else
    copy.n = copy.n + 1
    copy[copy.n] = { [name] = value }
  end
  return copy
end

local function fresh_outputs(results)
  local outs = {}
  for i = 1, results.n do
    if not torch.is_tensor(results[i]) then return nil end
    outs[i] = torch.empty(0, { dtype = results[i].dtype })
  end
  return #outs > 1 and outs or outs[1]
end

-- Each mode: whether it applies, and the run. `c` has op, fn, arguments, row and, where it gives something, results.
local modes = {
  { "as a function", function() return true end, function(c)
    compare(c.results, c.row.gives, c.row.within)
  end },
  { "as a method", function(c)
    return torch.is_tensor(c.arguments[1]) and not c.op:find(".", 1, true) and c.arguments[1][c.op] ~= nil
      and not torch.core.operator("Tensor." .. c.op) -- a method of its own
  end, function(c)
    compare(call(c.arguments[1][c.op], c.arguments), c.row.gives, c.row.within)
  end },
  { "in place", function(c)
    local x, y = c.arguments[1], c.results[1]
    return torch.is_tensor(x) and c.results.n == 1 and torch.is_tensor(y) and not c.op:find(".", 1, true)
      and c.op:sub(-1) ~= "_" and x[c.op .. "_"] ~= nil and x.dtype == y.dtype and same(sizes_of(x), sizes_of(y), 0)
  end, function(c)
    local arguments = mapped(c.arguments, function(x) return x end)
    arguments[1] = arguments[1]:clone()
    local results = call(arguments[1][c.op .. "_"], arguments)
    assert(results[1] == arguments[1], "an in-place operator returns its first argument")
    compare(results, c.row.gives, c.row.within)
  end },
  { "with out=", function(c)
    local operator = torch.core.operator(c.op)
    local several = operator and operator.schema:find("-> (", 1, true) ~= nil
    return operator and operator.out and several == (c.results.n > 1) and fresh_outputs(c.results) ~= nil
  end, function(c)
    local out = fresh_outputs(c.results)
    call(c.fn, with_named(c.arguments, "out", out))
    compare(torch.is_tensor(out) and { n = 1, out } or { n = #out, unpack(out) }, c.row.gives, c.row.within)
  end },
  { "on strided tensors", function() return true end, function(c)
    compare(call(c.fn, mapped(c.arguments, strided)), c.row.gives, c.row.within)
  end },
  { "on empty tensors", function() return true end, function(c)
    local good, message = pcall(call, c.fn, mapped(c.arguments, function(x)
      return x:dim() > 0 and x:narrow(1, 1, 0) or x
    end))
    assert(good or not tostring(message):find("attempt to", 1, true), message)
  end },
  { "its gradients", function(c)
    local all, some = true, false
    each_tensor(c.arguments, function(x)
      if x.dtype == torch.float32 or x.dtype == torch.float64 then some = true end
    end)
    local probe = some and call(c.fn, mapped(c.arguments, function(x)
      return x:is_floating_point() and x:detach():clone():requires_grad_() or x
    end)) or {}
    for i = 1, probe.n or 0 do
      if torch.is_tensor(probe[i]) and probe[i]:is_floating_point() then all = all and probe[i].requires_grad end
    end
    return some and all and c.row.grad ~= false and torch.is_tensor(probe[1]) and probe[1].requires_grad
  end, function(c)
    local inputs = {}
    local arguments = mapped(c.arguments, function(x)
      if not x:is_floating_point() then return x end
      local y = x:to(torch.float64):detach():clone():requires_grad_()
      inputs[#inputs + 1] = y
      return y
    end)
    local function fn() return unpack(call(c.fn, arguments)) end
    torch.autograd.gradcheck(fn, inputs)
    torch.autograd.gradgradcheck(fn, inputs)
  end },
}

--- Rows of data for one operator; see the head of this file.
---@param op string  `add`, `nn.functional.conv2d`
---@param rows table[]
function spec.cases(op, rows)
  spec.describe(op, function()
    for _, row in ipairs(rows) do
      local n = 0
      for key in pairs(row) do
        if type(key) == "number" then n = math.max(n, key) end
      end
      local c = { op = op, row = row, arguments = { n = n - 1, unpack(row, 2, n) } }
      c.fn = resolve(op)
      if row.fails then
        spec.it(row[1], function() spec.fails(function() call(c.fn, c.arguments) end, row.fails) end)
      else
        spec.it(row[1] .. ", which runs", function() c.results = call(c.fn, c.arguments) end)
        for _, mode in ipairs(c.results and modes or {}) do
          local name, applies, run = unpack(mode)
          spec.it(row[1] .. ", " .. name, function()
            if applies(c) then run(c) end
          end)
        end
      end
    end
  end)
end

return spec
