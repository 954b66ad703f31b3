--- Images cut, padded, mirrored, and in other sizes.

local torch, check = require "torch", require "torch.check"
local F = torch.nn.functional
local image = require "torch.vision.transforms.image"
local define = image.define

local geometry = {}

--- Left and right exchanged.
---@param x torch.Tensor  [..., H, W]
---@return torch.Tensor
function geometry.hflip(x)
  image.plane(x, "hflip")
  return x:flip(-1)
end

--- Top and bottom exchanged.
---@param x torch.Tensor  [..., H, W]
---@return torch.Tensor
function geometry.vflip(x)
  image.plane(x, "vflip")
  return x:flip(-2)
end

-- Padding ------------------------------------------------------------------------------------------------------

-- One number for all sides, two for left = right and top = bottom, or four: left, top, right, bottom.
local function sides_of(padding)
  local p = type(padding) == "number" and { padding } or padding
  check(type(p) == "table" and (#p == 1 or #p == 2 or #p == 4), "pad: padding is a number or a list of 1, 2 or 4")
  for _, n in ipairs(p) do
    check(type(n) == "number" and n == math.floor(n), "pad: paddings are whole numbers, got %s", tostring(n))
  end
  if #p == 4 then return unpack(p) end
  return p[1], p[2] or p[1], p[1], p[2] or p[1]
end

-- Positions of a row of n elements with its mirror image on both sides, edges included.
local function mirrored(n, before, after)
  check(before <= n and after <= n, "pad: symmetric padding of %s and %s is more than the size %s", before, after, n)
  local list = {}
  for i = before, 1, -1 do list[#list + 1] = i end
  for i = 1 + math.max(-before, 0), n - math.max(-after, 0) do list[#list + 1] = i end
  for i = 0, after - 1 do list[#list + 1] = n - i end
  return torch.tensor(list, { dtype = torch.int64 })
end

local MODES = { constant = "constant", edge = "replicate", reflect = "reflect", symmetric = "symmetric" }

--- More pixels around the image, or fewer where padding is negative. `padding` is one number, {left and right, top and
--- bottom}, or {left, top, right, bottom}; `padding_mode` constant (of value `fill`), edge, reflect or symmetric.
define(geometry, "pad(Tensor img, any padding, float fill=0, str padding_mode='constant')", function(opt)
  local x = opt.img
  local height, width = image.plane(x, "pad")
  local left, top, right, bottom = sides_of(opt.padding)
  local mode = check(MODES[opt.padding_mode], "pad: padding_mode is constant, edge, reflect or symmetric, got '%s'",
    opt.padding_mode)
  if mode == "symmetric" then
    local rows, columns = mirrored(height, top, bottom), mirrored(width, left, right)
    return x:index_select(-2, rows:to(x.device)):index_select(-1, columns:to(x.device))
  end
  local sides = { left, right, top, bottom }
  if mode == "constant" then return F.pad(x, sides, { value = opt.fill }) end
  return image.in_batch(x, "pad", function(batch) return F.pad(batch, sides, { mode = mode }) end)
end)

-- Crops --------------------------------------------------------------------------------------------------------

-- The part of a dimension from an edge on: what lies inside, and the padding on both sides.
local function cut(x, dim, start, length)
  local n = x:size(dim)
  local first, last = math.min(math.max(start, 0), n), math.min(math.max(start + length, 0), n)
  local inside = math.max(last - first, 0)
  local before = math.min(math.max(-start, 0), length)
  return x:narrow(dim, inside > 0 and first + 1 or 1, inside), before, length - before - inside
end

--- The part of the image whose upper left corner is `top` rows below and `left` columns right of the image's. What lies
--- outside is 0.
define(geometry, "crop(Tensor img, int top, int left, int height, int width)", function(opt)
  image.plane(opt.img, "crop")
  check(opt.height >= 1 and opt.width >= 1, "crop: height and width are at least 1, got %s and %s", opt.height,
    opt.width)
  local x, above, below, before, after
  x, above, below = cut(opt.img, -2, opt.top, opt.height)
  x, before, after = cut(x, -1, opt.left, opt.width)
  if above + below + before + after == 0 then return x end
  return F.pad(x, { before, after, above, below })
end)

--- The middle of the image; a smaller image is padded with 0.
define(geometry, "center_crop(Tensor img, any output_size)", function(opt)
  local x = opt.img
  local h, w = image.height_and_width(opt.output_size, "center_crop")
  local height, width = image.plane(x, "center_crop")
  local missing_h, missing_w = math.max(h - height, 0), math.max(w - width, 0)
  if missing_h + missing_w > 0 then
    x = geometry.pad(x, { math.floor(missing_w / 2), math.floor(missing_h / 2), math.ceil(missing_w / 2),
      math.ceil(missing_h / 2) })
  end
  return geometry.crop(x, image.rounded((height + missing_h - h) / 2), image.rounded((width + missing_w - w) / 2), h, w)
end)

--- The four corners (upper left, upper right, lower left, lower right) and the middle.
---@return torch.Tensor[]
define(geometry, "five_crop(Tensor img, any size)", function(opt)
  local x, h, w = opt.img, image.height_and_width(opt.size, "five_crop")
  local height, width = image.plane(x, "five_crop")
  check(h <= height and w <= width, "five_crop: size (%s, %s) is larger than the image (%s, %s)", h, w, height, width)
  local crop = geometry.crop
  return { crop(x, 0, 0, h, w), crop(x, 0, width - w, h, w), crop(x, height - h, 0, h, w),
    crop(x, height - h, width - w, h, w), geometry.center_crop(x, { h, w }) }
end)

--- The crops of `five_crop`, and those of the mirrored image.
---@return torch.Tensor[]
define(geometry, "ten_crop(Tensor img, any size, bool vertical_flip=False)", function(opt)
  local crops = geometry.five_crop(opt.img, opt.size)
  local mirror = opt.vertical_flip and geometry.vflip or geometry.hflip
  for _, crop in ipairs(geometry.five_crop(mirror(opt.img), opt.size)) do crops[#crops + 1] = crop end
  return crops
end)

-- Sizes --------------------------------------------------------------------------------------------------------

-- Height and width that `size` asks for: one number is the shorter side.
local function resized(height, width, size, max_size)
  if type(size) == "table" and #size == 2 then
    check(max_size == nil, "resize: max_size goes with one number for the shorter side")
    return image.height_and_width(size, "resize")
  end
  local short = image.height_and_width(size, "resize")
  local long = math.floor(short * math.max(height, width) / math.min(height, width))
  check(max_size == nil or max_size > short, "resize: max_size %s is not above the shorter side %s", max_size, short)
  if max_size and long > max_size then short, long = math.floor(max_size * short / long), max_size end
  if width <= height then return long, short end
  return short, long
end

--- The image in another size: {height, width}, or one number for the shorter side, where the longer one is kept within
--- `max_size`. Interpolation is nearest, nearest-exact, bilinear or bicubic; `antialias` smooths what becomes smaller.
define(geometry, "resize(Tensor img, any size, str interpolation='bilinear', int? max_size=None, bool antialias=True)",
  function(opt)
    local x, mode = opt.img, opt.interpolation
    local height, width = image.plane(x, "resize", 3)
    local h, w = resized(height, width, opt.size, opt.max_size)
    if h == height and w == width then return x end
    local smooth = mode == "bilinear" or mode == "bicubic"
    check(smooth or mode == "nearest" or mode == "nearest-exact",
      "resize: interpolation is nearest, nearest-exact, bilinear or bicubic, got '%s'", mode)
    return image.in_batch(x, "resize", function(batch)
      local y = F.interpolate(batch, { size = { h, w }, mode = mode, antialias = smooth and opt.antialias,
        align_corners = smooth and false or nil })
      return mode == "bicubic" and x.dtype == torch.uint8 and y:clamp_(0, 255) or y
    end)
  end)

--- `resize` of a `crop`.
define(geometry, "resized_crop(Tensor img, int top, int left, int height, int width, any size, "
  .. "str interpolation='bilinear', bool antialias=True)", function(opt)
  local part = geometry.crop(opt.img, opt.top, opt.left, opt.height, opt.width)
  return geometry.resize(part, opt.size, opt.interpolation, nil, opt.antialias)
end)

return geometry
