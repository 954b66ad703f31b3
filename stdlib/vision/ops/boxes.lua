--- Areas, overlaps and other forms of boxes.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local boxes = {}

--- Raises an error unless x is [N, 4].
---@param x torch.Tensor
---@param where string
---@return torch.Tensor x
function boxes.checked(x, where)
  check(torch.is_tensor(x) and x:dim() == 2 and x:size(2) == 4, "%s: expected boxes (N, 4), got %s", where,
    torch.is_tensor(x) and "(" .. table.concat(x:size(), ", ") .. ")" or "a " .. class.type(x))
  return x
end

-- Integers as wide ones, so that products fit; halves as float32.
local function wide(x)
  if not x.dtype.is_floating_point then return x:to(torch.int64) end
  return (x.dtype == torch.float16 or x.dtype == torch.bfloat16) and x:float() or x
end

local function area(x)
  local x1, y1, x2, y2 = unpack(wide(x):unbind(-1))
  return (x2 - x1) * (y2 - y1)
end

---@param x torch.Tensor  [N, 4]
---@return torch.Tensor   [N]
function boxes.box_area(x)
  return area(boxes.checked(x, "box_area"))
end

-- Areas that pairs of a [N, 4] and b [M, 4] share, and that at least one of them covers: [N, M] each.
local function overlaps(a, b)
  local first, second = wide(a):unsqueeze(2), wide(b):unsqueeze(1)
  local low = torch.maximum(first:narrow(3, 1, 2), second:narrow(3, 1, 2))
  local high = torch.minimum(first:narrow(3, 3, 2), second:narrow(3, 3, 2))
  local shared = (high - low):clamp { min = 0 }:prod(-1)
  return shared, area(a):unsqueeze(2) + area(b) - shared
end

--- The area that two boxes share by the area that they cover, for all pairs.
---@param a torch.Tensor  [N, 4]
---@param b torch.Tensor  [M, 4]
---@return torch.Tensor   [N, M], from 0 to 1
function boxes.box_iou(a, b)
  local shared, covered = overlaps(boxes.checked(a, "box_iou"), boxes.checked(b, "box_iou"))
  return shared / covered
end

--- The same, less the share of the smallest box around both that neither covers (Rezatofighi et al. 2019).
---@param a torch.Tensor  [N, 4]
---@param b torch.Tensor  [M, 4]
---@return torch.Tensor   [N, M], from -1 to 1
function boxes.generalized_box_iou(a, b)
  boxes.checked(a, "generalized_box_iou")
  boxes.checked(b, "generalized_box_iou")
  local shared, covered = overlaps(a, b)
  local first, second = wide(a):unsqueeze(2), wide(b):unsqueeze(1)
  local low = torch.minimum(first:narrow(3, 1, 2), second:narrow(3, 1, 2))
  local high = torch.maximum(first:narrow(3, 3, 2), second:narrow(3, 3, 2))
  local around = (high - low):clamp { min = 0 }:prod(-1)
  return shared / covered - (around - covered) / around
end

-- Each form's way to edges, and back.
local TO_EDGES = {
  xyxy = function(x1, y1, x2, y2) return x1, y1, x2, y2 end,
  xywh = function(x, y, w, h) return x, y, x + w, y + h end,
  cxcywh = function(x, y, w, h) return x - w * 0.5, y - h * 0.5, x + w * 0.5, y + h * 0.5 end,
}
local FROM_EDGES = {
  xyxy = TO_EDGES.xyxy,
  xywh = function(x1, y1, x2, y2) return x1, y1, x2 - x1, y2 - y1 end,
  cxcywh = function(x1, y1, x2, y2) return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1 end,
}

--- Boxes in another form: "xyxy" (edges), "xywh" (corner and size), "cxcywh" (middle and size).
---@param x torch.Tensor  [N, 4]
---@param in_fmt string
---@param out_fmt string
---@return torch.Tensor   [N, 4]
function boxes.box_convert(x, in_fmt, out_fmt)
  boxes.checked(x, "box_convert")
  for _, form in ipairs { in_fmt, out_fmt } do
    check(TO_EDGES[form], "box_convert: forms are xyxy, xywh and cxcywh, got '%s'", form)
  end
  if in_fmt == out_fmt then return x:clone() end
  return torch.stack({ FROM_EDGES[out_fmt](TO_EDGES[in_fmt](unpack(x:unbind(-1)))) }, -1)
end

--- Boxes cut off at the edges of an image.
---@param x torch.Tensor    [N, 4]
---@param size integer[]    height and width
---@return torch.Tensor     [N, 4]
function boxes.clip_boxes_to_image(x, size)
  boxes.checked(x, "clip_boxes_to_image")
  check(type(size) == "table" and #size == 2, "clip_boxes_to_image: size is a list of height and width")
  local edges = x:unbind(-1)
  for i, edge in ipairs(edges) do edges[i] = edge:clamp(0, size[i % 2 == 1 and 2 or 1]) end
  return torch.stack(edges, -1)
end

--- Positions of the boxes whose sides are both at least `min_size`.
---@param x torch.Tensor  [N, 4]
---@param min_size number
---@return torch.Tensor   int64
function boxes.remove_small_boxes(x, min_size)
  local x1, y1, x2, y2 = unpack(boxes.checked(x, "remove_small_boxes"):unbind(-1))
  return (x2 - x1):ge(min_size):logical_and((y2 - y1):ge(min_size)):nonzero():select(2, 1)
end

--- The smallest box around what is not zero in each mask.
---@param masks torch.Tensor  [N, H, W]
---@return torch.Tensor       [N, 4] float32: x and y of the first and the last pixels
function boxes.masks_to_boxes(masks)
  check(torch.is_tensor(masks) and masks:dim() == 3, "masks_to_boxes: expected masks (N, H, W)")
  local result = torch.zeros(masks:size(1), 4)
  for i = 1, masks:size(1) do
    local places = masks[i]:nonzero()
    check(places:size(1) > 0, "masks_to_boxes: mask %s is empty", i)
    local low, high = places:amin(1) - 1, places:amax(1) - 1
    result[i] = torch.stack { low[2], low[1], high[2], high[1] }
  end
  return result
end

return boxes
