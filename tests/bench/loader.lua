-- A pass over 6,400 digits in memory, normalised one by one, in batches of 64.
local torch, run = require "torch", require "bench"
local data = torch.utils.data

local images = torch.randint(0, 256, { 6400, 28, 28 }, { dtype = torch.uint8 })
local labels = torch.randint(1, 11, { 6400 })
local digits = { size = function() return 6400 end }

function digits:get(i) -- luacheck: ignore 212
  return images[i]:float():div(255):sub(0.1307):div(0.3081), labels[i]
end

for _, workers in ipairs { 0, 2 } do
  run.bench("loader_" .. workers, function()
    local loader = data.DataLoader(digits, { batch_size = 64, shuffle = true, num_workers = workers,
      persistent_workers = workers > 0 })
    return function()
      for _ in loader:iter() do end -- luacheck: ignore 542
    end
  end)
end

run.finish()
