--- Transforms that move pixels at random.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local options, Transform = require "torch.nn.options", require "torch.vision.transforms.transform"
local F, draw = require "torch.vision.transforms.functional", require "torch.vision.transforms.draw"
local image = require "torch.vision.transforms.image"

local random = {}
local probability = { p = options.within(0, 1) }

for name, mirror in pairs { RandomHorizontalFlip = F.hflip, RandomVerticalFlip = F.vflip } do
  --- Mirrored with probability p.
  local Flip = class(name .. "(float p=0.5)", Transform)
  Flip.allows = probability

  function Flip:forward(x)
    return draw.chance(self.p) and mirror(x) or x
  end

  function Flip:each(batch)
    local chosen = torch.rand(batch:size(1)):lt(self.p):to(batch.device)
    return torch.where(chosen:view(-1, 1, 1, 1), mirror(batch), batch)
  end

  random[name] = Flip
end

--- A part of the given size at a random place, after padding if there is any. `pad_if_needed` makes smaller images
--- large enough.
---@class vision.RandomCrop: nn.Module
local RandomCrop = class("RandomCrop(any size, any padding=None, bool pad_if_needed=False, float fill=0, "
  .. "str padding_mode='constant')", Transform)

function RandomCrop:init(opt)
  self._height, self._width = image.height_and_width(opt.size, "RandomCrop")
end

-- The image with its padding, its height and its width.
function RandomCrop:_padded(x)
  local h, w = self._height, self._width
  if self.padding then x = F.pad(x, self.padding, self.fill, self.padding_mode) end
  local height, width = image.plane(x, "RandomCrop")
  if self.pad_if_needed and (height < h or width < w) then
    x = F.pad(x, { math.max(w - width, 0), math.max(h - height, 0) }, self.fill, self.padding_mode)
    height, width = image.plane(x, "RandomCrop")
  end
  check(h <= height and w <= width, "RandomCrop: size (%s, %s) is larger than the image (%s, %s)", h, w, height, width)
  return x, height, width
end

function RandomCrop:forward(x)
  local padded, height, width = self:_padded(x)
  local h, w = self._height, self._width
  return F.crop(padded, draw.integer(0, height - h), draw.integer(0, width - w), h, w)
end

function RandomCrop:each(batch)
  local padded, height, width = self:_padded(batch)
  local h, w, n = self._height, self._width, batch:size(1)
  local tops = torch.randint(1, height - h + 2, { n }):tolist()
  local lefts = torch.randint(1, width - w + 2, { n }):tolist()
  local images = {}
  for i = 1, n do images[i] = padded[i]:narrow(-2, tops[i], h):narrow(-1, lefts[i], w) end
  return torch.stack(images)
end

--- A part with a random share `scale` of the area and a random `ratio` of width to height, in another size (Szegedy et
--- al. 2014).
---@class vision.RandomResizedCrop: nn.Module
local RandomResizedCrop = class("RandomResizedCrop(any size, float[] scale=[0.08, 1.0], "
  .. "float[] ratio=[0.75, 1.3333333333333333], str interpolation='bilinear', bool antialias=True)", Transform)

function RandomResizedCrop:init(opt)
  self._size = { image.height_and_width(opt.size, "RandomResizedCrop") }
  draw.range(opt.scale, "RandomResizedCrop: scale")
  draw.range(opt.ratio, "RandomResizedCrop: ratio")
  check(opt.scale[1] >= 0 and opt.ratio[1] > 0, "RandomResizedCrop: scale and ratio are not negative")
end

-- Where the part is: top, left, height, width. If ten random ones do not fit it is the largest one in the middle.
function RandomResizedCrop:_place(height, width)
  local low, high = self.ratio[1], self.ratio[2]
  for _ = 1, 10 do
    local area = height * width * draw.uniform(self.scale[1], self.scale[2])
    local ratio = math.exp(draw.uniform(math.log(low), math.log(high)))
    local w, h = image.rounded(math.sqrt(area * ratio)), image.rounded(math.sqrt(area / ratio))
    if w >= 1 and w <= width and h >= 1 and h <= height then
      return draw.integer(0, height - h), draw.integer(0, width - w), h, w
    end
  end
  local h, w = height, width
  if width / height < low then h = math.max(image.rounded(width / low), 1) end
  if width / height > high then w = math.max(image.rounded(height * high), 1) end
  return math.floor((height - h) / 2), math.floor((width - w) / 2), h, w
