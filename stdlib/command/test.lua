--- `facula test`: does this program work on this machine? Runs the example of every operator, and compares the numbers
-- of float32 on all threads with those of float64 on one. The exit code is 0 only if all is well.

local torch = require "torch"
local examples = require "torch.repl.examples"

if select("#", ...) > 0 then
  io.stderr:write("facula: test: expected no arguments\nusage: facula test\n")
  os.exit(2)
end

local passed, failed = 0, 0

local function report(group, detail)
  print(("%-10s%s"):format(group, detail))
end

local function run_examples()
  local wrong, total = {}, 0
  examples.each(function(name, example)
    local good, problem = pcall(examples.run, example)
    total = total + 1
    if not good then wrong[#wrong + 1] = ("%s: %s\n  %s"):format(name, example, tostring(problem)) end
  end)
  passed, failed = passed + total - #wrong, failed + #wrong
  report("examples", ("%d of %d operators' examples run"):format(total - #wrong, total))
  for _, text in ipairs(wrong) do io.stderr:write(text, "\n") end
end

-- What is compared, and inputs that are large enough for all threads.
local COMPARISONS = {
  { "matmul", torch.matmul, function() return torch.randn(384, 512), torch.randn(512, 384) end },
  { "conv2d", torch.conv2d, function() return torch.randn(8, 16, 32, 32), torch.randn(32, 16, 3, 3) end },
  { "sum", torch.sum, function() return torch.rand(2 ^ 20) end },
  { "exp", torch.exp, function() return torch.randn(2 ^ 20) end },
  { "fft", torch.fft.fft, function() return torch.randn(64, 1000) end },
  { "solve", torch.linalg.solve, function() return torch.eye(256) * 64 + torch.randn(256, 256), torch.ones(256) end },
}
local TOLERANCE = 1e-5 -- of the largest element; float32's own rounding is 6e-8

-- What `f` gives for inputs in a dtype, on so many threads.
local function result(f, inputs, dtype, threads)
  local copies = {}
  for i, x in ipairs(inputs) do copies[i] = x:to(dtype) end
  torch.set_num_threads(threads)
  return f(unpack(copies))
end

-- The largest difference of both results, relative to the largest element.
local function distance(f, inputs, threads)
  local exact = result(f, inputs, torch.float64, 1)
  local found = result(f, inputs, torch.float32, threads)
  return ((found - exact):abs():max() / exact:abs():max()):item()
end

local function compare(name, f, make, threads)
  local good, off = pcall(distance, f, { make() }, threads)
  local text = good and ("float32 on %d threads differs from float64 on one by %.1e"):format(threads, off)
    or tostring(off)
  if good and off <= TOLERANCE then
    passed = passed + 1
    report(name, text)
  else
    failed = failed + 1
    report(name, "FAILED: " .. text)
  end
end

local all_threads = torch.get_num_threads()
torch.manual_seed(1)
run_examples()
for _, row in ipairs(COMPARISONS) do compare(row[1], row[2], row[3], all_threads) end
print(("%d passed, %d failed"):format(passed, failed))
if failed > 0 then os.exit(1) end
