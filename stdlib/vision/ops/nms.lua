--- Non-maximum suppression: of boxes that overlap, the one with the highest score stays.

local torch, check = require "torch", require "torch.check"
local boxes = require "torch.vision.ops.boxes"

local suppression = {}

-- The positions that stay, of boxes in columns x1, y1, x2, y2 in the order `order`. Plain numbers: a matrix of all
-- overlaps would have N^2 elements, and most boxes go early.
local function kept(x1, y1, x2, y2, order, threshold)
  local n, gone, areas, stay = #order, {}, {}, {}
  for i = 1, #x1 do areas[i], gone[i] = (x2[i] - x1[i]) * (y2[i] - y1[i]), false end
  for at = 1, n do
    local i = order[at]
    if not gone[i] then
      stay[#stay + 1] = i
      local left, top, right, bottom, area = x1[i], y1[i], x2[i], y2[i], areas[i]
      for later = at + 1, n do
        local j = order[later]
        if not gone[j] then
          local w = math.min(right, x2[j]) - math.max(left, x1[j])
          local h = math.min(bottom, y2[j]) - math.max(top, y1[j])
          if w > 0 and h > 0 then
            local shared = w * h
            if shared / (area + areas[j] - shared) > threshold then gone[j] = true end
          end
        end
      end
    end
  end
  return stay
end

local read = torch.core.signature("nms(Tensor boxes, Tensor scores, float iou_threshold)")

local function check_scores(x, scores, where)
  boxes.checked(x, where)
  check(scores:dim() == 1 and scores:size(1) == x:size(1), "%s: expected %s scores for %s boxes, got (%s)", where,
    x:size(1), x:size(1), table.concat(scores:size(), ", "))
end

--- Boxes that share more than `iou_threshold` of the area that they cover with a better one are left out.
---@param boxes torch.Tensor         [N, 4]
---@param scores torch.Tensor        [N]
---@param iou_threshold number
---@return torch.Tensor positions    int64, the best box first
function suppression.nms(...)
  local opt = read(...)
  check_scores(opt.boxes, opt.scores, "nms")
  local order = select(2, opt.scores:detach():sort(1, true)):tolist()
  local columns = opt.boxes:detach():t():double():tolist()
  local stay = kept(columns[1], columns[2], columns[3], columns[4], order, opt.iou_threshold)
  return torch.tensor(stay, { dtype = torch.int64 }):to(opt.boxes.device)
end

local read_batched = torch.core.signature("batched_nms(Tensor boxes, Tensor scores, Tensor idxs, float iou_threshold)")

--- `nms` within each class: boxes of different classes do not suppress each other.
---@param boxes torch.Tensor         [N, 4]
---@param scores torch.Tensor        [N]
---@param idxs torch.Tensor          [N], the class of each box
---@param iou_threshold number
---@return torch.Tensor positions    int64, the best box first
function suppression.batched_nms(...)
  local opt = read_batched(...)
  local x = opt.boxes
  check_scores(x, opt.scores, "batched_nms")
  check(opt.idxs:dim() == 1 and opt.idxs:size(1) == x:size(1), "batched_nms: expected %s idxs", x:size(1))
  if x:numel() == 0 then return torch.empty(0, { dtype = torch.int64 }) end
  -- each class in a place of its own
  local apart = opt.idxs:to(torch.float64) * (x:max():item() - math.min(x:min():item(), 0) + 1)
  return suppression.nms(x:double() + apart:unsqueeze(2), opt.scores, opt.iou_threshold)
end

return suppression
