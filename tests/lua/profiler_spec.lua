-- torch.profiler: what ran, how often, and within what.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local json = require "torch.json"

local profile, record_function = torch.profiler.profile, torch.profiler.record_function
local quiet = { print = false }

local function by_key(p)
  local entries = {}
  for _, e in ipairs(p:key_averages()) do entries[e.key] = e end
  return entries
end

describe("a profile", function()
  it("counts operators, nodes of the graph and named stretches", function()
    local w = torch.ones(3, { requires_grad = true })
    local seen = by_key(profile(function()
      for _ = 1, 3 do record_function("step", function() (w * 2):sum():backward() end) end
    end, quiet))
    equal(seen.step.count, 3)
    equal(seen.sum.count, 3)
    equal(seen.MulBackward0.count, 3)
    equal(seen.mul.count, 6) -- forward, and in the derivative
  end)

  it("leaves what is within out of self times, which add up to the whole", function()
    local p = profile(function()
      record_function("outer", function() torch.randn(100, 100):mm(torch.randn(100, 100)) end)
    end, quiet)
    local seen, sum = by_key(p), 0
    for _, e in pairs(seen) do sum = sum + e.self_cpu_time_total end
    assert(math.abs(sum - seen.outer.cpu_time_total) < 1e-6 * sum)
    assert(seen.outer.self_cpu_time_total < seen.outer.cpu_time_total)
    assert(seen.outer.cpu_time_total <= p.duration)
  end)

  it("tells the bytes that an operator allocated", function()
    local kept
    local seen = by_key(profile(function() kept = torch.ones(1024) end, quiet))
    equal(seen.ones.cpu_memory_usage, 4096)
    equal(kept:numel(), 1024)
  end)

  it("tells calls with different shapes apart on request", function()
    local p = profile(function()
      torch.ones(2):exp()
      torch.ones(3):exp()
    end, { print = false, record_shapes = true })
    local shapes = {}
    for _, e in ipairs(p:key_averages()) do
      if e.key == "exp" then shapes[#shapes + 1] = e.input_shapes end
    end
    equal(table.concat(shapes, " "), "(2) (3)")
  end)

  it("is a table of text, sorted and cut", function()
    local p = profile(function()
      for _ = 1, 5 do torch.ones(2) end
      torch.zeros(2)
    end, quiet)
    local lines = {}
    for line in p:table({ sort_by = "count", row_limit = 1 }):gmatch("[^\n]+") do lines[#lines + 1] = line end
    equal(#lines, 4)
    assert(lines[1]:find("Name +Self CPU %% +Self CPU +CPU total %% +CPU total +CPU time avg +CPU Mem"))
    assert(lines[3]:find("^ones .* 5$"), lines[3])
    fails(function() p:table { sort_by = "size" } end, "cannot sort by 'size'")
  end)

  it("is written as a Chrome trace", function()
    local path = os.tmpname()
    profile(function() record_function("a \"name\"", function() torch.ones(2):exp() end) end,
      { print = false, trace = path })
    local trace = json.decode(shell.read(path))
    os.remove(path)
    local names = {}
    for _, e in ipairs(trace.traceEvents) do
      names[e.name] = e
      equal(e.ph, "X")
      assert(e.dur >= 0 and e.ts >= 0)
    end
    local outer, inner = names['a "name"'], names.exp
    assert(outer.ts <= inner.ts and inner.ts + inner.dur <= outer.ts + outer.dur)
    equal(inner.cat, "operator")
  end)

  it("ends with an error of the function, which passes", function()
    fails(function() profile(function() error("no such luck") end, quiet) end, "no such luck")
    fails(function() profile(function() torch.ones(2, 2):mm(3) end, quiet) end, "mm: argument 'mat2' must be Tensor")
    equal(by_key(profile(function() torch.ones(2) end, quiet)).ones.count, 1)
  end)

  it("cannot be nested, and wants known options", function()
    local function nothing() end
    fails(function() profile(function() profile(nothing) end, quiet) end, "a profile is being made already")
    fails(function() profile(nothing, { shapes = true }) end, "unknown option 'shapes'")
    fails(function() profile(nothing, { print = 1 }) end, "option 'print' must be a boolean")
    fails(function() profile(3) end, "must be a function")
    fails(function() record_function(print, print) end, "argument 'name' must be a string")
    fails(function() profile(nothing, { print = false, trace = "/nowhere/at/all" }) end, "'/nowhere/at/all'")
  end)
end)

describe("record_function", function()
  it("returns what the function returns, without a profile too", function()
    local a, b = record_function("name", function(x) return x, 2 end, 1)
    assert(a == 1 and b == 2)
  end)
end)
