-- A pass over 20,000 digits in memory by a loader with two workers: cropped after padding, mirrored or turned, and
-- normalised.
local torch, run = require "torch", require "bench"
local T, SyntheticDigits = torch.vision.transforms, torch.vision.datasets.SyntheticDigits

local digits = SyntheticDigits(20000, { seed = 1 })

for name, move in pairs { crop = T.RandomHorizontalFlip(), turn = T.RandomRotation(10) } do
  run.bench("digits_" .. name, function()
    digits.transform = T.Compose { T.RandomCrop(28, { padding = 2 }), move, T.ToTensor(),
      T.Normalize({ 0.13 }, { 0.31 }) }
    local loader = torch.utils.data.DataLoader(digits, { batch_size = 100, shuffle = true, num_workers = 2,
      persistent_workers = true })
    return function()
      for _ in loader:iter() do end -- luacheck: ignore 542
    end
  end)
end

run.finish()
