--- torch.nn.utils: gradients kept within bounds, parameters as one vector, and what is loaded when asked for.

local torch, check = require "torch", require "torch.check"

local utils = require("torch.lazy").fields({}, {
  rnn = "torch.nn.utils.rnn",
  parametrize = "torch.nn.utils.parametrize",
  parametrizations = "torch.nn.utils.parametrizations",
  prune = "torch.nn.utils.prune",
  weight_norm = "torch.nn.utils.weight_norm:weight_norm",
  remove_weight_norm = "torch.nn.utils.weight_norm:remove_weight_norm",
  spectral_norm = "torch.nn.utils.spectral_norm:spectral_norm",
  remove_spectral_norm = "torch.nn.utils.spectral_norm:remove_spectral_norm",
})

-- The gradients of a parameter or a list of them, where they are.
local function gradients(parameters)
  if torch.is_tensor(parameters) then parameters = { parameters } end
  local list = {}
  for _, p in ipairs(parameters) do list[#list + 1] = p.grad end
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
  local grads = gradients(opt.parameters)
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

--- Clamps every gradient to [-clip_value, clip_value].
---@param parameters torch.Tensor|torch.Tensor[]
---@param clip_value number
function utils.clip_grad_value_(parameters, clip_value)
  torch.no_grad(function()
    for _, g in ipairs(gradients(parameters)) do g:clamp_(-clip_value, clip_value) end
  end)
end

--- All elements of the parameters, one after the other.
---@param parameters torch.Tensor[]
---@return torch.Tensor
function utils.parameters_to_vector(parameters)
  local parts = {}
  for i, p in ipairs(parameters) do parts[i] = p:reshape(-1) end
  return torch.cat(parts)
end

--- The inverse: copies the parts of `vector` into the parameters.
---@param vector torch.Tensor
---@param parameters torch.Tensor[]
function utils.vector_to_parameters(vector, parameters)
  torch.no_grad(function()
    local at = 1
    for _, p in ipairs(parameters) do
      p:copy_(vector:narrow(1, at, p:numel()):view(p:size()))
      at = at + p:numel()
    end
  end)
end

return utils
