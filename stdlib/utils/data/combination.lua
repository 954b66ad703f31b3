--- Data sets made of others: parts of one, several behind each other, several side by side.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local sets = require "torch.utils.data.dataset"

local combination = {}

local function check_sets(where, list, method)
  check(type(list) == "table" and #list > 0, "%s: expected a list of at least one data set, got %s", where,
    type(list) == "table" and "an empty one" or class.type(list))
  for i, set in ipairs(list) do
    check(type(set) == "table" and set[method], "%s: data set %s is a %s without the method %s", where, i,
      class.type(set), method)
  end
end

local function check_position(where, i, n)
  check(type(i) == "number" and i >= 1 and i <= n and i == math.floor(i), "%s: sample %s is outside 1..%s", where, i, n)
end

--- The samples of `dataset` at some positions, in their order.
---@class data.Subset: data.Dataset
---@field indices torch.Tensor  int64
local Subset = class("Subset(any dataset, any indices)", sets.Dataset)
combination.Subset = Subset

function Subset:init(opt)
  check_sets("Subset", { opt.dataset }, "get")
  self.dataset = opt.dataset
  self.indices = torch.is_tensor(opt.indices) and opt.indices:to(torch.int64)
    or torch.tensor(opt.indices, { dtype = torch.int64 })
  check(self.indices:dim() == 1, "Subset: the indices are a list or a tensor of one dimension, got sizes (%s)",
    table.concat(self.indices:size(), ", "))
  if opt.dataset.batch then self.batch = Subset._batch end
end

function Subset:size()
  return self.indices:size(1)
end

function Subset:get(i)
  check_position("Subset", i, self:size())
  return self.dataset:get(self.indices[i]:item())
end

function Subset:_batch(index)
  return self.dataset:batch(self.indices:index_select(1, index))
end

--- The samples of several sets, one set behind the other.
---@class data.ConcatDataset: data.Dataset
---@field datasets data.Dataset[]
---@field cumulative_sizes integer[]  the position of each set's last sample
local ConcatDataset = class("ConcatDataset(any datasets)", sets.Dataset)
combination.ConcatDataset = ConcatDataset

function ConcatDataset:init(opt)
  check_sets("ConcatDataset", opt.datasets, "get")
  self.datasets, self.cumulative_sizes = opt.datasets, {}
  local total = 0
  for i, set in ipairs(opt.datasets) do
    total = total + set:size()
    self.cumulative_sizes[i] = total
  end
end

function ConcatDataset:size()
  return self.cumulative_sizes[#self.cumulative_sizes]
end

function ConcatDataset:get(i)
  check_position("ConcatDataset", i, self:size())
  local ends, low, high = self.cumulative_sizes, 1, #self.datasets
  while low < high do
    local middle = math.floor((low + high) / 2)
    if i <= ends[middle] then high = middle else low = middle + 1 end
  end
  return self.datasets[low]:get(i - (ends[low - 1] or 0))
end

--- The samples of several iterable sets, one set behind the other.
---@class data.ChainDataset: data.IterableDataset
---@field datasets data.IterableDataset[]
local ChainDataset = class("ChainDataset(any datasets)", sets.IterableDataset)
combination.ChainDataset = ChainDataset

function ChainDataset:init(opt)
  check_sets("ChainDataset", opt.datasets, "iter")
  self.datasets = opt.datasets
end

function ChainDataset:size()
  local total = 0
  for _, set in ipairs(self.datasets) do total = total + set:size() end
  return total
end

function ChainDataset:iter()
  local following, at = self.datasets[1]:iter(), 1
  local function step(...)
    if (...) ~= nil then return ... end
    at = at + 1
    if not self.datasets[at] then return nil end
    following = self.datasets[at]:iter()
    return step(following())
  end
  return function()
    if self.datasets[at] then return step(following()) end
  end
end

-- A sample as one value: of several, the list.
local function single(...)
  if select("#", ...) == 1 then return ... end
  return { ... }
end

--- Several sets of equal size side by side: `StackDataset(images, labels)` gives a value of each, `StackDataset{image =
--- images, label = labels}` a table of them. A sample of several values counts as the list of these.
---@class data.StackDataset: data.Dataset
---@field datasets table<any, data.Dataset>
local StackDataset = class("StackDataset", sets.Dataset)
combination.StackDataset = StackDataset

---@param ... data.Dataset  or one table of them by name
function StackDataset:init(...)
  local first = ...
  self.named = type(first) == "table" and not first.get and #first == 0
  self.datasets = self.named and first or { ... }
  local list = {}
  for _, set in pairs(self.datasets) do list[#list + 1] = set end
  check_sets("StackDataset", list, "get")
  for _, set in ipairs(list) do
    check(set:size() == list[1]:size(), "StackDataset: the data sets have %s and %s samples", list[1]:size(),
      set:size())
  end
  self.count = list[1]:size()
end

function StackDataset:size()
  return self.count
end

function StackDataset:get(i)
  check_position("StackDataset", i, self.count)
  local values = {}
  for name, set in pairs(self.datasets) do values[name] = single(set:get(i)) end
  if self.named then return values end
  return unpack(values)
end

-- Fractions as numbers of samples; what rounding leaves goes to the first parts, one each.
local function counts_of(lengths, n)
  local counts, total = {}, 0
  for i, fraction in ipairs(lengths) do
    check(fraction >= 0 and fraction <= 1, "random_split: fraction %s is %s, outside 0..1", i, fraction)
    counts[i] = math.floor(n * fraction)
    total = total + counts[i]
  end
  for i = 1, n - total do
    local part = (i - 1) % #counts + 1
    counts[part] = counts[part] + 1
  end
  return counts
end

--- Cuts a data set into parts of random samples that have none in common.
---
---     local train, test = data.random_split(set, {0.9, 0.1})
---@param dataset data.Dataset
---@param lengths number[]  numbers of samples, which add up to the set's size, or fractions, which add up to 1
---@param opt? {generator: torch.Generator}  Default: torch's own generator.
---@return data.Subset ...  as many as there are lengths
function combination.random_split(dataset, lengths, opt)
  check_sets("random_split", { dataset }, "get")
  check(type(lengths) == "table" and #lengths > 0, "random_split: expected a list of lengths, got a %s",
    class.type(lengths))
  local n, total = dataset:size(), 0
  for i, length in ipairs(lengths) do
    check(type(length) == "number" and length >= 0, "random_split: length %s is %s, not a number of samples", i, length)
    total = total + length
  end
  if math.abs(total - 1) < 1e-9 and n ~= 1 then
    lengths, total = counts_of(lengths, n), n
  end
  check(total == n, "random_split: the lengths add up to %s, the data set has %s samples", total, n)
  local order, parts, first = torch.randperm(n, { generator = opt and opt.generator }), {}, 1
  for i, length in ipairs(lengths) do
    parts[i] = Subset(dataset, order:narrow(1, first, length):clone())
    first = first + length
  end
  return unpack(parts)
end

return combination
