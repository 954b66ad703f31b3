--- torch.nn.utils.prune: parameters with elements that stay zero.
--
-- A pruned parameter `weight` becomes `weight_orig`, which is learned, and a buffer `weight_mask` of zeros and ones;
-- `weight` is their product, computed before each forward. Pruning again only takes more away.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Parameter, arguments = require "torch.nn.parameter", require "torch.nn.utils.arguments"

local prune = {}

local handles = setmetatable({}, { __mode = "k" }) -- module -> name -> its hook

local function compute(module, name)
  rawset(module, name, module[name .. "_orig"] * module[name .. "_mask"])
end

-- Applies a mask on top of those that are there.
local function apply(module, name, mask)
  local masks = handles[module]
  if masks and masks[name] then
    rawset(module, name .. "_mask", module[name .. "_mask"] * mask)
  else
    local weight = module[name]
    check(torch.core.is_parameter(weight), "prune: %s has no parameter '%s'", class.type(module), name)
    rawset(module, name, nil)
    module[name .. "_orig"] = weight
    module:register_buffer(name .. "_mask", mask)
    handles[module] = masks or {}
    handles[module][name] = module:register_forward_pre_hook(function(m) compute(m, name) end)
  end
  compute(module, name)
  return module
end

-- How many of n elements `amount` is: below 1 a share, from 1 on a number of them.
local function count_of(amount, n)
  check(type(amount) == "number" and amount >= 0 and (amount < 1 or amount == math.floor(amount)),
    "prune: amount is a share below 1 or a whole number, got %s", amount)
  local count = amount < 1 and math.floor(amount * n + 0.5) or amount
  check(count <= n, "prune: amount %s is more than the %s elements there are", amount, n)
  return count
end

-- A mask with zeros at the `count` smallest of scores, of those that `alive` (a mask, or nil) still has.
local function without_smallest(scores, count, alive)
  local mask = torch.ones_like(scores)
  if count == 0 then return mask end
  if alive then scores = scores:masked_fill(alive:eq(0), math.huge) end
  local _, positions = scores:reshape(-1):topk(count, 1, false)
  mask:view(-1):index_fill_(1, positions, 0)
  return mask
end

local function current(module, name)
  return arguments.parameter("prune", module, name):detach(), rawget(module, name .. "_mask")
end

--- What chooses the elements that go. A method of one's own derives from it and defines `compute_mask(weight, mask)`,
--- which returns zeros where elements are to go (`mask` has those that are gone); `Method:apply(module, name, ...)`
--- prunes, with the arguments of its constructor behind.
---@class prune.BasePruningMethod
local Method = class("BasePruningMethod")

---@param module nn.Module
---@param name string  of the parameter
---@param ... any      the constructor's arguments
---@return nn.Module module
function Method:apply(module, name, ...)
  local method = self(...)
  local weight, mask = current(module, name)
  return apply(module, name, method:compute_mask(weight, mask or torch.ones_like(weight)))
end

---@param weight torch.Tensor
---@param mask torch.Tensor   like weight
---@return torch.Tensor       like weight
function Method:compute_mask(weight, mask)
  check(false, "%s: this class has no compute_mask", class.type(self))
end

prune.BasePruningMethod = Method

-- Defines a method by `mask_of(arguments, weight, mask)`, and the function that applies it.
local function define(signature, function_name, mask_of)
  local Chosen = class(signature, Method)
  function Chosen:init(opt) self.opt = opt end
  function Chosen:compute_mask(weight, mask) return mask_of(self.opt, weight, mask) end
  prune[Chosen.__name] = Chosen
  prune[function_name] = function(...) return Chosen:apply(...) end
end

--- Nothing is taken away, but the parameter becomes a pruned one: prune.identity(module, name).
define("Identity()", "identity", function(_, weight) return torch.ones_like(weight) end)

--- Takes away elements at random: prune.random_unstructured(module, name, amount). `amount` is a share below 1, or how
--- many.
define("RandomUnstructured(Scalar amount)", "random_unstructured", function(opt, weight, mask)
  return without_smallest(torch.rand_like(weight), count_of(opt.amount, mask:sum():item()), mask)
end)

