-- Memory: collection without collectgarbage, torch.scope, budgets, what outlives what.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local megabyte = 2 ^ 20

local function settled()
  collectgarbage()
  collectgarbage()
  return torch.memory_allocated()
end

describe("temporaries", function()
  it("are collected without collectgarbage", function()
    settled()
    torch.reset_peak_memory_stats()
    local start = torch.memory_allocated()
    local x = torch.zeros(2 * megabyte) -- 8 MB
    for _ = 1, 200 do local _ = x + 1 end
    assert(torch.max_memory_allocated() - start < 600 * megabyte, torch.max_memory_allocated() - start)
  end)

  it("beside a million live tables", function()
    local tables = {}
    for i = 1, 1000000 do tables[i] = { i } end
    settled()
    torch.reset_peak_memory_stats()
    local start = torch.memory_allocated()
    local x = torch.zeros(2 * megabyte)
    for _ = 1, 200 do local _ = x + 1 end
    assert(torch.max_memory_allocated() - start < 600 * megabyte)
    assert(#tables == 1000000)
  end)

  it("of a recorded loop are collected with their graph", function()
    settled()
    torch.reset_peak_memory_stats()
    local start = torch.memory_allocated()
    local w = torch.zeros(megabyte, { requires_grad = true })
    for _ = 1, 200 do (w * 2 + 1):sum():backward() end
    assert(torch.max_memory_allocated() - start < 600 * megabyte, torch.max_memory_allocated() - start)
  end)

  it("that end as a leaf's gradient become it, through views, too", function()
    local x = torch.zeros(megabyte, { requires_grad = true })
    local y = (x:view(-1, 2) * 2):view(-1)
    local ones = torch.ones(megabyte)
    settled()
    torch.reset_peak_memory_stats()
    local start = torch.memory_allocated()
    y:backward(ones)
    assert(torch.max_memory_allocated() - start < 6 * megabyte, torch.max_memory_allocated() - start)
    equal(x.grad:max():item(), 2)
  end)

  it("all go in the end", function()
    local start = settled();
    (function()
      local x = torch.zeros(megabyte, { requires_grad = true })
      local y = (x * 2):exp()
      y:sum():backward()
    end)()
    equal(settled(), start)
  end)
end)

describe("torch.scope", function()
  it("frees what was made in it and returns the results", function()
    local start = settled()
    local a, list, n = torch.scope(function(k)
      local x = torch.ones(1000)
      local _ = x * 2
      return x + k, { deep = { x * 3 } }, 5
    end, 4)
    equal({ a[1]:item(), list.deep[1][1]:item(), n }, { 5, 3, 5 })
    assert(torch.memory_allocated() - start < 12000)
  end)

  it("makes handles useless that were kept elsewhere", function()
    local kept
    torch.scope(function() kept = torch.ones(3) end)
    local message = fails(function() return kept + 1 end, "this tensor was released by torch.scope at ")
    assert(message:find("memory_spec.lua:%d+", 30), message)
    fails(function() return kept:size() end, "released by torch.scope")
    fails(function() kept[1] = 2 end, "released by torch.scope")
    fails(function() return tostring(kept) end, "released by torch.scope")
  end)

  it("keeps what something else holds", function()
    local x = torch.ones(2, { requires_grad = true })
    torch.scope(function() (x * 3):sum():backward() end)
    equal(x.grad:tolist(), { 3, 3 })
  end)

  it("releases when an error leaves it", function()
    local kept
    fails(function() torch.scope(function() kept = torch.ones(3) error("out of here") end) end, "out of here")
    fails(function() return kept + 1 end, "released")
  end)

  it("nests: results belong to the outer one", function()
    local inner, outer
    local result = torch.scope(function()
      outer = torch.scope(function()
        inner = torch.ones(2)
        return inner * 2
      end)
      fails(function() return inner + 1 end, "released")
      return outer + 1
    end)
    equal(result:tolist(), { 3, 3 })
    fails(function() return outer + 1 end, "released")
  end)

  it("follows results in tables that contain themselves", function()
    local list = torch.scope(function()
      local t = { torch.ones(1) }
      t.self = t
      return t
    end)
    equal(list.self[1]:item(), 1)
  end)

  it("survives a collection in its middle", function()
    local x = torch.scope(function()
      for _ = 1, 100 do local _ = torch.ones(10) end
      collectgarbage()
      local kept = torch.ones(10)
      collectgarbage()
      return kept
    end)
    equal(x:sum():item(), 10)
  end)

  it("wants a function", function() fails(function() torch.scope(3) end, "scope: argument 'fn' must be a function") end)
end)

describe("a memory limit", function()
  it("is an error that can be caught, and collects first", function()
    local start = settled()
    torch.set_memory_limit(start + 50 * megabyte)
    local good, problem = pcall(function()
      for _ = 1, 50 do local _ = torch.zeros(5 * megabyte) end -- 20 MB each
      fails(function() torch.zeros(20 * megabyte) end, "memory")
    end)
    torch.set_memory_limit(0)
    assert(good, problem)
    equal(torch.zeros(20 * megabyte)[1]:item(), 0)
  end)

  it("sizes that no memory holds are errors", function()
    fails(function() torch.zeros(2 ^ 40, 2 ^ 40) end, "")
    fails(function() torch.zeros(2 ^ 45) end, "memory")
    fails(function() torch.zeros(-1) end, "-1")
  end)
end)

describe("handles", function()
  it("used by a finalizer are still tensors, or say that they are not", function()
    local seen
    do
      local x = torch.ones(2)
      local proxy = newproxy(true)
      getmetatable(proxy).__gc = function() seen = { pcall(function() return x:sum():item() end) } end
    end
    collectgarbage()
    collectgarbage()
    assert(seen and (seen[1] and seen[2] == 2 or tostring(seen[2]):find("finalizer")), tostring(seen and seen[2]))
  end)

  it("a million small tensors live side by side", function()
    local list = {}
    for i = 1, 200000 do list[i] = torch.tensor(i) end
    equal(list[200000]:item(), 200000)
  end)
end)

describe("a graph", function()
  it("of a hundred thousand operations is freed without recursion", function()
    local x = torch.ones(1, { requires_grad = true });
    (function()
      local y = x
      for _ = 1, 100000 do y = y + 1 end
      y:backward()
    end)()
    collectgarbage()
    equal(x.grad:item(), 1)
  end)
end)

describe("share_memory_", function()
  it("lets a forked process's changes be seen, through views too", function()
    local ffi = require "ffi"
    pcall(ffi.cdef, "int fork(void); int waitpid(int pid, int *status, int options); void _exit(int status);")
    local x = torch.zeros(3)
    local view = x:narrow(1, 2, 2)
    equal(x:is_shared(), false)
    x:share_memory_()
    equal(view:is_shared(), true)
    local pid = ffi.C.fork()
    if pid == 0 then
      view:fill_(7)
      ffi.C._exit(0)
    end
    ffi.C.waitpid(pid, nil, 0)
    equal(x, torch.tensor { 0, 7, 7 })
  end)
end)
