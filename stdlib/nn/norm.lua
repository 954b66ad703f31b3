--- Normalisation layers.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local Parameter = require "torch.nn.parameter"
local expects, options = require "torch.nn.expects", require "torch.nn.options"

local norm = {}

-- Weights of one and biases of zero.
local function reset(self)
  torch.no_grad(function()
    if self.weight then self.weight:fill_(1) end
    if self.bias then self.bias:zero_() end
  end)
end

-- Batch and instance normalisation ----------------------------------------------------------------------------

--- What normalises over batches and keeps running statistics of each feature.
local Running = class("Running", Module)
Running.format = "{num_features}, eps={eps}, momentum={momentum}, affine={affine}, "
  .. "track_running_stats={track_running_stats}"

Running.allows = { num_features = options.least(0), momentum = { text = "a number, or false", holds = function(value)
  return not value or type(value) == "number"
end } }

-- Weight, bias and statistics for n features.
function Running:_make(n, opt)
  local affine, tracks = opt.affine, opt.track_running_stats
  self.weight = affine and Parameter(torch.ones(n)) or nil
  self.bias = affine and Parameter(torch.zeros(n)) or nil
  self:register_buffer("running_mean", tracks and torch.zeros(n) or nil)
  self:register_buffer("running_var", tracks and torch.ones(n) or nil)
  self:register_buffer("num_batches_tracked", tracks and torch.tensor(0, { dtype = torch.int64 }) or nil)
end

-- A momentum of `false` is None: the mean of all batches.
function Running:_prepare(opt)
  self.momentum = opt.momentum ~= false and (opt.momentum or 0.1) or nil
end

function Running:init(opt)
  self:_prepare(opt)
  self:_make(opt.num_features, opt)
end

--- Forgets the running statistics.
function Running:reset_running_stats()
  if not self.running_mean then return end
  self.running_mean:zero_()
  self.running_var:fill_(1)
  self.num_batches_tracked:zero_()
end

--- Forgets everything that was learned.
function Running:reset_parameters()
  self:reset_running_stats()
  reset(self)
end

-- The operator takes any number of dimensions from 2 on.
function Running:_check(x)
  local least, most = self._dims[1], self._dims[2]
  check(x:dim() >= least and x:dim() <= most, "expected %s to %s dimensions, got %s", least, most, x:dim())
end

function Running:_batch_norm(x)
  self:_check(x)
  local momentum = self.momentum or 0
  if self.training and self.num_batches_tracked then
    self.num_batches_tracked:add_(1)
    if not self.momentum then momentum = 1 / self.num_batches_tracked:item() end
  end
  local mean, var = self.running_mean, self.running_var
  return F.batch_norm(x, mean, var, { weight = self.weight, bias = self.bias, training = self.training or not mean,
    momentum = momentum, eps = self.eps })
end

-- An input without a batch gets one for the call.
function Running:_instance_norm(x)
  self:_check(x)
  local single = x:dim() == self._dims[1]
  local y = F.instance_norm(single and x:unsqueeze(1) or x, { running_mean = self.running_mean,
    running_var = self.running_var, weight = self.weight, bias = self.bias,
    use_input_stats = self.training or not self.track_running_stats, momentum = self.momentum or 0, eps = self.eps })
  return single and y:squeeze(1) or y
end

local BATCH_DIMS = { { 2, 3 }, { 4, 4 }, { 5, 5 } }
for dims = 1, 3 do
  --- (x - mean) / sqrt(var + eps) weight + bias, per feature over the batch (Ioffe and Szegedy 2015).
  --
  --     torch.nn.BatchNorm#d(3)
  local BatchNorm = class(("BatchNorm%dd(int num_features, float eps=1e-5, any momentum=None, bool affine=True, "
    .. "bool track_running_stats=True)"):format(dims), Running)
  BatchNorm._dims, BatchNorm.forward = BATCH_DIMS[dims], Running._batch_norm
  BatchNorm.expects = (dims == 1 and "input (N, {num_features}) or " or "input ")
    .. expects.over("(N, {num_features}, #)", dims)
  norm[BatchNorm.__name] = BatchNorm

  --- The same per feature and sample (Ulyanov, Vedaldi and Lempitsky 2016).
  --
  --     torch.nn.InstanceNorm#d(3)
  local InstanceNorm = class(("InstanceNorm%dd(int num_features, float eps=1e-5, any momentum=None, "
    .. "bool affine=False, bool track_running_stats=False)"):format(dims), Running)
  InstanceNorm._dims, InstanceNorm.forward = { dims + 1, dims + 2 }, Running._instance_norm
  InstanceNorm.expects = expects.over("input (N, {num_features}, #) or ({num_features}, #)", dims)
  norm[InstanceNorm.__name] = InstanceNorm
