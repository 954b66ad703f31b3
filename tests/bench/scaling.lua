--- Speed over size: `facula scaling.lua FILE.svg` measures add and sum at 2^2 to 2^26 floats, and mm of square matrices
--- of up to 2^24, on one thread and on two by turns, and draws and prints their rates. A smooth engine has no steps or
--- cliffs, where a call takes longer than a larger one, or two threads longer than one.
local torch, timed = require "torch", require "timing"
local file = assert(arg[1], "scaling.lua: expected a file to draw")

local rounds, round, warm_up = 15, 0.005, 0.1 -- seconds at least: of one round, of calls before them

local kinds = {
  { name = "add", unit = "GB/s", work = function(n) return 12 * n end, make = function(n)
    local a, b = torch.randn(n), torch.randn(n)
    return function() return a + b end
  end },
  { name = "sum", unit = "GB/s", work = function(n) return 4 * n end, make = function(n)
    local a = torch.randn(n)
    return function() return a:sum() end
  end },
  { name = "mm", unit = "GFLOP/s", work = function(n) return 2 * n ^ 1.5 end, make = function(n)
    local a, b = torch.randn(n ^ 0.5, n ^ 0.5), torch.randn(n ^ 0.5, n ^ 0.5)
    return function() return a:mm(b) end
  end },
}

-- Matrices are square: every second power of two is the square of another. The largest would take minutes.
local function sizes_of(kind)
  local sizes = {}
  for power = 2, kind.name == "mm" and 24 or 26, kind.name == "mm" and 2 or 1 do sizes[#sizes + 1] = 2 ^ power end
  return sizes
end

-- Billions of bytes or operations per second, for each number of threads and each size.
local function rates_of(kind, sizes)
  local rates = { {}, {} }
  for i, n in ipairs(sizes) do
    local body = kind.make(n)
    timed(body, 1, warm_up) -- until results lie in memory that has been used before
    for threads = 1, 2 do
      torch.set_num_threads(threads)
      rates[threads][i] = kind.work(n) / timed(body, rounds, round) / 1e9
    end
    print(("%s of %8d: %7.2f %7.2f %s"):format(kind.name, n, rates[1][i], rates[2][i], kind.unit))
  end
  return rates
end

local figures = {}
for i, kind in ipairs(kinds) do
  local sizes = sizes_of(kind)
  local rates = rates_of(kind, sizes)
  local figure = torch.plot.figure { title = kind.name, xlabel = "elements", ylabel = kind.unit, xscale = "log",
    yscale = "log" }
  figure:line(sizes, rates[1], { label = "1 thread", marker = "o", markersize = 4 })
  figure:line(sizes, rates[2], { label = "2 threads", marker = "s", markersize = 4 })
  figures[i] = figure
end
torch.plot.grid(figures, { columns = 3 }):save(file)
