-- Conformance pack: runs operator cases against require "torch".
--   luajit run_ops.lua [--mode m1,m2] [--op pattern] [--summary] [--verbose] DIR|FILE.lua...
-- Exit status 0 only if at least one case was run and all passed.
-- See README.md.

local here = (arg and arg[0] or ""):match("^(.*)[/\\][^/\\]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local lib = require "lib"
local cases = require "cases"
local MODES = cases.MODES

local function usage(msg)
  io.stderr:write(msg, "\n",
    "usage: run_ops.lua [--mode m1,m2] [--op pattern] [--summary] [--verbose] DIR|FILE.lua...\n",
    "modes: ", table.concat(MODES, ", "), "\n")
  os.exit(2)
end

local ok, opts, paths = pcall(lib.options, arg or {}, { mode = true, op = true, summary = false, verbose = false })
if not ok then usage(opts) end
if #paths == 0 then usage("no directory given") end

local wanted = {}
if opts.mode then
  local known = {}
  for _, m in ipairs(MODES) do known[m] = true end
  for m in opts.mode:gmatch("[^,]+") do
    if not known[m] then usage("unknown mode " .. m) end
    wanted[m] = true
  end
else
  for _, m in ipairs(MODES) do wanted[m] = true end
end

local okt, torch = pcall(require, "torch")
if not okt then
  io.stderr:write("cannot load torch: ", tostring(torch), "\n")
  print("ops: 0 of 0 fully pass")
  print("0 passed, 0 failed")
  os.exit(1)
end
cases.use(torch)

local report = lib.report{ summary = opts.summary, what = "ops" }

local okl, files = pcall(lib.list_files, paths)
if not okl then
  io.stderr:write(tostring(files), "\n")
  print("0 passed, 0 failed")
  os.exit(1)
end

for _, entry in ipairs(files) do
  local file, why = lib.load_file(entry.path)
  if not file then
    local name = entry.file or entry.path
    report:case(name, false, why)
    report:line(name)
  elseif not opts.op or cases.name(file):find(opts.op) then
    if opts.verbose then
      io.write("RUN ", cases.name(file), "\n")
      io.flush()
    end
    cases.run_file(report, wanted, file, entry.cases)
  end
end

os.exit(report:finish())
