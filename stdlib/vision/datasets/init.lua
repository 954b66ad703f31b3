--- torch.vision.datasets: images and their classes. Sets with `download` fetch files that are missing; folders are as
--- torchvision's. Samples are an image (C, H, W) of uint8, or what `transform` makes of it, and a class 1..N, or what
--- `target_transform` makes of that. `batch(index)` gives many at once, with each image transformed by itself.

local lazy = require "torch.lazy"

local homes = {}
for file, names in pairs {
  mnist = "MNIST FashionMNIST KMNIST",
  cifar = "CIFAR10 CIFAR100",
  folder = "ImageFolder",
  fake = "FakeData",
  digits = "SyntheticDigits",
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.vision.datasets.%s:%s"):format(file, name) end
end
homes.download = "torch.vision.datasets.download"

return lazy.fields({}, homes)
