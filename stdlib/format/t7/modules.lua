--- The modules of Torch7's nn and cudnn as those of torch.nn. What a file says is looked at before anything is made of
-- it: sizes come from the tensors, not from the fields that repeat them.

local torch, class = require "torch", require "torch.class"
local nn, layers = torch.nn, require "torch.format.t7.layers"

local modules = {}

-- Makers by the class's name without nn or cudnn in front. Each returns a module, or nil for what has no counterpart.
local makers = {}

-- Fields ------------------------------------------------------------------------------------------------------

local function whole(m, field, default)
  local n = m[field]
  if n == nil then n = default end
  return type(n) == "number" and n == math.floor(n) and math.abs(n) < 2 ^ 31 and n or nil
end

local function number(m, field, default)
  local n = m[field]
  if n == nil then n = default end
  return type(n) == "number" and n or nil
end

-- A floating tensor that takes no more memory than the file gave it; nil for anything else.
local function tensor(m, field)
  local x = m[field]
  if not torch.is_tensor(x) or not x:is_floating_point() or x:numel() == 0 then return nil end
  return x:numel() <= x:storage():size() and x or nil
end

-- Two whole numbers, for H and W, or nil if one of them is missing.
local function pair(m, field_h, field_w, default)
  local h, w = whole(m, field_h, default), whole(m, field_w, default)
  return h and w and { h, w }
end

-- All items of a field are modules: the list, else nil.
local function children(m)
  if type(m.modules) ~= "table" then return nil end
  for _, child in ipairs(m.modules) do
    if not class.isinstance(child, nn.Module) then return nil end
  end
  return m.modules
end

-- Gives a module the tensors of the file for its parameters.
local function with(module, weight, bias)
  module.weight = weight and nn.Parameter(weight)
  module.bias = bias and nn.Parameter(bias)
  return module
end

-- Layers with weights -----------------------------------------------------------------------------------------

function makers.Linear(m)
  local weight, bias = tensor(m, "weight"), tensor(m, "bias")
  if not weight or weight:dim() ~= 2 then return nil end
  return with(nn.Linear(weight:size(2), weight:size(1), { bias = bias ~= nil }), weight, bias)
end

-- The size, stride, padding and dilation of a window over H and W.
local function window(m)
  local kernel, stride = pair(m, "kH", "kW"), pair(m, "dH", "dW")
  local padding, dilation = pair(m, "padH", "padW", whole(m, "padding", 0)), pair(m, "dilationH", "dilationW", 1)
  if not (kernel and stride and padding and dilation) then return nil end
  return kernel, stride, padding, dilation
end

-- Weights of convolutions are (O, I / groups, kH, kW), or flat in older files.
local function SpatialConvolution(m)
  local weight, bias = tensor(m, "weight"), tensor(m, "bias")
  local kernel, stride, padding, dilation = window(m)
  local O, groups = whole(m, "nOutputPlane"), whole(m, "groups", 1)
  if not (weight and kernel and O and groups) then return nil end
  local I = weight:numel() / (O * kernel[1] * kernel[2])
  if not (I >= 1 and I <= weight:numel() and I == math.floor(I)) then return nil end
  local conv = nn.Conv2d(I * groups, O, kernel, { stride = stride, padding = padding, dilation = dilation,
    groups = groups, bias = bias ~= nil })
  return with(conv, weight:reshape(O, I, kernel[1], kernel[2]), bias)
end
makers.SpatialConvolution, makers.SpatialConvolutionMM = SpatialConvolution, SpatialConvolution
makers.SpatialDilatedConvolution = SpatialConvolution

-- Weights (I, O, kH, kW).
function makers.SpatialFullConvolution(m)
  local weight, bias = tensor(m, "weight"), tensor(m, "bias")
  local kernel, stride, padding = window(m)
  local adjust = pair(m, "adjH", "adjW", 0)
  if not (weight and kernel and adjust) or weight:dim() ~= 4 then return nil end
  local conv = nn.ConvTranspose2d(weight:size(1), weight:size(2), kernel, { stride = stride, padding = padding,
    output_padding = adjust, bias = bias ~= nil })
  return with(conv, weight, bias)
end

-- Older files have 1 / sqrt(var + eps) in place of the variance.
local function BatchNorm(Class)
  return function(m)
    local mean, eps = tensor(m, "running_mean"), number(m, "eps", 1e-5)
    local var, std = tensor(m, "running_var"), tensor(m, "running_std")
    if std and not var then var = std:pow(-2) - eps end
    if not mean or not var or mean:dim() ~= 1 or var:dim() ~= 1 then return nil end
    local weight, bias = tensor(m, "weight"), tensor(m, "bias")
    if weight and not (bias and weight:size() == mean:size() and bias:size() == mean:size()) then return nil end
    local norm = Class(mean:size(1), { eps = eps, momentum = number(m, "momentum", 0.1), affine = weight ~= nil })
    norm.running_mean, norm.running_var = mean, var
    return weight and with(norm, weight, bias) or norm
  end
end
makers.BatchNormalization = BatchNorm(nn.BatchNorm1d)
makers.SpatialBatchNormalization = BatchNorm(nn.BatchNorm2d)
makers.VolumetricBatchNormalization = BatchNorm(nn.BatchNorm3d)

function makers.LookupTable(m)
  local weight, padding = tensor(m, "weight"), whole(m, "paddingValue", 0)
  if not weight or weight:dim() ~= 2 or not padding then return nil end
  local embedding = nn.Embedding(weight:size(1), weight:size(2), { padding_idx = padding > 0 and padding or nil,
    max_norm = number(m, "maxNorm"), norm_type = number(m, "normType") })
  return with(embedding, weight)
end

