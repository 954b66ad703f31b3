--- What a file of workloads calls: `bench(name, setup)`. `setup()` returns the body to measure.
--
-- The file is run as `facula FILE.lua THREADS [NAME...]` and prints `name seconds`, the least mean of a few rounds of
-- calls, for the workloads of those names or for all; behind the last, the most memory that was resident.
local torch, timed = require "torch", require "timing"

local rounds, round = 7, 0.03 -- seconds at least, of one

torch.set_num_threads(tonumber(arg[1]))

local wanted
for i = 2, #arg do
  wanted = wanted or {}
  wanted[arg[i]] = true
end

local function bench(name, setup)
  if wanted and not wanted[name] then return end
  torch.manual_seed(1)
  print(("%s %.9f"):format(name, timed(setup(), rounds, round)))
  collectgarbage()
end

--- To be called at the end of the file.
local function finish()
  print(io.open("/proc/self/status"):read("*a"):match("VmHWM:%s*(%d+) kB") / 1024 .. " MB")
end

return { bench = bench, finish = finish }
