--- Times and memory of code, in words.

local torch, units = require "torch", require "torch.units"

local measure = {}

-- Seconds that `n` calls take.
local function duration(f, n)
  local begun = torch.monotonic()
  for _ = 1, n do f() end
  return torch.monotonic() - begun
end

local rounds, least = 7, 0.1 -- seconds of a round

--- Runs `f` in 7 rounds of as many calls as take a tenth of a second.
---@param f function
---@return string
function measure.repeated(f)
  local calls, took = 1, duration(f, 1)
  while took < least do
    local wanted = took > 0 and math.ceil(1.2 * least / took * calls) or math.huge
    calls = math.min(10 * calls, math.max(wanted, calls + 1))
    took = duration(f, calls)
  end
  local times, sum = {}, 0
  for i = 1, rounds do
    times[i] = duration(f, calls) / calls
    sum = sum + times[i]
  end
  local mean, best, squares = sum / rounds, math.min(unpack(times)), 0
  for _, t in ipairs(times) do squares = squares + (t - mean) ^ 2 end
  return ("best %s, mean %s, sd %s (%d rounds of %d)"):format(units.seconds(best), units.seconds(mean),
    units.seconds(math.sqrt(squares / (rounds - 1))), rounds, calls)
end

--- What the process holds.
---@return string
function measure.memory()
  local lines = { ("Lua        %s"):format(units.bytes(collectgarbage("count") * 1024)) }
  local function add(name, device)
    local s = torch.memory_stats { device = device }
    lines[#lines + 1] = ("%-10s %s in tensors, %s at most, %s held from the system"):format(
      name, units.bytes(s.allocated), units.bytes(s.peak), units.bytes(s.reserved))
  end
  add("cpu", "cpu")
  if torch.cuda.is_available() then
    for i = 0, torch.cuda.device_count() - 1 do add("cuda:" .. i, "cuda:" .. i) end
  end
  return table.concat(lines, "\n")
end

return measure
