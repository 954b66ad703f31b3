--- Random images, to try things without data.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

--- Sample i is the same whenever it is asked for; `random_offset` gives other ones.
---@class vision.FakeData: data.Dataset
local FakeData = class("FakeData(int size=1000, int[] image_size=[3, 224, 224], int num_classes=10, "
  .. "any transform=None, any target_transform=None, int random_offset=0)", torch.utils.data.Dataset)

function FakeData:init(opt)
  check(opt.size >= 0 and opt.num_classes >= 1, "FakeData: size is at least 0 and num_classes at least 1, got %s "
    .. "and %s", opt.size, opt.num_classes)
  self.count, self.image_size, self.num_classes = opt.size, opt.image_size, opt.num_classes
  self.transform, self.target_transform, self.random_offset = opt.transform, opt.target_transform, opt.random_offset
end

---@return integer
function FakeData:size()
  return self.count
end

---@param i integer
---@return torch.Tensor image, integer class
function FakeData:get(i)
  check(type(i) == "number" and i >= 1 and i <= self.count and i == math.floor(i),
    "FakeData: sample %s is outside 1..%s", tostring(i), self.count)
  local generator = torch.Generator():manual_seed(i + self.random_offset)
  local image = torch.randint(0, 256, self.image_size, { generator = generator, dtype = torch.uint8 })
  local target = torch.randint(1, self.num_classes + 1, { 1 }, { generator = generator }):item()
  if self.transform then image = self.transform(image) end
  if self.target_transform then target = self.target_transform(target) end
  return image, target
end

return { FakeData = FakeData }
