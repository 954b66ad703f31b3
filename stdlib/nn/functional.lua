--- torch.nn.functional: the core's operators, functions that are plain operators of torch under another name, and those
-- that take functions or more arguments than operators do.

local torch, check = require "torch", require "torch.check"
local F = torch.nn.functional

for _, name in ipairs { "relu", "relu_", "sigmoid", "tanh", "softmax", "log_softmax" } do
  if rawget(F, name) == nil then F[name] = torch[name] end
end

F.multi_head_attention_forward = require "torch.nn.multi_head_attention"

local read_tbc = torch.core.signature("conv_tbc(Tensor input, Tensor weight, Tensor bias, int pad=0)")

--- A convolution over time with the channels last: input [T, N, C] and weight [K, C, O] to [T + 2 pad - K + 1, N, O].
---@return torch.Tensor
function F.conv_tbc(...)
  local opt = read_tbc(...)
  local y = F.conv1d(opt.input:permute(2, 3, 1), opt.weight:permute(3, 2, 1), opt.bias, { padding = opt.pad })
  return y:permute(3, 1, 2)
end

local read_rms = torch.core.signature("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, "
  .. "float? eps=None)")

--- input / sqrt(mean(input^2) + eps) weight, with the mean over the last dimensions, which have the sizes
--- `normalized_shape` (Zhang and Sennrich 2019).
---@param eps? number  Default: the machine epsilon of input's dtype.
---@return torch.Tensor
function F.rms_norm(...)
  local opt = read_rms(...)
  local x, shape, dims = opt.input, opt.normalized_shape, {}
  local given = torch.is_tensor(x) and x:size() or {}
  for d = 1, #shape do
    dims[d] = -d
    check(given[#given - #shape + d] == shape[d], "rms_norm: input (%s) does not end in normalized_shape (%s)",
      table.concat(given, ", "), table.concat(shape, ", "))
  end
  local y = x * (x:square():mean(dims, true) + (opt.eps or torch.finfo(x.dtype).eps)):rsqrt()
  return opt.weight and y * opt.weight or y
end

local read_triplet = torch.core.signature("triplet_margin_with_distance_loss(Tensor anchor, Tensor positive, "
  .. "Tensor negative, *, any distance_function=None, float margin=1.0, bool swap=False, str reduction='mean')")

local reductions = { none = function(loss) return loss end, sum = torch.sum, mean = torch.mean }

-- The 2-norm of differences along the last dimension; never 0, where it has no derivative.
local function distance(a, b)
  return (a - b + 1e-6):norm(2, -1)
end

--- max(0, d(anchor, positive) - d(anchor, negative) + margin) with any distance d, by default the 2-norm; `swap` takes
-- the smaller of the negative's distances to anchor and positive.
---@param anchor torch.Tensor
---@param positive torch.Tensor
---@param negative torch.Tensor
---@param options? table  distance_function, margin, swap, reduction
---@return torch.Tensor
function F.triplet_margin_with_distance_loss(...)
  local opt = read_triplet(...)
  check(reductions[opt.reduction],
    "triplet_margin_with_distance_loss: reduction must be 'none', 'mean' or 'sum', got '%s'", opt.reduction)
  local d = opt.distance_function or distance
  local far = d(opt.anchor, opt.negative)
  if opt.swap then far = torch.minimum(far, d(opt.positive, opt.negative)) end
  local loss = (d(opt.anchor, opt.positive) - far + opt.margin):clamp { min = 0 }
  return reductions[opt.reduction](loss)
end

return F
