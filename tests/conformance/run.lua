-- The ratchet: every case of every operator that exists must pass in all modes; cases of missing operators are skipped.
-- What exists is found by looking, so that no list of operators has to be kept.
--   facula run.lua [PATTERN]     (a Lua pattern on the operator's name)
local folder = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = folder .. "/?.lua;" .. package.path
local lib, cases, faults = require "lib", require "cases", require "faults"
cases.use(require "torch")

local modes = {}
for _, mode in ipairs(cases.MODES) do modes[mode] = true end

local report = lib.report{what = "operators"}
for _, entry in ipairs(lib.list_files{folder .. "/ops"}) do
  local file, why = lib.load_file(entry.path)
  if not file then
    report:case(entry.file, false, why)
    report:line(entry.file)
  elseif not arg[1] or cases.name(file):find(arg[1]) then
    local wrong = faults[entry.file] or {}
    for i = #wrong, 1, -1 do table.remove(file.cases, wrong[i]) end
    cases.run_file(report, modes, file, entry.cases - #wrong, true)
  end
end
os.exit(report:finish())
