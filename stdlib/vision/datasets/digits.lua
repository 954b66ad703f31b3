--- SyntheticDigits: digits like MNIST's, for those who have no network.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local ImageSet = require "torch.vision.datasets.image_set"
local write = require "torch.vision.datasets.handwriting"

--- `size` images (1, 28, 28), a tenth of each digit, drawn when the set is made; class i is the digit i - 1. A `seed`
--- makes the same set each time and leaves the random numbers outside alone (default: drawn from them).
---@class vision.SyntheticDigits: vision.ImageSet
local SyntheticDigits = class("SyntheticDigits(int size=10000, any transform=None, any target_transform=None, *, "
  .. "int? seed=None)", ImageSet)
SyntheticDigits.classes = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" }

function SyntheticDigits:init(opt)
  check(opt.size >= 10, "SyntheticDigits: size is at least 10, got %s", opt.size)
  self:_transforms(opt)
  local state = opt.seed and torch.get_rng_state()
  if opt.seed then torch.manual_seed(opt.seed) end
  local ink, targets = write(math.ceil(opt.size / 10))
  if state then torch.set_rng_state(state) end
  -- each digit in turn, so that any part of the set has all of them
  local each = ink:size(1) / 10
  local order = torch.arange(1, 10 * each + 1):view(10, each):t():reshape(-1):narrow(1, 1, opt.size)
  self.data = (ink:index_select(1, order) * 255):round():to(torch.uint8)
  self.targets = targets:index_select(1, order)
end

return { SyntheticDigits = SyntheticDigits }
