local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local container, Linear = require "torch.nn.container", require("torch.nn.linear").Linear

--- softmax over many classes, the frequent ones first (Grave et al. 2017): a head for those up to the first cutoff and
--- for each cluster of the others, whose own nets have div_value times fewer features from one to the next.
---@class nn.AdaptiveLogSoftmaxWithLoss: nn.Module
local Adaptive = class("AdaptiveLogSoftmaxWithLoss(int in_features, int n_classes, int[] cutoffs, float div_value=4.0, "
  .. "bool head_bias=False)", Module)
Adaptive.format = ""
Adaptive.expects = "input (N, {in_features}) or ({in_features}) and "
  .. "target (N) of 1..{n_classes} or () of 1..{n_classes}"

function Adaptive:init(opt)
  local before = 0
  for _, cutoff in ipairs(opt.cutoffs) do
    check(cutoff > before and cutoff < opt.n_classes,
      "AdaptiveLogSoftmaxWithLoss: cutoffs rise from 1 to n_classes - 1, got %s", table.concat(opt.cutoffs, ", "))
    before = cutoff
  end
  check(before > 0, "AdaptiveLogSoftmaxWithLoss: there are no cutoffs")
  self.cutoffs = { unpack(opt.cutoffs) }
  table.insert(self.cutoffs, opt.n_classes)
  local clusters = #self.cutoffs - 1
  self.head = Linear(opt.in_features, self.cutoffs[1] + clusters, opt.head_bias)
  self.tail = container.ModuleList({})
  for i = 1, clusters do
    local hidden = math.floor(opt.in_features / opt.div_value ^ i)
    self.tail:append(container.Sequential(Linear(opt.in_features, hidden, false),
      Linear(hidden, self.cutoffs[i + 1] - self.cutoffs[i], false)))
  end
end

---@param x torch.Tensor  [N, in_features]
---@return torch.Tensor   [N, n_classes]: log-probabilities
function Adaptive:log_prob(x)
  local head = F.log_softmax(self.head(x), -1)
  local first = self.cutoffs[1]
  local parts = { head:narrow(-1, 1, first) }
  for i, net in ipairs(self.tail) do
    parts[i + 1] = F.log_softmax(net(x), -1) + head:narrow(-1, first + i, 1)
  end
  return torch.cat(parts, -1)
end

--- The most probable class of each row, from 1.
---@param x torch.Tensor  [N, in_features]
---@return torch.Tensor   [N]
function Adaptive:predict(x)
  return self:log_prob(x):argmax(-1)
end

---@param x torch.Tensor       [N, in_features] or [in_features]
---@param target torch.Tensor  [N] or one class, from 1
---@return torch.Tensor output the log-probability of each target
---@return torch.Tensor loss   minus their mean
function Adaptive:forward(x, target)
  local single = x:dim() == 1
  if single then x, target = x:unsqueeze(1), target:unsqueeze(1) end
  local output = self:log_prob(x):gather(2, target:unsqueeze(2)):squeeze(2)
  return single and output:squeeze(1) or output, -output:mean()
end

return { AdaptiveLogSoftmaxWithLoss = Adaptive }
