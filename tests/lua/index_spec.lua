-- x[...] and x[...] = value.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local function x34() return torch.arange(12):view(3, 4) end

describe("a position", function()
  it("gives a view, from either end", function()
    local x = x34()
    equal(x[1]:tolist(), { 0, 1, 2, 3 })
    equal(x[-1]:tolist(), { 8, 9, 10, 11 })
    equal(x[{ 2, 3 }]:item(), 6)
    equal(x[2][-1]:item(), 7)
    x[1]:fill_(5)
    equal(x[{ 1, 4 }]:item(), 5)
    equal(torch.tensor { 7 }[1]:dim(), 0)
    equal(x[torch.tensor(2LL)]:tolist(), { 4, 5, 6, 7 })
    equal(x[2LL]:tolist(), { 4, 5, 6, 7 })
  end)

  it("outside is an error that counts as the caller does", function()
    fails(function() return x34()[4] end, "position 4 is outside 1..3 in dimension 1 of (3, 4)")
    fails(function() return x34()[{ 1, -5 }] end, "position -5 is outside 1..4")
    fails(function() return x34()[0] end, "position 0 in dimension 1, but positions are 1-based")
    fails(function() return x34()[{ {}, 0 }] end, "position 0 in dimension 2")
    fails(function() return x34()[1.5] end, "the number 1.5 is no position")
    fails(function() return x34()[{ 1, 2, 3 }] end, "3 positions or ranges for a tensor with 2 dimensions")
    fails(function() return torch.tensor(1)[1] end, "cannot be indexed")
  end)
end)

describe("a range", function()
  it("includes both ends", function()
    equal(x34()[{ { 2, 3 } }]:tolist(), { { 4, 5, 6, 7 }, { 8, 9, 10, 11 } })
    equal(x34()[{ {}, { 2, -2 } }]:tolist(), { { 1, 2 }, { 5, 6 }, { 9, 10 } })
    equal(x34()[{ 1, { 1, 4, 2 } }]:tolist(), { 0, 2 })
    equal(x34()[{ 1, { 2 } }]:tolist(), { 1 })
    equal(x34()[{ 1, { -2, -1 } }]:tolist(), { 2, 3 })
    equal(x34()[{ 1, { 3, 2 } }]:size(), torch.Size { 0 })
  end)

  it("is cut to the tensor", function() equal(x34()[{ 1, { 3, 9 } }]:tolist(), { 2, 3 }) end)

  it("has no 0 and no step backwards", function()
    fails(function() return x34()[{ { 0, 2 } }] end, "positions are 1-based")
    fails(function() return x34()[{ { 1, 3, 0 } }] end, "step of a range must be positive")
    fails(function() return x34()[{ { 1, 3, -1 } }] end, "step of a range must be positive")
    fails(function() return x34()[{ { 1, 2, 3, 4 } }] end, "a range is {first, last, step}")
    fails(function() return x34()[{ { 1, "x" } }] end, "item 2 of a range is the string 'x'")
  end)
end)

describe("a string", function()
  it("means the same", function()
    equal(x34()["2:3, 1"]:tolist(), { 4, 8 })
    equal(x34()[":, 2:"]:tolist(), x34()[{ {}, { 2, -1 } }]:tolist())
    equal(x34()["::2"]:tolist(), { { 0, 1, 2, 3 }, { 8, 9, 10, 11 } })
    equal(x34()["..., -1"]:tolist(), { 3, 7, 11 })
    equal(x34()["newaxis, 1"]:size(), torch.Size { 1, 4 })
    equal(x34()["2"]:tolist(), { 4, 5, 6, 7 })
  end)

  it("is checked", function()
    fails(function() return x34()["1:x"] end, "'x' in '1:x' is not a whole number")
    fails(function() return x34()["1:2:3:4"] end, "is not first:last:step")
    fails(function() return x34()["1,,2"] end, "is not a whole number")
    fails(function() return x34()["0:2"] end, "1-based")
  end)
end)

