--- The base of transforms: modules that take an image and return one.

local torch, class = require "torch", require "torch.class"

---@class vision.Transform: nn.Module
---@field stepwise boolean  does it return an image?
local Transform = class("Transform", torch.nn.Module)
Transform.stepwise = true

--- What any function makes of each image of a batch by itself, with random numbers of its own, as a batch.
---@param f function|vision.Transform
---@param batch torch.Tensor  [N, ...]
---@return torch.Tensor
function Transform.map(f, batch)
  local images = {}
  for i = 1, batch:size(1) do images[i] = { f(batch[i]) } end
  return (torch.utils.data.default_collate(images))
end

--- The same for this transform. A call with a batch draws once for all its images instead.
Transform.each = Transform.map

return Transform
