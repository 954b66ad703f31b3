local torch = require "torch"

local rounds = 7

--- Prints the seconds that one call of `body` takes: the least mean over a round of `calls` calls.
---@param calls integer
---@param body function
return function(calls, body)
  local best = math.huge
  for _ = 1, rounds do
    local start = torch.monotonic()
    for _ = 1, calls do body() end
    best = math.min(best, (torch.monotonic() - start) / calls)
  end
  print(string.format("%.9f", best))
end