describe("newaxis and ...", function()
  it("add a dimension, stand for all others", function()
    local x = torch.zeros(2, 3, 4)
    equal(x[{ torch.newaxis, 1, "...", torch.newaxis }]:size(), torch.Size { 1, 3, 4, 1 })
    equal(x[{ "...", 1 }]:size(), torch.Size { 2, 3 })
    equal(x[{ 1, "...", 1 }]:size(), torch.Size { 3 })
    equal(x[{ 1, 2, 3, "..." }]:size(), torch.Size {})
    equal(x[torch.newaxis]:size(), torch.Size { 1, 2, 3, 4 })
    fails(function() return x[{ "...", "..." }] end, "stands twice")
  end)
end)

describe("masks and index tensors", function()
  it("select", function()
    local x = x34()
    equal(x[x:gt(8)]:tolist(), { 9, 10, 11 })
    equal(x[torch.tensor { true, false, true }]:tolist(), { { 0, 1, 2, 3 }, { 8, 9, 10, 11 } })
    equal(x[{ {}, torch.tensor { false, true, false, true } }]:tolist(), { { 1, 3 }, { 5, 7 }, { 9, 11 } })
    equal(x[torch.tensor { 3LL, 1LL }]:tolist(), { { 8, 9, 10, 11 }, { 0, 1, 2, 3 } })
    equal(x[{ torch.tensor { 1LL, -1LL }, torch.tensor { 2LL, 3LL } }]:tolist(), { 1, 10 })
    equal(x[{ 2, torch.tensor { 4LL, 4LL } }]:tolist(), { 7, 7 })
    equal(x[{ torch.tensor { { 1LL, 2LL } }, { 1, 2 } }]:tolist(), { { { 0, 1 }, { 4, 5 } } })
  end)

  it("that stand apart put their dimension in front", function()
    local x = torch.arange(24):view(2, 3, 4)
    local i = torch.tensor { 1LL, 2LL }
    equal(x[{ i, {}, i }]:size(), torch.Size { 2, 3 })
    equal(x[{ i, {}, i }]:tolist(), { { 0, 4, 8 }, { 13, 17, 21 } })
    equal(x[{ {}, i, i }]:tolist(), { { 0, 5 }, { 12, 17 } })
  end)

  it("are checked", function()
    fails(function() return x34()[torch.tensor { 4LL }] end, "4")
    fails(function() return x34()[torch.tensor { 0LL }] end, "0")
    fails(function() return x34()[torch.tensor { true, false }] end, "the mask (2) does not fit (3, 4) at dimension 1")
    fails(function() return x34()[torch.tensor { 1.5 }] end, "must hold integers or booleans, got float32")
  end)

  it("are kept themselves for the derivative, and need no elements on meta to take a number", function()
    local x, mask = torch.randn(4, { requires_grad = true }), torch.tensor { true, false, true, true }
    x[mask]:sum():backward()
    equal(x.grad:tolist(), { 1, 0, 1, 1 })
    local y = x[mask]
    mask:zero_()
    fails(function() y:sum():backward() end, "backward of index: 'indices' (4) was modified")
    local sizes_only = torch.zeros(4, { device = "meta" })
    sizes_only[mask:to("meta")] = 1
  end)
end)

