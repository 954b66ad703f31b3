--- torch.vision.transforms: images (C, H, W) and batches (N, C, H, W) to others, with torchvision's names and, but for
--- what is drawn at random, its numbers. A random transform draws once for the whole batch that it is called with, and
--- anew for each image by `transform:each(batch)`.
--
-- Transforms are modules: they are called with an image and return one, print their arguments, and stand in
-- `nn.Sequential` as well as in `Compose`. Lists of sizes are height and width; one number is the same for both.

local lazy = require "torch.lazy"

local homes = {
  functional = "torch.vision.transforms.functional",
  Transform = "torch.vision.transforms.transform",
}
for file, names in pairs {
  compose = "Compose Lambda RandomApply RandomChoice RandomOrder",
  fixed = [[ToTensor ConvertImageDtype Normalize Resize CenterCrop FiveCrop TenCrop Pad Grayscale]],
  random = [[RandomHorizontalFlip RandomVerticalFlip RandomCrop RandomResizedCrop RandomRotation RandomAffine
    RandomPerspective RandomErasing]],
  random_colour = [[ColorJitter GaussianBlur RandomGrayscale RandomInvert RandomPosterize RandomSolarize
    RandomAdjustSharpness RandomAutocontrast RandomEqualize]],
  policy = "RandAugment TrivialAugmentWide",
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.vision.transforms.%s:%s"):format(file, name) end
end

return lazy.fields({}, homes)
