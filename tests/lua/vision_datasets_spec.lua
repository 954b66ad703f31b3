-- torch.vision.datasets, with small files made here, and downloads of files instead of addresses.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local datasets, transforms = torch.vision.datasets, torch.vision.transforms
local core = torch.core

local folder = shell.folder()

local function remove_folder() os.execute("rm -rf '" .. folder .. "'") end

-- Writes `n` images of MNIST's form, whose pixels are the image's number, and labels 0..9 in turn.
local function write_mnist(root, prefix, n)
  local images = torch.arange(1, n + 1):to(torch.uint8):view(n, 1, 1):expand(n, 28, 28):contiguous()
  torch.save_idx(images, root .. "/" .. prefix .. "-images-idx3-ubyte")
  torch.save_idx(torch.arange(n):remainder(10):to(torch.uint8), root .. "/" .. prefix .. "-labels-idx1-ubyte")
end

describe("MNIST", function()
  write_mnist(folder, "train", 12)
  write_mnist(folder, "t10k", 3)
  os.execute(("gzip '%s/t10k-images-idx3-ubyte'"):format(folder))

  it("has images of bytes and classes from 1", function()
    local set = datasets.MNIST(folder)
    equal(set:size(), 12)
    local image, class = set:get(11)
    equal(image:size(), { 1, 28, 28 })
    equal({ image[1][1][1]:item(), class }, { 11, 1 })
    equal({ datasets.MNIST(folder, { train = false }):size(), set.classes[10] }, { 3, "9 - nine" })
    local images, classes = set:batch(torch.tensor({ 2, 12 }, { dtype = torch.int64 }))
    equal({ images:size(), classes:tolist() }, { { 2, 1, 28, 28 }, { 2, 2 } })
  end)

  it("transforms images and classes, each and in batches", function()
    local set = datasets.MNIST { root = folder, transform = transforms.Compose { transforms.ToTensor(),
      transforms.Normalize({ 0.5 }, { 0.5 }) }, target_transform = function(class) return -class end }
    local image, class = set:get(5)
    equal({ image[1][1][1]:item(), class }, { (5 / 255 - 0.5) / 0.5, -5 })
    local images, classes = set:batch(torch.tensor({ 5 }, { dtype = torch.int64 }))
    equal(images[1], image)
    equal(classes:tolist(), { -5 })
    set = datasets.MNIST { root = folder, transform = function(x) return x:float() * 2 end }
    equal(set:batch(torch.tensor({ 3 }, { dtype = torch.int64 })), torch.full({ 1, 1, 28, 28 }, 6))
  end)

  it("goes through a loader", function()
    local set = datasets.MNIST { root = folder, transform = transforms.RandomCrop(28, { padding = 2 }) }
    local loader = torch.utils.data.DataLoader(set, { batch_size = 5, shuffle = true })
    local seen = 0
    for images, classes in loader:iter() do seen = seen + images:size(1) + 0 * classes:size(1) end
    equal(seen, 12)
  end)

  it("says which files are missing or wrong", function()
    fails(function() datasets.KMNIST "/no/such/folder" end,
      "there is neither /no/such/folder/KMNIST/raw/train-images-idx3-ubyte(.gz) nor")
    fails(function() datasets.MNIST(folder):get(13) end, "MNIST: sample 13 is outside 1..12")
    fails(function() datasets.MNIST(folder, { transform = 3 }) end, "transform is a function or a transform")
    local other = shell.folder()
    write_mnist(other, "train", 4)
    torch.save_idx(torch.zeros(3, { dtype = torch.uint8 }), other .. "/train-labels-idx1-ubyte")
    fails(function() datasets.MNIST(other) end, "MNIST: there are 4 images, but 3 labels")
    torch.save_idx(torch.full({ 4 }, 10, { dtype = torch.uint8 }), other .. "/train-labels-idx1-ubyte")
    fails(function() datasets.MNIST(other) end, "MNIST: a label is above 9")
    os.execute("rm -rf '" .. other .. "'")
  end)
end)

