--- torch.nn.utils: gradients kept within bounds, parameters as one vector, and what is loaded when asked for.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Parameter, arguments = require "torch.nn.parameter", require "torch.nn.utils.arguments"

local utils = require("torch.lazy").fields({}, {
  rnn = "torch.nn.utils.rnn",
  parametrize = "torch.nn.utils.parametrize",
  parametrizations = "torch.nn.utils.parametrizations",
  prune = "torch.nn.utils.prune",
  weight_norm = "torch.nn.utils.weight_norm:weight_norm",
  remove_weight_norm = "torch.nn.utils.weight_norm:remove_weight_norm",
  spectral_norm = "torch.nn.utils.spectral_norm:spectral_norm",
  stateless = "torch.nn.utils.stateless",
  remove_spectral_norm = "torch.nn.utils.spectral_norm:remove_spectral_norm",
})

-- The gradients of a parameter or a list of them, where they are.
local function gradients(caller, parameters)
  local list = {}
  for _, p in ipairs(arguments.tensors(caller, parameters)) do list[#list + 1] = p.grad end
  return list
end

local read_norm = torch.core.signature(
  "clip_grad_norm_(any parameters, float max_norm, float norm_type=2, bool error_if_nonfinite=False)")

--- Scales all gradients by one factor such that the norm of them all is at most `max_norm`.
---@param parameters torch.Tensor|torch.Tensor[]
---@param max_norm number
---@param norm_type? number  Default: 2; math.huge: the largest magnitude.
---@return torch.Tensor norm  before the scaling
function utils.clip_grad_norm_(...)
  local opt = read_norm(...)
  local grads = gradients("clip_grad_norm_", opt.parameters)
  if #grads == 0 then return torch.tensor(0) end
  return torch.no_grad(function()
    local norms = {}
    for i, g in ipairs(grads) do norms[i] = g:norm(opt.norm_type) end
    local norm = torch.stack(norms):norm(opt.norm_type)
    local number = norm:item()
    check(not opt.error_if_nonfinite or math.abs(number) < math.huge,
      "clip_grad_norm_: the norm of the gradients is %s", number)
    local scale = opt.max_norm / (number + 1e-6)
    if scale < 1 or scale ~= scale then -- NaN goes on, as it would without clipping
      for _, g in ipairs(grads) do g:mul_(scale) end
    end
    return norm
  end)
end

local read_value = torch.core.signature("clip_grad_value_(any parameters, float clip_value)")

--- Clamps every gradient to [-clip_value, clip_value].
---@param parameters torch.Tensor|torch.Tensor[]
---@param clip_value number
function utils.clip_grad_value_(...)
  local opt = read_value(...)
  torch.no_grad(function()
    for _, g in ipairs(gradients("clip_grad_value_", opt.parameters)) do g:clamp_(-opt.clip_value, opt.clip_value) end
  end)
end

--- All elements of the parameters, one after the other.
---@param parameters torch.Tensor[]
---@return torch.Tensor
function utils.parameters_to_vector(parameters)
  local parts = {}
  for i, p in ipairs(arguments.tensors("parameters_to_vector", parameters)) do parts[i] = p:reshape(-1) end
  return torch.cat(parts)
end

local read_vector = torch.core.signature("vector_to_parameters(Tensor vec, any parameters)")

--- The inverse: copies the parts of `vector` into the parameters.
---@param vector torch.Tensor
---@param parameters torch.Tensor[]
function utils.vector_to_parameters(...)
  local opt = read_vector(...)
  torch.no_grad(function()
    local at = 1
    for _, p in ipairs(arguments.tensors("vector_to_parameters", opt.parameters)) do
      p:copy_(opt.vec:narrow(1, at, p:numel()):view(p:size()))
      at = at + p:numel()
    end
  end)
end

-- y = (x - mean) / sqrt(var + eps) gamma + beta goes into weight and bias, whose outputs are dimension `dim`.
local function folded(caller, weight, bias, mean, var, eps, gamma, beta, dim)
  arguments.tensors(caller, { weight or false, mean or false, var or false })
  check(type(eps) == "number", "%s: eps is a number, got a %s", caller, class.type(eps))
  local scale = (var + eps):rsqrt()
  if gamma then scale = scale * gamma end
  local sizes = {}
  for d = 1, weight:dim() do sizes[d] = d == dim and scale:numel() or 1 end
  local shift = (bias and bias - mean or -mean) * scale
  return Parameter(weight * scale:view(sizes)), Parameter(beta and shift + beta or shift)
end

--- Weight and bias of a convolution with the batch normalisation behind it.
---@param w torch.Tensor        of the convolution
---@param b? torch.Tensor       of the convolution
---@param mean torch.Tensor     running mean
---@param var torch.Tensor      running variance
---@param eps number
---@param gamma? torch.Tensor   weight of the normalisation
---@param beta? torch.Tensor    bias of the normalisation
---@param transpose? boolean    of a transposed convolution. Default: false.
---@return torch.Tensor weight, torch.Tensor bias
function utils.fuse_conv_bn_weights(w, b, mean, var, eps, gamma, beta, transpose)
  return torch.no_grad(folded, "fuse_conv_bn_weights", w, b, mean, var, eps, gamma, beta, transpose and 2 or 1)
end

--- The same of a linear layer.
---@return torch.Tensor weight, torch.Tensor bias
function utils.fuse_linear_bn_weights(w, b, mean, var, eps, gamma, beta)
  return torch.no_grad(folded, "fuse_linear_bn_weights", w, b, mean, var, eps, gamma, beta, 1)
end

local function fused(name, module, norm, dim)
  arguments.module(name, module)
  arguments.module(name, norm)
  check(not module.training and not norm.training, "%s: both modules must be in eval mode", name)
  local copy = torch.deepcopy(module)
  copy.weight, copy.bias = torch.no_grad(folded, name, module.weight, module.bias, norm.running_mean,
    norm.running_var, norm.eps, norm.weight, norm.bias, dim)
  return copy
end

--- A copy of a convolution which does the work of the batch normalisation behind it too, both in eval mode.
---@param conv nn.Module
---@param norm nn.Module
---@param transpose? boolean  of a transposed convolution. Default: false.
---@return nn.Module
function utils.fuse_conv_bn_eval(conv, norm, transpose)
  return fused("fuse_conv_bn_eval", conv, norm, transpose and 2 or 1)
end

--- The same of a linear layer.
---@param linear nn.Module
---@param norm nn.Module
---@return nn.Module
function utils.fuse_linear_bn_eval(linear, norm)
  return fused("fuse_linear_bn_eval", linear, norm, 1)
end

return utils
