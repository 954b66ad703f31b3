-- A pass over 6,400 digits in memory, normalised, in batches of 64: of the library's own kind of data set, and of one
-- that gives a sample at a time.
local torch, run = require "torch", require "bench"
local data, T = torch.utils.data, torch.vision.transforms

local digits = torch.vision.datasets.SyntheticDigits(6400, { seed = 1,
  transform = T.Compose { T.ToTensor(), T.Normalize({ 0.1307 }, { 0.3081 }) } })

local images = torch.randint(0, 256, { 6400, 28, 28 }, { dtype = torch.uint8 })
local labels = torch.randint(1, 11, { 6400 })
local single = { size = function() return 6400 end }

function single:get(i) -- luacheck: ignore 212
  return images[i]:float():div(255):sub(0.1307):div(0.3081), labels[i]
end

for name, set in pairs { loader = digits, samples = single } do
  for _, workers in ipairs { 0, 2 } do
    run.bench(("%s_%d"):format(name, workers), function()
      local loader = data.DataLoader(set, { batch_size = 64, shuffle = true, num_workers = workers,
        persistent_workers = workers > 0 })
      return function()
        for _ in loader:iter() do end -- luacheck: ignore 542
      end
    end)
  end
end

run.finish()
