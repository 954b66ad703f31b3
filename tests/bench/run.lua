-- The driver behind run.sh: run.lua BUILD FOLDER PYTHONS REPORT [NAME...]. Files of workloads run in facula and in
-- PyTorch by turns, on one thread and on two; the least time of each side counts. PYTHONS, with colons between them,
-- may be none. NAME is a workload or a file.
local torch = require "torch"
local build, folder, pythons, report = arg[1], arg[2], arg[3], arg[4]
package.path = folder .. "/?.lua;" .. package.path
local files, write = require "workloads", require "report"

local turns = 2

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- `name` is what a side's times are kept under, which the pythons share; `megabytes` are its own, by workload.
local sides = { {
  name = "facula", megabytes = {},
  command = function(file, threads)
    return ("cd '%s' && '%s/facula' %s.lua %d"):format(folder, build, file, threads)
  end,
} }
for python in pythons:gmatch("[^:]+") do
  sides[#sides + 1] = {
    name = "pytorch", megabytes = {},
    command = function(file, threads)
      return ("cd '%s' && OMP_NUM_THREADS=%d '%s' %s.py %d"):format(folder, threads, python, file, threads)
    end,
  }
end

-- Lowers the times in `best[name]` to those of one process, raises the side's megabytes.
local function run_once(side, file, threads, names, best)
  local text = output_of(side.command(file.file, threads) .. " " .. table.concat(names, " "))
  local megabytes = tonumber(text:match("([%d.]+) MB"))
  if not megabytes then error(("%s of %s failed:\n%s"):format(file.file, side.name, text), 0) end
  for name, seconds in text:gmatch("([%w_]+) ([%d.]+)\n") do
    local key = side.name .. threads
    local row = best[name]
    row[key] = math.min(row[key] or math.huge, tonumber(seconds))
    side.megabytes[name] = math.max(side.megabytes[name] or 0, megabytes)
  end
end

local function measure(file, rows)
  local best, groups, all = {}, {}, {}
  for _, row in ipairs(rows) do
    best[row[1]] = row
    all[#all + 1] = row[1]
    if file.alone then groups[#groups + 1] = { row[1] } end
  end
  if not file.alone then groups[1] = all end
  for _ = 1, turns do
    for _, names in ipairs(groups) do
      for threads = 1, 2 do
        for _, side in ipairs(sides) do
          if side.name == "facula" or not file.lua_only then run_once(side, file, threads, names, best) end
        end
      end
    end
  end
  if not file.alone then return end
  for name, row in pairs(best) do
    for _, side in ipairs(sides) do
      local key = side.name .. "_megabytes"
      if side.megabytes[name] then row[key] = math.min(row[key] or math.huge, side.megabytes[name]) end
    end
  end
end

local function ceilings()
  local found = {}
  for threads = 1, 2 do
    local text = output_of(("'%s/tests/ceilings' %d"):format(build, threads))
    for _, name in ipairs { "copy", "calculate" } do
      found[name] = math.max(found[name] or 0, tonumber(text:match(name .. " ([%d.e+]+)")))
    end
    found.core = text:match("core (%S+)")
  end
  return found
end

-- Seconds from start to end of a process that does nothing else.
local function start_up()
  local row = { "start_up", nil, "facula -e ''", seconds = 0.015 }
  for _ = 1, 20 do
    local start = torch.monotonic()
    os.execute(("'%s/facula' -e ''"):format(build))
    row.facula1 = math.min(row.facula1 or math.huge, torch.monotonic() - start)
  end
  return row
end

local wanted
for i = 5, #arg do
  wanted = wanted or {}
  wanted[arg[i]] = true
end

local results = { ceilings = ceilings(), rows = {} }
for _, file in ipairs(files) do
  local rows = {}
  for _, row in ipairs(file.rows) do
    row.file = file.file
    if not wanted or wanted[row[1]] or wanted[file.file] then rows[#rows + 1] = row end
  end
  if #rows > 0 then
    measure(file, rows)
    for _, row in ipairs(rows) do results.rows[#results.rows + 1] = row end
    write.lines(rows, results.ceilings)
  end
end
if not wanted or wanted.start_up then
  local row = start_up()
  results.rows[#results.rows + 1] = row
  write.lines({ row }, results.ceilings)
end
write.files(report, results)
