--- MNIST (LeCun, Cortes and Burges 1998) and sets of the same form: gray images of 28 x 28 pixels in ten classes.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local ImageSet, download = require "torch.vision.datasets.image_set", require "torch.vision.datasets.download"

local FILES = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte" }

-- Addresses, MD5 of the files as they are loaded (in the order of FILES), and names of the classes.
local SETS = {
  MNIST = {
    urls = { "https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/" },
    checksums = { "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
      "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c" },
    classes = { "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven",
      "8 - eight", "9 - nine" },
  },
  --- Clothes (Xiao, Rasul and Vollgraf 2017).
  FashionMNIST = {
    urls = { "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/" },
    checksums = { "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
      "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310" },
    classes = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
      "Ankle boot" },
  },
  --- Cursive Japanese (Clanuwat et al. 2018).
  KMNIST = {
    urls = { "http://codh.rois.ac.jp/kmnist/dataset/kmnist/" },
    checksums = { "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
      "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134" },
    classes = { "o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo" },
  },
}

-- Path of a file, plain or gzipped, in the folder that torchvision uses or in `root` itself; nil if there is none.
local function find(root, name, file)
  for _, folder in ipairs { root .. "/" .. name .. "/raw", root } do
    local good, entries = pcall(torch.core.list_folder, folder, name)
    for _, entry in ipairs(good and entries or {}) do
      if entry == file or entry == file .. ".gz" then return folder .. "/" .. entry end
    end
  end
end

local function fetch(root, name)
  local folder, urls = root .. "/" .. name .. "/raw", SETS[name].urls
  torch.core.make_folders(folder)
  for i, file in ipairs(FILES) do
    local mirrors = {}
    for k, url in ipairs(urls) do mirrors[k] = url .. file .. ".gz" end
    if not find(root, name, file) then
      download(mirrors, ("%s/%s.gz"):format(folder, file), { checksum = SETS[name].checksums[i] })
    end
  end
end

local sets = {}
for name, description in pairs(SETS) do
  --- Images and classes 1..10; in MNIST class i is the digit i - 1.
  ---@class vision.MNIST: vision.ImageSet
  local Set = class(name .. "(str root, bool train=True, any transform=None, any target_transform=None, "
    .. "bool download=False)", ImageSet)
  Set.classes = description.classes

  function Set:init(opt)
    self:_transforms(opt)
    self.train = opt.train
    if opt.download then fetch(opt.root, name) end
    local parts = {}
    for k = 1, 2 do
      local file = FILES[opt.train and k or k + 2]
      local path = find(opt.root, name, file)
      check(path, "%s: there is neither %s/%s/raw/%s(.gz) nor %s/%s(.gz); download=true loads the files", name,
        opt.root, name, file, opt.root, file)
      parts[k] = torch.load_idx(path)
      check(parts[k].dtype == torch.uint8 and parts[k]:dim() == (k == 1 and 3 or 1),
        "%s: '%s' holds %s of %s dimensions", name, path, tostring(parts[k].dtype), parts[k]:dim())
    end
    check(parts[1]:size(1) == parts[2]:size(1), "%s: there are %s images, but %s labels", name, parts[1]:size(1),
      parts[2]:size(1))
    check(parts[2]:numel() == 0 or parts[2]:max():item() < 10, "%s: a label is above 9", name)
    self.data, self.targets = parts[1]:unsqueeze(2), parts[2]:to(torch.int64) + 1
  end

  sets[name] = Set
end
return sets
