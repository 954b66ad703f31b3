--- torch.vision.utils: several images as one, and marks in images.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local utils = {}

-- Grids --------------------------------------------------------------------------------------------------------

-- Images [N, C, H, W] with 3 channels or more, from one, a batch or a list.
local function batch_of(images, where)
  if type(images) == "table" then
    for i, x in ipairs(images) do
      check(torch.is_tensor(x), "%s: entry %s of the list is a %s, not a tensor", where, i, class.type(x))
    end
    check(#images > 0, "%s: the list is empty", where)
    images = torch.stack(images)
  end
  check(torch.is_tensor(images), "%s: expected a tensor or a list of tensors, got a %s", where, class.type(images))
  check(images:dim() >= 2 and images:dim() <= 4, "%s: expected images (N, C, H, W), (C, H, W) or (H, W), got (%s)",
    where, table.concat(images:size(), ", "))
  if images:dim() == 2 then images = images:unsqueeze(1) end
  if images:dim() == 3 then images = images:unsqueeze(1) end
  check(images:size(1) > 0, "%s: there are no images", where)
  return images:size(2) == 1 and images:expand(-1, 3, -1, -1) or images
end

-- x with `range` (default: its own) stretched to 0..1.
local function stretched(x, range)
  local low, high = unpack(range or { x:min():item(), x:max():item() })
  return ((x:clamp(low, high) - low) / math.max(high - low, 1e-5))
end

local read_grid = torch.core.signature("make_grid(any tensor, int nrow=8, int padding=2, bool normalize=False, "
  .. "float[]? value_range=None, bool scale_each=False, float pad_value=0)")

--- Images side by side in one.
---@param tensor torch.Tensor|torch.Tensor[]  [N, C, H, W], or a list of [C, H, W]; one channel becomes three
---@param nrow? integer        images in a row. Default: 8.
---@param padding? integer     pixels around each. Default: 2.
---@param normalize? boolean   stretches values to 0..1. Default: false.
---@param value_range? number[]  what becomes 0 and 1. Default: the least and the largest value.
---@param scale_each? boolean  does so for each image by itself. Default: false.
---@param pad_value? number    of the pixels between. Default: 0.
---@return torch.Tensor        [C, H', W']
function utils.make_grid(...)
  local opt = read_grid(...)
  check(opt.nrow >= 1 and opt.padding >= 0, "make_grid: nrow is at least 1 and padding at least 0, got %s and %s",
    opt.nrow, opt.padding)
  check(opt.value_range == nil or #opt.value_range == 2, "make_grid: value_range is a list of two numbers")
  local x = batch_of(opt.tensor, "make_grid")
  local n, height, width = x:size(1), x:size(3) + opt.padding, x:size(4) + opt.padding
  if opt.normalize and opt.scale_each then
    local each = {}
    for i = 1, n do each[i] = stretched(x[i], opt.value_range) end
    x = torch.stack(each)
  elseif opt.normalize then
    x = stretched(x, opt.value_range)
  end
  if n == 1 then return x[1] end
  local columns = math.min(opt.nrow, n)
  local grid = torch.full({ x:size(2), height * math.ceil(n / columns) + opt.padding, width * columns + opt.padding },
    opt.pad_value, { dtype = x.dtype, device = x.device })
  for i = 0, n - 1 do
    local row, column = math.floor(i / columns), i % columns
    grid:narrow(2, row * height + opt.padding + 1, x:size(3))
      :narrow(3, column * width + opt.padding + 1, x:size(4)):copy_(x[i + 1])
  end
  return grid
end

--- Writes images as one PNG or JPEG file, as the path ends: see `make_grid` for further arguments.
---@param tensor torch.Tensor|torch.Tensor[]  floating from 0 to 1, or uint8
---@param path string       ends in .png, .jpg or .jpeg
---@param options? table    named arguments of `make_grid`
function utils.save_image(tensor, path, options)
  check(type(path) == "string", "save_image: expected a path, got a %s", class.type(path))
  local ending = (path:match "%.(%w+)$" or ""):lower()
  local vision = require "torch.vision"
  local write = ({ png = vision.write_png, jpg = vision.write_jpeg, jpeg = vision.write_jpeg })[ending]
  check(write, "save_image: '%s' ends in none of .png, .jpg and .jpeg", path)
  local grid = torch.no_grad(utils.make_grid, tensor, options or {})
  if grid.dtype.is_floating_point then grid = grid:mul(255):add_(0.5):clamp_(0, 255) end
  write(grid:to("cpu", torch.uint8), path)
end

-- Marks --------------------------------------------------------------------------------------------------------

local COLOURS = {
  black = { 0, 0, 0 }, white = { 255, 255, 255 }, red = { 255, 0, 0 }, green = { 0, 128, 0 }, blue = { 0, 0, 255 },
  yellow = { 255, 255, 0 }, cyan = { 0, 255, 255 }, magenta = { 255, 0, 255 }, orange = { 255, 165, 0 },
  purple = { 128, 0, 128 }, gray = { 128, 128, 128 }, lime = { 0, 255, 0 },
}

-- Red, green and blue from a name, "#rrggbb" or a list.
local function colour_of(colour, where)
  local hex = type(colour) == "string" and { colour:match "^#(%x%x)(%x%x)(%x%x)$" }
  if hex and #hex == 3 then return { tonumber(hex[1], 16), tonumber(hex[2], 16), tonumber(hex[3], 16) } end
  local list = type(colour) == "string" and COLOURS[colour] or colour
  check(type(list) == "table" and #list == 3, "%s: a colour is a name, '#rrggbb' or a list of red, green and blue, "
    .. "got '%s'", where, tostring(colour))
  return list
end

-- Colours for n things: the given ones, one for all, or colours that differ much from their neighbours.
local function colours_for(colours, n, where)
  local list = {}
  local several = type(colours) == "table" and type(colours[1]) ~= "number"
  check(not several or #colours >= n, "%s: there are %s colours for %s", where, several and #colours, n)
  for i = 1, n do
    if colours == nil then
      list[i] = { (i * 33554431) % 255, (i * 32767) % 255, (i * 2097151) % 255 }
    else
      list[i] = colour_of(several and colours[i] or colours, where)
    end
  end
  return list
end

-- Rows `top..bottom` and columns `left..right` of an image, as far as it has them, counted from 0; nil if it has none.
local function part(image, left, top, right, bottom)
  left, top = math.max(left, 0), math.max(top, 0)
  right, bottom = math.min(right, image:size(3) - 1), math.min(bottom, image:size(2) - 1)
  if right < left or bottom < top then return nil end
  return image:narrow(2, top + 1, bottom - top + 1):narrow(3, left + 1, right - left + 1)
end

local function paint(area, colour, share)
  if not area then return end
  local ink = torch.tensor(colour, { dtype = torch.float32 }):view(3, 1, 1)
  area:copy_((ink * share + area:float() * (1 - share)):round():clamp(0, 255):expand_as(area))
end

-- An RGB copy of an image (1 or 3, H, W) of bytes.
local function canvas(image, where)
  check(torch.is_tensor(image) and image.dtype == torch.uint8 and image:dim() == 3
    and (image:size(1) == 1 or image:size(1) == 3), "%s: expected a uint8 image (3, H, W) or (1, H, W)", where)
  return image:size(1) == 1 and image:repeat_interleave(3, 1) or image:clone()
end

-- Writes a word for each box into its upper left corner.
local function write_labels(image, corners, labels, colours, margin, size)
  local raster = require "torch.plot.raster"(image:size(3), image:size(2), 1)
  raster.pixels:copy_(image:permute(2, 3, 1))
  for i, label in ipairs(labels) do
    local c, x, y = colours[i], corners[i][1] + margin, corners[i][2] + margin
    raster:text(label, x, y + 0.7 * size, { anchor = "left", size = size,
      colour = { c[1] / 255, c[2] / 255, c[3] / 255 } })
  end
  image:copy_(raster.pixels:permute(3, 1, 2))
end

local read_boxes = torch.core.signature("draw_bounding_boxes(Tensor image, Tensor boxes, any labels=None, "
  .. "any colors=None, bool fill=False, int width=1, *, float font_size=12)")

--- A copy of the image with the edges of boxes in it.
---@param image torch.Tensor   uint8 (3, H, W), or (1, H, W), which becomes RGB
---@param boxes torch.Tensor   [N, 4]: x1, y1, x2, y2 of the first and last pixels, counted from 0
---@param labels? string[]     a word for each box
---@param options? table       colors: one or a list, each a name, "#rrggbb" or {red, green, blue}; fill: also paints
---                            what is inside, for the most part transparent (default: false); width: of the edges,
---                            inwards, in pixels (default: 1); font_size: of labels, in pixels (default: 12)
---@return torch.Tensor        uint8 (3, H, W)
function utils.draw_bounding_boxes(...)
  local opt = read_boxes(...)
  local image = canvas(opt.image, "draw_bounding_boxes")
  require("torch.vision.ops.boxes").checked(opt.boxes, "draw_bounding_boxes")
  check(opt.width >= 1, "draw_bounding_boxes: width is at least 1, got %s", opt.width)
  local n, labels = opt.boxes:size(1), opt.labels
  check(labels == nil or type(labels) == "table" and #labels == n, "draw_bounding_boxes: expected a list of %s labels",
    n)
  for i, label in ipairs(labels or {}) do
    check(type(label) == "string", "draw_bounding_boxes: label %s is a %s, not a string", i, class.type(label))
  end
  local colours = colours_for(opt.colors, n, "draw_bounding_boxes")
  local corners = opt.boxes:double():trunc():tolist()
  for i, box in ipairs(corners) do
    local left, top, right, bottom = unpack(box)
    check(left <= right and top <= bottom, "draw_bounding_boxes: box %s has x1 > x2 or y1 > y2", i)
    local w, colour = opt.width, colours[i]
    if opt.fill then paint(part(image, left + w, top + w, right - w, bottom - w), colour, 100 / 255) end
    paint(part(image, left, top, right, math.min(top + w - 1, bottom)), colour, 1)
    paint(part(image, left, math.max(bottom - w + 1, top), right, bottom), colour, 1)
    paint(part(image, left, top, math.min(left + w - 1, right), bottom), colour, 1)
    paint(part(image, math.max(right - w + 1, left), top, right, bottom), colour, 1)
  end
  if labels and n > 0 then write_labels(image, corners, labels, colours, opt.width + 2, opt.font_size) end
  return image
end

local read_masks = torch.core.signature("draw_segmentation_masks(Tensor image, Tensor masks, float alpha=0.8, "
  .. "any colors=None)")

--- A copy of the image with masks painted over it.
---@param image torch.Tensor   uint8 (3, H, W)
---@param masks torch.Tensor   bool [N, H, W] or [H, W]
---@param alpha? number        how much of what is below is hidden. Default: 0.8.
---@param colors? any          as for `draw_bounding_boxes`
---@return torch.Tensor        uint8 (3, H, W)
function utils.draw_segmentation_masks(...)
  local opt = read_masks(...)
  local where = "draw_segmentation_masks"
  local image, masks = canvas(opt.image, where), opt.masks
  if masks:dim() == 2 then masks = masks:unsqueeze(1) end
  check(masks.dtype == torch.bool and masks:dim() == 3 and masks:size(2) == image:size(2)
    and masks:size(3) == image:size(3), "%s: expected bool masks (N, %s, %s)", where, image:size(2), image:size(3))
  check(opt.alpha >= 0 and opt.alpha <= 1, "%s: alpha is within 0..1, got %s", where, opt.alpha)
  local painted = image:clone()
  for i, colour in ipairs(colours_for(opt.colors, masks:size(1), where)) do
    local ink = torch.tensor(colour, { dtype = torch.uint8 }):view(3, 1, 1)
    painted = torch.where(masks[i], ink, painted)
  end
  return (image:float() * (1 - opt.alpha) + painted:float() * opt.alpha):to(torch.uint8)
end

return utils
