--- torch.nn.utils.parametrizations: ready-made ones.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Module = require "torch.nn.module"
local Parameter = require "torch.nn.parameter"
local arguments = require "torch.nn.utils.arguments"
local parametrize = require "torch.nn.utils.parametrize"

local parametrizations = {}

-- The matrix [size dim, rest] of a weight.
local function matrix_of(weight, dim)
  if dim ~= 1 then weight = weight:transpose(1, dim) end
  return weight:reshape(weight:size(1), -1)
end

-- Whole lengths of all dimensions but `dim`, kept.
local function norm_except(weight, dim)
  local dims = {}
  for d = 1, weight:dim() do
    if d ~= dim then dims[#dims + 1] = d end
  end
  return weight:square():sum(dims, true):sqrt()
end

local Orthogonal = class("_Orthogonal", Module)

function Orthogonal:init(tall)
  rawset(self, "_tall", tall)
end

-- The Q of the matrix, with the signs of R's diagonal: a smooth map onto the orthogonal ones.
function Orthogonal:forward(x)
  local q, r = torch.linalg.qr(self._tall and x or x:transpose(-1, -2))
  q = q * r:diagonal(0, -2, -1):sgn():unsqueeze(-2)
  return self._tall and q or q:transpose(-1, -2)
end

function Orthogonal:right_inverse(x)
  return x
end

--- Rows or columns, whichever are fewer, become orthonormal.
---@param module nn.Module
---@param name? string  Default: "weight".
function parametrizations.orthogonal(module, name)
  name = name or "weight"
  local weight = arguments.parameter("orthogonal", module, name)
  check(weight:dim() >= 2, "orthogonal: '%s' of %s is no matrix", name, class.type(module))
  return parametrize.register_parametrization(module, name, Orthogonal(weight:size(-2) >= weight:size(-1)))
end

local SpectralNorm = class("_SpectralNorm", Module)

function SpectralNorm:init(weight, n_power_iterations, dim, eps)
  local m = matrix_of(weight:detach(), dim)
  rawset(self, "_settings", { iterations = n_power_iterations, dim = dim, eps = eps })
  local function direction(n) return torch.nn.functional.normalize(torch.randn(n), { dim = 1, eps = eps }) end
  self:register_buffer("u", direction(m:size(1)))
  self:register_buffer("v", direction(m:size(2)))
  self:_iterate(m, 15)
end

function SpectralNorm:_iterate(m, iterations)
  local normalize, eps = torch.nn.functional.normalize, self._settings.eps
  torch.no_grad(function()
    for _ = 1, iterations do
      self.u:copy_(normalize(m:mv(self.v), { dim = 1, eps = eps }))
      self.v:copy_(normalize(m:t():mv(self.u), { dim = 1, eps = eps }))
    end
  end)
end

function SpectralNorm:forward(weight)
  local m = matrix_of(weight, self._settings.dim)
  if self.training then self:_iterate(m:detach(), self._settings.iterations) end
  return weight / self.u:clone():dot(m:mv(self.v:clone()))
end

function SpectralNorm:right_inverse(weight)
  return weight
end

--- Divides the weight, as a matrix, by its largest singular value (Miyato et al. 2018), which power iteration follows.
---@param module nn.Module
---@param name? string                 Default: "weight".
---@param n_power_iterations? integer  per forward in training. Default: 1.
---@param eps? number                  Default: 1e-12.
---@param dim? integer                 of the outputs. Default: 1, for transposed convolutions 2.
function parametrizations.spectral_norm(module, name, n_power_iterations, eps, dim)
  name = name or "weight"
  local weight = arguments.parameter("spectral_norm", module, name)
  dim = dim or (class.type(module):find "^ConvTranspose" and 2 or 1)
  local norm = SpectralNorm(weight, n_power_iterations or 1, dim, eps or 1e-12)
  return parametrize.register_parametrization(module, name, norm)
end

--- weight = g v / |v|, with a length g for each output (Salimans and Kingma 2016). See nn.utils.weight_norm.
local WeightNorm = class("_WeightNorm", Module)

function WeightNorm:init(weight, dim)
  rawset(self, "_dim", dim)
  self.g = Parameter(norm_except(weight:detach(), dim))
end

function WeightNorm:forward(v)
  return v * (self.g / norm_except(v, self._dim))
end

function WeightNorm:right_inverse(weight)
  return weight
end

---@param module nn.Module
---@param name? string  Default: "weight".
---@param dim? integer  Default: 1.
function parametrizations.weight_norm(module, name, dim)
  name = name or "weight"
  local weight = arguments.parameter("weight_norm", module, name)
  return parametrize.register_parametrization(module, name, WeightNorm(weight, dim or 1))
end

parametrizations._norm_except = norm_except
return parametrizations
