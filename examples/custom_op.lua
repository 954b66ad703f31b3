-- An operator of one's own, written in Lua and as fast as the machine: exponential smoothing,
--
--     y[t] = alpha x[t] + (1 - alpha) y[t - 1],    y[0] = 0
--
-- along the last dimension. Each element needs the one before it, so built-in operators must go through time step by
-- step; here a loop over FFI pointers does it, which LuaJIT compiles. The derivative is the same recurrence backwards:
--
--     dL/dx[t] = alpha h[t],    h[t] = g[t] + (1 - alpha) h[t + 1]
--
-- Run it: examples/run.sh custom_op.lua [--steps T] [--smoke]
local options = require "options"

-- Smooths each row of x, forwards (from = 0, step = 1) or backwards.
local function recur(x, alpha, backwards)
  x = x:contiguous()
  local y = torch.empty_like(x)
  local n = x:size(-1)
  local rows, keep = x:numel() / n, 1 - alpha
  local from, to = x:data(), y:data()
  for row = 0, rows - 1 do
    local first, last, step = row * n, row * n + n - 1, 1
    if backwards then first, last, step = last, first, -1 end
    local before = 0
    for i = first, last, step do
      before = alpha * from[i] + keep * before
      to[i] = before
    end
  end
  return y
end

torch.library.define("smooth(Tensor self, float alpha=0.1) -> Tensor", {
  doc = "Exponential smoothing along the last dimension: `y[t] = alpha x[t] + (1 - alpha) y[t - 1]`.",
  forward = function(ctx, x, alpha)
    ctx.alpha = alpha
    return recur(x, alpha, false)
  end,
  backward = function(ctx, g)
    return recur(g, ctx.alpha, true), nil
  end,
})

-- The same by built-in operators.
local function smooth_by_steps(x, alpha)
  local before, ys = torch.zeros(x:size(1)), {}
  for t = 1, x:size(2) do
    before = alpha * x:select(2, t) + (1 - alpha) * before
    ys[t] = before
  end
  return torch.stack(ys, 2)
end

-- The least milliseconds of some calls.
local function milliseconds(calls, fn)
  local best = math.huge
  for _ = 1, calls do
    local start = torch.monotonic()
    fn()
    best = math.min(best, torch.monotonic() - start)
  end
  return 1e3 * best
end

local opt = options({ steps = 1000, smoke = false }, {
  steps = "length of the series",
  smoke = "short series, to see that everything runs",
})
options.whole(opt, { "steps" })
local T = opt.smoke and 50 or opt.steps

torch.manual_seed(1)
local x = torch.randn(16, T, { requires_grad = true })

local function train(smooth) return function() smooth(x, 0.1):pow(2):sum():backward() end end

assert(torch.allclose(x:smooth(0.1), smooth_by_steps(x, 0.1), { atol = 1e-5 }))
local small = torch.randn(2, 5, { dtype = torch.float64, requires_grad = true })
assert(torch.autograd.gradcheck(torch.smooth, { small, 0.3 }))
print(("16 series of %d steps, forward and backward"):format(T))
local ours, steps = milliseconds(20, train(torch.smooth)), milliseconds(3, train(smooth_by_steps))
print(("  smooth, a loop in Lua:    %9.3f ms"):format(ours))
print(("  built-in, step by step:   %9.3f ms   (%.0f times as long)"):format(steps, steps / ours))
