--- torch.vision: images from files to models. Images are tensors (C, H, W), batches (N, C, H, W); uint8 from 0 to 255
--- or floating from 0 to 1. Names and numbers are torchvision's.

local lazy = require "torch.lazy"

local homes = {
  models = "torch.vision.models",
  transforms = "torch.vision.transforms",
  ops = "torch.vision.ops",
  utils = "torch.vision.utils",
  datasets = "torch.vision.datasets",
  io = "torch.vision.io",
}
for _, name in ipairs { "read_image", "write_png", "write_jpeg" } do homes[name] = "torch.vision.io:" .. name end

return lazy.fields({}, homes)
