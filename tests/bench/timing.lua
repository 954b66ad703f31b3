local torch = require "torch"

local function time_of(body, calls)
  local start = torch.monotonic()
  for _ = 1, calls do body() end
  return torch.monotonic() - start
end

--- Seconds of a call of `body`: the least mean of `rounds` rounds of calls, each of `round` seconds at least.
return function(body, rounds, round)
  local calls = 1
  while true do
    local took = time_of(body, calls)
    if took >= round then break end
    calls = math.ceil(calls * math.min(100, 1.2 * round / took))
  end
  local best = math.huge
  for _ = 1, rounds do best = math.min(best, time_of(body, calls) / calls) end
  return best
end