end
norm.Running = Running

-- Without statistics ------------------------------------------------------------------------------------------

--- Normalises over the last dimensions, which have the sizes `normalized_shape` (Ba, Kiros and Hinton 2016).
--
--     torch.nn.LayerNorm({4})(torch.randn(2, 3, 4))
---@class nn.LayerNorm: nn.Module
---@field weight? torch.Tensor  [normalized_shape]
---@field bias? torch.Tensor    [normalized_shape]
local LayerNorm = class("LayerNorm(int[] normalized_shape, float eps=1e-5, bool elementwise_affine=True, "
  .. "bool bias=True)", Module)
LayerNorm.format = "{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}"
LayerNorm.allows = { normalized_shape = options.least(0) }
LayerNorm.expects = "input (*, {normalized_shape})"

function LayerNorm:init(opt)
  local affine = opt.elementwise_affine
  self.weight = affine and Parameter(torch.ones(opt.normalized_shape)) or nil
  self.bias = affine and opt.bias and Parameter(torch.zeros(opt.normalized_shape)) or nil
end

--- Forgets what was learned.
LayerNorm.reset_parameters = reset

function LayerNorm:forward(x)
  return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
end

--- x / sqrt(mean(x^2) + eps) weight over the last dimensions, which have the sizes `normalized_shape` (Zhang and
--- Sennrich 2019). Without eps the smallest number of x's dtype above 1, less 1.
--
--     torch.nn.RMSNorm({4})(torch.randn(2, 3, 4))
---@class nn.RMSNorm: nn.Module
---@field weight? torch.Tensor  [normalized_shape]
local RMSNorm = class("RMSNorm(int[] normalized_shape, float? eps=None, bool elementwise_affine=True)", Module)
RMSNorm.format = "{normalized_shape}, eps={eps}, elementwise_affine={elementwise_affine}"
RMSNorm.allows, RMSNorm.expects = LayerNorm.allows, LayerNorm.expects

function RMSNorm:init(opt)
  self.weight = opt.elementwise_affine and Parameter(torch.ones(opt.normalized_shape)) or nil
end

RMSNorm.reset_parameters = reset

function RMSNorm:forward(x)
  return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)
end

--- Normalises each sample over groups of channels (Wu and He 2018).
--
--     torch.nn.GroupNorm(2, 6)(torch.randn(1, 6, 5))
---@class nn.GroupNorm: nn.Module
---@field weight? torch.Tensor  [num_channels]
---@field bias? torch.Tensor    [num_channels]
local GroupNorm = class("GroupNorm(int num_groups, int num_channels, float eps=1e-5, bool affine=True)", Module)
GroupNorm.format = "{num_groups}, {num_channels}, eps={eps}, affine={affine}"
GroupNorm.allows = { num_groups = options.least(1), num_channels = options.least(0) }
GroupNorm.expects = "input (N, {num_channels}, *)"

function GroupNorm:init(opt)
  check(opt.num_channels % opt.num_groups == 0,
    "GroupNorm: num_channels %s is not divisible by num_groups %s", opt.num_channels, opt.num_groups)
  self.weight = opt.affine and Parameter(torch.ones(opt.num_channels)) or nil
  self.bias = opt.affine and Parameter(torch.zeros(opt.num_channels)) or nil
end

GroupNorm.reset_parameters = reset

function GroupNorm:forward(x)
  return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
end

--- x / (k + alpha / size * the sum of squares over `size` neighbouring channels)^beta (Krizhevsky et al. 2012).
--
--     torch.nn.LocalResponseNorm(3)(torch.randn(1, 5, 4, 4))
---@class nn.LocalResponseNorm: nn.Module
local LocalResponseNorm = class("LocalResponseNorm(int size, float alpha=1e-4, float beta=0.75, float k=1.0)", Module)
LocalResponseNorm.format = "{size}, alpha={alpha}, beta={beta}, k={k}"
LocalResponseNorm.allows = { size = options.least(1) }
LocalResponseNorm.expects = "input (N, C, L, *)"

function LocalResponseNorm:forward(x)
  return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)
end

--- The same by Torch7's name.
---@class nn.CrossMapLRN2d: nn.Module
local CrossMapLRN2d = class("CrossMapLRN2d(int size, float alpha=1e-4, float beta=0.75, Scalar k=1)",
  LocalResponseNorm)

norm.LayerNorm, norm.GroupNorm, norm.LocalResponseNorm = LayerNorm, GroupNorm, LocalResponseNorm
norm.CrossMapLRN2d, norm.RMSNorm = CrossMapLRN2d, RMSNorm
return norm