describe("CIFAR", function()
  -- One record per label: the labels' bytes, then planes of 1, 2 and 3.
  local function records(labels)
    local text = {}
    for i, label in ipairs(labels) do
      text[i] = string.char(unpack(label)) .. ("\1"):rep(1024) .. ("\2"):rep(1024) .. ("\3"):rep(1024)
    end
    return table.concat(text)
  end

  it("reads the binary version", function()
    os.execute(("mkdir -p '%s/cifar-10-batches-bin' '%s/cifar-100-binary'"):format(folder, folder))
    for i = 1, 5 do
      shell.write(("%s/cifar-10-batches-bin/data_batch_%d.bin"):format(folder, i), records { { i }, { 9 } })
    end
    shell.write(folder .. "/cifar-10-batches-bin/test_batch.bin", records { { 0 } })
    shell.write(folder .. "/cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\n\n")
    local set = datasets.CIFAR10(folder)
    equal(set.data:size(), { 10, 3, 32, 32 })
    local image, class = set:get(3)
    equal({ image[1][1][1]:item(), image[3][32][32]:item(), class }, { 1, 3, 3 })
    equal(set.classes, { "airplane", "automobile" })
    shell.write(folder .. "/cifar-100-binary/train.bin", records { { 7, 99 } })
    shell.write(folder .. "/cifar-100-binary/test.bin", records { { 7, 0 }, { 1, 2 } })
    equal(datasets.CIFAR100(folder).targets:tolist(), { 100 })
    equal(datasets.CIFAR100(folder, { train = false }).targets:tolist(), { 1, 3 })
  end)

  it("says which files are missing or cut", function()
    fails(function() datasets.CIFAR10 "/no/such/folder" end, "lacks files of the binary version")
    shell.write(folder .. "/cifar-100-binary/test.bin", records { { 7, 0 } }:sub(1, -2))
    fails(function() datasets.CIFAR100(folder, { train = false }) end, "has 3073 bytes, no multiple of the 3074")
    shell.write(folder .. "/cifar-100-binary/test.bin", records { { 7, 100 } })
    fails(function() datasets.CIFAR100(folder, { train = false }) end, "a label is above 99")
  end)

  it("unpacks archives", function()
    local read_tar = require "torch.vision.datasets.tar"
    os.execute(("cd '%s' && tar cf a.tar cifar-10-batches-bin"):format(folder))
    local bytes, found = shell.read(folder .. "/a.tar"), {}
    for name, content in read_tar(bytes, "a.tar") do found[name] = #content end
    equal(found["cifar-10-batches-bin/test_batch.bin"], 3073)
    equal(found["cifar-10-batches-bin/data_batch_5.bin"], 2 * 3073)
    fails(function()
      for _ in read_tar(bytes:sub(1, 3000), "a.tar") do end
    end, "a.tar: the archive is damaged at byte")
    for cut = 1, #bytes, 997 do pcall(function() for _ in read_tar(bytes:sub(1, cut), "a.tar") do end end) end
  end)
end)

describe("ImageFolder", function()
  local root = folder .. "/pictures"
  os.execute(("mkdir -p '%s/cat/small' '%s/ant'"):format(root, root))
  local function picture(value) return torch.full({ 3, 2, 2 }, value, { dtype = torch.uint8 }) end
  torch.vision.write_png(picture(1), root .. "/cat/b.png")
  torch.vision.write_png(picture(2), root .. "/cat/small/a.PNG")
  torch.vision.write_png(picture(3):narrow(1, 1, 1), root .. "/ant/x.png")
  shell.write(root .. "/ant/notes.txt", "no picture")
  shell.write(root .. "/readme", "no class")

  it("has a class for each folder, and RGB images", function()
    local set = datasets.ImageFolder(root)
    equal(set.classes, { "ant", "cat" })
    equal(set.class_to_idx, { ant = 1, cat = 2 })
    equal({ set:size(), set.targets }, { 3, { 1, 2, 2 } })
    local image, class = set:get(1)
    equal(image, picture(3))
    equal(class, 1)
    equal(set.samples[3][1], root .. "/cat/small/a.PNG")
  end)

  it("takes other readers and other files", function()
    local set = datasets.ImageFolder { root = root, loader = shell.read,
      is_valid_file = function(path) return path:find "%.txt$" ~= nil or path:find "b%.png$" ~= nil end }
    equal((set:get(1)), "no picture")
    fails(function() datasets.ImageFolder(root .. "/cat/small") end, "has no folders for classes")
    fails(function() datasets.ImageFolder("/no/such/folder") end, "ImageFolder: cannot list '/no/such/folder'")
    fails(function() datasets.ImageFolder { root = root, is_valid_file = function() end } end, "ant' has no images")
    fails(function() set:get(0) end, "sample 0 is outside 1..2")
  end)
end)

describe("FakeData", function()
  it("is the same whenever it is asked for", function()
    local set = datasets.FakeData { size = 4, image_size = { 3, 5, 6 }, num_classes = 7 }
    local image, class = set:get(2)
    local again, same = set:get(2)
    assert(image:equal(again) and class == same and class >= 1 and class <= 7)
    equal({ image:size(), image.dtype }, { { 3, 5, 6 }, torch.uint8 })
    assert(not image:equal((set:get(3))))
    assert(image:equal((datasets.FakeData { image_size = { 3, 5, 6 }, random_offset = 1 }:get(1))))
    fails(function() set:get(5) end, "FakeData: sample 5 is outside 1..4")
  end)
end)

