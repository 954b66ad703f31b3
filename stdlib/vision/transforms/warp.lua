--- Images turned, sheared, and seen from elsewhere: each pixel of the result asks the original at the place it came
--- from.
--
-- Coordinates have their origin in the image's middle, x to the right and y down, in pixels.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F = torch.nn.functional
local image = require "torch.vision.transforms.image"
local define = image.define

local warp = {}

-- Pixel centres of an image as rows x, y, 1: [height width, 3]; `x0` and `y0` are the first ones.
local function places(height, width, x0, y0, like)
  local options = { dtype = like.dtype, device = like.device }
  local x = torch.arange(width, options):add_(x0):view(1, width):expand(height, width)
  local y = torch.arange(height, options):add_(y0):view(height, 1):expand(height, width)
  return torch.stack({ x, y, torch.ones(height, width, options) }, 3):view(-1, 3)
end

-- Colours of places that lie outside: nil, a number or one per channel, as a list. Without any they are 0; where pixels
-- are not mixed that is the same as zeros.
local function fill_of(fill, channels, mode, where)
  if fill == nil then return nil end
  local list, zeros = type(fill) == "number" and { fill } or fill, mode == "nearest"
  check(type(list) == "table" and (#list == 1 or #list == channels),
    "%s: fill is a number or one for each of %s channels", where, channels)
  for _, value in ipairs(list) do zeros = zeros and value == 0 end
  return not zeros and list or nil
end

-- The batch at the places in `grid` [1 or N, H', W', 2], from -1 to 1. With a fill, a channel of ones goes along and
-- says how much of a pixel comes from the image.
local function sampled(batch, grid, mode, fill)
  local n, channels = batch:size(1), batch:size(2)
  grid = grid:expand(n, -1, -1, -1)
  if not fill then return F.grid_sample(batch, grid, { mode = mode, align_corners = false }) end
  local options = { dtype = batch.dtype, device = batch.device }
  local ones = torch.ones(n, 1, batch:size(3), batch:size(4), options)
  local y = F.grid_sample(torch.cat({ batch, ones }, 2), grid, { mode = mode, align_corners = false })
  local share, colour = y:narrow(2, channels + 1, 1), torch.tensor(fill, options):view(1, -1, 1, 1)
  y = y:narrow(2, 1, channels)
  if mode == "nearest" then return torch.where(share:lt(0.5), colour, y) end
  return y * share + (1 - share) * colour
end

local function check_mode(mode, where)
  check(mode == "nearest" or mode == "bilinear", "%s: interpolation is nearest or bilinear, got '%s'", where, mode)
end

-- The image [height, width] that asks for its places by a matrix of two rows {a, b, c, d, e, f}, or a batch whose
-- images have one each.
local function mapped(x, matrices, height, width, mode, fill, where)
  check_mode(mode, where)
  fill = fill_of(fill, x:size(-3), mode, where)
  return image.in_batch(x, where, function(batch)
    local theta = torch.tensor(matrices, { dtype = batch.dtype, device = batch.device }):view(-1, 2, 3)
    local half = torch.tensor({ batch:size(4) / 2, batch:size(3) / 2 }, { dtype = batch.dtype, device = batch.device })
    local rows = places(height, width, 0.5 - width / 2, 0.5 - height / 2, batch)
    return sampled(batch, rows:matmul(theta:transpose(2, 3) / half):view(-1, height, width, 2), mode, fill)
  end)
end

-- The inverse of: move the centre to the origin, shear by sx and sy, scale, turn by `angle`, move back and by
-- (tx, ty). Angles are in degrees, clockwise.
local function inverse_matrix(center, angle, translate, scale, shear)
  local turn, sx, sy = math.rad(angle), math.rad(shear[1]), math.rad(shear[2])
  local a = math.cos(turn - sy) / math.cos(sy)
  local b = -a * math.tan(sx) - math.sin(turn)
  local c = math.sin(turn - sy) / math.cos(sy)
  local d = -c * math.tan(sx) + math.cos(turn) -- a d - b c = 1
  a, b, c, d = d / scale, -b / scale, -c / scale, a / scale
  local x, y = center[1] + translate[1], center[2] + translate[2]
  return { a, b, center[1] - a * x - b * y, c, d, center[2] - c * x - d * y }
end

-- A point given from the upper left corner, from the middle.
local function from_middle(center, height, width, where)
  if center == nil then return { 0, 0 } end
  check(type(center) == "table" and #center == 2, "%s: center is a list of x and y", where)
  return { center[1] - width / 2, center[2] - height / 2 }
end

-- Height and width that hold the whole image after it was mapped.
local function extent(matrix, height, width)
  local low_x, high_x, low_y, high_y = math.huge, -math.huge, math.huge, -math.huge
  for _, corner in ipairs { { -0.5, -0.5 }, { -0.5, 0.5 }, { 0.5, 0.5 }, { 0.5, -0.5 } } do
    local x, y = corner[1] * width, corner[2] * height
    local u, v = matrix[1] * x + matrix[2] * y + matrix[3], matrix[4] * x + matrix[5] * y + matrix[6]
    low_x, high_x = math.min(low_x, u + width / 2), math.max(high_x, u + width / 2)
    low_y, high_y = math.min(low_y, v + height / 2), math.max(high_y, v + height / 2)
  end
  local slack = 1e-4 -- rounding errors must not make another pixel
  return math.ceil(high_y - slack) - math.floor(low_y + slack), math.ceil(high_x - slack) - math.floor(low_x + slack)
end

-- One number for all images, or a list with one for each, and what becomes of each.
local function for_each(x, value, where, matrix_of)
  local list = type(value) == "table" and value or { value }
  check(#list == 1 or x:dim() == 4 and #list == x:size(1), "%s: there are %s angles for images (%s)", where, #list,
    table.concat(x:size(), ", "))
  local matrices = {}
  for i, angle in ipairs(list) do
    check(type(angle) == "number", "%s: an angle is a number, got a %s", where, class.type(angle))
    matrices[i] = matrix_of(i, angle)
  end
  return matrices
end

--- Turned by `angle` degrees against the clock, around `center` {x, y} (default: the middle). `expand` makes the image
--- as large as it has to be, for turns around the middle. `fill`: a number, or one per channel (default: 0). A list of
--- angles has one for each image of a batch.
define(warp, "rotate(Tensor img, any angle, str interpolation='nearest', bool expand=False, float[]? center=None, "
  .. "any fill=None)", function(opt)
  local x = opt.img
  local height, width = image.plane(x, "rotate", 3)
  local center = from_middle(opt.center, height, width, "rotate")
  local matrices = for_each(x, opt.angle, "rotate", function(_, angle)
    return inverse_matrix(center, -angle, { 0, 0 }, 1, { 0, 0 })
  end)
  local h, w = height, width
  if opt.expand then
    check(#matrices == 1, "rotate: expand goes with one angle")
    h, w = extent(matrices[1], height, width)
  end
  return mapped(x, matrices, h, w, opt.interpolation, opt.fill, "rotate")
end)

-- Two numbers, from one (the second is `other`, default: the same) or a list.
local function two(value, what, other)
  local list = type(value) == "number" and { value, other } or value
  check(type(list) == "table" and (#list == 1 or #list == 2), "affine: %s is a number or a list of x and y", what)
  return { list[1], list[2] or list[1] }
end

--- Turned by `angle` degrees clockwise, moved by {x, y} pixels, scaled, and sheared by {x, y} degrees, or by x alone;
--- around `center` {x, y} (default: the middle). Where `angle` is a list with one for each image of a batch, so are
--- `translate`, `scale` and `shear`.
define(warp, "affine(Tensor img, any angle, any translate, any scale, any shear, str interpolation='nearest', "
  .. "any fill=None, float[]? center=None)", function(opt)
  local x, each = opt.img, type(opt.angle) == "table"
  local height, width = image.plane(x, "affine", 3)
  local center = from_middle(opt.center, height, width, "affine")
  local function of(name, i)
    if not each then return opt[name] end
    check(type(opt[name]) == "table" and opt[name][i] ~= nil, "affine: %s has nothing for image %s", name, i)
    return opt[name][i]
  end
  local matrices = for_each(x, opt.angle, "affine", function(i, angle)
    local scale = of("scale", i)
    check(type(scale) == "number" and scale > 0, "affine: scale is above 0, got %s", tostring(scale))
    return inverse_matrix(center, angle, two(of("translate", i), "translate"), scale, two(of("shear", i), "shear", 0))
  end)
  return mapped(x, matrices, height, width, opt.interpolation, opt.fill, "affine")
end)

-- The numbers of (a x + b y + c, d x + e y + f) / (g x + h y + 1) that takes the points `ends` to `starts`.
local function projection(starts, ends)
  local rows, right = {}, {}
  for i = 1, 4 do
    local x, y, u, v = ends[i][1], ends[i][2], starts[i][1], starts[i][2]
    rows[2 * i - 1], right[2 * i - 1] = { x, y, 1, 0, 0, 0, -u * x, -u * y }, u
    rows[2 * i], right[2 * i] = { 0, 0, 0, x, y, 1, -v * x, -v * y }, v
  end
  local double = { dtype = torch.float64 }
  return torch.linalg.solve(torch.tensor(rows, double), torch.tensor(right, double))
end

--- Four points of the image moved to others, {{x, y}, ...} from the upper left corner, and everything else with them.
define(warp, "perspective(Tensor img, any startpoints, any endpoints, str interpolation='bilinear', any fill=None)",
  function(opt)
    local height, width = image.plane(opt.img, "perspective", 3)
    for _, points in ipairs { opt.startpoints, opt.endpoints } do
      check(type(points) == "table" and #points == 4, "perspective: expected 4 points {x, y}")
      for _, p in ipairs(points) do
        check(type(p) == "table" and #p == 2, "perspective: expected 4 points {x, y}")
      end
    end
    check_mode(opt.interpolation, "perspective")
    local fill = fill_of(opt.fill, opt.img:size(-3), opt.interpolation, "perspective")
    local k = projection(opt.startpoints, opt.endpoints)
    return image.in_batch(opt.img, "perspective", function(batch)
      local theta = torch.cat { k, torch.ones(1, { dtype = torch.float64 }) }:to(batch):view(3, 3)
      local at = places(height, width, 0.5, 0.5, batch):matmul(theta:t())
      local half = torch.tensor({ width / 2, height / 2 }, { dtype = batch.dtype, device = batch.device })
      local grid = at:narrow(2, 1, 2) / half / at:narrow(2, 3, 1) - 1
      return sampled(batch, grid:view(1, height, width, 2), opt.interpolation, fill)
    end)
  end)

return warp
