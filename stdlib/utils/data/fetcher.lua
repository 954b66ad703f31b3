--- Makes the batches of a loader, in the loader's own process or in a worker's.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local IterableDataset = require("torch.utils.data.dataset").IterableDataset
local default_collate = require "torch.utils.data.collate"

---@class data.Fetcher
---@field at integer?  the sample that was asked for last
local Fetcher = class("Fetcher")

--- Is it a set whose samples come one after the other?
function Fetcher.is_iterable(dataset)
  return not dataset.get and dataset.iter ~= nil or class.isinstance(dataset, IterableDataset)
end

---@param dataset table
---@param collate_fn? function  Default: default_collate.
function Fetcher:init(dataset, collate_fn)
  self.dataset, self.collate_fn = dataset, collate_fn
  self.iterable = Fetcher.is_iterable(dataset)
  self.by_batch = dataset.batch and not collate_fn
end

--- A new pass begins.
function Fetcher:begin()
  if self.iterable then self.following = self.dataset:iter() end
end

local function filled(self, i, ...)
  check((...) ~= nil, "DataLoader: the data set gave nothing for sample %s", i)
  return ...
end

function Fetcher:_sample(i)
  self.at = i
  return filled(self, i, self.dataset:get(i))
end

-- At most `count` samples, each the list of its values, of an iterable set.
function Fetcher:_following(count)
  local samples = {}
  for k = 1, count do
    local sample = { self.following() }
    if sample[1] == nil then
      self.following = function() end
      break
    end
    samples[k] = sample
  end
  return samples
end

function Fetcher:_samples(index)
  if self.iterable then return self:_following(index) end
  local samples = {}
  for k, i in ipairs(index:tolist()) do samples[k] = { self:_sample(i) } end
  return samples
end

-- One sample as it is.
function Fetcher:_single(index)
  if self.collate_fn then
    local sample = self.iterable and { self.following() } or { self:_sample(index) }
    if #sample == 0 then return end
    return self.collate_fn(sample)
  end
  if self.iterable then return self.following() end
  return self:_sample(index)
end

--- The values of a batch; nothing where an iterable set has ended.
---@param task {index: any, single: boolean?, full: boolean?}  `index`: an int64 tensor of positions, or how many
---samples of an iterable set; `single`: one sample without a batch; `full`: nothing instead of fewer than `index`
---@return any ...
function Fetcher:fetch(task)
  if task.single then return self:_single(task.index) end
  if self.by_batch and not self.iterable then return self.dataset:batch(task.index) end
  local samples = self:_samples(task.index)
  if #samples == 0 or (task.full and #samples < task.index) then return end
  return (self.collate_fn or default_collate)(samples)
end

local function restored(state, ...)
  torch.set_rng_state(state)
  return ...
end

--- The same with torch's generator started from `seed` meanwhile.
---@param task table
---@param seed integer
---@return any ...
function Fetcher:fetch_seeded(task, seed)
  local state = torch.get_rng_state()
  torch.manual_seed(seed)
  return restored(state, self:fetch(task))
end

return Fetcher