describe("assignment", function()
  it("through views", function()
    local x = x34()
    x[1] = 7
    x[{ 2, { 2, 3 } }] = torch.tensor { -1, -2 }
    x[{ -1, -1 }] = 100
    equal(x:tolist(), { { 7, 7, 7, 7 }, { 4, -1, -2, 7 }, { 8, 9, 10, 100 } })
    x[{ {}, 1 }] = { 1, 2, 3 }
    equal(x[{ {}, 1 }]:tolist(), { 1, 2, 3 })
    x["1, :2"] = 0
    equal(x[1]:tolist(), { 0, 0, 7, 7 })
    local address = x:data_ptr()
    x[{}] = x * 0
    equal(x:sum():item(), 0)
    assert(x:data_ptr() == address)
  end)

  it("through masks and index tensors", function()
    local x = x34()
    x[x:gt(5)] = -1
    equal(x:tolist(), { { 0, 1, 2, 3 }, { 4, 5, -1, -1 }, { -1, -1, -1, -1 } })
    x[torch.tensor { 1LL, 3LL }] = torch.zeros(4)
    equal(x:tolist(), { { 0, 0, 0, 0 }, { 4, 5, -1, -1 }, { 0, 0, 0, 0 } })
    x[{ torch.tensor { 1LL, 2LL }, torch.tensor { 1LL, 2LL } }] = torch.tensor { 8, 9 }
    equal({ x[{ 1, 1 }]:item(), x[{ 2, 2 }]:item() }, { 8, 9 })
    x[x:eq(-1)] = torch.tensor { 21, 22 }
    equal(x[2]:tolist(), { 4, 9, 21, 22 })
    x[torch.tensor { false, true, false }] = 3
    equal(x[2]:tolist(), { 3, 3, 3, 3 })
  end)

  it("broadcasts and drops leading dimensions of size 1", function()
    local x = torch.zeros(2, 3)
    x[1] = torch.ones(1, 1, 3)
    x[{ {}, { 2, 3 } }] = torch.tensor { 5, 6 }
    equal(x:tolist(), { { 1, 5, 6 }, { 0, 5, 6 } })
    fails(function() x[1] = torch.zeros(2) end, "(2) does not fit into (3)")
    fails(function() x[1] = "text" end, "expected a tensor, a number or a list of numbers")
  end)

  it("passes gradients to both sides", function()
    local x = torch.ones(3, { requires_grad = true })
    local v = torch.tensor(2, { requires_grad = true, dtype = torch.float32 })
    local y = x * 3
    y[2] = v
    y:mul(torch.tensor { 1, 10, 100 }):sum():backward()
    equal(x.grad:tolist(), { 3, 0, 300 })
    equal(v.grad:item(), 10)
  end)
end)

-- Random keys of positions, ranges and newaxis, against the positions that they name one by one.
describe("any key of positions and ranges", function()
  local function positions(item, n)
    if type(item) == "number" then return { item < 0 and item + n + 1 or item } end
    local first, last, step = item[1] or 1, item[2] or -1, item[3] or 1
    if first < 0 then first = first + n + 1 end
    if last < 0 then last = last + n + 1 end
    local list = {}
    for i = first, last, step do list[#list + 1] = i end
    return list
  end

  -- The elements that the key names, in the order of memory.
  local function expected(nested, key, sizes, d)
    if d > #sizes then return { nested } end
    local found = {}
    for _, i in ipairs(positions(key[d] or {}, sizes[d])) do
      for _, v in ipairs(expected(nested[i], key, sizes, d + 1)) do found[#found + 1] = v end
    end
    return found
  end

  it("names the same elements", function()
    math.randomseed(5)
    for _ = 1, 300 do
      local sizes = {}
      for d = 1, math.random(1, 4) do sizes[d] = math.random(1, 4) end
      local key, plain, kept = {}, {}, {}
      for d = 1, math.random(0, #sizes) do
        if math.random() < 0.15 then
          key[#key + 1] = torch.newaxis
          kept[#kept + 1] = 1
        end
        local n, item = sizes[d], {}
        if math.random() < 0.4 then
          item = math.random(1, n)
          if math.random() < 0.5 then item = item - n - 1 end
        elseif math.random() < 0.7 then
          item = { math.random(1, n), math.random(1, n), math.random(1, 3) }
        end
        key[#key + 1], plain[d] = item, item
        if type(item) == "table" then kept[#kept + 1] = #positions(item, n) end
      end
      for d = #plain + 1, #sizes do kept[#kept + 1] = sizes[d] end
      local x = torch.arange(torch.Size(sizes):numel()):view(sizes)
      local got = x[key]
      equal(got:size():totable(), kept)
      equal(got:reshape(-1):tolist(), expected(x:tolist(), plain, sizes, 1))
      local y = x:clone()
      y[key] = -1
      equal(y:eq(-1):sum():item(), got:numel())
    end
  end)
end)
