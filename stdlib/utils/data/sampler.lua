--- Samplers: the order in which a loader goes through a data set. A sampler has `size()`, how many positions a pass
-- has, and `iter()`, which returns a function that gives the next one, from 1, and nil behind the last. Those here also
-- have `positions()`, all of a pass as an int64 tensor, which is what loaders prefer.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local sampler = {}

---@class data.Sampler
local Sampler = class("Sampler")
sampler.Sampler = Sampler

---@return integer
function Sampler:size()
  check(false, "%s: this class has no method size", class.type(self))
end

function Sampler:iter()
  check(self.positions, "%s: this class has no method iter", class.type(self))
  local list, at = self:positions():tolist(), 0
  return function()
    at = at + 1
    return list[at]
  end
end

local function size_of(where, source)
  check(type(source) == "table" and source.size, "%s: expected a data set with the method size, got a %s", where,
    class.type(source))
  local n = source:size()
  check(type(n) == "number" and n >= 0 and n == math.floor(n) and n <= 2 ^ 53,
    "%s: the data set says that its size is %s, which is no number of samples", where, n)
  return n
end

--- 1, 2, 3 ... as many as `data_source` has samples.
---@class data.SequentialSampler: data.Sampler
local SequentialSampler = class("SequentialSampler(any data_source)", Sampler)
sampler.SequentialSampler = SequentialSampler

function SequentialSampler:init(opt)
  size_of("SequentialSampler", opt.data_source)
  self.data_source = opt.data_source
end

function SequentialSampler:size()
  return size_of("SequentialSampler", self.data_source)
end

function SequentialSampler:positions()
  return torch.arange(1, self:size() + 1)
end

--- A random order of the samples of `data_source`, another one for each pass; with `replacement` each position is drawn
--- from all. `num_samples` positions, by default as many as there are samples; beyond these a new order follows.
---@class data.RandomSampler: data.Sampler
local RandomSampler = class("RandomSampler(any data_source, bool replacement=False, int? num_samples=None, "
  .. "Generator? generator=None)", Sampler)
sampler.RandomSampler = RandomSampler

function RandomSampler:init(opt)
  size_of("RandomSampler", opt.data_source)
  check(not opt.num_samples or opt.num_samples > 0, "RandomSampler: num_samples is at least 1, got %s", opt.num_samples)
  self.data_source, self.replacement, self.generator = opt.data_source, opt.replacement, opt.generator
  self.num_samples = opt.num_samples
end

function RandomSampler:size()
  return self.num_samples or size_of("RandomSampler", self.data_source)
end

function RandomSampler:positions()
  local n, count = size_of("RandomSampler", self.data_source), self:size()
  local option = { generator = self.generator }
  if n == 0 then return torch.randperm(0) end
  if self.replacement then return torch.randint(1, n + 1, { count }, option) end
  local orders = {}
  for i = 1, math.ceil(count / n) do orders[i] = torch.randperm(n, option) end
  return torch.cat(orders):narrow(1, 1, count)
end

--- The positions in `indices`, a list or a tensor, in a random order.
---@class data.SubsetRandomSampler: data.Sampler
local SubsetRandomSampler = class("SubsetRandomSampler(any indices, Generator? generator=None)", Sampler)
sampler.SubsetRandomSampler = SubsetRandomSampler

function SubsetRandomSampler:init(opt)
  self.indices = torch.is_tensor(opt.indices) and opt.indices:to(torch.int64)
    or torch.tensor(opt.indices, { dtype = torch.int64 })
  check(self.indices:dim() == 1, "SubsetRandomSampler: the indices have one dimension, got %s", self.indices:dim())
  self.generator = opt.generator
end

function SubsetRandomSampler:size()
  return self.indices:size(1)
end

function SubsetRandomSampler:positions()
  return self.indices:index_select(1, torch.randperm(self:size(), { generator = self.generator }))
end

--- `num_samples` positions, i with a probability proportional to `weights[i]`; without `replacement` none occurs twice.
---@class data.WeightedRandomSampler: data.Sampler
local WeightedRandomSampler = class("WeightedRandomSampler(any weights, int num_samples, bool replacement=True, "
  .. "Generator? generator=None)", Sampler)
sampler.WeightedRandomSampler = WeightedRandomSampler