function makers.PReLU(m)
  local weight = tensor(m, "weight")
  return weight and with(nn.PReLU(weight:numel()), weight:reshape(-1))
end

-- Pooling -----------------------------------------------------------------------------------------------------

function makers.SpatialMaxPooling(m)
  local kernel, stride, padding = window(m)
  return kernel and nn.MaxPool2d(kernel, { stride = stride, padding = padding, ceil_mode = m.ceil_mode == true })
end

function makers.SpatialAveragePooling(m)
  local kernel, stride, padding = window(m)
  if not kernel or m.divide == false then return nil end
  return nn.AvgPool2d(kernel, { stride = stride, padding = padding, ceil_mode = m.ceil_mode == true,
    count_include_pad = m.count_include_pad ~= false })
end

function makers.SpatialAdaptiveMaxPooling(m)
  local size = pair(m, "H", "W")
  return size and nn.AdaptiveMaxPool2d(size)
end

function makers.SpatialAdaptiveAveragePooling(m)
  local size = pair(m, "H", "W")
  return size and nn.AdaptiveAvgPool2d(size)
end

-- Activations -------------------------------------------------------------------------------------------------

for theirs, ours in pairs {
  Tanh = "Tanh", Sigmoid = "Sigmoid", LogSigmoid = "LogSigmoid", SoftSign = "Softsign", TanhShrink = "Tanhshrink",
  Identity = "Identity", Contiguous = "Identity", Copy = "Identity", SpatialSoftMax = "Softmax2d",
} do
  makers[theirs] = function() return nn[ours]() end
end

for _, name in ipairs { "SoftMax", "LogSoftMax", "SoftMin", "CAddTable", "CMulTable" } do
  makers[name] = function() return layers[name]() end
end

for name, ours in pairs { ReLU = "ReLU", ReLU6 = "ReLU6" } do
  makers[name] = function(m) return nn[ours] { inplace = m.inplace == true } end
end

function makers.ELU(m) return nn.ELU { alpha = number(m, "alpha", 1) } end

function makers.LeakyReLU(m) return nn.LeakyReLU { negative_slope = number(m, "negval", 0.01) } end

function makers.SoftPlus(m)
  return nn.Softplus { beta = number(m, "beta", 1), threshold = number(m, "threshold", 20) }
end

function makers.HardTanh(m)
  return nn.Hardtanh { min_val = number(m, "min_val", -1), max_val = number(m, "max_val", 1) }
end
makers.Clamp = makers.HardTanh

function makers.Threshold(m)
  return nn.Threshold { threshold = number(m, "threshold", 0), value = number(m, "val", 0) }
end

-- Without `v2`, elements that stay are not enlarged in training, and all are made smaller otherwise.
function makers.Dropout(m)
  local p = number(m, "p", 0.5)
  return m.v2 and nn.Dropout(p) or layers.Scaled(nn.Dropout(p), 1 - p)
end

function makers.SpatialDropout(m)
  local p = number(m, "p", 0.5)
  return layers.Scaled(nn.Dropout2d(p), 1 - p)
end

-- Shapes ------------------------------------------------------------------------------------------------------

-- Sizes in a LongStorage.
local function sizes(m)
  local list = m.size
  if not torch.is_tensor(list) or list:dim() ~= 1 or list:numel() == 0 or list:numel() > 64 then return nil end
  return list:tolist()
end

function makers.Reshape(m)
  local list = sizes(m)
  return list and layers.Reshape(list)
end

function makers.View(m)
  local list = sizes(m)
  return list and layers.Reshape(list, { dims = whole(m, "numInputDims") })
end

for theirs, ours in pairs {
  SpatialZeroPadding = "ZeroPad2d", SpatialReflectionPadding = "ReflectionPad2d",
  SpatialReplicationPadding = "ReplicationPad2d",
} do
  makers[theirs] = function(m)
    local sides, ends = pair(m, "pad_l", "pad_r"), pair(m, "pad_t", "pad_b")
    return sides and ends and nn[ours] { sides[1], sides[2], ends[1], ends[2] }
  end
end

function makers.SpatialUpSamplingNearest(m)
  local scale = whole(m, "scale_factor")
  return scale and nn.Upsample { scale_factor = scale }
end

function makers.SpatialCrossMapLRN(m)
  local size = whole(m, "size")
  return size and nn.CrossMapLRN2d(size, number(m, "alpha", 1e-4), number(m, "beta", 0.75), number(m, "k", 1))
end

-- Containers --------------------------------------------------------------------------------------------------

function makers.Sequential(m)
  local list = children(m)
  return list and nn.Sequential(unpack(list))
end

for _, name in ipairs { "ConcatTable", "ParallelTable" } do
  makers[name] = function(m)
    local list = children(m)
    return list and layers[name](list)
  end
end

function makers.Concat(m)
  local list, dimension = children(m), whole(m, "dimension")
  return list and dimension and layers.Concat(list, dimension)
end

-- Of copies on several devices the first.
function makers.DataParallelTable(m)
  local list = children(m)
  return list and list[1]
end

function makers.JoinTable(m)
  local dimension = whole(m, "dimension")
  return dimension and layers.JoinTable(dimension, { dims = whole(m, "nInputDims") })
end

function makers.MulConstant(m)
  local factor = number(m, "constant_scalar")
  return factor and layers.Scaled(nn.Identity(), factor)
end

--- The module that a table stands for, which has its class's name in `torch_typename`; nil if there is none.
---@param object table
---@return nn.Module?
function modules.convert(object)
  local family, name = object.torch_typename:match "^(%w+)%.(%w+)$"
  if family ~= "nn" and family ~= "cudnn" and family ~= "cunn" or not makers[name] then return nil end
  local module = makers[name](object)
  return module and module:train(object.train ~= false)
end

return modules
