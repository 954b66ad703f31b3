local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local progress = torch.utils.progress

-- Options of a bar whose clock goes on by hand; `out` receives what it writes.
local function bench(options)
  local b = { now = 0, out = {}, options = options }
  options.clock = function() return b.now end
  options.write = function(text) b.out[#b.out + 1] = text end
  return b
end

-- A bar of `count` steps by hand, one second each, and what it wrote.
local function run(count, options)
  local b = bench(options)
  options.total = options.total or count
  local bar = progress(options)
  for i = 1, count do
    b.now = b.now + 1
    bar:set_postfix("loss " .. i)
    bar:update()
  end
  bar:close("done")
  return b.out
end

describe("a progress bar", function()
  it("draws over itself on a terminal, and ends with a new line", function()
    local out = run(4, { terminal = true, width = 80, desc = "run" })
    equal(#out, 7)
    assert(out[1]:find("run   0%", 1, true) and out[1]:find("0/4  0:00", 1, true), out[1])
    for i = 1, 6 do assert(out[i]:find("^\rrun [ %d]+%% |") and out[i]:find("\27%[K$"), out[i]) end
    assert(out[3]:find("run  50%", 1, true) and out[3]:find("2/4  0:02, 0:02 left  1.0/s  loss 2", 1, true), out[3])
    assert(out[6]:find("100%", 1, true) and out[6]:find("4/4  0:04  1.0/s  done", 1, true), out[6])
    equal(out[7], "\n")
  end)

  it("fits the terminal", function()
    for width = 45, 120, 15 do
      for _, text in ipairs(run(4, { terminal = true, width = width })) do
        local columns = select(2, text:gsub("\27%[K", ""):gsub("[\r\n]", ""):gsub("[^\128-\191]", ""))
        assert(columns <= width, text)
      end
    end
    assert(not run(2, { terminal = true, width = 8 })[1]:find("|", 1, true))
  end)

  it("writes a plain line now and then elsewhere", function()
    local out = run(25, { terminal = false, desc = "run" })
    equal(#out, 3)
    equal(out[1], "run  40%  10/25  0:10, 0:15 left  1.0/s  loss 10\n")
    equal(out[3], "run 100%  25/25  0:25  1.0/s  done\n")
  end)

  it("writes lines above itself", function()
    for terminal, expected in pairs { [true] = { "\r  0%", "\r\27[Jone\n", "\r  0%" }, [false] = { "one\n" } } do
      local b = bench { total = 2, terminal = terminal, width = 60 }
      local bar = progress(b.options)
      bar:print("one")
      equal(#b.out, #expected)
      for i, text in ipairs(expected) do equal(b.out[i]:sub(1, #text), text) end
      bar:close()
    end
  end)

  it("of a run that goes on knows what is left from its own speed", function()
    equal(run(10, { terminal = false, total = 30, initial = 20 })[1], "100%  30/30  0:10  1.0/s  loss 10\n")
    local b = bench { total = 100, initial = 80, terminal = false }
    local bar = progress(b.options)
    b.now = 10
    bar:update(5)
    equal(b.out, { " 85%  85/100  0:10, 0:30 left  2.0 s each\n" })
    fails(function() progress { total = 1, initial = -1 } end, "progress: initial is at least 0, got -1")
  end)

  it("knows a total of nothing, and no total", function()
    equal(run(0, { terminal = false })[1], "100%  0/0  0:00  done\n")
    fails(function() progress { total = -1 } end, "progress: total is at least 0, got -1")
    local b = bench { terminal = false, desc = "reads" }
    local bar = progress(b.options)
    bar:update(3)
    bar:close()
    equal(b.out, { "reads  3  0:00\n" })
  end)

  it("shows metrics by name", function()
    local b = bench { terminal = false, total = 1, postfix = { loss = 0.123456, acc = 97 } }
    progress(b.options):close()
    equal(b.out, { "  0%  0/1  0:00  acc 97  loss 0.1235\n" })
  end)
end)

describe("progress through a loop", function()
  -- What the loop got, and what was written.
  local function loop(iterable, options)
    local b, got = bench(options or {}), {}
    b.options.terminal = b.options.terminal or false
    for a, c in progress(iterable, b.options) do got[#got + 1] = { a, c } end
    return got, b.out
  end

  it("goes through counts, lists, iterators and loaders", function()
    local got, out = loop(3)
    equal(got, { { 1 }, { 2 }, { 3 } })
    equal(out, { "100%  3/3  0:00\n" })
    equal(loop({ "a", "b" }), { { "a" }, { "b" } })
    equal(select(2, loop(("one two"):gmatch("%a+"))), { "2  0:00\n" })
    local data = torch.utils.data
    local set = data.TensorDataset(torch.arange(6), torch.arange(6))
    local batches, lines = loop(data.DataLoader(set, { batch_size = 4 }))
    equal(#batches, 2)
    equal(batches[2][2], { 4, 5 })
    equal(lines, { "100%  2/2  0:00\n" })
  end)

  it("refuses what it cannot go through", function()
    fails(function() progress("text") end, "progress: expected a loader, a list, an iterator or a count, got a string")
    fails(function() progress(2.5) end, "progress: a count is a whole number from 0, got 2.5")
    fails(function() progress(torch.nn.ReLU()) end, "progress: a ReLU has no method iter")
    fails(function() progress { total = 2 }() end, "progress: there is nothing to go through")
  end)

  it("puts a loop within a loop below it, and takes it away", function()
    local b = bench { terminal = true, width = 60, desc = "outer" }
    for _ in progress(2, b.options) do
      local inner = bench { terminal = true, width = 60, desc = "inner" }
      inner.options.write = b.options.write
      for _ in progress(2, inner.options) do inner.now = inner.now + 1 end
      b.now = b.now + 1
    end
    local text = table.concat(b.out)
    assert(text:find("\n\rinner  50%", 1, true) and text:find("\n\r\27[K\27[1A", 1, true), text)
    equal(text:sub(-1), "\n")
  end)

  it("forgets bars of loops that ended in an error", function()
    local b = bench { terminal = true, width = 60 }
    fails(function()
      for _ in progress(2, b.options) do error("stopped") end
    end, "stopped")
    b.now = 5
    local bar = progress { terminal = true, write = b.options.write, clock = b.options.clock }
    equal(bar.depth, 0)
    bar:close()
  end)

  it("closes the bar of a loop that was left when the outer one moves on", function()
    local b, inner = bench { terminal = true, width = 60 }, nil
    for _ in progress(2, b.options) do
      inner = progress(5, { terminal = true, width = 60, write = b.options.write, clock = b.options.clock })
      inner() -- the loop's first step, and then no more
    end
    assert(inner.closed)
    equal(progress { terminal = true, write = b.options.write }.depth, 0)
  end)
end)
