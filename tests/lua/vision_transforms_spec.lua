-- torch.vision.transforms against torchvision 0.15 on tensors.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local T = torch.vision.transforms
local F = T.functional

-- Bytes that any language can compute, and the same from 0 to 1.
local function pictures()
  local x = torch.arange(3 * 10 * 14, { dtype = torch.float64 }):mul(12.9898):sin():mul(43.7):frac():abs():mul(256)
  local bytes = x:floor():to(torch.uint8):view(3, 10, 14)
  return bytes, bytes:float() / 255
end

-- The sum, and the sum with weights sin 0, sin 1, ..., by which pixels in other places are noticed.
local function sums(x)
  local flat = x:double():flatten()
  return flat:sum():item(), flat:dot(torch.arange(flat:numel(), { dtype = torch.float64 }):sin()):item()
end

local corners, moved = { { 0, 0 }, { 13, 0 }, { 13, 9 }, { 0, 9 } }, { { 2, 1 }, { 11, 1 }, { 12, 7 }, { 1, 8 } }

describe("functions of images", function()
  local bytes, floats = pictures()
  -- Arguments, sizes of the result, and its sums for bytes and for floating numbers.
  for _, row in ipairs {
    { "resize", { { 5, 8 } },
      { 3, 5, 8 }, 14744, -4.13167, 57.7993, -0.0218754 },
    { "resize", { 7, { max_size = 8 } },
      { 3, 6, 8 }, 17700, 289.433, 69.4304, 1.14012 },
    { "resize", { { 21, 9 }, "bicubic" },
      { 3, 21, 9 }, 69642, 119.057, 273.101, 0.502192 },
    { "resize", { { 13, 9 }, "nearest" },
      { 3, 13, 9 }, 43419, 596.469, 170.271, 2.33909 },
    { "center_crop", { { 5, 6 } },
      { 3, 5, 6 }, 11418, 109.913, 44.7765, 0.431032 },
    { "center_crop", { { 13, 6 } },
      { 3, 13, 6 }, 22978, 97.0254, 90.1098, 0.380492 },
    { "crop", { -2, 9, 6, 8 },
      { 3, 6, 8 }, 7065, -80.2918, 27.7059, -0.31487 },
    { "resized_crop", { 1, 2, 7, 9, { 5, 4 } },
      { 3, 5, 4 }, 7507, 222.923, 29.4451, 0.869204 },
    { "pad", { { 1, 2, 3, 4 }, { padding_mode = "edge" } },
      { 3, 16, 18 }, 105509, 346.75, 413.761, 1.3598 },
    { "pad", { { 1, 2, 3, 4 }, { padding_mode = "reflect" } },
      { 3, 16, 18 }, 104913, -368.821, 411.424, -1.44636 },
    { "pad", { { 1, 2, 3, 4 }, { padding_mode = "symmetric" } },
      { 3, 16, 18 }, 105255, -297.713, 412.765, -1.1675 },
    { "pad", { { 2, -3 }, 7 },
      { 3, 4, 18 }, 20765, -298.435, 416.114, -6.24265 },
    { "hflip", {},
      { 3, 10, 14 }, 51527, 523.806, 202.067, 2.05414 },
    { "vflip", {},
      { 3, 10, 14 }, 51527, -350.227, 202.067, -1.37344 },
    { "rotate", { 33, "bilinear", { fill = { 0.1, 0.2, 0.3 } } },
      { 3, 10, 14 }, 40983, -231.597, 175.845, -0.891801 },
    { "rotate", { 27, "bilinear", { expand = true } },
      { 3, 16, 18 }, 51499, 120.931, 201.967, 0.489618 },
    { "rotate", { 90, { expand = true } },
      { 3, 14, 10 }, 51527, -925.722, 202.067, -3.63028 },
    { "rotate", { -50, "bilinear", { center = { 3, 5 } } },
      { 3, 10, 14 }, 32246, 1992.95, 126.464, 7.83242 },
    { "affine", { 20, { 3, -2 }, 1.2, { 10, 5 }, "bilinear" },
      { 3, 10, 14 }, 42661, -179.869, 167.28, -0.720855 },
    { "affine", { -70, { 1, 4 }, 0.7, 15, { fill = 1 } },
      { 3, 10, 14 }, 15629, -539.836, 354.137, -0.22958 },
    { "perspective", { corners, moved },
      { 3, 10, 14 }, 29583, 684.702, 116.009, 2.66703 },
    { "rgb_to_grayscale", { 3 },
      { 3, 10, 14 }, 52683, 254.204, 207.431, 0.995143 },
    { "adjust_brightness", { 1.7 },
      { 3, 10, 14 }, 74243, -546.068, 291.593, -2.14086 },
    { "adjust_contrast", { 2 },
      { 3, 10, 14 }, 52134, -167.736, 204.5, -0.658226 },
    { "adjust_saturation", { 1.9 },
      { 3, 10, 14 }, 51887, -1032.48, 203.502, -4.02769 },
    { "adjust_hue", { -0.17 },
      { 3, 10, 14 }, 51619, 90.458, 202.441, 0.356468 },
    { "adjust_gamma", { 0.6, 1.1 },
      { 3, 10, 14 }, 71085, -411.984, 278.568, -1.62036 },
    { "gaussian_blur", { { 5, 3 }, { 1.2, 0.7 } },
      { 3, 10, 14 }, 51776, 101.278, 203.042, 0.402737 },
    { "gaussian_blur", { 7 },
      { 3, 10, 14 }, 51719, 208.016, 202.808, 0.821259 },
    { "adjust_sharpness", { 2.5 },
      { 3, 10, 14 }, 52491, -75.0128, 206.028, -0.292245 },
    { "invert", {},
      { 3, 10, 14 }, 55573, 543.216, 217.933, 2.13026 },
    { "autocontrast", {},
      { 3, 10, 14 }, 51858, -338.8, 204.16, -1.34545 },
    { "solarize", { 0.5 },
      { 3, 10, 14 }, 55318, 543.216, 107.09, -1.29581 },
    { "erase", { 2, 3, 4, 5, 1 },
      { 3, 10, 14 }, 44819, -738.93, 235.525, -3.11542 },
  } do
    local name, arguments, sizes, sum, weighted, sum_of_floats, weighted_floats = unpack(row)
    it("give torchvision's numbers: " .. name, function()
      for _, x in ipairs { bytes, floats } do
        local y = F[name](x, unpack(arguments))
        equal(y:size(), sizes)
        equal(y.dtype, x.dtype)
        local a, b = sums(y)
        -- where a byte is rounded either way, it may be another one
        local slack = x.dtype == torch.uint8 and 2 or 1e-4 * (1 + math.abs(sum_of_floats))
        local wanted = x.dtype == torch.uint8 and { sum, weighted } or { sum_of_floats, weighted_floats }
        assert(math.abs(a - wanted[1]) <= slack and math.abs(b - wanted[2]) <= slack,
          ("%s: sums %.6g and %.6g, expected %.6g and %.6g"):format(tostring(x.dtype), a, b, wanted[1], wanted[2]))
      end
    end)

    it("give batches what they give each image: " .. name, function()
      local batch = torch.stack { floats, floats:flip(3) }
      local y = F[name](batch, unpack(arguments))
      equal(y[1], F[name](floats, unpack(arguments)))
      equal(y[2], F[name](floats:flip(3), unpack(arguments)))
    end)
  end

  it("keep the highest bits, and spread values evenly", function()
    equal({ sums(F.posterize(bytes, 3)) }, { 44992, -374.618 })
    local y = F.equalize(torch.arange(1024):remainder(37):to(torch.uint8):view(1, 32, 32))
    equal(y[1][1]:tolist(), { 0, 9, 19, 28, 37, 47, 56, 65, 75, 84, 93, 103, 112, 121, 131, 140, 149, 159, 168, 177,
      187, 196, 205, 215, 224, 233, 242, 251, 255, 255, 255, 255 })
    equal(F.equalize(bytes:narrow(2, 1, 2)), bytes:narrow(2, 1, 2)) -- too few pixels
  end)

  it("convert dtypes and their ranges", function()
    for dtype, wanted in pairs { int16 = { 6.59546e+06, -42967.8 }, float64 = { 202.067, -1.31642 },
      int32 = { 4.3224e+11, -2.81594e+09 }, int8 = { 25652, -174.757 } } do
      equal({ sums(F.convert_image_dtype(bytes, torch[dtype])) }, wanted)
    end
    equal(F.convert_image_dtype(floats, torch.uint8), bytes)
    equal(sums(F.convert_image_dtype(floats, torch.int16)), 6621108)
    equal(F.convert_image_dtype(F.convert_image_dtype(bytes, torch.int32), torch.uint8), bytes)
    fails(function() F.convert_image_dtype(floats, torch.int64) end,
      "torch.float32 cannot hold all values of torch.int64")
    equal(T.ToTensor()(bytes[1]), floats:narrow(1, 1, 1))
  end)

  it("normalise channels", function()
    local y = F.normalize(floats, { 0.1, 0.2, 0.3 }, { 1, 2, 4 })
    for c = 1, 3 do equal(y[c], (floats[c] - c / 10) / 2 ^ (c - 1)) end
    local x = floats:clone()
    F.normalize(x, { 0.5 }, { 2 }, { inplace = true })
    equal(x, (floats - 0.5) / 2)
  end)

  it("cut corners and the middle, also of the mirrored image", function()
    local crops = F.ten_crop(bytes, { 4, 6 })
    equal(#crops, 10)
    equal(crops[1], bytes:narrow(2, 1, 4):narrow(3, 1, 6))
    equal(crops[4], bytes:narrow(2, 7, 4):narrow(3, 9, 6))
    equal(crops[5], bytes:narrow(2, 4, 4):narrow(3, 5, 6))
    equal(crops[6], bytes:flip(3):narrow(2, 1, 4):narrow(3, 1, 6))
    equal(F.ten_crop(bytes, 4, true)[6], bytes:flip(2):narrow(2, 1, 4):narrow(3, 1, 4))
  end)

  it("turn each image of a batch by an angle of its own", function()
    local batch = torch.stack { floats, floats:flip(2), floats:flip(3) }
    local y = F.rotate(batch, { 10, 20, -30 }, "bilinear", { fill = 0.5 })
    local z = F.affine(batch, { 10, 20, -30 }, { { 1, 2 }, { 3, 4 }, { 0, -1 } }, { 1, 2, 0.5 }, { 3, { 1, 2 }, 0 },
      "bilinear")
    equal(y[2], F.rotate(batch[2], 20, "bilinear", { fill = 0.5 }))
    equal(z[2], F.affine(batch[2], 20, { 3, 4 }, 2, { 1, 2 }, "bilinear"))
    equal(z[3], F.affine(batch[3], -30, { 0, -1 }, 0.5, 0, "bilinear"))
    fails(function() F.rotate(batch, { 1, 2 }) end, "there are 2 angles for images (3, 3, 10, 14)")
  end)

  it("have derivatives", function()
    local x = torch.rand(1, 1, 5, 6, { dtype = torch.float64, requires_grad = true })
    for name, f in pairs {
      resize = function(v) return F.resize(v, { 3, 4 }) end,
      rotate = function(v) return F.rotate(v, 25, "bilinear") end,
      gaussian_blur = function(v) return F.gaussian_blur(v, 3) end,
    } do
      assert(torch.autograd.gradcheck(f, { x }), name)
    end
  end)

  for _, row in ipairs {
    { "expected an image tensor, got a number", function() F.hflip(3) end },
    { "expected an image (..., C, H, W), got a tensor (10, 14)", function() F.resize(bytes[1], 5) end },
    { "sizes are whole numbers from 1, got 0", function() F.resize(bytes, 0) end },
    { "max_size 4 is not above the shorter side 5", function() F.resize(bytes, 5, { max_size = 4 }) end },
    { "interpolation is nearest, nearest-exact, bilinear or bicubic", function() F.resize(bytes, 5, "box") end },
    { "interpolation is nearest or bilinear, got 'bicubic'", function() F.rotate(bytes, 5, "bicubic") end },
    { "a number or a list of 1, 2 or 4", function() F.pad(bytes, { 1, 2, 3 }) end },
    { "padding_mode is constant, edge, reflect or symmetric", function() F.pad(bytes, 1, 0, "mirror") end },
    { "symmetric padding of 11 and 11 is more than the size 10", function()
      F.pad(bytes, 11, { padding_mode = "symmetric" })
    end },
    { "pads by less than a dimension's size", function() F.pad(bytes, 10, { padding_mode = "reflect" }) end },
    { "five_crop: size (11, 4) is larger than the image (10, 14)", function() F.five_crop(bytes, { 11, 4 }) end },
    { "mean has 2 numbers for 3 channels", function() F.normalize(floats, { 1, 2 }, { 1 }) end },
    { "std is 0", function() F.normalize(floats, { 1 }, { 0 }) end },
    { "expected a floating image", function() F.normalize(bytes, { 1 }, { 1 }) end },
    { "expected 1 or 3 channels, got 2", function() F.adjust_hue(floats:narrow(1, 1, 2), 0.1) end },
    { "hue_factor is within -0.5..0.5, got 0.6", function() F.adjust_hue(floats, 0.6) end },
    { "the factor is not negative, got -1", function() F.adjust_contrast(floats, -1) end },
    { "kernel_size is odd, got 4", function() F.gaussian_blur(floats, 4) end },
    { "sigma is above 0, got 0", function() F.gaussian_blur(floats, 3, 0) end },
    { "bits is within 0..8, got 9", function() F.posterize(bytes, 9) end },
    { "expected an image of uint8", function() F.equalize(floats) end },
    { "reach outside of the image (10, 14)", function() F.erase(bytes, 8, 0, 3, 3, 0) end },
    { "scale is above 0, got 0", function() F.affine(bytes, 0, { 0, 0 }, 0, 0) end },
    { "fill is a number or one for each of 3 channels", function() F.rotate(bytes, 5, { fill = { 1, 2 } }) end },
    { "expected 4 points {x, y}", function() F.perspective(bytes, corners, { 1, 2, 3, 4 }) end },
  } do
    it("say what is wrong: " .. row[1], function() fails(row[2], row[1]) end)
  end
end)

describe("transforms", function()
  local bytes, floats = pictures()

  it("print what they are made of", function()
    equal(tostring(T.Compose { T.Resize { 5, 8 }, T.RandomApply({ T.Pad(2) }, 0.3) }), [[
Compose(
  Resize(size=(5, 8), interpolation=bilinear, max_size=None, antialias=True)
  RandomApply(Pad(padding=2, fill=0.0, padding_mode=constant))
)]])
  end)

  it("do the same with the same random numbers, and other things with others", function()
    local all = T.Compose {
      T.RandomCrop(12, { padding = 4 }), T.RandomHorizontalFlip(), T.RandomVerticalFlip { p = 1 },
      T.ColorJitter { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0.1 },
      T.RandomApply({ T.GaussianBlur(5) }, { p = 0.7 }), T.RandomGrayscale { p = 0.5 },
      T.RandomChoice { T.RandomInvert { p = 1 }, T.RandomSolarize(100, { p = 1 }), T.RandomPosterize(3, { p = 1 }) },
      T.RandomOrder { T.RandomRotation(10), T.RandomAffine(10, { translate = { 0.1, 0.1 }, scale = { 0.8, 1.2 },
        shear = 5 }) },
      T.RandomPerspective(), T.RandomResizedCrop { 9, 7 }, T.RandomAdjustSharpness(2), T.RandomAutocontrast(),
      T.RandomEqualize(), T.ToTensor(), T.RandomErasing { value = "random", p = 1 },
      T.Normalize({ 0.5, 0.5, 0.5 }, { 0.2, 0.2, 0.2 }),
    }
    local function run(seed)
      torch.manual_seed(seed)
      return all(bytes)
    end
    local y = run(1)
    equal(y:size(), { 3, 9, 7 })
    assert(y:equal(run(1)) and not y:equal(run(2)))
    equal(all:each(torch.stack { bytes, bytes }):size(), { 2, 3, 9, 7 })
  end)

  it("keep probabilities", function()
    local flip, count = T.RandomHorizontalFlip { p = 0.25 }, 0
    torch.manual_seed(3)
    for _ = 1, 400 do
      if not flip(bytes):equal(bytes) then count = count + 1 end
    end
    assert(count > 70 and count < 130, count)
    local batch = bytes:expand(400, 3, 10, 14)
    local flipped = flip:each(batch):ne(batch):flatten(2):any(2):sum():item()
    assert(flipped > 70 and flipped < 130, flipped)
  end)

  it("draw once for a batch that they are called with, and for each of its images by each", function()
    torch.manual_seed(1)
    local crop, batch = T.RandomCrop(4), floats:expand(20, 3, 10, 14)
    local same, each = crop(batch), crop:each(batch)
    assert(same:eq(same:narrow(1, 1, 1)):all():item())
    assert(not each:eq(each:narrow(1, 1, 1)):all():item())
    for i = 1, 20 do -- each is a part of the image
      local found = false
      for top = 0, 6 do
        for left = 0, 10 do found = found or F.crop(floats, top, left, 4, 4):equal(each[i]) end
      end
      assert(found)
    end
  end)

  it("crop at every place, and pad where the image is too small", function()
    torch.manual_seed(2)
    local crop, seen = T.RandomCrop { 10, 13 }, {}
    for _ = 1, 50 do seen[crop(bytes):equal(bytes:narrow(3, 1, 13)) and 1 or 2] = true end
    assert(seen[1] and seen[2])
    equal(T.RandomCrop(20, { pad_if_needed = true })(bytes):size(), { 3, 20, 20 })
    fails(function() T.RandomCrop(20)(bytes) end, "RandomCrop: size (20, 20) is larger than the image (10, 14)")
  end)

  it("take any function as a step", function()
    local f = T.Compose { function(x) return x * 2 end, T.Lambda(function(x) return x + 1 end) }
    equal(f(floats), floats * 2 + 1)
    equal(f:each(floats:unsqueeze(1))[1], floats * 2 + 1)
    local stack = T.Compose { T.FiveCrop(4), torch.stack }
    equal(stack:each(torch.stack { bytes, bytes }):size(), { 2, 5, 3, 4, 4 })
  end)

  -- torchvision 0.15's results of all operations of RandAugment(1) in both directions, by hashes: 14 operations, 9 of
  -- them with two. Its factors are of float32; sharpened by 1.27, some bytes of this picture are others for that.
  it("draw the operations that torchvision has", function()
    local known = { [1285792973] = "Sharpness" }
    for _, hash in ipairs { 325749998, 475308480, 513401990, 530776560, 557580653, 1153985016, 1277503274, 1373307868,
      1593381658, 1656526533, 1940662338, 2505271805, 2567383032, 2718706869, 3002668800, 3328447022, 3681033997,
      3717465392, 3833134826, 4134591114, 4284231806 } do
      known[hash] = true
    end
    local picture = torch.arange(3 * 12 * 16):mul(37):remainder(251):to(torch.uint8):view(3, 12, 16)
    local seen, count = {}, 0
    torch.manual_seed(1)
    for _ = 1, 400 do
      local hash = 0
      for _, byte in ipairs(T.RandAugment(1)(picture):flatten():tolist()) do hash = (hash * 31 + byte) % 2 ^ 32 end
      assert(known[hash], hash)
      count = count + (seen[hash] and 0 or 1)
      seen[hash] = true
    end
    equal(count, 22)
  end)

  it("draw one operation in any strength", function()
    local trivial, results = T.TrivialAugmentWide(2), {}
    for _ = 1, 300 do results[#results + 1] = trivial(bytes) end
    for _, expected in ipairs { bytes, F.invert(bytes), F.posterize(bytes, 2), F.autocontrast(bytes),
      F.rotate(bytes, -135), F.adjust_brightness(bytes, 1.99) } do
      local found = false
      for _, result in ipairs(results) do found = found or result:equal(expected) end
      assert(found, expected)
    end
    equal(trivial:each(torch.stack { bytes, bytes }):size(), { 2, unpack(bytes:size()) })
  end)

  for _, row in ipairs {
    { "expected a list of transforms, got a number", function() T.Compose(3) end },
    { "transform 2 is a string, which cannot be called", function() T.Compose { T.ToTensor(), "x" } end },
    { "RandomChoice: p has 1 weights for 2 transforms", function()
      T.RandomChoice({ T.ToTensor(), T.ToTensor() }, { p = { 1 } })
    end },
    { "RandomChoice: the list is empty", function() T.RandomChoice {} end },
    { "RandomHorizontalFlip: p is within 0..1, got 2", function() T.RandomHorizontalFlip(2) end },
    { "RandomRotation: degrees is not negative, got -3", function() T.RandomRotation(-3) end },
    { "RandomAffine: translate is within 0..1, got 2", function() T.RandomAffine(3, { translate = { 2, 2 } }) end },
    { "ColorJitter: hue is within -0.5..0.5", function() T.ColorJitter { hue = 0.7 } end },
    { "GaussianBlur: sigma is above 0", function() T.GaussianBlur(3, 0) end },
    { "RandomErasing: value has 2 numbers for 3 channels", function()
      T.RandomErasing { value = { 1, 2 }, p = 1 }(floats)
    end },
    { "RandomResizedCrop: scale is a number or a list {low, high}", function()
      T.RandomResizedCrop(4, { scale = { 1, 0.5 } })
    end },
    { "CenterCrop: sizes are whole numbers from 1, got 0", function() T.CenterCrop(0) end },
    { "RandAugment: magnitude is within 0..30, got 31", function() T.RandAugment(2, 31) end },
  } do
    it("say what is wrong: " .. row[1], function() fails(row[2], row[1]) end)
  end
end)
