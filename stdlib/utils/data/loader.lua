--- Goes through a data set batch by batch, in this process or with workers ahead of it.
--
--     for x, y in loader:iter() do ... end
--     for i, x, y in loader:enumerate() do ... end

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local samplers, Fetcher = require "torch.utils.data.sampler", require "torch.utils.data.fetcher"

local most_prefetched = 64 -- what the sockets hold without blocking

--- Batches of `batch_size` samples; the last may be smaller, unless `drop_last`. Without a batch size (`false`)
--- samples come one by one as they are. `shuffle` draws a new order for every pass, from `generator` if given. A
--- `sampler` has `iter()`, an iterator over positions, and `size()`; a `batch_sampler` iterates over lists of positions
--- (tables or int64 tensors). `collate_fn(samples)` makes a batch from the lists of values which `get` returned.
---
--- With `num_workers` so many processes make batches, each up to `prefetch_factor` (2) ahead, in the order and with the
--- random numbers of a loader without workers. `worker_init_fn(id)` runs first in each; ids count from 1. A worker that
--- gives nothing for `timeout` seconds (0: never) is an error. `persistent_workers` go on to the next pass. Workers are
--- forked; with `start="spawn", module={"name", ...}` they are new programs, in which `require("name")(...)` returns
--- the data set, and a collate_fn and a worker_init_fn if there are. `pin_memory` is accepted; memory is not pinned.
---@class data.DataLoader
local DataLoader = class("DataLoader(any dataset, int? batch_size=1, bool shuffle=False, any? sampler=None, "
  .. "any? batch_sampler=None, int num_workers=0, any? collate_fn=None, bool pin_memory=False, bool drop_last=False, "
  .. "float timeout=0, any? worker_init_fn=None, *, Generator? generator=None, int? prefetch_factor=None, "
  .. "bool persistent_workers=False, str start='fork', any? module=None)")

local function check_sampler(opt, name)
  local sampler = opt[name]
  check(not sampler or type(sampler) == "table" and sampler.size and sampler.iter,
    "DataLoader: the %s is a table with the methods size and iter, got a %s", name, class.type(sampler))
end

local function check_order(opt)
  check_sampler(opt, "sampler")
  check_sampler(opt, "batch_sampler")
  check(not (opt.sampler and opt.shuffle), "DataLoader: a sampler and shuffle exclude each other")
  check(not opt.batch_size or opt.batch_size > 0, "DataLoader: batch_size is at least 1, got %s", opt.batch_size)
  local alone = not opt.sampler and not opt.shuffle and not opt.drop_last and (opt.batch_size or 1) == 1
  check(not opt.batch_sampler or alone,
    "DataLoader: a batch_sampler excludes batch_size, shuffle, sampler and drop_last")
  check(opt.batch_size or not opt.drop_last, "DataLoader: drop_last needs a batch_size")
  check(not Fetcher.is_iterable(opt.dataset) or not (opt.sampler or opt.batch_sampler or opt.shuffle),
    "DataLoader: an iterable data set has an order of its own, without shuffle, sampler and batch_sampler")
end

local function check_workers(opt)
  local n = opt.num_workers
  check(n >= 0, "DataLoader: num_workers is at least 0, got %s", n)
  check(opt.timeout >= 0, "DataLoader: timeout is a number of seconds or 0, got %s", opt.timeout)
  check(n > 0 or opt.timeout == 0 and not opt.prefetch_factor and not opt.persistent_workers,
    "DataLoader: timeout, prefetch_factor and persistent_workers need num_workers > 0")
  check(n == 0 or torch.core.start_worker, "DataLoader: a sandbox has no worker processes; use num_workers = 0")
  check(not opt.prefetch_factor or opt.prefetch_factor >= 1 and opt.prefetch_factor <= most_prefetched,
    "DataLoader: prefetch_factor is from 1 to %s, got %s", most_prefetched, opt.prefetch_factor)
  check(opt.start == "fork" or opt.start == "spawn", "DataLoader: start is 'fork' or 'spawn', got '%s'", opt.start)
  local module = opt.module
  check(opt.start == "fork" or type(module) == "table" and type(module[1]) == "string",
    "DataLoader: start = 'spawn' needs module = {name, arguments...}, a function of which makes the data set")
end

local function check_functions(opt)
  for _, name in ipairs { "collate_fn", "worker_init_fn" } do
    local fn = opt[name]
    local callable = type(fn) == "function" or type(fn) == "table" and (getmetatable(fn) or {}).__call
    check(not fn or callable, "DataLoader: %s is a function, got a %s", name, class.type(fn))
  end
end

local warned = false
local function warn_of_pinning()
  if warned then return end
  warned = true
  io.stderr:write("DataLoader: pin_memory has no effect, batches stay in pageable memory\n")
end

function DataLoader:init(opt)
  local dataset = opt.dataset
  check(type(dataset) == "table" and (dataset.size and dataset.get or dataset.iter),
    "DataLoader: the dataset is a table with the methods size and get, or iter, got a %s", class.type(dataset))
  check_order(opt)
  check_workers(opt)
  check_functions(opt)
  if opt.pin_memory then warn_of_pinning() end
  for key, value in pairs(opt) do self[key] = value end
end

-- The sampler of single positions.
local function order_of(self)
  if self.sampler then return self.sampler end
  if self.shuffle then return samplers.RandomSampler(self.dataset, { generator = self.generator }) end
  return samplers.SequentialSampler(self.dataset)
end

--- The number of batches of a pass.
---@return integer
function DataLoader:size()
  if self.batch_sampler then return self.batch_sampler:size() end
  local samples = (self.sampler or self.dataset):size()
  if not self.batch_size then return samples end
  local batches = samples / self.batch_size
  return self.drop_last and math.floor(batches) or math.ceil(batches)
end

-- The tasks of a pass, one for each batch (see Fetcher:fetch).
local function tasks_of(self)
  if Fetcher.is_iterable(self.dataset) then
    local task = { index = self.batch_size or 1, single = not self.batch_size, full = self.drop_last }
    return function() return task end
  end
  local batched = self.batch_sampler or self.batch_size
  local indices = self.batch_sampler or order_of(self)
  if batched and not self.batch_sampler then
    indices = samplers.BatchSampler(indices, self.batch_size, self.drop_last)
  end
  local following = indices:iter()
  return function()
    local index = following()
    if index == nil then return nil end
    if batched and not torch.is_tensor(index) then index = torch.tensor(index, { dtype = torch.int64 }) end
    return { index = index, single = not batched }
  end
end

-- A number that the random numbers of a pass begin with.
local function draw_seed(generator)
  return torch.randint(0, 2 ^ 48, { 1 }, { generator = generator }):item()
end

local function iterate_here(self, tasks, seed)
  local fetcher, batch = Fetcher(self.dataset, self.collate_fn), 0
  fetcher:begin()
  return function()
    local task = tasks()
    if not task then return nil end
    batch = batch + 1
    return fetcher:fetch_seeded(task, seed + batch)
  end
end

--- Iterates over the batches of one pass.
---@return fun(): any ...
function DataLoader:iter()
  local seed = draw_seed(self.generator)
  local tasks = tasks_of(self)
  if self.num_workers == 0 then return iterate_here(self, tasks, seed) end
  local Crew = require "torch.utils.data.crew"
  local crew = self.crew
  if not crew or crew.closed then crew = Crew(self) end
  if self.persistent_workers then self.crew = crew end
  return crew:iter(tasks, seed)
end

-- What a `for` over the loader itself comes to.
function DataLoader:__call()
  check(false, "DataLoader: a loader is no iterator; write `for x, y in loader:iter() do`")
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
