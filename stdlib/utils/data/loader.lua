--- Goes through a data set batch by batch.
--
--     for x, y in loader:iter() do ... end
--     for i, x, y in loader:enumerate() do ... end

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local default_collate = require "torch.utils.data.collate"

--- Batches of `batch_size` samples; the last may be smaller, unless `drop_last`. Without a batch size (`false`)
--- samples come one by one as they are. `shuffle` draws a new order for every pass, from `generator` if given. A
--- `sampler` has `iter()`, an iterator over positions, and `size()`. `collate_fn(samples)` makes a batch from the
--- lists of values which `dataset:get` returned.
---@class data.DataLoader
local DataLoader = class("DataLoader(any dataset, int? batch_size=1, bool shuffle=False, any? sampler=None, *, "
  .. "any? collate_fn=None, bool drop_last=False, any? generator=None)")

function DataLoader:init(opt)
  local dataset, sampler = opt.dataset, opt.sampler
  check(type(dataset) == "table" and dataset.size and dataset.get,
    "DataLoader: the dataset is a table with the methods size and get, got a %s", class.type(dataset))
  check(not opt.batch_size or opt.batch_size > 0, "DataLoader: batch_size is at least 1, got %s", opt.batch_size)
  check(not sampler or type(sampler) == "table" and sampler.size and sampler.iter,
    "DataLoader: the sampler is a table with the methods size and iter, got a %s", class.type(sampler))
  check(not (sampler and opt.shuffle), "DataLoader: a sampler and shuffle exclude each other")
  for key, value in pairs(opt) do self[key] = value end
end

--- The number of batches of a pass.
---@return integer
function DataLoader:size()
  local samples = (self.sampler or self.dataset):size()
  if not self.batch_size then return samples end
  local batches = samples / self.batch_size
  return self.drop_last and math.floor(batches) or math.ceil(batches)
end

-- The positions of a pass, an int64 tensor.
local function positions(self)
  local n = self.dataset:size()
  if self.shuffle and self.generator then return torch.randperm(n, { generator = self.generator }) end
  if self.shuffle then return torch.randperm(n) end
  if not self.sampler then return torch.arange(1, n + 1) end
  local list = {}
  for i in self.sampler:iter() do list[#list + 1] = i end
  return torch.tensor(list, { dtype = torch.int64 })
end

-- Samples at the positions in `index`, collated.
local function fetch(self, index)
  local dataset = self.dataset
  if dataset.batch and not self.collate_fn then return dataset:batch(index) end
  local samples = {}
  for k, i in ipairs(index:tolist()) do samples[k] = { dataset:get(i) } end
  return (self.collate_fn or default_collate)(samples)
end

--- Iterates over the batches of one pass.
---@return fun(): any ...
function DataLoader:iter()
  local order, at = positions(self), 1
  local total, size = order:size(1), self.batch_size or 1
  return function()
    local count = math.min(size, total - at + 1)
    if count <= 0 or (self.drop_last and count < size) then return nil end
    local first = at
    at = at + count
    if not self.batch_size then return self.dataset:get(order[first]:item()) end
    return fetch(self, order:narrow(1, first, count))
  end
end

--- The same with the batch's number, from 1, in front.
---@return fun(): integer?, any ...
function DataLoader:enumerate()
  local following, i = self:iter(), 0
  local function numbered(first, ...)
    if first == nil then return nil end
    i = i + 1
    return i, first, ...
  end
  return function() return numbered(following()) end
end

return DataLoader
