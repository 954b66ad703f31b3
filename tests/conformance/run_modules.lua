-- Conformance pack: runner for nn modules, optimizers, schedulers,
-- initialisers and autograd semantics. See README-modules.md.
--
--   facula run_modules.lua [--kind modules,optim,schedulers,init,autograd]
--                          [--name PATTERN] [--summary] [--verbose] DIR...
--
-- DIR holds one folder per kind, or is itself such a folder (with index.lua),
-- or is a single data file. The last line is "N passed, N failed"; the exit
-- status is 0 only if every case passed and at least one was run.

local here = (arg and arg[0] or ""):match("^(.*)/[^/]*$") or "."
local lib = dofile(here .. "/lib.lua")
local KINDS = { "modules", "optim", "schedulers", "init", "autograd" }
local USAGE = "usage: run_modules.lua [--kind a,b] [--name PATTERN] [--summary] [--verbose] DIR..."

local okopt, opts, dirs = pcall(lib.options, arg, { kind = true, name = true, summary = false, verbose = false })
if not okopt then io.stderr:write(tostring(opts), "\n", USAGE, "\n"); os.exit(2) end
if #dirs == 0 then io.stderr:write(USAGE, "\n"); os.exit(2) end

local wanted
if opts.kind then
  wanted = {}
  for k in opts.kind:gmatch("[^,]+") do
    local known = false
    for _, v in ipairs(KINDS) do known = known or v == k end
    if not known then io.stderr:write("unknown kind " .. k .. "\n", USAGE, "\n"); os.exit(2) end
    wanted[k] = true
  end
end

local loaded, torch = pcall(require, "torch")
local torch_error = not loaded and 'require "torch" fails: ' .. lib.message(torch) or nil
if loaded then lib.use(torch) end

local is_T, NONE = lib.is_T, lib.NONE
local DIFF = { float32 = true, float64 = true, complex64 = true, complex128 = true }

-- a reason that a case fails for, raised with error(); its text goes as it is
local function fail(fmt, ...) error({ reason = select("#", ...) > 0 and fmt:format(...) or fmt }, 0) end

local function check(ok, why, what)
  if not ok then fail("%s", what and what .. ": " .. why or why) end
end

-- pcall that tells a plain reason
local function try(fn, ...)
  local r = lib.pack(pcall(fn, ...))
  if r[1] then return true, unpack(r, 2, r.n) end
  local e = r[2]
  if type(e) == "table" and e.reason then return false, e.reason end
  return false, lib.message(e)
end

local function resolve(path)
  local v, why = lib.resolve(path)
  if v == nil then fail("%s", why) end
  return v
end

