-- Runs the cases of operators: the modes, and what each requires. See README.md.

local lib = require "lib"

local cases = {}

cases.MODES = { "forward", "method", "alias", "inplace", "out", "noncontiguous", "backward", "meta", "error" }

local torch

function cases.use(module)
  torch = module
  lib.use(module)
end

------------------------------------------------------------------------
-- Tolerances: per-op overrides, {rtol, atol} by dtype
------------------------------------------------------------------------

local LOOSE = { float32 = { 1e-3, 1e-4 }, complex64 = { 1e-3, 1e-4 } }
local LOOSE_GRAD = { float32 = { 5e-3, 5e-4 }, complex64 = { 5e-3, 5e-4 } }
local LOW64 = { float64 = { 1e-5, 1e-6 } }
local OVERRIDE = {
  -- special functions that are commonly evaluated by fitted approximations
  ["special.airy_ai"] = LOW64, ["special.bessel_j0"] = LOW64, ["special.bessel_j1"] = LOW64,
  ["special.bessel_y0"] = LOW64, ["special.bessel_y1"] = LOW64,
  ["special.modified_bessel_i0"] = LOW64, ["special.modified_bessel_i1"] = LOW64,
  ["special.modified_bessel_k0"] = LOW64, ["special.modified_bessel_k1"] = LOW64,
  ["special.scaled_modified_bessel_k0"] = LOW64, ["special.scaled_modified_bessel_k1"] = LOW64,
  ["special.spherical_bessel_j0"] = LOW64,
  ["igamma"] = LOOSE, ["igammac"] = LOOSE, ["polygamma"] = LOOSE, ["special.polygamma"] = LOOSE,
  ["special.zeta"] = LOOSE, ["digamma"] = LOOSE, ["lgamma"] = LOOSE, ["mvlgamma"] = LOOSE,
}
local LINALG = { cholesky = true, cholesky_inverse = true, cholesky_solve = true, inverse = true, pinverse = true,
  lu = true, lu_solve = true, lu_unpack = true, svd = true, qr = true, symeig = true, triangular_solve = true,
  matrix_exp = true, logdet = true, geqrf = true, ormqr = true, lstsq = true }

local function tolerance(op, case, grad)
  local factor = (grad and case.gtolx or case.tolx) or 1
  local over = OVERRIDE[op]
  if op:match("^linalg%.") or LINALG[op] then over = grad and LOOSE_GRAD or LOOSE end
  if grad and over == LOOSE then over = LOOSE_GRAD end
  return function(dtype)
    local t = (over and over[dtype]) or (grad and lib.GRAD_TOL or lib.TOL)[dtype] or { 0, 0 }
    return { t[1] * factor, t[2] * factor }
  end
end

------------------------------------------------------------------------
-- Ways of calling
------------------------------------------------------------------------

local OPERATORS = {
  add = function(a, b) return a + b end,
  sub = function(a, b) return a - b end,
  mul = function(a, b) return a * b end,
  div = function(a, b) return a / b end,
  mod = function(a, b) return a % b end,
  pow = function(a, b) return a ^ b end,
  unm = function(a) return -a end,
}

local function method(name)
  return function(self, ...)
    local f = self[name]
    if f == nil then error("Tensor:" .. name .. " is missing", 0) end
    return f(self, ...)
  end
end

-- The function that a file's `call` names, or nil and a reason.
function cases.callee(call)
  local kind, name = call:match("^(%a+[:.])(.*)$")
  if call == "x[]" then return function(x, index) return x[index] end end
  if call == "x[]=" then
    return function(x, index, value)
      x[index] = value
      return x
    end
  end
  if kind == "op." then return OPERATORS[name], "unknown operator " .. name end
  if kind == "x:" or kind == "x." then
    -- is there such a method or property at all?
    local okp, probe = pcall(function() return torch.tensor({ { 1, 2 }, { 3, 4 } }, { dtype = torch.float32 }) end)
    if okp then
      local okm, m = pcall(function() return probe[name] end)
      if not okm or m == nil then return nil, "Tensor" .. kind:sub(2) .. name .. " is missing" end
    end
    if kind == "x:" then return method(name) end
    return function(x)
      local v = x[name]
      if v == nil then error("Tensor." .. name .. " is missing", 0) end
      return v
    end
  end
  return lib.resolve(call)