end

function RandomResizedCrop:forward(x)
  local top, left, h, w = self:_place(image.plane(x, "RandomResizedCrop"))
  return F.resized_crop(x, top, left, h, w, self._size, self.interpolation, self.antialias)
end

-- Colours outside of the image for each channel: torchvision's random transforms always have some.
local function fill_for(fill, x)
  if type(fill) == "table" then return fill end
  local list = {}
  for i = 1, x:size(-3) do list[i] = fill end
  return list
end

--- Turned by up to so many degrees to either side, or by an angle of {low, high}.
---@class vision.RandomRotation: nn.Module
local RandomRotation = class("RandomRotation(any degrees, str interpolation='nearest', bool expand=False, "
  .. "float[]? center=None, any fill=0)", Transform)

function RandomRotation:init(opt)
  self._degrees = draw.range(opt.degrees, "RandomRotation: degrees")
end

function RandomRotation:forward(x)
  image.plane(x, "RandomRotation", 3)
  local angle = draw.uniform(self._degrees[1], self._degrees[2])
  return F.rotate(x, angle, self.interpolation, self.expand, self.center, fill_for(self.fill, x))
end

function RandomRotation:each(batch)
  if self.expand then return Transform.map(self, batch) end
  local angles = {}
  for i = 1, batch:size(1) do angles[i] = draw.uniform(self._degrees[1], self._degrees[2]) end
  return F.rotate(batch, angles, self.interpolation, false, self.center, fill_for(self.fill, batch))
end

--- Turned by `degrees`; moved by up to a share {x, y} of width and height; scaled by {low, high}; sheared by degrees: n
--- for -n..n in x, {low, high} in x, or {low, high, low, high} in x and y.
---@class vision.RandomAffine: nn.Module
local RandomAffine = class("RandomAffine(any degrees, float[]? translate=None, float[]? scale=None, any shear=None, "
  .. "str interpolation='nearest', any fill=0, float[]? center=None)", Transform)

