-- One table of several runs: facula table.lua OUT RUN.. writes OUT.md and OUT.json from the reports RUN.json.
package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path
local write = require "report"
local runs = { unpack(arg, 2) }
if #runs == 0 then error("table.lua: expected OUT and the names of reports", 0) end
write.files(arg[1], write.of_runs(runs))
