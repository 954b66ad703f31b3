--- Losses. `reduction` is "mean", "sum" or "none"; targets that are classes count from 1.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"

--- What all losses print: nothing but their name.
local Loss = class("Loss", Module)

function Loss:extra_repr()
  return ""
end

--- Mean of (input - target)^2.
---@class nn.MSELoss: nn.Module
local MSELoss = class("MSELoss(*, str reduction='mean')", Loss)

---@param input torch.Tensor
---@param target torch.Tensor
---@return torch.Tensor
function MSELoss:forward(input, target)
  return F.mse_loss(input, target, { reduction = self.reduction })
end

--- Mean of -weight[target] * input[target], with log-probabilities for input.
---@class nn.NLLLoss: nn.Module
---@field weight? torch.Tensor  [C]
local NLLLoss = class("NLLLoss(Tensor? weight=None, *, int ignore_index=-100, str reduction='mean')", Loss)

---@param input torch.Tensor   [N, C, ...]
---@param target torch.Tensor  [N, ...]: classes 1..C
---@return torch.Tensor
function NLLLoss:forward(input, target)
  return F.nll_loss(input, target,
    { weight = self.weight, ignore_index = self.ignore_index, reduction = self.reduction })
end

--- The negative log-likelihood of log_softmax(input), with classes or their probabilities for target.
---@class nn.CrossEntropyLoss: nn.Module
---@field weight? torch.Tensor  [C]
local CrossEntropyLoss = class("CrossEntropyLoss(Tensor? weight=None, *, int ignore_index=-100, str reduction='mean', "
  .. "float label_smoothing=0.0)", Loss)

---@param input torch.Tensor   [N, C, ...]
---@param target torch.Tensor  [N, ...]: classes 1..C, or probabilities of input's sizes
---@return torch.Tensor
function CrossEntropyLoss:forward(input, target)
  return F.cross_entropy(input, target, { weight = self.weight, ignore_index = self.ignore_index,
    reduction = self.reduction, label_smoothing = self.label_smoothing })
end

return { MSELoss = MSELoss, NLLLoss = NLLLoss, CrossEntropyLoss = CrossEntropyLoss }