function RandomAffine:init(opt)
  self._degrees = draw.range(opt.degrees, "RandomAffine: degrees")
  check(opt.translate == nil or #opt.translate == 2, "RandomAffine: translate is a list of shares of width and height")
  for _, share in ipairs(opt.translate or {}) do
    check(share >= 0 and share <= 1, "RandomAffine: translate is within 0..1, got %s", share)
  end
  if opt.scale then
    draw.range(opt.scale, "RandomAffine: scale")
    check(opt.scale[1] > 0, "RandomAffine: scale is above 0")
  end
  local shear = opt.shear
  local both = type(shear) == "table" and #shear == 4
  self._shear_x = shear and draw.range(both and { shear[1], shear[2] } or shear, "RandomAffine: shear")
  self._shear_y = both and draw.range({ shear[3], shear[4] }, "RandomAffine: shear") or nil
end

local function within(range, otherwise)
  return range and draw.uniform(range[1], range[2]) or otherwise
end

-- An angle, moves, a scale and shears.
function RandomAffine:_draw(height, width)
  local share = self.translate or { 0, 0 }
  local moves = { image.rounded(draw.uniform(-1, 1) * share[1] * width),
    image.rounded(draw.uniform(-1, 1) * share[2] * height) }
  return within(self._degrees), moves, within(self.scale, 1), { within(self._shear_x, 0), within(self._shear_y, 0) }
end

function RandomAffine:forward(x)
  local angle, moves, scale, shears = self:_draw(image.plane(x, "RandomAffine", 3))
  return F.affine(x, angle, moves, scale, shears, self.interpolation, fill_for(self.fill, x), self.center)
end

function RandomAffine:each(batch)
  local height, width = image.plane(batch, "RandomAffine", 3)
  local angles, moves, scales, shears = {}, {}, {}, {}
  for i = 1, batch:size(1) do angles[i], moves[i], scales[i], shears[i] = self:_draw(height, width) end
  return F.affine(batch, angles, moves, scales, shears, self.interpolation, fill_for(self.fill, batch), self.center)
end

--- Seen from elsewhere with probability p: each corner moves inwards by up to half of `distortion_scale` of the image.
---@class vision.RandomPerspective: nn.Module
local RandomPerspective = class("RandomPerspective(float distortion_scale=0.5, float p=0.5, "
  .. "str interpolation='bilinear', any fill=0)", Transform)
RandomPerspective.allows = { p = options.within(0, 1), distortion_scale = options.within(0, 1) }

function RandomPerspective:forward(x)
  local height, width = image.plane(x, "RandomPerspective", 3)
  if not draw.chance(self.p) then return x end
  local function inwards(size) return draw.integer(0, math.floor(self.distortion_scale * math.floor(size / 2))) end
  local corners, moved = { { 0, 0 }, { width - 1, 0 }, { width - 1, height - 1 }, { 0, height - 1 } }, {}
  for i, corner in ipairs(corners) do
    local dx, dy = inwards(width), inwards(height)
    moved[i] = { corner[1] > 0 and corner[1] - dx or dx, corner[2] > 0 and corner[2] - dy or dy }
  end
  return F.perspective(x, corners, moved, self.interpolation, fill_for(self.fill, x))
end

--- With probability p a random rectangle is filled: with a number, one per channel, or "random" normal noise (Zhong et
--- al. 2017). `scale` is its share of the area, `ratio` its height by its width.
---@class vision.RandomErasing: nn.Module
local RandomErasing = class("RandomErasing(float p=0.5, float[] scale=[0.02, 0.33], float[] ratio=[0.3, 3.3], "
  .. "any value=0, bool inplace=False)", Transform)
RandomErasing.allows = probability

function RandomErasing:init(opt)
  draw.range(opt.scale, "RandomErasing: scale")
  draw.range(opt.ratio, "RandomErasing: ratio")
  check(opt.scale[1] >= 0 and opt.scale[2] <= 1 and opt.ratio[1] > 0,
    "RandomErasing: scale is within 0..1, ratio above 0")
  local value = opt.value
  check(value == "random" or type(value) == "number" or type(value) == "table",
    "RandomErasing: value is a number, a list of numbers or 'random'")
end

function RandomErasing:_value(x, h, w)
  local channels = x:size(-3)
  if self.value == "random" then return torch.randn(channels, h, w):to(x) end
  if type(self.value) == "number" then return self.value end
  check(#self.value == 1 or #self.value == channels, "RandomErasing: value has %s numbers for %s channels", #self.value,
    channels)
  return torch.tensor(self.value):to(x):view(-1, 1, 1)
end

function RandomErasing:forward(x)
  local height, width = image.plane(x, "RandomErasing", 3)
  if not draw.chance(self.p) then return x end
  for _ = 1, 10 do
    local area = height * width * draw.uniform(self.scale[1], self.scale[2])
    local ratio = math.exp(draw.uniform(math.log(self.ratio[1]), math.log(self.ratio[2])))
    local h, w = image.rounded(math.sqrt(area * ratio)), image.rounded(math.sqrt(area / ratio))
    if h < height and w < width then
      return F.erase(x, draw.integer(0, height - h), draw.integer(0, width - w), h, w, self:_value(x, h, w),
        self.inplace)
    end
  end
  return x
end

random.RandomCrop, random.RandomResizedCrop = RandomCrop, RandomResizedCrop
random.RandomRotation, random.RandomAffine = RandomRotation, RandomAffine
random.RandomPerspective, random.RandomErasing = RandomPerspective, RandomErasing
return random
