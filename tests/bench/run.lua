-- The driver behind run.sh: run.lua BUILD FOLDER PYTHON [NAME...]. Workloads and peers take turns; the least counts.
-- A workload is NAME.lua, its peer NAME.py or a program; both print seconds, and may print megabytes after them.
local torch = require "torch"

local build, folder, python = arg[1], arg[2], arg[3]
local turns = 3

local function facula(name)
  return string.format("cd %s && %s/facula %s.lua", folder, build, name)
end

local function pytorch(name, threads)
  return python ~= "" and string.format("cd %s && OMP_NUM_THREADS=%d %s %s.py", folder, threads, python, name) or nil
end

--- Seconds and megabytes that a command prints.
local function figures(command)
  local pipe = io.popen(command .. " 2>&1")
  local text = pipe:read("*a")
  pipe:close()
  local seconds = tonumber(("\n" .. text):match("\n%s*([%d.]+)%s*\n"))
  if not seconds then error(command .. " printed no figure:\n" .. text, 0) end
  return seconds, tonumber(text:match("([%d.]+) MB"))
end

--- Seconds from start to end of a process that does nothing else.
local function startup(command)
  return function()
    local best = math.huge
    for _ = 1, 20 do
      local start = torch.monotonic()
      os.execute(command)
      best = math.min(best, torch.monotonic() - start)
    end
    return best
  end
end

-- `goal` bounds facula's time over the peer's, `seconds` and `megabytes` facula's own figures.
local workloads = {
  {"add",          "a + b on 4 floats",                        goal = 0.25},
  {"add_recorded", "the same, recorded",                       goal = 0.35},
  {"backward",     "(w * b):sum():backward() on 4 floats",     goal = 0.35},
  {"add_large",    "a + b on 10M floats, fresh result",        goal = 1 / 3},
  {"sgemm",        "1024 x 1024 matrices, against OpenBLAS",   goal = 1.1, peers = {build .. "/tests/sgemm"}},
  {"char_lm",      "a step of the small GPT of examples/char_lm", goal = 1},
  {"lstm",         "two layers of 256, 64 steps of 32, there and back", goal = 1},
  {"temporaries",  "a thousand temporaries of 40 MB",          megabytes = 400},
  {"startup",      "facula -e ''",                             seconds = 0.015,
    run = startup(build .. "/facula -e ''"), peers = {}},
}

local function measure(w)
  local name = w[1]
  local run = w.run or function() return figures(facula(name)) end
  local peers = w.peers or {pytorch(name, 1), pytorch(name, 2)}
  local ours, theirs, megabytes = math.huge, math.huge, 0
  for _ = 1, turns do
    local seconds, mb = run()
    ours, megabytes = math.min(ours, seconds), math.max(megabytes, mb or 0)
    for _, peer in ipairs(peers) do theirs = math.min(theirs, (figures(peer))) end
  end
  return ours, theirs, megabytes
end

local function duration(seconds)
  if seconds == math.huge then return "-" end
  if seconds < 1e-3 then return string.format("%.3f us", seconds * 1e6) end
  return string.format("%.3f ms", seconds * 1e3)
end

local function verdict(good) return good and "" or "  MISSED" end

local wanted = {}
for i = 4, #arg do wanted[arg[i]] = true end

print("OpenBLAS core: " .. io.popen(build .. "/tests/sgemm 2>&1 >/dev/null"):read("*l"))
print(string.format("%-14s %12s %12s %8s %8s  %s", "workload", "facula", "peer", "ratio", "goal", "what"))
for _, w in ipairs(workloads) do
  if not next(wanted) or wanted[w[1]] then
    local ours, theirs, megabytes = measure(w)
    local ratio = ours / theirs
    local line = string.format("%-14s %12s %12s %8s %8s  %s", w[1], duration(ours), duration(theirs),
      theirs < math.huge and string.format("%.2f", ratio) or "-", w.goal and string.format("%.2f", w.goal) or "-", w[2])
    if megabytes > 0 then line = line .. string.format(", %.0f MB resident", megabytes) end
    local good = (not w.goal or theirs == math.huge or ratio <= w.goal)
      and ours <= (w.seconds or math.huge) and megabytes <= (w.megabytes or math.huge)
    print(line .. verdict(good))
  end
end