--- Takes away the elements of the smallest magnitude (or importance): prune.l1_unstructured(module, name, amount,
--- importance_scores).
define("L1Unstructured(Scalar amount, Tensor? importance_scores=None)", "l1_unstructured", function(opt, weight, mask)
  local scores = (opt.importance_scores or weight):abs()
  return without_smallest(scores, count_of(opt.amount, mask:sum():item()), mask)
end)

-- Zeros in the slices along `dim` with the smallest scores.
local function without_slices(weight, amount, dim, score)
  local rows = weight:transpose(1, dim)
  local keep = without_smallest(score(rows:reshape(rows:size(1), -1)), count_of(amount, rows:size(1)))
  local sizes = {}
  for d = 1, weight:dim() do sizes[d] = d == dim and keep:numel() or 1 end
  return keep:reshape(sizes):expand_as(weight):clone()
end

--- Takes away slices along `dim` at random: prune.random_structured(module, name, amount, dim).
define("RandomStructured(Scalar amount, int dim)", "random_structured", function(opt, weight)
  return without_slices(weight, opt.amount, opt.dim, function(rows) return torch.rand(rows:size(1)) end)
end)

--- Takes away the slices along `dim` with the smallest n-norm: prune.ln_structured(module, name, amount, n, dim).
define("LnStructured(Scalar amount, Scalar n, int dim)", "ln_structured", function(opt, weight)
  return without_slices(weight, opt.amount, opt.dim, function(rows) return rows:norm(opt.n, 2) end)
end)

--- Takes away where the mask is zero: prune.custom_from_mask(module, name, mask).
define("CustomFromMask(Tensor mask)", "custom_from_mask", function(opt, weight) return opt.mask:to(weight.dtype) end)

--- Prunes several parameters, `{{module, name}, ...}`, as if they were one.
---@param parameters table[]
---@param method prune.BasePruningMethod  a class such as prune.L1Unstructured
---@param ... any                         the arguments of its constructor
function prune.global_unstructured(parameters, method, ...)
  check(class.is_class(method), "global_unstructured: expected a pruning method, got a %s", class.type(method))
  local weights, masks = {}, {}
  check(type(parameters) == "table", "global_unstructured: expected a list of pairs, got a %s", class.type(parameters))
  for i, pair in ipairs(parameters) do
    check(type(pair) == "table", "global_unstructured: item %s is not a pair of module and name", i)
    local weight, mask = current(pair[1], pair[2])
    weights[i], masks[i] = weight:reshape(-1), (mask or torch.ones_like(weight)):reshape(-1)
  end
  local mask = method(...):compute_mask(torch.cat(weights), torch.cat(masks))
  local at = 1
  for _, pair in ipairs(parameters) do
    local weight = pair[1][pair[2]]
    apply(pair[1], pair[2], mask:narrow(1, at, weight:numel()):reshape(weight:size()):clone())
    at = at + weight:numel()
  end
end

--- Takes away the elements of the smallest magnitude among several parameters, `{{module, name}, ...}`.
function prune.global_l1_unstructured(parameters, amount)
  return prune.global_unstructured(parameters, prune.L1Unstructured, amount)
end

--- Is anything in the module pruned?
function prune.is_pruned(module)
  arguments.module("is_pruned", module)
  for _, m in ipairs(module:modules()) do
    if handles[m] and next(handles[m]) then return true end
  end
  return false
end

--- Makes the pruned parameter a plain one, zeros and all.
function prune.remove(module, name)
  arguments.parameter("prune.remove", module, name)
  local handle = handles[module] and handles[module][name]
  check(handle, "prune.remove: '%s' of %s is not pruned", name, class.type(module))
  handle:remove()
  handles[module][name] = nil
  local value = (module[name .. "_orig"] * module[name .. "_mask"]):detach()
  for _, key in ipairs { name .. "_orig", name .. "_mask", name } do rawset(module, key, nil) end
  module[name] = Parameter(value)
  return module
end

return prune
