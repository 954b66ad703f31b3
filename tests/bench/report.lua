--- What run.lua found, as lines on the terminal, as Markdown and as JSON.
local torch, json, units = require "torch", require "torch.json", require "torch.units"

local report = {}

local function best(row, side)
  local one, two = row[side .. "1"] or math.huge, row[side .. "2"] or math.huge
  return math.min(one, two), two < one and 2 or 1
end

-- Time over PyTorch's, the share of the ceiling that is reached, and whether all goals are met.
local function judged(row, ceilings)
  local ours, theirs = best(row, "facula"), best(row, "pytorch")
  local ratio = theirs < math.huge and ours / theirs or nil
  local share
  if row.bytes then share = row.bytes / ours / ceilings.copy end
  if row.operations then share = row.operations / ours / ceilings.calculate * (row.double and 2 or 1) end
  local memory = row.pytorch_megabytes and row.facula_megabytes / row.pytorch_megabytes
  local good = not (ratio and row[2] and ratio > row[2]) and not (row.seconds and ours > row.seconds)
    and not (row.megabytes and row.facula_megabytes > row.megabytes) and not (memory and memory > 0.7)
  return ratio, share, memory, good
end

local function cells(row, ceilings)
  local ratio, share, memory, good = judged(row, ceilings)
  local ours, threads = best(row, "facula")
  local theirs = best(row, "pytorch")
  return {
    row[1], units.seconds(ours) .. (threads == 2 and " *" or ""), theirs < math.huge and units.seconds(theirs) or "-",
    ratio and ("%.2f"):format(ratio) .. (row.spread or "") or "-", row[2] and ("%.2f"):format(row[2]) or "-",
    share and ("%.0f %%"):format(100 * share) or "-",
    row.facula_megabytes and ("%.0f MB%s"):format(row.facula_megabytes,
      memory and (" (%.2f)"):format(memory) or "") or "-",
    good and "" or "MISSED", row[3],
  }
end

local titles = { "workload", "facula", "PyTorch", "ratio", "goal", "ceiling", "memory", "", "what" }
local line = "%-20s %12s %12s %6s %5s %7s %15s %-6s  %s"

--- Prints rows as they come.
function report.lines(rows, ceilings)
  if not report.begun then
    print(("OpenBLAS core %s, copy %.1f GB/s, peak %.0f GFLOP/s; * on two threads"):format(ceilings.core,
      ceilings.copy / 1e9, ceilings.calculate / 1e9))
    print((line:format(unpack(titles)):gsub("%s+$", "")))
    report.begun = true
  end
  for _, row in ipairs(rows) do print((line:format(unpack(cells(row, ceilings))):gsub("%s+$", ""))) end
  io.stdout:flush()
end

--- Writes `path`.md and `path`.json.
function report.files(path, results)
  local text = { "| " .. table.concat(titles, " | ") .. " |", "|" .. ("---|"):rep(#titles) }
  local rows = json.list {}
  for _, row in ipairs(results.rows) do
    text[#text + 1] = "| " .. table.concat(cells(row, results.ceilings), " | ") .. " |"
    local ratio, share, memory, good = judged(row, results.ceilings)
    local found = { name = row[1], goal = row[2], what = row[3] }
    found.ratio, found.ceiling, found.memory, found.good = ratio, share, memory, good
    for key, value in pairs(row) do
      if type(key) == "string" then found[key] = value end
    end
    rows[#rows + 1] = found
  end
  torch.core.write_file(path .. ".md", table.concat(text, "\n") .. "\n")
  torch.core.write_file(path .. ".json", json.encode { ceilings = results.ceilings, rows = rows } .. "\n")
  print(("written to %s.md and %s.json"):format(path, path))
end

-- A row as it was before report.files wrote it.
local function read_back(found)
  found[1], found[2], found[3] = found.name, found.goal, found.what
  return found
end

--- One table of several runs, of which `paths`.json tell: for each workload the run whose ratio is in the middle, with
--- the least and the greatest ratio behind it.
function report.of_runs(paths)
  local runs = {}
  for i, path in ipairs(paths) do runs[i] = json.decode(torch.core.read_file(path .. ".json")) end
  local rows = {}
  for i = 1, #runs[1].rows do
    local found = {}
    for k, run in ipairs(runs) do found[k] = read_back(run.rows[i]) end
    if found[1].ratio then
      table.sort(found, function(a, b) return a.ratio < b.ratio end)
      local spread = (" (%.2f to %.2f)"):format(found[1].ratio, found[#found].ratio)
      found[math.ceil(#found / 2)].spread = spread
    end
    rows[i] = found[math.ceil(#found / 2)]
  end
  return { ceilings = runs[1].ceilings, rows = rows }
end

return report
