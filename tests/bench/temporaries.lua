-- A thousand temporaries of 40 MB, with no collectgarbage: what counts is the most memory that is resident.
local torch, run = require "torch", require "bench"

run.bench("temporary", function()
  local x = torch.zeros(10000000)
  return function()
    for _ = 1, 100 do local _ = x + 1 end
  end
end)

run.finish()