end

local arguments = lib.arguments

-- Each mode: function(file, case, fn) -> true, or false and a reason;
-- nil when the mode does not apply to this case.
local run = {}

local function outcome(file, case, good, res, grad)
  if not good then return false, "error: " .. res end
  if case.nret and res.n ~= case.nret then
    return false, string.format("%d values returned, expected %d", res.n, case.nret)
  end
  return lib.check(lib.flatten(res), case.out, case, tolerance(file.base or file.name, case))
end

function run.forward(file, case, fn)
  local args, kwargs = arguments(case)
  return outcome(file, case, lib.call(fn, args, kwargs))
end

local function has_via(case, what)
  return case.via and ("," .. case.via .. ","):find("," .. what .. ",", 1, true) ~= nil
end

function run.method(file, case)
  if not has_via(case, "method") then return nil end
  local args, kwargs = arguments(case)
  return outcome(file, case, lib.call(method(file.method), args, kwargs))
end

function run.alias(file, case)
  if not file.aliases or not case.first then return nil end
  for _, name in ipairs(file.aliases) do
    local fn, why = lib.resolve(name)
    if not fn then return false, why end
    local args, kwargs = arguments(case)
    local good, reason = outcome(file, case, lib.call(fn, args, kwargs))
    if not good then return false, name .. ": " .. reason end
  end
  return true
end

function run.inplace(file, case)
  if not has_via(case, "inplace") then return nil end
  local args, kwargs = arguments(case)
  local x = args[1]
  local good, res = lib.call(method(file.inplace), args, kwargs)
  if not good then return false, "error: " .. res end
  if res.n ~= 1 or not lib.is_tensor(res[1]) then return false, "does not return self" end
  local want = case.inplace_out and { case.inplace_out } or case.out
  local shadow = case
  if case.inplace_out and case.check then shadow = setmetatable({ check = false }, { __index = case }) end
  local tol = tolerance(file.base or file.name, case)
  local why
  good, why = lib.check({ n = 1, x }, want, shadow, tol)
  if not good then return false, "self after the call: " .. why end
  if not rawequal(res[1], x) then
    if case.check ~= "shape" then
      good, why = lib.check({ n = 1, res[1] }, want, shadow, tol)
      if not good then return false, "returned tensor: " .. why end
    end
    local okp, same = pcall(function() return res[1]:data_ptr() == x:data_ptr() end)
    if okp and not same and lib.numel(want[1].shape) > 0 then return false, "does not return self" end
  end
  return true
end

function run.out(file, case, fn)
  if not has_via(case, "out") then return nil end
  local args, kwargs = arguments(case)
  local e = case.out[1]
  local o = torch.empty(e.shape, { dtype = lib.dtype(e.dtype) })
  kwargs = kwargs or {}
  kwargs.out = o
  local good, res = lib.call(fn, args, kwargs)
  if not good then return false, "error: " .. res end
  local why
  good, why = lib.check({ n = 1, o }, case.out, case, tolerance(file.base or file.name, case))
  if not good then return false, "out after the call: " .. why end
  if case.check ~= "shape" then return outcome(file, case, true, res) end
  return true
end

function run.noncontiguous(file, case, fn)
  if not has_via(case, "noncontiguous") then return nil end
  local okb, args, kwargs = pcall(arguments, case, { noncontiguous = true })
  if not okb then return false, "cannot build a view: " .. lib.message(args) end
  return outcome(file, case, lib.call(fn, args, kwargs))
end

function run.backward(file, case, fn)
  if not case.grads then return nil end
  local leaves = {}
  local args, kwargs = arguments(case, { grad = true, leaves = leaves })
  local good, res = lib.call(fn, args, kwargs)
  if not good then return false, "error in forward: " .. res end
  return lib.check_backward(lib.flatten(res), leaves, case, tolerance(file.base or file.name, case, true))
end

-- What reads elements, be it for the sizes of its result, cannot run on meta and has to say so.
local READS_ELEMENTS = {}
for name in ([[allclose argwhere bincount equal index index_put indexing item masked_select narrow nonzero
  nn.functional.ctc_loss nn.functional.one_hot repeat_interleave tensor_split to unique unique_consecutive
  where]]):gmatch("%S+") do
  READS_ELEMENTS[name] = true
