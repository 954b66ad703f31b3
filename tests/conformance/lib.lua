-- Conformance pack: shared library of the Lua runners.
-- Plain Lua 5.1 / LuaJIT. Needs nothing but the `torch` module handed to
-- lib.use(torch). See README.md for the case format and the API contract.

local lib = {}

local unpack = unpack or table.unpack
local floor, abs, huge = math.floor, math.abs, math.huge

------------------------------------------------------------------------
-- Case data: constructors that the data files use
------------------------------------------------------------------------

local TMT, DMT = {}, {}

-- T(dtype, shape, flat_data [, requires_grad])
local function T(dtype, shape, data, grad)
  return setmetatable({ dtype = dtype, shape = shape, data = data, grad = grad or false }, TMT)
end

-- D"float32": stands for the dtype object torch.float32
local function D(name) return setmetatable({ name = name }, DMT) end

-- NONE: Python's None (nil as a positional argument, dropped as a named one)
local NONE = setmetatable({}, { __tostring = function() return "NONE" end })

-- S(a, b, c): only inside an index list: the Lua index {a, b, c}; S() is {}.
-- A plain table does the same; S exists so that index lists read well.
local function S(...) return { ... } end

-- NEWAXIS: stands for torch.newaxis inside an index list
local NEWAXIS = setmetatable({}, { __tostring = function() return "NEWAXIS" end })

lib.T, lib.D, lib.NONE, lib.S, lib.NEWAXIS = T, D, NONE, S, NEWAXIS
function lib.is_T(v) return getmetatable(v) == TMT end
function lib.is_D(v) return getmetatable(v) == DMT end

-- Loads one data file. Returns its table, or nil and a reason.
function lib.load_file(path)
  local chunk, err = loadfile(path)
  if not chunk then return nil, "cannot load: " .. tostring(err) end
  local ok, res = pcall(chunk, T, D, NONE, S, NEWAXIS)
  if not ok then return nil, "error while loading: " .. tostring(res) end
  if type(res) ~= "table" or type(res.cases) ~= "table" then
    return nil, "the file does not return a table with cases"
  end
  return res
end

