--- Runs the specs: facula tests/lua/run.lua [NAME...]
--
-- Every file `*_spec.lua` below this folder, or those whose path contains one of the names. The last line is
-- `N passed, N failed`; the exit status is 0 only if something ran and nothing failed.

local folder = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = folder .. "/?.lua;" .. folder .. "/../../examples/?.lua;" .. package.path
io.stdout:setvbuf("line") -- so that a crash leaves what came before it
local spec = require "spec"

local function wanted(path)
  if #arg == 0 then return true end
  for _, name in ipairs(arg) do
    if path:find(name, 1, true) then return true end
  end
  return false
end

local listing = assert(io.popen("find '" .. folder .. "' -name '*_spec.lua' | LC_ALL=C sort"))
for path in listing:lines() do
  if wanted(path) then
    spec.describe(path:sub(#folder + 2):gsub("_spec%.lua$", ""), function() assert(loadfile(path))() end)
  end
end
listing:close()

print(("%d passed, %d failed"):format(spec.passed, spec.failed))
os.exit(spec.failed == 0 and spec.passed > 0 and 0 or 1)
