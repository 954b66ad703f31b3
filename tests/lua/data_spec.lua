local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local data = torch.utils.data

-- Ten samples: (i, 10 i).
local function numbers(n)
  local x = torch.arange(1, (n or 10) + 1)
  return data.TensorDataset(x, x * 10)
end

-- The batches of a pass as tables.
local function batches(loader)
  local list = {}
  for x, y in loader:iter() do list[#list + 1] = { x:tolist(), y and y:tolist() } end
  return list
end

-- All first values of a pass, in order.
local function flat(loader)
  local list = {}
  for x in loader:iter() do
    for _, v in ipairs(x:tolist()) do list[#list + 1] = v end
  end
  return list
end

local sorted = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }

describe("a TensorDataset", function()
  it("gives the slices of its tensors", function()
    local set = numbers()
    equal(set:size(), 10)
    local x, y = set:get(3)
    equal(x:item(), 3)
    equal(y:item(), 30)
    fails(function() data.TensorDataset(torch.ones(2), torch.ones(3)) end, "tensor 1 has 2 samples, tensor 2 has 3")
    fails(function() data.TensorDataset() end, "at least one tensor")
  end)
end)

describe("a DataLoader", function()
  it("gives batches in order, the last one smaller", function()
    local loader = data.DataLoader(numbers(5), 2)
    equal(loader:size(), 3)
    equal(batches(loader), { { { 1, 2 }, { 10, 20 } }, { { 3, 4 }, { 30, 40 } }, { { 5 }, { 50 } } })
    equal(batches(loader), batches(loader))
  end)

  it("drops the last batch if asked", function()
    local loader = data.DataLoader(numbers(5), { batch_size = 2, drop_last = true })
    equal(loader:size(), 2)
    equal(flat(loader), { 1, 2, 3, 4 })
  end)

  it("shuffles each pass anew, every sample once, the same from the same seed", function()
    local loader = data.DataLoader(numbers(), { batch_size = 3, shuffle = true })
    torch.manual_seed(3)
    local first, second = flat(loader), flat(loader)
    assert(table.concat(first) ~= table.concat(second) and table.concat(first) ~= table.concat(sorted))
    torch.manual_seed(3)
    equal(flat(loader), first)
    table.sort(first)
    equal(first, sorted)
  end)

  it("numbers the batches from 1", function()
    local seen = {}
    for i, x, y in data.DataLoader(numbers(4), 2):enumerate() do seen[i] = { x:tolist(), y:tolist() } end
    equal(seen, { { { 1, 2 }, { 10, 20 } }, { { 3, 4 }, { 30, 40 } } })
  end)

  it("gives samples as they are without a batch size", function()
    local seen = {}
    for x, y in data.DataLoader(numbers(2), { batch_size = false }):iter() do
      seen[#seen + 1] = { x:item(), y:item(), x:dim() }
    end
    equal(seen, { { 1, 10, 0 }, { 2, 20, 0 } })
  end)

  it("copies: changing a batch leaves the data alone", function()
    local set = numbers(2)
    for x in data.DataLoader(set, 2):iter() do x:zero_() end
    equal(set.tensors[1]:tolist(), { 1, 2 })
  end)

  it("takes its positions from a sampler", function()
    local sampler = {
      size = function() return 3 end,
      iter = function()
        local i = 0
        return function()
          i = i + 1
          return ({ 9, 1, 9 })[i]
        end
      end,
    }
    local loader = data.DataLoader(numbers(), { batch_size = 2, sampler = sampler })
    equal(loader:size(), 2)
    equal(flat(loader), { 9, 1, 9 })
    fails(function() data.DataLoader(numbers(), { sampler = sampler, shuffle = true }) end, "exclude each other")
  end)

  it("collates what a plain table of two functions gives", function()
    local set = {
      size = function() return 3 end,
      get = function(_, i)
        return torch.ones(2) * i, i, i > 1, { name = "n" .. i, at = { x = i } }
      end,
    }
    for x, n, flag, info in data.DataLoader(set, 3):iter() do
      equal(x:tolist(), { { 1, 1 }, { 2, 2 }, { 3, 3 } })
      equal(n, torch.tensor { 1, 2, 3 })
      equal(flag, torch.tensor { false, true, true })
      equal(info.name, { "n1", "n2", "n3" })
      equal(info.at.x:tolist(), { 1, 2, 3 })
    end
  end)

  it("hands the samples to collate_fn", function()
    local function sum(samples)
      local total = 0
      for _, sample in ipairs(samples) do total = total + sample[1]:item() * sample[2]:item() end
      return total
    end
    local seen = {}
    for s in data.DataLoader(numbers(3), { batch_size = 2, collate_fn = sum }):iter() do seen[#seen + 1] = s end
    equal(seen, { 10 + 40, 90 })
  end)

  it("says which sample does not fit its batch", function()
    local set = { size = function() return 2 end, get = function(_, i) return i == 1 and 1 or "one" end }
    fails(function() data.DataLoader(set, 2):iter()() end, "value 1 is a number in sample 1 of the batch, a string in")
    fails(function() data.DataLoader({}, 2) end, "the dataset is a table with the methods size and get")
    fails(function() data.DataLoader(numbers(), 0) end, "batch_size is at least 1, got 0")
    fails(function() for _ in data.DataLoader(numbers(), 2) do error("a batch") end end,
      "a loader is no iterator; write `for x, y in loader:iter() do`")
  end)

  it("takes batches of positions from a batch_sampler", function()
    local batch_sampler = data.BatchSampler(data.SequentialSampler(numbers(5)), 3)
    local loader = data.DataLoader(numbers(5), { batch_sampler = batch_sampler })
    equal(loader:size(), 2)
    equal(batches(loader), { { { 1, 2, 3 }, { 10, 20, 30 } }, { { 4, 5 }, { 40, 50 } } })
    local lists = { size = function() return 1 end, iter = function()
      local given = false
      return function()
        if given then return nil end
        given = true
        return { 5, 1 }
      end
    end }
    equal(flat(data.DataLoader(numbers(5), { batch_sampler = lists })), { 5, 1 })
    fails(function() data.DataLoader(numbers(5), { batch_sampler = lists, shuffle = true }) end,
      "a batch_sampler excludes batch_size, shuffle, sampler and drop_last")
  end)

  -- 1 .. n, one after the other.
  local function stream(n)
    return { iter = function()
      local i = 0
      return function()
        i = i + 1
        if i <= n then return torch.tensor { i } end
      end
    end }
  end

  it("makes batches of what an iterable set gives", function()
    local loader = data.DataLoader(stream(5), 2)
    equal(flat(loader), { { 1 }, { 2 }, { 3 }, { 4 }, { 5 } })
    equal(flat(data.DataLoader(stream(5), { batch_size = 2, drop_last = true })), { { 1 }, { 2 }, { 3 }, { 4 } })
    equal(flat(data.DataLoader(stream(3), { batch_size = false })), { 1, 2, 3 })
    local following = loader:iter()
    for _ = 1, 4 do following() end
    equal(following(), nil)
    fails(function() data.DataLoader(stream(3), { shuffle = true }) end, "an iterable data set has an order of its own")
  end)

  it("leaves torch's generator as if no sample had drawn numbers", function()
    local noisy = { size = function() return 4 end, get = function() return torch.rand(3) end }
    local quiet = { size = function() return 4 end, get = function() return torch.zeros(3) end }
    local function after(set)
      torch.manual_seed(4)
      for _ in data.DataLoader(set, 2):iter() do torch.rand(1) end
      return torch.rand(1):item()
    end
    equal(after(noisy), after(quiet))
  end)

  it("draws order and seeds from a generator of its own if it has one", function()
    local set = { size = function() return 8 end, get = function(_, i) return torch.rand(1) + i end }
    local function pass(seed)
      local generator = torch.Generator():manual_seed(seed)
      return flat(data.DataLoader(set, { batch_size = 3, shuffle = true, generator = generator }))
    end
    equal(pass(1), pass(1))
    assert(pass(1)[1][1] ~= pass(2)[1][1])
  end)

  it("says so where a data set gives nothing", function()
    local set = { size = function() return 3 end, get = function(_, i) if i < 3 then return i end end }
    local following = data.DataLoader(set, 2):iter()
    equal(following():tolist(), { 1, 2 })
    fails(following, "the data set gave nothing for sample 3")
  end)

  it("does not believe every size", function()
    for _, size in ipairs { "three", -1, 0.5, math.huge, 0 / 0 } do
      local set = { size = function() return size end, get = function(_, i) return i end }
      fails(function() data.DataLoader(set):iter() end, "says that its size is " .. tostring(size))
    end
  end)

  it("refuses options that do not go together", function()
    local function refused(opt, text)
      fails(function() data.DataLoader(numbers(), opt) end, text)
    end
    refused({ timeout = 1 }, "need num_workers > 0")
    refused({ persistent_workers = true }, "need num_workers > 0")
    refused({ prefetch_factor = 2 }, "need num_workers > 0")
    refused({ num_workers = -1 }, "num_workers is at least 0, got -1")
    refused({ num_workers = 1, timeout = -1 }, "timeout is a number of seconds or 0, got -1")
    refused({ num_workers = 1, prefetch_factor = 65 }, "prefetch_factor is from 1 to 64, got 65")
    refused({ num_workers = 1, start = "thread" }, "start is 'fork' or 'spawn', got 'thread'")
    refused({ num_workers = 1, start = "spawn" }, "needs module = {name, arguments...}")
    refused({ batch_size = false, drop_last = true }, "drop_last needs a batch_size")
    refused({ collate_fn = 5 }, "collate_fn is a function, got a number")
  end)

  it("goes through an empty set without a batch", function()
    equal(batches(data.DataLoader(data.TensorDataset(torch.zeros(0, 2)), 4)), {})
  end)
end)
