--- CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their binary version: colour images of 32 x 32 pixels. A record is the
--- labels' bytes, then the red, the green and the blue plane.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local ImageSet, download = require "torch.vision.datasets.image_set", require "torch.vision.datasets.download"
local read_tar = require "torch.vision.datasets.tar"
local core = torch.core

local PIXELS = 3 * 32 * 32

-- `labels` counts the bytes before the pixels; the last one is the class.
local SETS = {
  CIFAR10 = {
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", checksum = "c32a1d4ab5d03f1284b67883e8d87530",
    folder = "cifar-10-batches-bin", labels = 1, names = "batches.meta.txt", classes = 10,
    train = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin" },
    test = { "test_batch.bin" },
  },
  CIFAR100 = {
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", checksum = "03b5dce01913d631647c71ecec9e9cb8",
    folder = "cifar-100-binary", labels = 2, names = "fine_label_names.txt", classes = 100,
    train = { "train.bin" }, test = { "test.bin" },
  },
}

-- Loads the archive and writes the files that the set reads; what else is in it stays there.
local function fetch(root, name, set)
  core.make_folders(root .. "/" .. set.folder)
  local archive = root .. "/" .. set.url:match "[^/]*$"
  download(set.url, archive, { checksum = set.checksum })
  local wanted = { [set.names] = true }
  for _, list in ipairs { set.train, set.test } do
    for _, file in ipairs(list) do wanted[file] = true end
  end
  for path, content in read_tar(core.read_file(archive, name), name .. ": " .. archive) do
    local file = path:match "[^/]*$"
    if wanted[file] then core.write_file(("%s/%s/%s"):format(root, set.folder, file), content, name) end
  end
end

-- The file's records as a matrix of bytes.
local function read_records(path, name, set)
  local bytes, length = core.read_file(path, name), set.labels + PIXELS
  check(#bytes > 0 and #bytes % length == 0, "%s: '%s' has %s bytes, no multiple of the %s of a record", name, path,
    #bytes, length)
  return core.frombytes(bytes, 0, { #bytes / length, length }, torch.uint8)
end

local function read_names(path, name)
  local good, text = pcall(core.read_file, path, name)
  local names = {}
  for line in (good and text or ""):gmatch "[^\r\n]+" do names[#names + 1] = line end
  return #names > 0 and names or nil
end

-- Are all files there?
local function complete(root, set)
  local good, entries = pcall(core.list_folder, root .. "/" .. set.folder, "CIFAR")
  local there = {}
  for _, entry in ipairs(good and entries or {}) do there[entry] = true end
  for _, list in ipairs { set.train, set.test } do
    for _, file in ipairs(list) do
      if not there[file] then return false end
    end
  end
  return true
end

local sets = {}
for name, set in pairs(SETS) do
  --- Images and classes 1..10, or 1..100, whose names are in `classes` if their file is there.
  ---@class vision.CIFAR: vision.ImageSet
  local Set = class(name .. "(str root, bool train=True, any transform=None, any target_transform=None, "
    .. "bool download=False)", ImageSet)

  function Set:init(opt)
    self:_transforms(opt)
    self.train = opt.train
    if opt.download and not complete(opt.root, set) then fetch(opt.root, name, set) end
    check(complete(opt.root, set), "%s: %s/%s lacks files of the binary version; download=true loads them", name,
      opt.root, set.folder)
    local parts = {}
    for i, file in ipairs(opt.train and set.train or set.test) do
      parts[i] = read_records(("%s/%s/%s"):format(opt.root, set.folder, file), name, set)
    end
    local records = torch.cat(parts, 1)
    self.data = records:narrow(2, set.labels + 1, PIXELS):reshape(-1, 3, 32, 32)
    self.targets = records:select(2, set.labels):to(torch.int64) + 1
    check(self.targets:max():item() <= set.classes, "%s: a label is above %s", name, set.classes - 1)
    self.classes = read_names(("%s/%s/%s"):format(opt.root, set.folder, set.names), name)
  end

  sets[name] = Set
end
return sets
