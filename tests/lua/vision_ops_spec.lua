-- torch.vision.ops: boxes against formulas and torchvision 0.15, RoIAlign against its definition.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local ops = torch.vision.ops

local boxes = torch.tensor { { 0, 0, 10, 10 }, { 1, 1, 11, 12 }, { 20, 20, 30, 35 }, { 0, 0, 9, 9.5 },
  { 21, 19, 32, 33 } }

describe("boxes", function()
  it("have areas, and share some of them", function()
    equal(ops.box_area(boxes), { 100, 110, 150, 85.5, 154 })
    -- the first two share 9 x 9 of 100 + 110 - 81
    local iou = ops.box_iou(boxes, boxes)
    equal(iou[1][2]:item(), 81 / 129)
    equal(iou:diagonal():tolist(), { 1, 1, 1, 1, 1 })
    equal(iou[1][3]:item(), 0)
    -- 30 x 35 around both, of which 250 are covered
    equal(ops.generalized_box_iou(boxes, boxes)[1][3]:item(), -(1050 - 250) / 1050)
  end)

  it("of integers have areas beyond their dtype", function()
    equal(ops.box_area(torch.tensor({ { 0, 0, 100, 100 } }, { dtype = torch.uint8 })):tolist(), { 10000 })
  end)

  it("have other forms", function()
    equal(ops.box_convert(boxes, "xyxy", "xywh")[2]:tolist(), { 1, 1, 10, 11 })
    equal(ops.box_convert(boxes, "xyxy", "cxcywh")[2]:tolist(), { 6, 6.5, 10, 11 })
    for _, form in ipairs { "xywh", "cxcywh" } do
      equal(ops.box_convert(ops.box_convert(boxes, "xyxy", form), form, "xyxy"), boxes)
    end
    fails(function() ops.box_convert(boxes, "xyxy", "xy") end, "forms are xyxy, xywh and cxcywh, got 'xy'")
  end)

  it("are cut at the image, and left out where they are small", function()
    equal(ops.clip_boxes_to_image(boxes, { 11, 25 })[5]:tolist(), { 21, 11, 25, 11 })
    equal(ops.remove_small_boxes(boxes, 10), torch.tensor({ 1, 2, 3, 5 }, { dtype = torch.int64 }))
    equal(ops.masks_to_boxes(torch.tensor { { { 0, 0, 0, 0 }, { 0, 1, 1, 0 }, { 0, 0, 1, 0 } } }):tolist(),
      { { 1, 1, 2, 2 } })
  end)

  it("of other sizes are errors", function()
    fails(function() ops.box_area(torch.zeros(4)) end, "box_area: expected boxes (N, 4), got (4)")
    fails(function() ops.box_iou(boxes, 3) end, "box_iou: expected boxes (N, 4), got a number")
  end)
end)

describe("nms", function()
  local scores = torch.tensor { 0.9, 0.8, 0.7, 0.95, 0.6 }

  it("keeps the best of boxes that overlap", function()
    equal(ops.nms(boxes, scores, 0.5):tolist(), { 4, 3 })
    equal(ops.nms(boxes, scores, 0.7):tolist(), { 4, 2, 3, 5 })
    equal(ops.nms(boxes, scores, 1):tolist(), { 4, 1, 2, 3, 5 })
    equal(ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5):tolist(), {})
  end)

  it("agrees with its definition on many boxes", function()
    torch.manual_seed(1)
    local corner = torch.rand(120, 2) * 50
    local many, score = torch.cat({ corner, corner + torch.rand(120, 2) * 20 }, 2), torch.rand(120)
    local iou, order, kept = ops.box_iou(many, many):tolist(), select(2, score:sort(1, true)):tolist(), {}
    for _, i in ipairs(order) do
      local free = true
      for _, k in ipairs(kept) do free = free and iou[k][i] <= 0.4 end
      if free then kept[#kept + 1] = i end
    end
    equal(ops.nms(many, score, 0.4):tolist(), kept)
  end)

  it("is done for each class by itself", function()
    local classes = torch.tensor({ 1, 2, 1, 1, 1 }, { dtype = torch.int64 })
    equal(ops.batched_nms(boxes, scores, classes, 0.5):tolist(), { 4, 2, 3 })
  end)

  it("says what does not fit", function()
    fails(function() ops.nms(boxes, scores:narrow(1, 1, 2), 0.5) end, "expected 5 scores for 5 boxes, got (2)")
  end)
end)