describe("SyntheticDigits", function()
  it("are pictures with ink, as many of each digit", function()
    local set = datasets.SyntheticDigits(70, { seed = 1 })
    equal(set.data:size(), { 70, 1, 28, 28 })
    for class = 1, 10 do equal(set.targets:eq(class):sum():item(), 7) end
    equal(set.targets:narrow(1, 1, 11):tolist(), { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1 })
    -- every picture has some ink, and more paper than ink
    local ink = set.data:reshape(70, -1):gt(127):sum(2)
    assert(ink:min():item() > 15 and ink:max():item() < 300)
  end)

  it("come from their seed, without touching other random numbers", function()
    torch.manual_seed(5)
    local first = torch.rand(1):item()
    torch.manual_seed(5)
    local set = datasets.SyntheticDigits(13, { seed = 2 })
    equal(torch.rand(1):item(), first)
    equal(set:size(), 13)
    assert(set.data:equal(datasets.SyntheticDigits(13, { seed = 2 }).data))
    assert(not set.data:equal(datasets.SyntheticDigits(13, { seed = 3 }).data))
    fails(function() datasets.SyntheticDigits(3) end, "size is at least 10, got 3")
  end)
end)

describe("checksums", function()
  it("are MD5 (RFC 1321) and SHA-256 (FIPS 180-4)", function()
    local path = folder .. "/text"
    for text, sums in pairs {
      [""] = { "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
      abc = { "900150983cd24fb0d6963f7d28e17f72",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
      [("1234567890"):rep(8)] = { "57edf4a22be3c955ac49da2e2107b67a",
        "f371bc4a311f2b009eef952dd83ca80e2b60026c8e935592d0f9c308453c813e" },
      -- longer than the pieces that files are read in
      [("a"):rep(2 ^ 20 + 55)] = { shell.output_of("head -c 1048631 /dev/zero | tr '\\0' a | md5sum"):match "%x+",
        shell.output_of("head -c 1048631 /dev/zero | tr '\\0' a | sha256sum"):match "%x+" },
    } do
      shell.write(path, text)
      equal({ core.digest(path, "md5"), core.digest(path, "sha256") }, sums)
    end
    fails(function() core.digest(path, "sha1") end, "digest: the algorithm is md5 or sha256, got 'sha1'")
    fails(function() core.digest(folder, "md5") end, "is a directory")
  end)
end)

-- libcurl is looked for when it is first needed.
local _, answer = pcall(core.download, "file:///no/such/file", folder .. "/nothing")
local has_curl = not answer:find("libcurl4", 1, true)
if not has_curl then print("skipped downloads, which need libcurl4") end

describe("download", has_curl and function()
  local source, path = folder .. "/source", folder .. "/loaded"
  local text = ("facula "):rep(50000)
  shell.write(source, text)
  local url, checksum = "file://" .. source, core.digest(source, "sha256")
  local function load(options)
    options.progress = false
    datasets.download(url, path, options)
  end

  it("loads a file and checks it", function()
    load { checksum = checksum }
    equal(shell.read(path), text)
    os.remove(source)
    load { checksum = checksum:upper() } -- it is there
    shell.write(source, text)
    os.remove(path)
  end)

  it("goes on where it was broken off", function()
    shell.write(path .. ".part", text:sub(1, 1000))
    load { checksum = checksum }
    equal(shell.read(path), text)
    os.remove(path)
    shell.write(path .. ".part", text) -- broken off at the end
    load { checksum = checksum }
    equal(shell.read(path), text)
    os.remove(path)
  end)

  it("keeps neither what is wrong nor what is half there", function()
    shell.write(path .. ".part", "something else")
    fails(function() load { checksum = checksum } end, "expected " .. checksum)
    load { checksum = checksum } -- from the beginning
    os.remove(path)
    shell.write(path, "somebody's")
    fails(function() load { checksum = checksum } end, "exists with the checksum")
    equal(shell.read(path), "somebody's")
    os.remove(path)
  end)

  it("reports how far it is", function()
    local done, total
    core.download(url, path, function(...) done, total = ... end)
    equal({ done, total }, { #text, #text })
    os.remove(path)
    fails(function() core.download(url, path, function() error("no more", 0) end) end, "no more")
    os.remove(path)
  end)

  it("tries other addresses, and says what went wrong with each", function()
    datasets.download({ "file:///no/such/file", url }, path, { progress = false })
    equal(shell.read(path), text)
    os.remove(path)
    local before = #core.list_folder(folder, "spec") -- nothing came, nothing stays
    local good, problem = pcall(datasets.download, { "file:///no/such/file", "gopher://x/y" }, path,
      { progress = false })
    assert(not good and problem:find("download: file:///no/such/file: .-\n  download: gopher://x/y: "), problem)
    equal(#core.list_folder(folder, "spec"), before)
    fails(function() datasets.download(url, "/no/such/folder/x") end, "cannot write '/no/such/folder/x.part'")
    fails(function() datasets.download(url, path, { checksum = "12" }) end, "a checksum has 32 (MD5) or 64 (SHA-256)")
    fails(function() datasets.download({}, path) end, "url is an address or a list of addresses")
  end)
end or function() end)

remove_folder()
