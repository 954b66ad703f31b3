--- Losses. `reduction` is "mean", "sum" or "none"; targets that are classes count from 1. What a loss prints is its
--- name alone.

local torch, class = require "torch", require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local options = require "torch.nn.options"

local loss = {}

local ALLOWED = { reduction = options.words("none", "mean", "sum"), distance_function = options.callable }

local ALIKE = "input (*) and target (*)"
local CLASSES = "input (N, C, *) or (C) and target (N, *) of 1..C or () of 1..C"
local TRIPLET = "anchor (*, D) and positive (*, D) and negative (*, D)"

--- Declares the class whose forward is F[name] of `count` tensors, which are as `expects` says, and of the
--- constructor's arguments by name; tensors among these are buffers.
local function define(signature, name, count, expects)
  local Loss = class(signature, Module)
  Loss.format, Loss.expects, Loss.allows = "", expects, ALLOWED

  function Loss:init(opt)
    for _, key in ipairs { "weight", "pos_weight" } do
      if torch.is_tensor(opt[key]) then self:register_buffer(key, opt[key]) end
    end
  end

  function Loss:forward(...)
    local settings, given = {}, { ... }
    for _, key in ipairs(self._options.names) do settings[key] = self[key] end
    given[count + 1] = settings
    return F[name](unpack(given, 1, count + 1))
  end

  loss[signature:match "^%w+"] = Loss
end

define("L1Loss(*, str reduction='mean')", "l1_loss", 2, ALIKE)
define("MSELoss(*, str reduction='mean')", "mse_loss", 2, ALIKE)
define("SmoothL1Loss(*, str reduction='mean', float beta=1.0)", "smooth_l1_loss", 2, ALIKE)
define("HuberLoss(str reduction='mean', float delta=1.0)", "huber_loss", 2, ALIKE)
define("NLLLoss(Tensor? weight=None, *, int ignore_index=-100, str reduction='mean')", "nll_loss", 2, CLASSES)
define("NLLLoss2d(Tensor? weight=None, *, int ignore_index=-100, str reduction='mean')", "nll_loss", 2, CLASSES)
define("CrossEntropyLoss(Tensor? weight=None, *, int ignore_index=-100, str reduction='mean', "
  .. "float label_smoothing=0.0)", "cross_entropy", 2,
  CLASSES .. " or (N, C, *) of probabilities or (C) of probabilities")
--- torch.nn.functional.binary_cross_entropy: of probabilities x and targets y, the mean of
-- -(y log(x) + (1 - y) log(1 - x)).
--
--     torch.nn.BCELoss()(torch.tensor{0.9, 0.2}, torch.tensor{1, 0})
define("BCELoss(Tensor? weight=None, *, str reduction='mean')", "binary_cross_entropy", 2, ALIKE)
--- torch.nn.functional.binary_cross_entropy_with_logits: the same of sigmoid(x), without overflow.
--
--     torch.nn.BCEWithLogitsLoss()(torch.tensor{2, -1}, torch.tensor{1, 0})
define("BCEWithLogitsLoss(Tensor? weight=None, *, str reduction='mean', Tensor? pos_weight=None)",
  "binary_cross_entropy_with_logits", 2, ALIKE)
define("KLDivLoss(*, str reduction='mean', bool log_target=False)", "kl_div", 2, ALIKE)
loss.KLDivLoss.allows = { reduction = options.words("none", "mean", "sum", "batchmean") }
define("PoissonNLLLoss(bool log_input=True, bool full=False, *, float eps=1e-8, str reduction='mean')",
  "poisson_nll_loss", 2, ALIKE)
define("GaussianNLLLoss(*, bool full=False, float eps=1e-6, str reduction='mean')", "gaussian_nll_loss", 3,
  "input (*, D) and target (*, D) and var (*, D) or (*, 1) or (*)")
define("HingeEmbeddingLoss(float margin=1.0, *, str reduction='mean')", "hinge_embedding_loss", 2, ALIKE)
define("MultiLabelMarginLoss(*, str reduction='mean')", "multilabel_margin_loss", 2,
  "input (N, C) or (C) and target (N, C) of 0..C or (C) of 0..C")
define("MultiLabelSoftMarginLoss(Tensor? weight=None, *, str reduction='mean')", "multilabel_soft_margin_loss", 2,
  ALIKE)
define("MultiMarginLoss(Scalar p=1, float margin=1.0, Tensor? weight=None, *, str reduction='mean')",
  "multi_margin_loss", 2, "input (N, C) or (C) and target (N) of 1..C or () of 1..C")
define("SoftMarginLoss(*, str reduction='mean')", "soft_margin_loss", 2, ALIKE)
define("CosineEmbeddingLoss(float margin=0.0, *, str reduction='mean')", "cosine_embedding_loss", 3,
  "input1 (N, D) or (D) and input2 (N, D) or (D) and target (N) or ()")
define("MarginRankingLoss(float margin=0.0, *, str reduction='mean')", "margin_ranking_loss", 3,
  "input1 (*) and input2 (*) and target (*)")
define("TripletMarginLoss(float margin=1.0, float p=2.0, float eps=1e-6, bool swap=False, *, str reduction='mean')",
  "triplet_margin_loss", 3, TRIPLET)
define("TripletMarginWithDistanceLoss(*, any distance_function=None, float margin=1.0, bool swap=False, "
  .. "str reduction='mean')", "triplet_margin_with_distance_loss", 3, TRIPLET)
define("CTCLoss(int blank=1, str reduction='mean', bool zero_infinity=False)", "ctc_loss", 4,
  "log_probs (T, N, C) or (T, C) and targets (N, S) of integers or (S) of integers")

return loss