-- The value at a place between the pixels of a plane, in plain numbers.
local function bilinear(plane, y, x)
  local height, width = #plane, #plane[1]
  if y < -1 or y > height or x < -1 or x > width then return 0 end
  y, x = math.min(math.max(y, 0), height - 1), math.min(math.max(x, 0), width - 1)
  local top, left = math.min(math.floor(y), math.max(height - 2, 0)), math.min(math.floor(x), math.max(width - 2, 0))
  local function row(i)
    local cells = plane[math.min(i, height - 1) + 1]
    return cells[left + 1] * (left + 1 - x) + (cells[left + 2] or 0) * (x - left)
  end
  return row(top) * (top + 1 - y) + row(top + 1) * (y - top)
end

-- RoIAlign of one box of a plane, as the paper has it.
local function aligned(plane, box, ph, pw, scale, ratio, half)
  local shift = half and 0.5 or 0
  local x, y = box[1] * scale - shift, box[2] * scale - shift
  local w, h = box[3] * scale - shift - x, box[4] * scale - shift - y
  if not half then w, h = math.max(w, 1), math.max(h, 1) end
  local across = ratio > 0 and ratio or math.ceil(w / pw)
  local down = ratio > 0 and ratio or math.ceil(h / ph)
  local result = {}
  for i = 0, ph - 1 do
    result[i + 1] = {}
    for j = 0, pw - 1 do
      local sum = 0
      for a = 0, down - 1 do
        for b = 0, across - 1 do
          sum = sum + bilinear(plane, y + (i + (a + 0.5) / down) * h / ph, x + (j + (b + 0.5) / across) * w / pw)
        end
      end
      result[i + 1][j + 1] = sum / (across * down)
    end
  end
  return result
end

describe("roi_align", function()
  torch.manual_seed(2)
  local input = torch.randn(2, 2, 10, 12, { dtype = torch.float64 })
  local rows = { { 1, 1, 2, 9, 8 }, { 2, -3, -2, 20, 15 }, { 1, 4.5, 4.5, 4.6, 4.7 }, { 2, 0, 0, 11, 9 },
    { 1, 10, 8, 14, 12.5 } }
  local rois = torch.tensor(rows, { dtype = torch.float64 })

  it("is the mean of samples within each part of each box", function()
    for _, case in ipairs { { 3, 4, 1, 2, false }, { 3, 4, 1, -1, false }, { 2, 2, 0.5, -1, true },
      { 5, 3, 1.3, 3, true } } do
      local ph, pw, scale, ratio, half = unpack(case)
      local y = ops.roi_align(input, rois, { ph, pw }, scale, ratio, half)
      equal(y:size(), { 5, 2, ph, pw })
      for k, row in ipairs(rows) do
        local plane = input[row[1]][2]:tolist()
        equal(y[k][2]:tolist(), aligned(plane, { unpack(row, 2) }, ph, pw, scale, ratio, half))
      end
    end
  end)

  it("takes a list of boxes for each image, and none", function()
    local first, second = rois:narrow(1, 1, 1):narrow(2, 2, 4), rois:narrow(1, 2, 1):narrow(2, 2, 4)
    local module = ops.RoIAlign(2, 1, 2)
    equal(module(input, { first, second }), ops.roi_align(input, rois:narrow(1, 1, 2), 2, 1, 2))
    equal(ops.roi_align(input, torch.zeros(0, 5), 2):size(), { 0, 2, 2, 2 })
  end)

  it("has a derivative", function()
    local x = torch.randn(1, 2, 5, 6, { dtype = torch.float64, requires_grad = true })
    local one = { torch.tensor { { 0, 0, 4.5, 3 } } }
    assert(torch.autograd.gradcheck(function(v) return ops.roi_align(v, one, 2, 1, -1, true) end, { x }))
  end)

  it("says what does not fit", function()
    fails(function() ops.roi_align(input, boxes, 2) end, "expected boxes (K, 5) or a list of boxes (L, 4), got (5, 4)")
    fails(function() ops.roi_align(input, torch.tensor { { 3, 0, 0, 1, 1 } }, 2) end,
      "box 1 is of image 3, which is outside 1..2")
    fails(function() ops.roi_align(input, torch.tensor { { 1, 0, 0, 0 / 0, 1 } }, 2) end, "box 1 has the coordinate")
    fails(function() ops.roi_align(input[1], rois, 2) end, "expected a floating input (N, C, H, W)")
    fails(function() ops.roi_align(input, rois, 0) end, "output_size is at least 1")
  end)
end)

describe("sigmoid_focal_loss", function()
  it("is alpha (1 - p)^gamma cross entropy", function()
    local x, y = torch.tensor { -2, -0.3, 0.4, 3 }, torch.tensor { 0, 1, 1, 0 }
    equal(ops.sigmoid_focal_loss(x, y), { 0.00135267223, 0.070480935, 0.020655483, 2.07471037 })
    equal(ops.sigmoid_focal_loss(x, y, { alpha = -1, gamma = 0, reduction = "mean" }),
      torch.nn.functional.binary_cross_entropy_with_logits(x, y))
  end)
end)
