local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

-- A bar of `total` steps, one second each, and what it wrote.
local function run(total, options)
  local now, out = 0, {}
  options.total, options.clock = options.total or total, function() return now end
  options.write = function(text) out[#out + 1] = text end
  local bar = torch.utils.Progress(options)
  for i = 1, total do
    now = now + 1
    bar:step("loss " .. i)
  end
  bar:close("done")
  return out
end

describe("a progress bar", function()
  it("draws over itself on a terminal, and ends with a new line", function()
    local out = run(4, { terminal = true, width = 60, label = "run" })
    equal(#out, 6)
    for i = 1, 5 do assert(out[i]:find("^\rrun [ %d]+%% |") and out[i]:find("\27%[K$"), out[i]) end
    assert(out[2]:find("run  50%", 1, true) and out[2]:find("2/4  0:02 left  loss 2", 1, true), out[2])
    assert(out[5]:find("100%", 1, true) and out[5]:find("4/4  0:04  done", 1, true), out[5])
    equal(out[6], "\n")
  end)

  it("fits the terminal", function()
    for width = 30, 120, 15 do
      for _, text in ipairs(run(4, { terminal = true, width = width })) do
        local columns = select(2, text:gsub("\27%[K", ""):gsub("[\r\n]", ""):gsub("[^\128-\191]", ""))
        assert(columns <= width, text)
      end
    end
    assert(not run(2, { terminal = true, width = 8 })[1]:find("|", 1, true))
  end)

  it("writes a plain line now and then elsewhere", function()
    local out = run(25, { terminal = false, label = "run" })
    equal(#out, 3)
    equal(out[1], "run  40%  10/25  0:15 left  loss 10\n")
    equal(out[3], "run 100%  25/25  0:25  done\n")
  end)

  it("writes lines above itself", function()
    for terminal, expected in pairs { [true] = { "\r\27[Kone\n", "\r  0%" }, [false] = { "one\n" } } do
      local out = {}
      local bar = torch.utils.Progress { total = 2, terminal = terminal, width = 60, clock = function() return 0 end,
        write = function(text) out[#out + 1] = text end }
      bar:print("one")
      equal(#out, #expected)
      for i, text in ipairs(expected) do equal(out[i]:sub(1, #text), text) end
    end
  end)

  it("of a run that goes on knows what is left from its own speed", function()
    equal(run(10, { terminal = false, total = 30, done = 20 })[1], "100%  30/30  0:10  loss 10\n")
    local now, out = 0, {}
    local bar = torch.utils.Progress { total = 100, done = 80, terminal = false, clock = function() return now end,
      write = function(text) out[#out + 1] = text end }
    now = 10
    bar:step("", 5)
    equal(out, { " 85%  85/100  0:30 left\n" })
    fails(function() torch.utils.Progress { total = 1, done = -1 } end, "Progress: done is at least 0, got -1")
  end)

  it("knows a total of nothing", function()
    equal(run(0, { terminal = false })[1], "100%  0/0  0:00  done\n")
    fails(function() torch.utils.Progress { total = -1 } end, "Progress: total is at least 0, got -1")
  end)
end)