-- fn(args..., kwargs)
local function apply(fn, args, kwargs)
  local a, n = {}, args and (args.n or #args) or 0
  for i = 1, n do a[i] = args[i] end
  if kwargs and next(kwargs) ~= nil then n = n + 1; a[n] = kwargs end
  return fn(unpack(a, 1, n))
end

local build

-- a value of the data as facula sees it
local function val(v)
  if type(v) ~= "table" then return v end
  if is_T(v) then return lib.tensor(v) end
  if lib.is_D(v) then return lib.dtype(v.name) end
  if v == NONE then return nil end
  if v.__module then return build(v.__module, v.args, v.kwargs) end
  local r = {}
  if v.n or #v > 0 then
    for i = 1, v.n or #v do r[i] = val(v[i]) end
    r.n = nil
  else
    for k, x in pairs(v) do r[k] = val(x) end
  end
  return r
end

local function vals(list)
  local r = { n = list and (list.n or #list) or 0 }
  for i = 1, r.n do r[i] = val(list[i]) end
  return r
end

function build(name, args, kwargs)
  return apply(resolve("torch." .. name), vals(args), kwargs and val(kwargs))
end

-- expected results as a flat list
local function flat(v, out)
  out = out or { n = 0 }
  for i = 1, v.n or #v do
    local x = v[i]
    if type(x) == "table" and not is_T(x) and not lib.is_D(x) and x ~= NONE then
      flat(x, out)
    else
      out.n = out.n + 1
      out[out.n] = x
    end
  end
  return out
end

-- the tolerance of a case
local GRAD_TOL = {
  float32 = { 3e-4, 3e-5 }, complex64 = { 3e-4, 3e-5 },
  float64 = { 1e-7, 1e-8 }, complex128 = { 1e-7, 1e-8 },
}

local function tol_of(case, grads)
  if case.tol then return { case.tol[1], case.tol[2] } end
  return function(dtype) return (grads and GRAD_TOL or lib.TOL)[dtype] or { 0, 0 } end
end

local function zero(x)
  for _, v in ipairs(lib.read(x).data) do if v ~= 0 then return false end end
  return true
end

local function check_what(what, ok, why)
  if not ok then fail("%s: %s", what, why) end
end

-- expected is false where PyTorch gives no gradient: nil or zeros will do
local function check_grad(actual, expected, tol, what)
  if expected then
    if actual == nil then fail("%s: there is none", what) end
    check_what(what, lib.compare_tensor(actual, expected, tol))
  elseif actual ~= nil and not zero(actual) then
    fail("%s: there is one where none is expected", what)
  end
end

------------------------------------------------------------------------
-- modules
------------------------------------------------------------------------

local function load_state(m, state)
  local s = {}
  for k, v in pairs(state) do s[k] = lib.tensor(v) end
  m:load_state_dict(s)
end

-- inputs as tensors; leaves[i] is the tensor at place i of the flat list
local function make_inputs(case)
  local leaves, place = {}, 0
  local function walk(v, nograd)
    if type(v) == "table" and not is_T(v) and v ~= NONE then
      local r = {}
      for i = 1, v.n or #v do r[i] = walk(v[i], nograd) end
      return r
    end
    place = place + 1
    if not is_T(v) then return val(v) end
    local x = lib.tensor(v)
    if DIFF[v.dtype] and not nograd then
      x:requires_grad_(true)
      leaves[place] = x
    end
    return x
  end
  local ins = { n = case.inputs.n }
  for i = 1, ins.n do
    local nograd = case.nograd
    for _, k in ipairs(case.nograd_at or {}) do if k == i then nograd = true end end
    ins[i] = walk(case.inputs[i], nograd)
  end
  return ins, leaves, place
end

local function module_forward(case)
  local m = build(case.module, case.args, case.kwargs)
  if case.lazy then apply(m, vals(case.inputs)) end
  if case.state then load_state(m, case.state) end
  if case.training then m:train() else m:eval() end
  local ins, leaves, places = make_inputs(case)
  local fed = ins
  if case.inplace then
    fed = { n = ins.n }
    for i = 1, ins.n do fed[i] = ins[i] end
    for i = 1, ins.n do
      if is_T(case.inputs[i]) and DIFF[case.inputs[i].dtype] then fed[i] = ins[i]:clone() end
    end
  end
  local kw = case.fkw and val(case.fkw)
  local res
  if case.method then
    local f = m[case.method]
    if f == nil then fail("%s:%s is missing", case.module, case.method) end
    local a = { n = fed.n + 1, m }
    for i = 1, fed.n do a[i + 1] = fed[i] end
    res = lib.pack(apply(f, a, kw))
  else
    res = lib.pack(apply(m, fed, kw))
  end
  local out, expected = lib.flatten(res), flat(case.out)
  while out.n < expected.n and expected[expected.n] == NONE do expected.n = expected.n - 1 end
  check(lib.compare_list(out, expected, tol_of(case)))
  if case.inplace then
    check_what("the input of an in-place module", lib.compare_tensor(fed[1], expected[1], tol_of(case)))
  end
  if case.state_after then
    local sd = m:state_dict()
    for k, v in pairs(case.state_after) do
      check_what("state " .. k .. " after the forward pass", lib.compare_tensor(sd[k], v, tol_of(case)))
    end
  end
  if case.gout then
    local outs, gouts = {}, {}
    for i = 1, #case.gout do
      if case.gout[i] then
        outs[#outs + 1] = out[i]
        gouts[#gouts + 1] = lib.tensor(case.gout[i])
      end
    end
    local ok, err = try(function()
      if #outs == 1 then outs[1]:backward(gouts[1]) else torch.autograd.backward(outs, gouts) end
    end)
    check(ok, tostring(err), "backward")
    for i = 1, places do
      if leaves[i] then
        check_grad(leaves[i].grad, case.grad_inputs[i], tol_of(case, true), "gradient of input " .. i)
      end
    end
    if case.grad_params then
      local seen = {}
      for name, p in m:named_parameters() do
        seen[name] = true
        check_grad(p.grad, case.grad_params[name], tol_of(case, true), "gradient of " .. name)
      end
      for name in pairs(case.grad_params) do
        if not seen[name] then fail("there is no parameter %s", name) end
      end
    end
  end
end

local function module_repr(case)
  local s = tostring(build(case.module, case.args, case.kwargs))
  if s ~= case.repr then fail("repr is %q, expected %q", s, case.repr) end
end

local function module_names(case)
  local m = build(case.module, case.args, case.kwargs)
  if case.lazy then apply(m, vals(case.inputs)) end
  local s, p = {}, {}
  for k in m:state_dict():items() do s[#s + 1] = tostring(k) end
  for k in m:named_parameters() do p[#p + 1] = tostring(k) end
  local got, exp = table.concat(s, " "), table.concat(case.state_names, " ")
  if got ~= exp then fail("the state_dict has the names (%s), expected (%s)", got, exp) end
  got, exp = table.concat(p, " "), table.concat(case.param_names, " ")
  if got ~= exp then fail("the parameters are named (%s), expected (%s)", got, exp) end
  local n = #m:parameters()
  if n ~= #case.param_names then fail("parameters() has %d entries, expected %d", n, #case.param_names) end
end

------------------------------------------------------------------------
-- optim
------------------------------------------------------------------------

local OPT_TOL = { float32 = { 2e-5, 2e-6 }, float64 = { 1e-8, 1e-10 } }

local function optim_params(list)
  local ps = {}
  for i = 1, #list do ps[i] = lib.tensor(list[i]):requires_grad_(true) end
  return ps
end

local function optim_make(case, ps)
  local arg = ps
  if case.groups then
    arg = {}
    for g, group in ipairs(case.groups) do
      local t = { params = {} }
      for k, v in pairs(group) do
        if k == "idx" then
          for i, j in ipairs(v) do t.params[i] = ps[j] end
        else
          t[k] = val(v)
        end
      end
      arg[g] = t
    end
  end
  return apply(resolve("torch.optim." .. case.optim), { n = 1, arg }, val(case.kwargs))
end

local function optim_steps(case, o, ps, from, to)
  for s = from, to do
    o:zero_grad({ set_to_none = true })
    for i, p in ipairs(ps) do
      local g = case.grads[s][i]
      if g then (p * lib.tensor(g)):sum():backward() end
    end
    if case.setlr and case.setlr[s] then
      for g = 1, case.groups and #case.groups or 1 do o.param_groups[g].lr = case.setlr[s] end
    end
    o:step()
    for i, p in ipairs(ps) do
      check_what(("parameter %d after step %d"):format(i, s),
        lib.compare_tensor(p:detach(), case.expect[s][i], function(d) return OPT_TOL[d] end))
    end
  end
end

local function optim_run(case)
  local ps = optim_params(case.params)
  optim_steps(case, optim_make(case, ps), ps, 1, #case.grads)
end

local function optim_roundtrip(case)
  local ps = optim_params(case.params)
  local o = optim_make(case, ps)
  optim_steps(case, o, ps, 1, 3)
  local sd = o:state_dict()
  local ps2 = {}
  for i, p in ipairs(ps) do ps2[i] = p:detach():clone():requires_grad_(true) end
  local o2 = optim_make(case, ps2)
  o2:load_state_dict(sd)
  optim_steps(case, o2, ps2, 4, #case.grads)
end

------------------------------------------------------------------------
-- schedulers
------------------------------------------------------------------------

local function near(a, e)
  a = tonumber(a)
  return a and math.abs(a - e) <= 1e-7 * math.abs(e) + 1e-10
end

local function sched_make(opt, s)
  local function value(v)
    if type(v) == "table" and v.sched then return sched_make(opt, v) end
    if type(v) == "table" then
      local r = {}
      for k, x in pairs(v) do r[k] = value(x) end
      return r
    end
    return v
  end
  local f = resolve("torch.optim.lr_scheduler." .. s.sched)
  local args = { n = 0 }
  if s.sched ~= "ChainedScheduler" then args = { n = 1, opt } end
  for _, a in ipairs(s.args or {}) do args.n = args.n + 1; args[args.n] = value(a) end
  return apply(f, args, s.kwargs and value(s.kwargs))
end

local function sched_run(case)
  local groups = {}
  for i, lr in ipairs(case.lrs) do
    groups[i] = { params = { torch.zeros({ 1 }):requires_grad_(true) }, lr = lr }
  end
  local kw = { lr = 0.1 }
  for k, v in pairs(case.optim_kwargs or {}) do kw[k] = val(v) end
  local o = apply(resolve("torch.optim." .. case.optim), { n = 1, groups }, kw)
  local s = sched_make(o, case.sched)
  local function look(e, lrs, mom)
    for g = 1, #groups do
      local lr = o.param_groups[g].lr
      if not near(lr, lrs[g]) then
        fail("lr of group %d after %d steps is %s, expected %.10g", g, e, tostring(lr), lrs[g])
      end
      if mom then
        local m = o.param_groups[g][case.momentum_key]
        if type(m) ~= "number" and m ~= nil and case.momentum_key == "betas" then m = m[1] end
        if not near(m, mom[g]) then
          fail("%s of group %d after %d steps is %s, expected %.10g", case.momentum_key, g, e, tostring(m), mom[g])
        end
      end
    end
  end
  look(0, case.initial, case.initial_momentum)
  for e = 1, #case.expect do
    o:step()
    if case.metrics then s:step(case.metrics[e]) else s:step() end
    look(e, case.expect[e], case.expect_momentum and case.expect_momentum[e])
    if case.last_lr then
      local l = s:get_last_lr()
      for g = 1, #groups do
        if not near(l[g], case.last_lr[e][g]) then
          fail("get_last_lr() after %d steps gives %s, expected %.10g", e, tostring(l[g]), case.last_lr[e][g])
        end
      end
    end
  end
end

------------------------------------------------------------------------
-- init
------------------------------------------------------------------------

local function init_run(case)
  local f = resolve("torch.nn.init." .. case.fn)
  local kw = case.kwargs and val(case.kwargs)
  local args = vals(case.args)
  local function on(x)
    local a = { n = args.n + 1, x }
    for i = 1, args.n do a[i + 1] = args[i] end
    return apply(f, a, kw)
  end
  if case.value then
    local v = apply(f, args, kw)
    check(lib.compare_value(v, case.value, { 1e-9, 1e-12 }))
    return
  end
  if case.expect then
    local x = lib.tensor(case.input)
    local r = on(x)
    check(lib.compare_tensor(x, case.expect))
    check_what("the returned tensor", lib.compare_tensor(r, case.expect))
    return
  end
  local x = torch.zeros(case.shape)
  on(x)
  local data = lib.read(x).data
  local n = #data
  if case.orthogonal then
    local rows = case.shape[1]
    local cols = n / rows
    local tall = rows >= cols
    local k = tall and cols or rows
    for i = 1, k do
      for j = 1, k do
        local s = 0
        for l = 1, tall and rows or cols do
          if tall then
            s = s + data[(l - 1) * cols + i] * data[(l - 1) * cols + j]
          else
            s = s + data[(i - 1) * cols + l] * data[(j - 1) * cols + l]
          end
        end
        local e = i == j and case.orthogonal or 0
        if math.abs(s - e) > 1e-4 * math.max(1, case.orthogonal) then
          fail("the product of vectors %d and %d is %g, expected %g", i, j, s, e)
        end
      end
    end
    return
  end
  if case.sparse then
    local rows, cols = case.shape[1], case.shape[2]
    local sum, cnt = 0, 0
    for c = 1, cols do
      local z = 0
      for r = 1, rows do
        local v = data[(r - 1) * cols + c]
        if v == 0 then z = z + 1 else sum = sum + v * v; cnt = cnt + 1 end
      end
      if z ~= case.sparse.zeros then fail("column %d has %d zeros, expected %d", c, z, case.sparse.zeros) end
    end
    local sd = math.sqrt(sum / cnt)
    if math.abs(sd / case.sparse.std - 1) > 0.06 then
      fail("std of the rest is %g, expected %g", sd, case.sparse.std)
    end
    return
  end
  local st = case.stat
  local sum, lo, hi = 0, math.huge, -math.huge
  for i = 1, n do
    local v = data[i]
    if v ~= v then fail("the result has a nan") end
    sum = sum + v
    if v < lo then lo = v end
    if v > hi then hi = v end
  end
  local mean, q, far = sum / n, 0, 0
  for i = 1, n do
    q = q + (data[i] - mean) ^ 2
    if math.abs(data[i] - st.mean) > 2 * st.std then far = far + 1 end
  end
  local sd = math.sqrt(q / n)
  if math.abs(mean - st.mean) > 5 * st.std / math.sqrt(n) then fail("the mean is %g, expected %g", mean, st.mean) end
  if math.abs(sd / st.std - 1) > 0.05 then fail("the std is %g, expected %g", sd, st.std) end
  if st.lo then
    local eps = 1e-5 * (st.hi - st.lo)
    if lo < st.lo - eps or hi > st.hi + eps then
      fail("values reach from %g to %g, the bounds are %g and %g", lo, hi, st.lo, st.hi)
    end
    if st.spread and hi - lo < st.spread * (st.hi - st.lo) then fail("values do not fill the bounds") end
  end
  if st.tail2 and math.abs(far / n - st.tail2) > 0.015 then
    fail("%.3f of the values are beyond 2 std, expected %.3f", far / n, st.tail2)
  end
end

------------------------------------------------------------------------
-- scripted cases
------------------------------------------------------------------------

local H = { read = lib.read }

function H.raises(fn, texts)
  local ok, e = pcall(fn)
  if ok then return false end
  local s = tostring(type(e) == "table" and e.reason or e):lower()
  if not s:find("attempt to ", 1, true) then -- not a Lua accident such as a missing function
    for _, t in ipairs(texts) do if s:find(t:lower(), 1, true) then return true end end
  end
  return "another error: " .. lib.message(e)
end

function H.shape(x, shape)
  local s = x.shape
  if #s ~= #shape then return false end
  for i = 1, #shape do if tonumber(s[i]) ~= shape[i] then return false end end
  return true
end

-- loads the tensors named prefix..key of I into the module
function H.load(m, I, prefix)
  local s = {}
  for k, v in pairs(I) do
    if k:sub(1, #prefix) == prefix then s[k:sub(#prefix + 1)] = v end
  end
  m:load_state_dict(s)
  return m
end

-- a copy of the state, as plain results: prefix..key -> tensor
function H.state(m, prefix, out)
  for k, v in m:state_dict():items() do out[prefix .. k] = v:detach():clone() end
  return out
end

function H.number(v)
  if lib.is_tensor(v) then return tonumber(v:item()) end
  return v
end

local function script_run(case)
  local I = {}
  for k, v in pairs(case.I or {}) do I[k] = val(v) end
  local ok, r = try(case.run, torch, I, H)
  if not ok then fail("%s", r) end
  local keys = {}
  for k in pairs(case.expect) do keys[#keys + 1] = k end
  table.sort(keys)
  for _, k in ipairs(keys) do
    local a, e = r[k], case.expect[k]
    if type(e) == "number" and lib.is_tensor(a) then a = H.number(a) end
    check_what(k, lib.compare_value(a, e, case.tol and { case.tol[1], case.tol[2] } or nil))
  end
end

------------------------------------------------------------------------
-- files
------------------------------------------------------------------------

local report = lib.report{ summary = opts.summary, what = "groups" }

-- the units of a case: list of {name, function}
local function units(kind, c)
  if c.run then return { { c.name, script_run } } end
  if kind == "modules" then
    local u = { { c.name, module_forward } }
    if c.repr then u[#u + 1] = { c.name .. " repr", module_repr } end
    if c.state_names then u[#u + 1] = { c.name .. " names", module_names } end
    return u
  elseif kind == "optim" then
    local u = { { c.name, optim_run } }
    if c.roundtrip then u[#u + 1] = { c.name .. " state_dict", optim_roundtrip } end
    return u
  elseif kind == "schedulers" then
    return { { c.name, sched_run } }
  elseif kind == "init" then
    return { { c.name, init_run } }
  end
  return { { c.name, function() fail("unknown kind of data: %s", tostring(kind)) end } }
end

local function run_file(f, kind)
  local group = f.path:match("([^/]+)%.lua$")
  if opts.name and not group:find(opts.name) then return end
  local data, why = lib.load_file(f.path)
  local name = (data and data.kind or kind or "?") .. " " .. group
  if not data then
    for _ = 1, f.cases or 1 do report:case(name, false, why) end
    report:line(name)
    return
  end
  if wanted and not wanted[data.kind] then return end
  if opts.verbose then io.write(name, "\n"); io.flush() end
  local n = 0
  for _, c in ipairs(data.cases) do
    for _, u in ipairs(units(data.kind, c)) do
      n = n + 1
      if torch_error then
        report:case(name, false, torch_error)
      else
        local ok, reason = try(u[2], c)
        report:case(name, ok, not ok and u[1] .. ": " .. tostring(reason) or nil)
      end
    end
  end
  for _ = n + 1, f.cases or n do report:case(name, false, "the file holds fewer cases than its index says") end
  if f.cases and n > f.cases then report:case(name, false, "the file holds more cases than its index says") end
  report:line(name)
  collectgarbage()
end

local function exists(path)
  local h = io.open(path, "r")
  if h then h:close() end
  return h ~= nil
end

local bad = false
for _, dir in ipairs(dirs) do
  dir = dir:gsub("/+$", "")
  if dir:match("%.lua$") then
    run_file({ path = dir })
  elseif exists(dir .. "/index.lua") then
    local kind = dofile(dir .. "/index.lua").kind
    if not wanted or wanted[kind] then
      for _, f in ipairs(lib.list_files({ dir })) do run_file(f, kind) end
    end
  else
    local some = false
    for _, kind in ipairs(KINDS) do
      if exists(dir .. "/" .. kind .. "/index.lua") then
        some = true
        if not wanted or wanted[kind] then
          for _, f in ipairs(lib.list_files({ dir .. "/" .. kind })) do run_file(f, kind) end
        end
      end
    end
    if not some then
      io.stderr:write("no case data in " .. dir .. "\n")
      bad = true
    end
  end
end

if torch_error then print(torch_error) end
local status = report:finish()
if bad then status = 1 end
os.exit(status)