function WeightedRandomSampler:init(opt)
  self.weights = torch.is_tensor(opt.weights) and opt.weights:to(torch.float64)
    or torch.tensor(opt.weights, { dtype = torch.float64 })
  check(self.weights:dim() == 1, "WeightedRandomSampler: the weights have one dimension, got %s", self.weights:dim())
  check(opt.num_samples > 0, "WeightedRandomSampler: num_samples is at least 1, got %s", opt.num_samples)
  check(opt.replacement or opt.num_samples <= self.weights:size(1),
    "WeightedRandomSampler: %s samples without replacement need as many weights, got %s", opt.num_samples,
    self.weights:size(1))
  self.num_samples, self.replacement, self.generator = opt.num_samples, opt.replacement, opt.generator
end

function WeightedRandomSampler:size()
  return self.num_samples
end

function WeightedRandomSampler:positions()
  return self.weights:multinomial(self.num_samples, self.replacement, { generator = self.generator })
end

--- Positions of another sampler in lists of `batch_size`; the last may be shorter, unless `drop_last`.
---@class data.BatchSampler: data.Sampler
local BatchSampler = class("BatchSampler(any sampler, int batch_size, bool drop_last=False)", Sampler)
sampler.BatchSampler = BatchSampler

function BatchSampler:init(opt)
  check(type(opt.sampler) == "table" and opt.sampler.iter, "BatchSampler: the sampler has the method iter, got a %s",
    class.type(opt.sampler))
  check(opt.batch_size > 0, "BatchSampler: batch_size is at least 1, got %s", opt.batch_size)
  self.sampler, self.batch_size, self.drop_last = opt.sampler, opt.batch_size, opt.drop_last
end

--- The number of batches.
function BatchSampler:size()
  local batches = self.sampler:size() / self.batch_size
  return self.drop_last and math.floor(batches) or math.ceil(batches)
end

-- Batches of a tensor of positions.
local function slices(order, size, drop_last)
  local total, at = order:size(1), 1
  return function()
    local count = math.min(size, total - at + 1)
    if count <= 0 or (drop_last and count < size) then return nil end
    local first = at
    at = at + count
    return order:narrow(1, first, count)
  end
end

--- An iterator over the batches' positions.
---@return fun(): torch.Tensor?  int64
function BatchSampler:iter()
  if self.sampler.positions then return slices(self.sampler:positions(), self.batch_size, self.drop_last) end
  local following = self.sampler:iter()
  return function()
    local list = {}
    for k = 1, self.batch_size do
      local i = following and following()
      if i == nil then
        following = nil
        break
      end
      list[k] = i
    end
    if #list == 0 or (self.drop_last and #list < self.batch_size) then return nil end
    return torch.tensor(list, { dtype = torch.int64 })
  end
end

--- The part of a data set that is for process `rank` (from 0) of `num_replicas`: each gets equally many samples. Where
--- they do not divide evenly, some samples occur twice, or with `drop_last` the rest is left out. All processes draw
--- the same order from `seed` and the epoch, so call `set_epoch` before each pass.
---@class data.DistributedSampler: data.Sampler
local DistributedSampler = class("DistributedSampler(any dataset, int num_replicas, int rank, bool shuffle=True, "
  .. "int seed=0, bool drop_last=False)", Sampler)
sampler.DistributedSampler = DistributedSampler

function DistributedSampler:init(opt)
  size_of("DistributedSampler", opt.dataset)
  check(opt.num_replicas > 0, "DistributedSampler: num_replicas is at least 1, got %s", opt.num_replicas)
  check(opt.rank >= 0 and opt.rank < opt.num_replicas, "DistributedSampler: rank %s is outside 0..%s", opt.rank,
    opt.num_replicas - 1)
  for key, value in pairs(opt) do self[key] = value end
  self.epoch = 0
end

--- The samples of one process.
function DistributedSampler:size()
  local share = self.dataset:size() / self.num_replicas
  return self.drop_last and math.floor(share) or math.ceil(share)
end

--- Chooses the order of the next pass.
---@param epoch integer  the same in all processes
function DistributedSampler:set_epoch(epoch)
  self.epoch = epoch
end

function DistributedSampler:positions()
  local n, total = self.dataset:size(), self:size() * self.num_replicas
  local order = torch.arange(1, n + 1)
  if self.shuffle then
    order = torch.randperm(n, { generator = torch.Generator():manual_seed(self.seed + self.epoch) })
  end
  if n == 0 then return order end
  if total > n then order = torch.cat({ order, order:tile(math.ceil(total / n)):narrow(1, 1, total - n) }) end
  local mine = torch.arange(self.rank + 1, total + 1, self.num_replicas)
  return order:index_select(1, mine)
end

return sampler
