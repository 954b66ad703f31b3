--- torch.profiler: which operators take the time and the memory.
--
--     local p = torch.profiler.profile(function() step() end, { trace = "step.json" })
--     print(p:table { sort_by = "cpu_time_total", row_limit = 5 })
--
-- Times are the CPU's, in microseconds. A `self` figure leaves out the operators within. Nodes of the graph on the way
-- back and `record_function` stretches are listed beside the operators that they call.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local json, units, core = require "torch.json", require "torch.units", torch.core

local profiler = torch.profiler

local Profile = class "Profile"

-- The table ---------------------------------------------------------------------------------------------------

local function time(us) return units.seconds(us / 1e6) end

local function percent(part, whole)
  return ("%.2f%%"):format(whole > 0 and 100 * part / whole or 0)
end

-- { title, what stands in the row of an entry }; `sum` is the self time of all.
local columns = {
  { "Name", function(e) return e.key end },
  { "Self CPU %", function(e, sum) return percent(e.self_cpu_time_total, sum) end },
  { "Self CPU", function(e) return time(e.self_cpu_time_total) end },
  { "CPU total %", function(e, sum) return percent(e.cpu_time_total, sum) end },
  { "CPU total", function(e) return time(e.cpu_time_total) end },
  { "CPU time avg", function(e) return time(e.cpu_time) end },
  { "CPU Mem", function(e) return units.bytes(e.cpu_memory_usage) end },
  { "Self CPU Mem", function(e) return units.bytes(e.self_cpu_memory_usage) end },
  { "# of Calls", function(e) return ("%d"):format(e.count) end },
  { "Input Shapes", function(e) return e.input_shapes end, optional = true },
}

local function lines_of(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  local rule = {}
  for i, width in ipairs(widths) do rule[i] = ("-"):rep(width) end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do
      local space = (" "):rep(widths[i] - #cell)
      cells[i] = i == 1 and cell .. space or space .. cell
    end
    lines[#lines + 1] = table.concat(cells, "  ")
    if n == 1 then lines[#lines + 1] = table.concat(rule, "  ") end
  end
  return lines
end

--- The events of one name, or of one name and one list of input shapes, taken together:
--- `{key, count, cpu_time, cpu_time_total, self_cpu_time_total, cpu_memory_usage, self_cpu_memory_usage,
--- input_shapes}`.
---@return table[]  in the order of their names
function Profile:key_averages() return self.averages end

--- A text with a row for each name.
---@param options? { sort_by?: string, row_limit?: integer }  by a field of `key_averages`, the largest first
---  ("self_cpu_time_total"); all rows if there is no limit
---@return string
function Profile:table(options)
  options = options or {}
  local field = options.sort_by or "self_cpu_time_total"
  local entries, sum = {}, 0
  for i, e in ipairs(self.averages) do
    check(type(e[field]) == "number", "profiler: cannot sort by '%s', expected count, cpu_time, cpu_time_total, "
      .. "self_cpu_time_total, cpu_memory_usage or self_cpu_memory_usage", field)
    entries[i], sum = e, sum + e.self_cpu_time_total
  end
  table.sort(entries, function(a, b)
    if a[field] ~= b[field] then return a[field] > b[field] end
    return a.key < b.key
  end)
  local shown, rows = {}, {}
  for _, column in ipairs(columns) do
    if not column.optional or self.record_shapes then shown[#shown + 1] = column end
  end
  rows[1] = {}
  for i, column in ipairs(shown) do rows[1][i] = column[1] end
  for n = 1, math.min(#entries, options.row_limit or math.huge) do
    local row = {}
    for i, column in ipairs(shown) do row[i] = column[2](entries[n], sum) end
    rows[#rows + 1] = row
  end
  local lines = lines_of(rows)
  lines[#lines + 1] = ("Self CPU time total: %s of %s"):format(time(sum), time(self.duration))
  if self.dropped > 0 then
    lines[#lines + 1] = ("The trace leaves out %d events: it holds the first million"):format(self.dropped)
  end
  return table.concat(lines, "\n")
end

Profile.__tostring = Profile.table

-- The trace ---------------------------------------------------------------------------------------------------

--- What ran when: `{name, category, start, duration, thread, shapes}`, the first million in the order of their ends.
---@return table[]
function Profile:events() return self.list end

--- Writes the events for chrome://tracing or ui.perfetto.dev (Trace Event Format, complete events).
---@param path string
function Profile:export_chrome_trace(path)
  local lines = {}
  for i, e in ipairs(self.list) do
    lines[i] = json.encode {
      ph = "X", pid = 1, tid = e.thread, ts = e.start, dur = e.duration, name = e.name, cat = e.category,
      args = { ["Input dims"] = e.shapes or "" },
    }
  end
  core.write_file(path, ('{"displayTimeUnit":"ms","traceEvents":[\n%s\n]}\n'):format(table.concat(lines, ",\n")))
end

-- Profiling ---------------------------------------------------------------------------------------------------

--- Begins a profile; there is one at a time.
---@param options? { record_shapes?: boolean }
function profiler.start(options)
  core.start_profile(options and options.record_shapes or false)
end

--- Ends it.
---@return table profile
function profiler.stop()
  local measured = core.stop_profile()
  for _, e in ipairs(measured.summaries) do e.cpu_time = e.cpu_time_total / e.count end
  local p = Profile()
  p.averages, p.list, p.duration = measured.summaries, measured.events, measured.duration
  p.dropped, p.record_shapes = measured.dropped, measured.record_shapes
  return p
end

local known = {
  record_shapes = "boolean", trace = "string", print = "boolean", sort_by = "string", row_limit = "number",
}

local function checked(options)
  for name, value in pairs(options) do
    check(known[name], "profile: unknown option '%s', expected record_shapes, trace, print, sort_by or row_limit", name)
    check(type(value) == known[name], "profile: option '%s' must be a %s, got a %s", name, known[name], type(value))
  end
  return options
end

--- Calls `fn`, prints a table of the operators that ran with their times, memory and counts, and returns the profile.
--- Errors of `fn` are raised after the profile has ended.
---@param fn fun()
---@param options? { record_shapes?: boolean, trace?: string, print?: boolean, sort_by?: string, row_limit?: integer }
---  `trace` is a file for `export_chrome_trace`; `print=false` prints nothing; the rest is for `table`
---@return table profile
function profiler.profile(fn, options)
  check(type(fn) == "function", "profile: argument 'fn' must be a function, got a %s", type(fn))
  options = checked(options or {})
  profiler.start(options)
  local good, message = pcall(fn)
  local p = profiler.stop()
  if not good then error(message, 0) end
  if options.trace then p:export_chrome_trace(options.trace) end
  if options.print ~= false then print(p:table(options)) end
  return p
end

return profiler