-- Turns directories (holding index.lua) and single .lua files into a list of
-- { path=, cases= (expected count, or nil) }. Raises an error on a bad index.
function lib.list_files(paths)
  local list = {}
  for _, p in ipairs(paths) do
    if p:match("%.lua$") then
      list[#list + 1] = { path = p }
    else
      local dir = p:gsub("/+$", "")
      local chunk, err = loadfile(dir .. "/index.lua")
      if not chunk then error("no readable index.lua in " .. dir .. ": " .. tostring(err), 0) end
      local index = chunk()
      for _, e in ipairs(index.files) do
        list[#list + 1] = { path = dir .. "/" .. e[1], cases = e[2], file = e[1] }
      end
    end
  end
  return list
end

------------------------------------------------------------------------
-- The torch module under test
------------------------------------------------------------------------

local torch

function lib.use(module)
  torch = module
  lib.torch = module
  return lib
end

-- lib.resolve("torch.nn.functional.conv2d") -> function, or nil and a reason
function lib.resolve(path)
  local v = { torch = torch }
  for part in path:gmatch("[^.]+") do
    local ok, nextv = pcall(function() return v[part] end)
    if not ok or nextv == nil then return nil, path .. " is missing" end
    v = nextv
  end
  return v
end

local function is_tensor(v)
  if v == nil then return false end
  local tv = type(v)
  if tv == "number" or tv == "string" or tv == "boolean" then return false end
  local ok, r = pcall(torch.is_tensor, v)
  return ok and r == true
end
lib.is_tensor = is_tensor

function lib.dtype(name)
  local d = torch[name]
  if d == nil then error("torch." .. name .. " is missing", 0) end
  return d
end

local function numel(shape)
  local n = 1
  for i = 1, #shape do n = n * shape[i] end
  return n
end
lib.numel = numel

local REAL_OF = { complex64 = "float32", complex128 = "float64" }
local IS_FLOAT = { float32 = true, float64 = true, float16 = true, bfloat16 = true }
lib.REAL_OF, lib.IS_FLOAT = REAL_OF, IS_FLOAT

local function append(shape, n)
  local s = {}
  for i = 1, #shape do s[i] = shape[i] end
  s[#s + 1] = n
  return s
end

-- A contiguous tensor from flat data.
local function dense(dtype, shape, data)
  local dt = lib.dtype(dtype)
  if numel(shape) == 0 then return torch.empty(shape, { dtype = dt }) end
  local real = REAL_OF[dtype]
  if real then
    local t = torch.tensor(data, { dtype = lib.dtype(real) }):reshape(append(shape, 2))
    return torch.view_as_complex(t)
  end
  if #shape == 0 then return torch.tensor(data[1], { dtype = dt }) end
  local t = torch.tensor(data, { dtype = dt })
  if #shape == 1 then return t end
  return t:reshape(shape)
end

-- A view with the same values that is not contiguous: the last two dims are
-- swapped in memory and every element is followed by a junk element.
local function strided(dtype, shape, data)
  local n, nd = numel(shape), #shape
  if n == 0 then return dense(dtype, shape, data) end
  local w = REAL_OF[dtype] and 2 or 1
  local junk = 1
  if dtype == "bool" then junk = true elseif IS_FLOAT[dtype] or w == 2 then junk = 0 / 0 end
  local mem, flat = append(shape, 2), {}
  local rows, cols = 1, n
  if nd >= 2 then
    rows, cols = shape[nd - 1], shape[nd]
    mem[nd - 1], mem[nd] = cols, rows
  end
  local k = 0
  for b = 0, n / (rows * cols) - 1 do
    for c = 0, cols - 1 do
      for r = 0, rows - 1 do
        local src = (b * rows * cols + r * cols + c) * w
        for q = 1, w do k = k + 1; flat[k] = data[src + q] end
        for _ = 1, w do
          k = k + 1
          if dtype == "bool" then flat[k] = not data[src + 1] else flat[k] = junk end
        end
      end
    end
  end
  local t = dense(dtype, mem, flat):select(-1, 1)
  if nd >= 2 then t = t:transpose(-2, -1) end
  return t
end

-- lib.tensor(T [, opts]): opts.noncontiguous, opts.grad (honour the grad mark),
-- opts.leaves (a list to which tensors marked as requiring grad are added)
function lib.tensor(t, opts)
  local x
  if opts and opts.noncontiguous then
    x = strided(t.dtype, t.shape, t.data)
  else
    x = dense(t.dtype, t.shape, t.data)
  end
  if opts and opts.grad and t.grad then
    x:requires_grad_(true)
    if opts.leaves then opts.leaves[#opts.leaves + 1] = x end
  end
  return x
end

-- Any value of a case (T, D, NONE, NEWAXIS, list, plain value) as facula sees it.
function lib.value(v, opts)
  local mt = getmetatable(v)
  if mt == TMT then return lib.tensor(v, opts) end
  if mt == DMT then return lib.dtype(v.name) end
  if v == NONE then return nil end
  if v == NEWAXIS then
    if torch.newaxis == nil then error("torch.newaxis is missing", 0) end
    return torch.newaxis
  end
  if type(v) == "table" then
    local r = {}
    for i = 1, v.n or #v do r[i] = lib.value(v[i], opts) end
    return r
  end
  return v
end

-- Positional list {n=..} and named table (or nil) of a case, built afresh.
-- Named arguments are built in sorted key order: leaves come in that order.
function lib.arguments(case, opts)
  local args = { n = case.args.n or #case.args }
  for i = 1, args.n do args[i] = lib.value(case.args[i], opts) end
  local kwargs
  if case.kwargs and next(case.kwargs) ~= nil then
    local keys = {}
    for k in pairs(case.kwargs) do keys[#keys + 1] = k end
    table.sort(keys)
    for _, k in ipairs(keys) do
      local v = lib.value(case.kwargs[k], opts)
      if v ~= nil then
        kwargs = kwargs or {}
        kwargs[k] = v
      end
    end
  end
  return args, kwargs
end

local function pack(...) return { n = select("#", ...), ... } end
lib.pack = pack

-- Calls fn(args..., kwargs). Returns true and the packed results, or false and
-- a message. Never raises.
function lib.call(fn, args, kwargs)
  local n = args.n
  local a = {}
  for i = 1, n do a[i] = args[i] end
  if kwargs then n = n + 1; a[n] = kwargs end
  local r = pack(pcall(fn, unpack(a, 1, n)))
  if not r[1] then return false, lib.message(r[2]) end
  local res = { n = r.n - 1 }
  for i = 2, r.n do res[i - 1] = r[i] end
  return true, res
end

function lib.message(e)
  local s = tostring(e):gsub("%s*\n.*", "")
  if #s > 200 then s = s:sub(1, 200) .. "..." end
  return s
end

-- Results as a flat list of tensors and plain values; lists (Lua arrays,
-- sizes) are opened. n counts the entries (values may be nil).
function lib.flatten(res)
  local out = { n = 0 }
  local function add(v)
    if not is_tensor(v) and (type(v) == "table" or type(v) == "userdata" or type(v) == "cdata")
      and not tostring(v):match("^torch%.%l+%d*$") then -- a dtype object is no list
      local ok, len = pcall(function() return #v end)
      if ok and type(len) == "number" then
        for i = 1, len do add(v[i]) end
        return
      end
    end
    out.n = out.n + 1
    out[out.n] = v
  end
  for i = 1, res.n or #res do add(res[i]) end
  return out
end

------------------------------------------------------------------------
-- Reading tensors back, comparing
------------------------------------------------------------------------

local function shape_of(x)
  local s, out = x.shape, {}
  for i = 1, #s do out[i] = tonumber(s[i]) end
  return out
end

local function show_shape(s)
  local p = {}
  for i = 1, #s do p[i] = tostring(s[i]) end
  return "{" .. table.concat(p, ",") .. "}"
end
lib.show_shape = show_shape

function lib.dtype_name(x) return (tostring(x.dtype):gsub("^torch%.", "")) end

-- An actual tensor as a T record (flat row-major data). Raises on nonsense.
function lib.read(x)
  local dtype, shape = lib.dtype_name(x), shape_of(x)
  local data, k = {}, 0
  if numel(shape) > 0 then
    local full, t = shape, x
    if REAL_OF[dtype] then
      if torch.resolve_conj then t = torch.resolve_conj(t) end
      t = torch.view_as_real(t)
      full = append(shape, 2)
    end
    local function walk(v, d)
      if d > #full then
        if type(v) == "table" then error("tolist() nests deeper than the shape", 0) end
        k = k + 1
        data[k] = v
        return
      end
      if type(v) ~= "table" or #v ~= full[d] then
        error("tolist() does not match the shape " .. show_shape(full), 0)
      end
      for i = 1, full[d] do walk(v[i], d + 1) end
    end
    walk(t:tolist(), 1)
  end
  return T(dtype, shape, data)
end

-- Default tolerances {rtol, atol}
lib.TOL = {
  float64 = { 1e-7, 1e-7 }, complex128 = { 1e-7, 1e-7 },
  float32 = { 1e-4, 1e-5 }, complex64 = { 1e-4, 1e-5 },
  float16 = { 1e-2, 1e-3 }, bfloat16 = { 2e-2, 1e-2 },
}
lib.GRAD_TOL = {
  float64 = { 1e-6, 1e-6 }, complex128 = { 1e-6, 1e-6 },
  float32 = { 1e-3, 1e-4 }, complex64 = { 1e-3, 1e-4 },
  float16 = { 2e-2, 2e-3 }, bfloat16 = { 5e-2, 2e-2 },
}

-- Is actual a close to expected e?
local function close(a, e, rtol, atol)
  if a == e then return true end
  if a ~= a or e ~= e then return a ~= a and e ~= e end
  if e == huge or e == -huge or a == huge or a == -huge then return false end
  return abs(a - e) <= atol + rtol * abs(e)
end
lib.close = close

local function finite(v) return v == v and v ~= huge and v ~= -huge end

local function number(v)
  if type(v) == "number" then return v end
  if type(v) == "boolean" or v == nil then return nil end
  return tonumber(v)
end

local function show(v)
  if type(v) == "number" then return string.format("%.9g", v) end
  return tostring(v)
end

-- Compares flat data of two T records of equal dtype and shape.
local function compare_data(a, e, tol)
  local dtype = e.dtype
  local n = #e.data
  if #a.data ~= n then return false, "wrong number of elements" end
  local bad, first = 0, nil
  local function fail(i, av, ev)
    bad = bad + 1
    if not first then first = string.format("element %d is %s, expected %s", i, av, ev) end
  end
  if REAL_OF[dtype] then
    local rtol, atol = tol[1], tol[2]
    for i = 1, n, 2 do
      local ar, ai, er, ei = number(a.data[i]), number(a.data[i + 1]), e.data[i], e.data[i + 1]
      local good
      if not ar or not ai then
        good = false
      elseif finite(er) and finite(ei) then
        local dr, di = ar - er, ai - ei
        good = math.sqrt(dr * dr + di * di) <= atol + rtol * math.sqrt(er * er + ei * ei)
      else -- a non-finite complex number: any non-finite one will do
        good = not (finite(ar) and finite(ai))
      end
      if not good then
        fail((i + 1) / 2, show(a.data[i]) .. "+" .. show(a.data[i + 1]) .. "i", show(er) .. "+" .. show(ei) .. "i")
      end
    end
  elseif IS_FLOAT[dtype] then
    local rtol, atol = tol[1], tol[2]
    for i = 1, n do
      local av = number(a.data[i])
      if not av or not close(av, e.data[i], rtol, atol) then fail(i, show(a.data[i]), show(e.data[i])) end
    end
  elseif dtype == "bool" then
    for i = 1, n do
      if a.data[i] ~= e.data[i] then fail(i, tostring(a.data[i]), tostring(e.data[i])) end
    end
  else
    for i = 1, n do
      local av, ev = a.data[i], e.data[i]
      if type(av) == "boolean" or av == nil or av ~= ev then fail(i, show(av), show(ev)) end
    end
  end
  if bad > 0 then
    local total = REAL_OF[dtype] and n / 2 or n
    return false, string.format("%d of %d elements differ: %s", bad, total, first)
  end
  return true
end

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do if a[i] ~= b[i] then return false end end
  return true
end

-- dtype and shape only
function lib.compare_kind(actual, e)
  if not is_tensor(actual) then return false, "expected a tensor, got " .. type(actual) end
  local dt = lib.dtype_name(actual)
  if dt ~= e.dtype then return false, "dtype is " .. dt .. ", expected " .. e.dtype end
  local s = shape_of(actual)
  if not same_shape(s, e.shape) then
    return false, "shape is " .. show_shape(s) .. ", expected " .. show_shape(e.shape)
  end
  return true
end

-- An actual tensor against an expected T record. tol = {rtol, atol}, a
-- function dtype -> {rtol, atol}, or nil (the default table).
function lib.compare_tensor(actual, e, tol)
  local ok, why = lib.compare_kind(actual, e)
  if not ok then return false, why end
  if type(tol) == "function" then tol = tol(e.dtype) end
  tol = tol or lib.TOL[e.dtype]
  local okr, a = pcall(lib.read, actual)
  if not okr then return false, "cannot read the result: " .. lib.message(a) end
  return compare_data(a, e, tol)
end

-- Any actual value against any expected one (T, D, NONE or plain).
function lib.compare_value(actual, e, tol)
  local mt = getmetatable(e)
  if mt == TMT then return lib.compare_tensor(actual, e, tol) end
  if mt == DMT then
    local s = tostring(actual)
    if s == "torch." .. e.name then return true end
    return false, "got " .. s .. ", expected torch." .. e.name
  end
  if e == NONE then
    if actual == nil then return true end
    return false, "expected nil, got " .. tostring(actual)
  end
  if is_tensor(actual) then return false, "expected a plain " .. type(e) .. ", got a tensor" end
  if type(e) == "number" then
    local av = number(actual)
    if not av then return false, "expected a number, got " .. type(actual) end
    local t = type(tol) == "function" and tol("float32") or tol or lib.TOL.float32
    local rtol, atol = t[1], t[2]
    if e == floor(e) and abs(e) < 2 ^ 53 then rtol, atol = 1e-9, 0 end
    if close(av, e, rtol, atol) then return true end
    return false, "value is " .. show(av) .. ", expected " .. show(e)
  end
  if actual == e then return true end
  return false, "value is " .. tostring(actual) .. ", expected " .. tostring(e)
end

-- Flat actual results {n=..} against the expected list.
function lib.compare_list(actual, expected, tol)
  local n = expected.n or #expected
  if actual.n ~= n then return false, string.format("%d results, expected %d", actual.n, n) end
  for i = 1, n do
    local ok, why = lib.compare_value(actual[i], expected[i], tol)
    if not ok then
      if n > 1 then why = "result " .. i .. ": " .. why end
      return false, why
    end
  end
  return true
end

------------------------------------------------------------------------
-- Comparators for results that are not unique (case.check names one)
-- check(actual, expected, case, tol): actual is the flat list of results
------------------------------------------------------------------------

local checks = {}
lib.checks = checks

local function kinds(actual, expected)
  if actual.n ~= #expected then
    return false, string.format("%d results, expected %d", actual.n, #expected)
  end
  for i = 1, #expected do
    local ok, why = lib.compare_kind(actual[i], expected[i])
    if not ok then return false, "result " .. i .. ": " .. why end
  end
  return true
end

-- only dtype and shape are defined (random or uninitialised results)
function checks.shape(actual, expected) return kinds(actual, expected) end

local function tol_of(tol, dtype)
  if type(tol) == "function" then return tol(dtype) end
  return tol or lib.TOL[dtype] or { 0, 0 }
end

-- position arithmetic for "along dim" comparators: shape -> outer, n, inner
local function split_dim(shape, dim)
  if #shape == 0 then return 1, 1, 1 end
  local outer, inner = 1, 1
  for i = 1, dim - 1 do outer = outer * shape[i] end
  for i = dim + 1, #shape do inner = inner * shape[i] end
  return outer, shape[dim], inner
end

local function less(a, b) -- NaN sorts last; false < true
  if type(a) == "boolean" then return (not a) and b end
  if a ~= a then return false end
  if b ~= b then return true end
  return a < b
end

-- Equal numbers of a dtype: case data is decimal text, a tensor holds the
-- rounded number.
local ULP = { float32 = 2e-7, float16 = 1e-3, bfloat16 = 8e-3, complex64 = 2e-7 }

local function equal(a, b, dtype)
  if a == b or (a ~= a and b ~= b) then return true end
  local ulp = ULP[dtype]
  return ulp ~= nil and type(a) == "number" and type(b) == "number" and close(a, b, ulp, 0)
end

-- results: values, indices. Values must be as expected (as sets along the
-- dim when case.unsorted); each index must point at its value in the input.
function checks.gather(actual, expected, case, tol)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local x, v, ind = case.args[1], lib.read(actual[1]), lib.read(actual[2])
  local outer, n, inner = split_dim(x.shape, case.dim or 1)
  local ev = expected[1]
  local k = numel(ev.shape) / math.max(outer * inner, 1)
  local av = v
  if case.unsorted then
    local function sorted(t)
      local out = {}
      for o = 0, outer - 1 do
        for i = 0, inner - 1 do
          local run = {}
          for j = 0, k - 1 do run[j + 1] = t.data[(o * k + j) * inner + i + 1] end
          table.sort(run, less)
          for j = 0, k - 1 do out[(o * k + j) * inner + i + 1] = run[j + 1] end
        end
      end
      return T(t.dtype, t.shape, out)
    end
    av, ev = sorted(v), sorted(ev)
  end
  ok, why = compare_data(av, ev, tol_of(tol, ev.dtype))
  if not ok then return false, "result 1: " .. why end
  for o = 0, outer - 1 do
    for i = 0, inner - 1 do
      local seen = {}
      for j = 0, k - 1 do
        local p = (o * k + j) * inner + i + 1
        local at = number(ind.data[p])
        if not at or at ~= floor(at) or at < 1 or at > n then
          return false, "result 2: index " .. tostring(ind.data[p]) .. " is outside 1.." .. n
        end
        if case.distinct and seen[at] then return false, "result 2: index " .. at .. " occurs twice" end
        seen[at] = true
        if not equal(x.data[(o * n + at - 1) * inner + i + 1], v.data[p], x.dtype) then
          return false, "result 2: index " .. at .. " does not point at its value"
        end
      end
    end
  end
  return true
end

-- result: indices that sort the input along the dim; ties in any order
function checks.argsort(actual, expected, case)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local x, a, e = case.args[1], lib.read(actual[1]), expected[1]
  local outer, n, inner = split_dim(x.shape, case.dim or 1)
  for o = 0, outer - 1 do
    for i = 0, inner - 1 do
      local seen = {}
      for j = 0, n - 1 do
        local p = (o * n + j) * inner + i + 1
        local at, et = number(a.data[p]), e.data[p]
        if not at or at ~= floor(at) or at < 1 or at > n or seen[at] then
          return false, "the indices are not a permutation of 1.." .. n
        end
        seen[at] = true
        if not equal(x.data[(o * n + at - 1) * inner + i + 1], x.data[(o * n + et - 1) * inner + i + 1]) then
          return false, "the indices do not sort the input"
        end
      end
    end
  end
  return true
end

-- torch.unique(sorted=false): values in any order [, inverse] [, counts]
function checks.unique(actual, expected, case)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local vals = lib.read(actual[1]).data
  local perm, used = {}, {}
  for j, v in ipairs(expected[1].data) do
    for i, w in ipairs(vals) do
      if not used[i] and equal(v, w, expected[1].dtype) then
        perm[j], used[i] = i, true
        break
      end
    end
    if not perm[j] then return false, "value " .. tostring(v) .. " is missing" end
  end
  local r = 1
  if case.inverse then
    r = r + 1
    local got = lib.read(actual[r]).data
    for p, j in ipairs(expected[r].data) do
      if got[p] ~= perm[j] then return false, "the inverse indices do not match the values" end
    end
  end
  if case.counts then
    r = r + 1
    local got = lib.read(actual[r]).data
    for j, c in ipairs(expected[r].data) do
      if got[perm[j]] ~= c then return false, "the counts do not match the values" end
    end
  end
  return true
end

-- Small dense complex linear algebra on batches, for the comparators below.
-- A matrix batch: { b=, m=, n=, re={}, im={} } (row-major)
local function matrices(t)
  local nd = #t.shape
  local m, n = t.shape[nd - 1], t.shape[nd]
  local total = numel(t.shape)
  local re, im = {}, {}
  if REAL_OF[t.dtype] then
    for i = 1, total do re[i], im[i] = t.data[2 * i - 1], t.data[2 * i] end
  else
    for i = 1, total do re[i], im[i] = t.data[i], 0 end
  end
  local b = 1
  for i = 1, nd - 2 do b = b * t.shape[i] end
  return { b = b, m = m, n = n, re = re, im = im }
end

local function product(x, y)
  local z = { b = x.b, m = x.m, n = y.n, re = {}, im = {} }
  for b = 0, x.b - 1 do
    for i = 0, x.m - 1 do
      for j = 0, y.n - 1 do
        local sr, si = 0, 0
        for k = 0, x.n - 1 do
          local p, q = (b * x.m + i) * x.n + k + 1, (b * y.m + k) * y.n + j + 1
          sr = sr + x.re[p] * y.re[q] - x.im[p] * y.im[q]
          si = si + x.re[p] * y.im[q] + x.im[p] * y.re[q]
        end
        local o = (b * x.m + i) * y.n + j + 1
        z.re[o], z.im[o] = sr, si
      end
    end
  end
  return z
end

local function adjoint(x)
  local z = { b = x.b, m = x.n, n = x.m, re = {}, im = {} }
  for b = 0, x.b - 1 do
    for i = 0, x.m - 1 do
      for j = 0, x.n - 1 do
        local p, o = (b * x.m + i) * x.n + j + 1, (b * x.n + j) * x.m + i + 1
        z.re[o], z.im[o] = x.re[p], -x.im[p]
      end
    end
  end
  return z
end

-- the first k columns, column j scaled by s (a T record of shape {..., k}) if given
local function columns(x, k, s)
  local z = { b = x.b, m = x.m, n = k, re = {}, im = {} }
  local cplx = s and REAL_OF[s.dtype]
  for b = 0, x.b - 1 do
    for i = 0, x.m - 1 do
      for j = 0, k - 1 do
        local p, o = (b * x.m + i) * x.n + j + 1, (b * x.m + i) * k + j + 1
        local sr, si = 1, 0
        if s then
          local q = b * k + j + 1
          if cplx then sr, si = s.data[2 * q - 1], s.data[2 * q] else sr = s.data[q] end
        end
        z.re[o], z.im[o] = x.re[p] * sr - x.im[p] * si, x.re[p] * si + x.im[p] * sr
      end
    end
  end
  return z
end

local LA_TOL = { float32 = 2e-4, complex64 = 2e-4, float64 = 1e-8, complex128 = 1e-8 }

local function near(x, y, dtype, what)
  local scale, eps = 1, LA_TOL[dtype] or 2e-4
  for i = 1, #y.re do scale = math.max(scale, abs(y.re[i]), abs(y.im[i])) end
  for i = 1, #y.re do
    if not (abs(x.re[i] - y.re[i]) <= eps * scale and abs(x.im[i] - y.im[i]) <= eps * scale) then
      return false, what
    end
  end
  return true
end

local function identity_like(x)
  local z = { b = x.b, m = x.m, n = x.n, re = {}, im = {} }
  for b = 0, x.b - 1 do
    for i = 0, x.m - 1 do
      for j = 0, x.n - 1 do
        local o = (b * x.m + i) * x.n + j + 1
        z.re[o], z.im[o] = i == j and 1 or 0, 0
      end
    end
  end
  return z
end

local function orthonormal(x, dtype, what)
  local g = product(adjoint(x), x)
  return near(g, identity_like(g), dtype, what .. " does not have orthonormal columns")
end

local function svd_check(vh)
  return function(actual, expected, case, tol)
    local ok, why = kinds(actual, expected)
    if not ok then return false, why end
    local u, s, v = lib.read(actual[1]), lib.read(actual[2]), lib.read(actual[3])
    ok, why = compare_data(s, expected[2], tol_of(tol, s.dtype))
    if not ok then return false, "singular values: " .. why end
    if numel(u.shape) == 0 or numel(v.shape) == 0 or #s.data == 0 then return true end
    local U, V, dt = matrices(u), matrices(v), u.dtype
    local Vc = vh and adjoint(V) or V
    ok, why = orthonormal(U, dt, "U")
    if not ok then return false, why end
    ok, why = orthonormal(Vc, dt, "V")
    if not ok then return false, why end
    local eU, eV = matrices(expected[1]), matrices(expected[3])
    local eVc = vh and adjoint(eV) or eV
    local k = s.shape[#s.shape]
    return near(product(columns(U, k, s), adjoint(columns(Vc, k))),
      product(columns(eU, k, expected[2]), adjoint(columns(eVc, k))), dt, "U diag(S) V^H is not the input")
  end
end
checks.svd_vh = svd_check(true)  -- results U, S, V^H
checks.svd_v = svd_check(false)  -- results U, S, V

-- results: eigenvalues (ascending), eigenvectors of a Hermitian matrix
function checks.eigh(actual, expected, case, tol)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local l, q = lib.read(actual[1]), lib.read(actual[2])
  ok, why = compare_data(l, expected[1], tol_of(tol, l.dtype))
  if not ok then return false, "eigenvalues: " .. why end
  if #q.data == 0 or #expected[2].data == 0 then return true end
  local Q, eQ, n = matrices(q), matrices(expected[2]), l.shape[#l.shape]
  ok, why = orthonormal(Q, q.dtype, "Q")
  if not ok then return false, why end
  return near(product(columns(Q, n, l), adjoint(Q)), product(columns(eQ, n, expected[1]), adjoint(eQ)),
    q.dtype, "Q diag(L) Q^H is not the input")
end

-- eigenvalues in any order, per batch (T records of shape {..., n}, complex)
local function same_spectrum(a, e)
  local n = e.shape[#e.shape] or 1
  if numel(e.shape) == 0 then return true end
  local eps = 10 * (LA_TOL[e.dtype] or 2e-4)
  for b = 0, numel(e.shape) / n - 1 do
    local used = {}
    for i = 1, n do
      local er, ei = e.data[2 * (b * n + i) - 1], e.data[2 * (b * n + i)]
      local best, at = huge, nil
      for j = 1, n do
        if not used[j] then
          local dr, di = a.data[2 * (b * n + j) - 1] - er, a.data[2 * (b * n + j)] - ei
          local d = math.sqrt(dr * dr + di * di)
          if d < best then best, at = d, j end
        end
      end
      if not at or best > eps * (1 + math.sqrt(er * er + ei * ei)) then
        return false, string.format("no eigenvalue near %.6g+%.6gi", er, ei)
      end
      used[at] = true
    end
  end
  return true
end

function checks.eigvals(actual, expected)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  return same_spectrum(lib.read(actual[1]), expected[1])
end

-- results: eigenvalues, eigenvectors of a general matrix (the first argument)
function checks.eig(actual, expected, case)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local l, v = lib.read(actual[1]), lib.read(actual[2])
  ok, why = same_spectrum(l, expected[1])
  if not ok then return false, why end
  if #v.data == 0 then return true end
  local V, A, n = matrices(v), matrices(case.args[1]), l.shape[#l.shape]
  local g = product(adjoint(V), V)
  for b = 0, V.b - 1 do
    for i = 0, n - 1 do
      if not (abs(g.re[(b * n + i) * n + i + 1] - 1) < 1e-3) then
        return false, "an eigenvector is not of length 1"
      end
    end
  end
  return near(product(A, V), columns(V, n, l), v.dtype, "A V is not V diag(L)")
end

-- results: Q, R (Q may be empty: then only R^H R is compared)
function checks.qr(actual, expected)
  local ok, why = kinds(actual, expected)
  if not ok then return false, why end
  local q, r = lib.read(actual[1]), lib.read(actual[2])
  if #r.data == 0 then return true end
  local R, eR = matrices(r), matrices(expected[2])
  for b = 0, R.b - 1 do
    for i = 0, R.m - 1 do
      for j = 0, math.min(i, R.n) - 1 do
        local o = (b * R.m + i) * R.n + j + 1
        if abs(R.re[o]) > 1e-4 or abs(R.im[o]) > 1e-4 then return false, "R is not upper triangular" end
      end
    end
  end
  if #q.data == 0 then
    return near(product(adjoint(R), R), product(adjoint(eR), eR), r.dtype, "R^H R is not A^H A")
  end
  local Q = matrices(q)
  ok, why = orthonormal(Q, q.dtype, "Q")
  if not ok then return false, why end
  return near(product(Q, R), product(matrices(expected[1]), eR), q.dtype, "Q R is not the input")
end

-- The results of a case: by case.check, or by value.
function lib.check(actual, expected, case, tol)
  if case.check then
    local f = checks[case.check]
    if not f then return false, "unknown check " .. tostring(case.check) end
    local ok, good, why = pcall(f, actual, expected, case, tol)
    if not ok then return false, "cannot check the result: " .. lib.message(good) end
    return good, why
  end
  return lib.compare_list(actual, expected, tol)
end

------------------------------------------------------------------------
-- Gradients
------------------------------------------------------------------------

local function all_zero(x)
  local ok, t = pcall(lib.read, x)
  if not ok then return false end
  for i = 1, #t.data do if t.data[i] ~= 0 then return false end end
  return true
end

-- Runs torch.autograd.backward on the flat results with case.gout (false: not
-- differentiated), then compares leaves[i].grad with case.grads[i] (false: no
-- gradient: nil or all zeros is expected).
function lib.check_backward(flat, leaves, case, tol)
  local outs, gouts = {}, {}
  if flat.n ~= #case.gout then
    return false, string.format("%d results, expected %d", flat.n, #case.gout)
  end
  for i = 1, flat.n do
    if case.gout[i] then
      if not is_tensor(flat[i]) then return false, "result " .. i .. " is not a tensor" end
      outs[#outs + 1] = flat[i]
      gouts[#gouts + 1] = lib.tensor(case.gout[i])
    end
  end
  local ok, err = pcall(function() torch.autograd.backward(outs, gouts) end)
  if not ok then return false, "error in backward: " .. lib.message(err) end
  if #leaves ~= #case.grads then
    return false, string.format("%d inputs require grad, expected %d", #leaves, #case.grads)
  end
  for i = 1, #leaves do
    local okg, g = pcall(function() return leaves[i].grad end)
    if not okg then return false, "x.grad: " .. lib.message(g) end
    local e = case.grads[i]
    if e == false then
      if g ~= nil and not all_zero(g) then return false, "input " .. i .. " has a gradient, expected none" end
    else
      if g == nil then return false, "input " .. i .. " has no gradient" end
      local good, why = lib.compare_tensor(g, e, tol)
      if not good then return false, "gradient " .. i .. ": " .. why end
    end
  end
  return true
end

------------------------------------------------------------------------
-- Reporting
------------------------------------------------------------------------

local Report = {}
Report.__index = Report

-- lib.report{ summary = bool, what = "ops" }
function lib.report(opts)
  opts = opts or {}
  return setmetatable({ summary = opts.summary, what = opts.what or "ops", groups = {}, order = {},
    modes = {}, mode_order = {}, skipped = 0 }, Report)
end

function Report:group(name)
  local g = self.groups[name]
  if not g then
    g = { name = name, passed = 0, failed = 0 }
    self.groups[name] = g
    self.order[#self.order + 1] = g
  end
  return g
end

-- One case: ok, and the reason of its (first) failure
function Report:case(name, ok, reason)
  local g = self:group(name)
  if ok then
    g.passed = g.passed + 1
  else
    g.failed = g.failed + 1
    g.reason = g.reason or reason or "no reason given"
  end
end

-- One case that was not run because its operator is missing
function Report:skip() self.skipped = self.skipped + 1 end

-- One mode of a case, for the table of modes
function Report:mode(mode, ok)
  local m = self.modes[mode]
  if not m then
    m = { 0, 0 }
    self.modes[mode] = m
    self.mode_order[#self.mode_order + 1] = mode
  end
  if ok then m[1] = m[1] + 1 else m[2] = m[2] + 1 end
end

-- Prints the line of a group if it failed
function Report:line(name)
  local g = self.groups[name]
  if g and g.failed > 0 and not self.summary then
    io.write(string.format("FAIL %s: %d of %d failed; first: %s\n", g.name, g.failed, g.passed + g.failed,
      g.reason))
    io.flush()
  end
end

-- Prints the totals; returns the exit status (0 only if something was run and
-- nothing failed).
function Report:finish()
  local passed, failed, full, total = 0, 0, 0, 0
  for _, g in ipairs(self.order) do
    passed, failed = passed + g.passed, failed + g.failed
    if g.passed + g.failed > 0 then
      total = total + 1
      if g.failed == 0 then full = full + 1 end
    end
  end
  for _, m in ipairs(self.mode_order) do
    print(string.format("mode %s: %d passed, %d failed", m, self.modes[m][1], self.modes[m][2]))
  end
  if passed + failed == 0 then print("no case was run: this is a failure") end
  print(string.format("%s: %d of %d fully pass", self.what, full, total))
  print(string.format("%d passed, %d failed", passed, failed)
    .. (self.skipped > 0 and string.format(", %d skipped", self.skipped) or ""))
  io.flush()
  if failed == 0 and passed > 0 then return 0 end
  return 1
end

-- Reads "--name value" and "--flag" options. spec: name -> true (takes a
-- value) or false (flag). Returns options, list of the other arguments.
function lib.options(argv, spec)
  local opts, rest = {}, {}
  local i = 1
  while i <= #argv do
    local a = argv[i]
    local name = a:match("^%-%-(.+)$")
    if name then
      local key, val = name:match("^(.-)=(.*)$")
      key = key or name
      if spec[key] == nil then error("unknown option --" .. key, 0) end
      if spec[key] then
        if not val then i = i + 1; val = argv[i] end
        if not val then error("option --" .. key .. " needs a value", 0) end
        opts[key] = val
      else
        opts[key] = true
      end
    else
      rest[#rest + 1] = a
    end
    i = i + 1
  end
  return opts, rest
end

return lib
