--- torch.vision.ops: boxes, and what detectors do with them. Boxes are [N, 4] tensors of edges x1, y1, x2, y2 in pixels
--- from the image's upper left corner, x to the right and y down, with x1 <= x2 and y1 <= y2.

local lazy = require "torch.lazy"

local homes = { SqueezeExcitation = "torch.vision.models.layers:SqueezeExcitation",
  StochasticDepth = "torch.vision.models.layers:StochasticDepth" }
for file, names in pairs {
  boxes = [[box_area box_iou generalized_box_iou box_convert clip_boxes_to_image remove_small_boxes masks_to_boxes]],
  nms = "nms batched_nms",
  roi_align = "roi_align RoIAlign",
  focal_loss = "sigmoid_focal_loss",
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.vision.ops.%s:%s"):format(file, name) end
end

return lazy.fields({}, homes)
