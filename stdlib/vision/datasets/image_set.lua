--- Data sets that hold all their images in one tensor.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local options = require "torch.nn.options"
local Transform = require "torch.vision.transforms.transform"
local Dataset = torch.utils.data.Dataset

---@class vision.ImageSet: data.Dataset
---@field data torch.Tensor      uint8 [N, C, H, W]
---@field targets torch.Tensor   int64 [N], classes from 1
---@field classes? string[]
---@field transform? function|vision.Transform
---@field target_transform? function
local ImageSet = class("ImageSet", Dataset)

-- Keeps the two transforms that the constructor was given.
function ImageSet:_transforms(opt)
  for _, name in ipairs { "transform", "target_transform" } do
    check(opt[name] == nil or options.callable.holds(opt[name]), "%s: %s is a function or a transform, got a %s",
      class.type(self), name, class.type(opt[name]))
    self[name] = opt[name]
  end
end

---@return integer
function ImageSet:size()
  return self.data:size(1)
end

---@param i integer
---@return torch.Tensor image, integer class
function ImageSet:get(i)
  check(type(i) == "number" and i >= 1 and i <= self:size() and i == math.floor(i),
    "%s: sample %s is outside 1..%s", class.type(self), tostring(i), self:size())
  local image, target = self.data[i], self.targets[i]:item()
  if self.transform then image = self.transform(image) end
  if self.target_transform then target = self.target_transform(target) end
  return image, target
end

--- The samples at the positions in `index`.
---@param index torch.Tensor  int64, one dimension
---@return torch.Tensor images, torch.Tensor classes
function ImageSet:batch(index)
  local images, targets = self.data:index_select(1, index), self.targets:index_select(1, index)
  local transform = self.transform
  if transform then
    images = class.isinstance(transform, Transform) and transform:each(images) or Transform.map(transform, images)
  end
  if self.target_transform then
    local values = {}
    for i, target in ipairs(targets:tolist()) do values[i] = { self.target_transform(target) } end
    targets = torch.utils.data.default_collate(values)
  end
  return images, targets
end

return ImageSet
