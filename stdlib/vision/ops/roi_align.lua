--- RoIAlign: boxes of a feature map as small maps of one size, by means of bilinear samples (He et al. 2017).

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = torch.nn.functional, torch.nn.Module

-- Boxes as a table of rows {image, x1, y1, x2, y2}, from [K, 5] or a list of [L, 4], one for each image.
local function rows_of(boxes, images)
  local rows = {}
  if torch.is_tensor(boxes) then
    check(boxes:dim() == 2 and boxes:size(2) == 5, "roi_align: expected boxes (K, 5) or a list of boxes (L, 4), "
      .. "got (%s)", table.concat(boxes:size(), ", "))
    rows = boxes:detach():double():tolist()
  else
    check(type(boxes) == "table" and #boxes == images, "roi_align: expected boxes (K, 5) or a list of boxes (L, 4) for "
      .. "each of %s images", images)
    for n, x in ipairs(boxes) do
      check(torch.is_tensor(x) and x:dim() == 2 and x:size(2) == 4, "roi_align: entry %s of the list is not (L, 4)", n)
      for _, row in ipairs(x:detach():double():tolist()) do rows[#rows + 1] = { n, unpack(row) } end
    end
  end
  for k, row in ipairs(rows) do
    check(row[1] >= 1 and row[1] <= images and row[1] == math.floor(row[1]),
      "roi_align: box %s is of image %s, which is outside 1..%s", k, row[1], images)
    for i = 2, 5 do
      check(math.abs(row[i]) < 2 ^ 31, "roi_align: box %s has the coordinate %s", k, row[i])
    end
  end
  return rows
end

-- Start, size and number of samples of each box in the feature map; boxes of one image with equally many samples are a
-- group. Returns the groups in order, each with its boxes' positions.
local function grouped(rows, opt, ph, pw)
  local groups, known = {}, {}
  local shift, least = opt.aligned and 0.5 or 0, opt.aligned and -math.huge or 1
  for k, row in ipairs(rows) do
    local n, x1, y1, x2, y2 = unpack(row)
    local x, y = x1 * opt.spatial_scale - shift, y1 * opt.spatial_scale - shift
    local w = math.max(x2 * opt.spatial_scale - shift - x, least)
    local h = math.max(y2 * opt.spatial_scale - shift - y, least)
    local across = opt.sampling_ratio > 0 and opt.sampling_ratio or math.max(math.ceil(w / pw), 1)
    local down = opt.sampling_ratio > 0 and opt.sampling_ratio or math.max(math.ceil(h / ph), 1)
    local key = ("%d %d %d"):format(n, across, down)
    local group = known[key]
    if not group then
      group = { image = n, across = across, down = down, boxes = {}, at = {} }
      known[key] = group
      groups[#groups + 1] = group
    end
    group.boxes[#group.boxes + 1] = { x, y, w, h }
    group.at[#group.at + 1] = k
  end
  return groups
end

-- Where `count` samples of each box lie along a side of n pixels, from -1 (first pixel's centre) to 1 (last one's), and
-- whether they count: a pixel beyond the map is as far as values reach.
local function samples(start, size, count, n)
  local offsets = (torch.arange(count, { dtype = start.dtype, device = start.device }) + 0.5) / count
  local place = start:unsqueeze(2) + size:unsqueeze(2) * offsets -- [boxes, count]
  local counts = place:ge(-1):logical_and(place:le(n))
  return place:clamp(0, n - 1) * (2 / math.max(n - 1, 1)) - 1, counts:to(start.dtype)
end

-- The group's boxes [boxes, C, ph, pw] in its image.
local function aligned(input, group, ph, pw)
  local boxes = torch.tensor(group.boxes, { dtype = input.dtype, device = input.device })
  local x, y, w, h = unpack(boxes:unbind(2))
  local k, rows, columns = #group.boxes, ph * group.down, pw * group.across
  local across, in_x = samples(x, w, columns, input:size(4))
  local down, in_y = samples(y, h, rows, input:size(3))
  local grid = torch.stack({ across:unsqueeze(2):expand(k, rows, columns),
    down:unsqueeze(3):expand(k, rows, columns) }, 4)
  local image = input:narrow(1, group.image, 1)
  local values = F.grid_sample(image, grid:view(1, k * rows, columns, 2), { padding_mode = "border",
    align_corners = true })
  values = values:view(input:size(2), k, rows, columns):transpose(1, 2)
  values = values * in_y:view(k, 1, rows, 1) * in_x:view(k, 1, 1, columns)
  return F.avg_pool2d(values, { group.down, group.across })
end

local read = torch.core.signature("roi_align(Tensor input, any boxes, int[2] output_size, float spatial_scale=1.0, "
  .. "int sampling_ratio=-1, bool aligned=False)")

local roi_align = {}

--- Parts of feature maps in one size: each output pixel is the mean of samples within its share of the box.
---@param input torch.Tensor                  [N, C, H, W], floating
---@param boxes torch.Tensor|torch.Tensor[]   [K, 5]: image (1..N) and edges; or one [L, 4] for each image
---@param output_size integer|integer[]       height and width
---@param spatial_scale? number               of the map by the image the boxes are given in. Default: 1.
---@param sampling_ratio? integer             samples per output pixel and direction. Default: as many as pixels.
---@param aligned? boolean                    a pixel's centre is at a whole number plus 0.5. Default: false.
---@return torch.Tensor                       [K, C, height, width]
function roi_align.roi_align(...)
  local opt = read(...)
  local input = opt.input
  check(input:dim() == 4 and input.dtype.is_floating_point and input:size(3) > 0 and input:size(4) > 0,
    "roi_align: expected a floating input (N, C, H, W) with pixels, got %s (%s)", tostring(input.dtype),
    table.concat(input:size(), ", "))
  local ph, pw = opt.output_size[1], opt.output_size[2]
  check(ph > 0 and pw > 0, "roi_align: output_size is at least 1, got (%s, %s)", ph, pw)
  local rows = rows_of(opt.boxes, input:size(1))
  if #rows == 0 then return input:new_zeros { 0, input:size(2), ph, pw } end
  local parts, order = {}, {}
  for i, group in ipairs(grouped(rows, opt, ph, pw)) do
    parts[i] = aligned(input, group, ph, pw)
    for _, at in ipairs(group.at) do order[#order + 1] = at end
  end
  local back = {}
  for i, at in ipairs(order) do back[at] = i end
  return torch.cat(parts, 1):index_select(1, torch.tensor(back, { dtype = torch.int64 }):to(input.device))
end

--- `roi_align` as a module.
---@class vision.RoIAlign: nn.Module
local RoIAlign = class("RoIAlign(int[2] output_size, float spatial_scale, int sampling_ratio, bool aligned=False)",
  Module)

---@param input torch.Tensor
---@param boxes torch.Tensor|torch.Tensor[]
---@return torch.Tensor
function RoIAlign:forward(input, boxes)
  return roi_align.roi_align(input, boxes, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)
end

roi_align.RoIAlign = RoIAlign
return roi_align