end

local function on_meta(v)
  if lib.is_tensor(v) then return v:to("meta"), true end
  if type(v) ~= "table" or getmetatable(v) then return v, false end
  local copy, any = {}, false
  for k, item in pairs(v) do
    local moved, found = on_meta(item)
    copy[k], any = moved, any or found
  end
  return copy, any
end

-- The same sizes and dtypes from tensors without elements.
function run.meta(file, case, fn)
  local args, kwargs = arguments(case)
  local moved, found = on_meta(args)
  if not found then return nil end
  local good, res = lib.call(fn, moved, kwargs and on_meta(kwargs))
  if not good then
    if READS_ELEMENTS[file.base] and res:find("meta", 1, true) then return true end
    return false, "error: " .. res
  end
  local flat = lib.flatten(res)
  for i, want in ipairs(case.out) do
    local got = flat[i]
    if lib.is_tensor(got) and type(want) == "table" and want.shape then
      local shape = table.concat(got.shape, ",")
      if got.dtype ~= lib.dtype(want.dtype) or shape ~= table.concat(want.shape, ",") then
        return false, ("result %d is %s (%s), expected %s (%s)"):format(i, tostring(got.dtype), shape, want.dtype,
          table.concat(want.shape, ","))
      end
    end
  end
  return true
end

run["error"] = function(file, case, fn)
  local okb, args, kwargs = pcall(arguments, case)
  if not okb then return false, "cannot build the arguments: " .. lib.message(args) end
  local good, message = lib.call(fn, args, kwargs)
  if good then return false, "no error (" .. tostring(case.about) .. ")" end
  -- an accident inside the library is not a clean error
  if message:match("attempt to %a+ .*a nil value") then return false, "not a clean error: " .. message end
  return true
end

------------------------------------------------------------------------
-- One case, one file
------------------------------------------------------------------------

-- Runs one mode, never raises.
local function attempt(mode, file, case, fn)
  local good, res, why = pcall(run[mode], file, case, fn)
  if not good then return false, lib.message(res) end
  return res, why
end

local function run_case(report, wanted, file, name, number, case, fn, missing)
  local modes = {}
  if case.error then
    modes = { "error" }
  else
    for _, m in ipairs(cases.MODES) do if m ~= "error" then modes[#modes + 1] = m end end
  end
  local applied, failed, reason = false, false, nil
  for _, m in ipairs(modes) do
    if wanted[m] then
      local good, why
      if missing then
        if m == "forward" or m == "error" or (m == "backward" and case.grads) or has_via(case, m) then
          good, why = false, missing
        end
      else
        good, why = attempt(m, file, case, fn)
      end
      if good ~= nil then
        applied = true
        report:mode(m, good)
        if not good and not failed then
          failed = true
          reason = string.format("case %d (%s) %s: %s", number, tostring(case.dtype), m, tostring(why))
          if missing then reason = missing end
        end
      end
    end
  end
  if applied then report:case(name, not failed, reason) end
end

-- The name under which a file is reported: the operator's, and its variant's.
function cases.name(file)
  if file.variant and file.variant ~= "" then return file.name .. "|" .. file.variant end
  return file.name
end

-- Runs the wanted modes of all cases of a file of `expected` cases (nil: any number). A case whose operator is missing
-- fails, or is skipped if skip_missing.
function cases.run_file(report, wanted, file, expected, skip_missing)
  local name = cases.name(file)
  if expected and expected ~= #file.cases then
    report:case(name, false, string.format("the file has %d cases, the index says %d", #file.cases, expected))
  end
  local default_fn, default_missing
  if file.call then default_fn, default_missing = cases.callee(file.call) end
  local first = true
  for i, make in ipairs(file.cases) do
    local okc, case = pcall(make)
    if not okc then
      report:case(name, false, "case " .. i .. " cannot be read: " .. lib.message(case))
    else
      if first and not case.error then case.first, first = true, false end
      local fn, missing = default_fn, default_missing
      if case.call then fn, missing = cases.callee(case.call) end
      if fn then missing = nil else missing = missing or "no call" end
      if missing and skip_missing then
        report:skip()
      else
        run_case(report, wanted, file, name, i, case, fn, missing)
      end
    end
  end
  report:line(name)
end

return cases
