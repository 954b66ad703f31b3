-- Data sets made of others, and samplers. Loaders are in data_spec and data_workers_spec.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local data = torch.utils.data

local function numbers(n, factor)
  return data.TensorDataset(torch.arange(1, n + 1) * (factor or 1))
end

-- The first values of all samples.
local function contents(set)
  local list = {}
  for i = 1, set:size() do list[i] = set:get(i):item() end
  return list
end

local function collected(following)
  local list = {}
  for x in following do list[#list + 1] = torch.is_tensor(x) and x:tolist() or x end
  return list
end

-- 1 .. n, one after the other.
local function stream(n)
  local Stream = torch.class("Stream", data.IterableDataset)
  function Stream:size() return n end
  function Stream:iter()
    local i = 0
    return function()
      i = i + 1
      if i <= n then return i end
    end
  end
  return Stream()
end

describe("a Subset", function()
  it("has the samples at some positions, in their order", function()
    local set = data.Subset(numbers(5, 10), { 4, 1, 4 })
    equal(contents(set), { 40, 10, 40 })
    equal(set:batch(torch.tensor({ 3, 2 }, { dtype = torch.int64 })), torch.tensor({ 40, 10 }, { dtype = torch.int64 }))
    equal(data.Subset(set, torch.tensor({ 2 }, { dtype = torch.int64 })):get(1):item(), 10)
    fails(function() set:get(4) end, "Subset: sample 4 is outside 1..3")
    fails(function() data.Subset({}, { 1 }) end, "without the method get")
  end)

  it("gives batches at once only where its set does", function()
    local set = { size = function() return 2 end, get = function(_, i) return i end }
    equal(data.Subset(set, { 2 }).batch, nil)
  end)
end)

describe("a ConcatDataset", function()
  it("has the samples of one set behind those of the other", function()
    local set = data.ConcatDataset { numbers(2), numbers(0), numbers(3, 10), numbers(1, 100) }
    equal(contents(set), { 1, 2, 10, 20, 30, 100 })
    equal(set.cumulative_sizes, { 2, 2, 5, 6 })
    fails(function() set:get(7) end, "sample 7 is outside 1..6")
    fails(function() set:get(0) end, "sample 0 is outside 1..6")
    fails(function() data.ConcatDataset {} end, "got an empty one")
    fails(function() data.ConcatDataset { numbers(1), 5 } end, "data set 2 is a number without the method get")
  end)
end)

describe("a ChainDataset", function()
  it("has the samples of one stream behind those of the other", function()
    local set = data.ChainDataset { stream(2), stream(0), stream(1) }
    equal(collected(set:iter()), { 1, 2, 1 })
    equal(set:size(), 3)
    local following = set:iter()
    for _ = 1, 4 do following() end
    equal(following(), nil)
  end)
end)

describe("a StackDataset", function()
  it("has a value of each set, or a table of them", function()
    local a, b = data.StackDataset(numbers(3), numbers(3, 10)):get(2)
    equal({ a:item(), b:item() }, { 2, 20 })
    local named = data.StackDataset { image = numbers(3), label = data.TensorDataset(torch.ones(3), torch.zeros(3)) }
    local sample = named:get(3)
    equal({ sample.image:item(), sample.label[1]:item(), sample.label[2]:item() }, { 3, 1, 0 })
    equal(named:size(), 3)
    fails(function() data.StackDataset(numbers(2), numbers(3)) end, "the data sets have 2 and 3 samples")
    fails(function() named:get(4) end, "sample 4 is outside 1..3")
  end)
end)

describe("random_split", function()
  it("cuts a set into parts that have nothing in common", function()
    torch.manual_seed(1)
    local a, b = data.random_split(numbers(10), { 3, 7 })
    local all = contents(a)
    equal({ a:size(), b:size() }, { 3, 7 })
    for _, x in ipairs(contents(b)) do all[#all + 1] = x end
    assert(table.concat(all) ~= "12345678910")
    table.sort(all)
    equal(all, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })
  end)

  it("takes fractions, whose rest goes to the first parts", function()
    local sizes = {}
    for i, part in ipairs { data.random_split(numbers(10), { 1 / 3, 1 / 3, 1 / 3 }) } do sizes[i] = part:size() end
    equal(sizes, { 4, 3, 3 })
    equal(data.random_split(numbers(7), { 0.5, 0.5 }):size(), 4)
  end)

  it("draws from the generator that it is given", function()
    local function first(seed)
      local option = { generator = torch.Generator():manual_seed(seed) }
      return contents((data.random_split(numbers(20), { 10, 10 }, option)))
    end
    equal(first(3), first(3))
    assert(table.concat(first(3)) ~= table.concat(first(4)))
  end)

  it("wants lengths that add up", function()
    fails(function() data.random_split(numbers(5), { 2, 2 }) end, "add up to 4, the data set has 5")
    fails(function() data.random_split(numbers(5), { 6, -1 }) end, "length 2 is -1")
  end)
end)

describe("samplers", function()
  local function sorted(list)
    table.sort(list)
    return list
  end

  it("go through the samples in order, or in a random one", function()
    equal(collected(data.SequentialSampler(numbers(3)):iter()), { 1, 2, 3 })
    local sampler = data.RandomSampler(numbers(20))
    local a, b = collected(sampler:iter()), collected(sampler:iter())
    assert(table.concat(a) ~= table.concat(b))
    equal(sorted(a), sorted(b))
    equal(a[20], 20)
  end)

  it("draw more or fewer samples than there are", function()
    local sampler = data.RandomSampler(numbers(3), { num_samples = 7 })
    local list = collected(sampler:iter())
    equal(#list, 7)
    equal(sampler:size(), 7)
    equal(sorted { list[1], list[2], list[3] }, { 1, 2, 3 })
    equal(sorted { list[4], list[5], list[6] }, { 1, 2, 3 })
    list = sorted(collected(data.RandomSampler(numbers(3), true, 100):iter()))
    equal({ #list, list[1], list[100] }, { 100, 1, 3 })
    fails(function() data.RandomSampler(numbers(3), { num_samples = 0 }) end, "num_samples is at least 1, got 0")
  end)

  it("draw from a part of the samples", function()
    equal(sorted(collected(data.SubsetRandomSampler({ 5, 2, 9 }):iter())), { 2, 5, 9 })
  end)

  it("draw by weight", function()
    local sampler = data.WeightedRandomSampler({ 0, 1, 0, 3 }, 4000)
    local counts = { 0, 0, 0, 0 }
    torch.manual_seed(2)
    for i in sampler:iter() do counts[i] = counts[i] + 1 end
    equal({ counts[1], counts[3] }, { 0, 0 })
    assert(math.abs(counts[4] / 4000 - 0.75) < 0.04, counts[4]) -- 5 standard deviations
    equal(sorted(collected(data.WeightedRandomSampler({ 1, 1, 1 }, 3, false):iter())), { 1, 2, 3 })
    fails(function() data.WeightedRandomSampler({ 1, 1 }, 3, false) end, "3 samples without replacement")
  end)

  it("make batches of other samplers' positions", function()
    local sampler = data.BatchSampler(data.SequentialSampler(numbers(5)), 2)
    equal(collected(sampler:iter()), { { 1, 2 }, { 3, 4 }, { 5 } })
    equal(sampler:size(), 3)
    local endless = { iter = function()
      local i = 0
      return function()
        i = i + 1
        return i
      end
    end }
    local following = data.BatchSampler(endless, 3, true):iter()
    equal({ following():tolist(), following():tolist() }, { { 1, 2, 3 }, { 4, 5, 6 } })
  end)

  it("share the samples out to processes", function()
    local function parts(n, replicas, opt)
      local list = {}
      for rank = 0, replicas - 1 do
        opt.num_replicas, opt.rank = replicas, rank
        list[rank + 1] = collected(data.DistributedSampler(numbers(n), opt):iter())
      end
      return list
    end
    equal(parts(5, 2, { shuffle = false }), { { 1, 3, 5 }, { 2, 4, 1 } })
    equal(parts(5, 2, { shuffle = false, drop_last = true }), { { 1, 3 }, { 2, 4 } })
    equal(parts(1, 3, { shuffle = false }), { { 1 }, { 1 }, { 1 } })
    local shuffled = parts(6, 2, { seed = 5 })
    local all = { unpack(shuffled[1]) }
    for _, i in ipairs(shuffled[2]) do all[#all + 1] = i end
    equal(sorted(all), { 1, 2, 3, 4, 5, 6 })
    local sampler = data.DistributedSampler(numbers(50), 2, 0)
    local first = collected(sampler:iter())
    equal(collected(sampler:iter()), first)
    sampler:set_epoch(1)
    assert(table.concat(collected(sampler:iter())) ~= table.concat(first))
    fails(function() data.DistributedSampler(numbers(5), 2, 2) end, "rank 2 is outside 0..1")
  end)
end)
