--- torch.nn.utils.prune: parameters with elements that stay zero.
--
-- A pruned parameter `weight` becomes `weight_orig`, which is learned, and a buffer `weight_mask` of zeros and ones;
-- `weight` is their product, computed before each forward. Pruning again only takes more away.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Parameter = require "torch.nn.parameter"

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
  return module[name]:detach(), rawget(module, name .. "_mask")
end

local function alive_count(weight, mask)
  return mask and mask:sum():item() or weight:numel()
end

--- Nothing is taken away, but the parameter becomes a pruned one.
function prune.identity(module, name)
  return apply(module, name, torch.ones_like(module[name]:detach()))
end

--- Takes away elements at random.
---@param amount number  a share below 1, or how many
function prune.random_unstructured(module, name, amount)
  local weight, mask = current(module, name)
  local scores = torch.rand_like(weight)
  return apply(module, name, without_smallest(scores, count_of(amount, alive_count(weight, mask)), mask))
end

--- Takes away the elements of the smallest magnitude (or importance).
---@param amount number                     a share below 1, or how many
---@param importance_scores? torch.Tensor
function prune.l1_unstructured(module, name, amount, importance_scores)
  local weight, mask = current(module, name)
  local scores = (importance_scores or weight):abs()
  return apply(module, name, without_smallest(scores, count_of(amount, alive_count(weight, mask)), mask))
end

-- Zeros in the slices along `dim` with the smallest scores.
local function without_slices(module, name, amount, dim, score)
  local weight = current(module, name)
  local rows = weight:transpose(1, dim)
  local keep = without_smallest(score(rows:reshape(rows:size(1), -1)), count_of(amount, rows:size(1)))
  local sizes = {}
  for d = 1, weight:dim() do sizes[d] = d == dim and keep:numel() or 1 end
  return apply(module, name, keep:reshape(sizes):expand_as(weight):clone())
end

--- Takes away slices along `dim` at random.
function prune.random_structured(module, name, amount, dim)
  return without_slices(module, name, amount, dim, function(rows) return torch.rand(rows:size(1)) end)
end

--- Takes away the slices along `dim` with the smallest n-norm.
function prune.ln_structured(module, name, amount, n, dim)
  return without_slices(module, name, amount, dim, function(rows) return rows:norm(n, 2) end)
end

--- Takes away where the mask is zero.
function prune.custom_from_mask(module, name, mask)
  return apply(module, name, mask:to(module[name].dtype))
end

--- Takes away the elements of the smallest magnitude among several parameters, `{{module, name}, ...}`.
function prune.global_l1_unstructured(parameters, amount)
  local scores, masks = {}, {}
  for i, pair in ipairs(parameters) do
    local weight, mask = current(pair[1], pair[2])
    scores[i], masks[i] = weight:abs():reshape(-1), (mask or torch.ones_like(weight)):reshape(-1)
  end
  local alive = torch.cat(masks)
  local mask = without_smallest(torch.cat(scores), count_of(amount, alive:sum():item()), alive)
  local at = 1
  for _, pair in ipairs(parameters) do
    local weight = pair[1][pair[2]]
    apply(pair[1], pair[2], mask:narrow(1, at, weight:numel()):reshape(weight:size()):clone())
    at = at + weight:numel()
  end
end

--- Is anything in the module pruned?
function prune.is_pruned(module)
  for _, m in ipairs(module:modules()) do
    if handles[m] and next(handles[m]) then return true end
  end
  return false
end

--- Makes the pruned parameter a plain one, zeros and all.
function prune.remove(module, name)
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
