local torch, class, check = require "torch", require "torch.class", require "torch.check"
local Optimizer = require "torch.optim.optimizer"

--- Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4), all parameters as one vector. `step` needs a closure,
--- which it calls up to `max_eval` times; `line_search_fn` is nil, for steps of length lr, or "strong_wolfe".
--
--     torch.optim.LBFGS(torch.nn.Linear(3, 2):parameters(), {line_search_fn='strong_wolfe'})
---@class optim.LBFGS: optim.Optimizer
local LBFGS = class("LBFGS(any params, float lr=1, int max_iter=20, int? max_eval=None, float tolerance_grad=1e-7, "
  .. "float tolerance_change=1e-9, int history_size=100, str? line_search_fn=None)", Optimizer)

function LBFGS:init(opt)
  check(not opt.line_search_fn or opt.line_search_fn == "strong_wolfe",
    "LBFGS: line_search_fn is 'strong_wolfe' or nil, got '%s'", opt.line_search_fn)
  opt.max_eval = opt.max_eval or math.floor(opt.max_iter * 5 / 4)
  Optimizer.init(self, opt)
  check(#self.param_groups == 1, "LBFGS: there is one group of parameters only, got %s", #self.param_groups)
end

-- Its one state is of all parameters, as one vector.
function LBFGS:holds() return true end

-- The parameters as one vector -------------------------------------------------------------------------------

local function gradient(params)
  local parts = {}
  for i, p in ipairs(params) do parts[i] = (p.grad or torch.zeros_like(p)):reshape(-1) end
  return torch.cat(parts)
end

local function move(params, t, direction)
  local at = 1
  for _, p in ipairs(params) do
    local n = p:numel()
    p:add_(direction:narrow(1, at, n):view_as(p), { alpha = t })
    at = at + n
  end
end

local function copies(params)
  local list = {}
  for i, p in ipairs(params) do list[i] = p:clone() end
  return list
end

local function restore(params, values)
  for i, p in ipairs(params) do p:copy_(values[i]) end
end

-- The line search (Nocedal and Wright 2006, algorithms 3.5 and 3.6) ------------------------------------------

-- The minimum of the cubic through two points with their slopes, kept within lower..upper.
local function cubic_minimum(a, b, lower, upper)
  local d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
  local square = d1 * d1 - a.slope * b.slope
  if square < 0 then return (lower + upper) / 2 end
  local d2 = math.sqrt(square)
  local t
  if a.t <= b.t then
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
  else
    t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
  end
  return math.min(math.max(t, lower), upper)
end

local SUFFICIENT, CURVATURE, SEARCHES = 1e-4, 0.9, 25 -- c1, c2, evaluations at most

-- Two points with an acceptable one between them, or that one. `start` and points are {t, f, g, slope}.
local function bracket(evaluate, start, t)
  local before, point = start, evaluate(t)
  for searches = 0, SEARCHES - 1 do
    if point.f > start.f + SUFFICIENT * point.t * start.slope or (searches > 1 and point.f >= before.f) then
      return { before, point }, searches
    end
    if math.abs(point.slope) <= -CURVATURE * start.slope then return { point }, searches end
    if point.slope >= 0 then return { before, point }, searches end
    t = cubic_minimum(before, point, point.t + 0.01 * (point.t - before.t), point.t * 10)
    before, point = point, evaluate(t)
  end
  return { start, point }, SEARCHES
end

-- A step that satisfies the strong Wolfe conditions, or the best one that was seen.
local function search(evaluate, start, t, direction, tolerance)
  local points, searches = bracket(evaluate, start, t)
  if #points == 1 then return points[1] end
  local length = direction:abs():max():item()
  local low, high = 1, 2
  if points[1].f > points[2].f then low, high = 2, 1 end
  local stuck = false
  while searches < SEARCHES and math.abs(points[2].t - points[1].t) * length >= tolerance do
    local least, most = math.min(points[1].t, points[2].t), math.max(points[1].t, points[2].t)
    t = cubic_minimum(points[1], points[2], least, most)
    local margin = 0.1 * (most - least)
    if math.min(most - t, t - least) < margin then -- near a bound: twice is too often
      if stuck or t >= most or t <= least then
        t = math.abs(t - most) < math.abs(t - least) and most - margin or least + margin
        stuck = false
      else
        stuck = true
      end
    else
      stuck = false
    end
    local point = evaluate(t)
    searches = searches + 1
    if point.f > start.f + SUFFICIENT * t * start.slope or point.f >= points[low].f then
      points[high] = point
      low, high = 1, 2
      if points[1].f > points[2].f then low, high = 2, 1 end
    else
      local accepted = math.abs(point.slope) <= -CURVATURE * start.slope
      if not accepted and point.slope * (points[high].t - points[low].t) >= 0 then points[high] = points[low] end
      points[low] = point
      if accepted then break end
    end
  end
  return points[low]
end

-- The direction -----------------------------------------------------------------------------------------------

-- Adds what the last step told of the curvature.
local function remember(state, g, size)
  local y, s = g - state.prev_flat_grad, state.d * state.t
  local ys = y:dot(s):item()
  if ys <= 1e-10 then return end
  if #state.old_dirs == size then
    for _, list in ipairs { state.old_dirs, state.old_stps, state.ro } do table.remove(list, 1) end
  end
  table.insert(state.old_dirs, y)
  table.insert(state.old_stps, s)
  table.insert(state.ro, 1 / ys)
  state.H_diag = ys / y:dot(y):item()
end

-- -H g by the two loops.
local function direction_of(state, g)
  local ys, ss, ro, al = state.old_dirs, state.old_stps, state.ro, {}
  local d = -g
  for i = #ys, 1, -1 do
    al[i] = ss[i]:dot(d):item() * ro[i]
    d:add_(ys[i], { alpha = -al[i] })
  end
  d:mul_(state.H_diag)
  for i = 1, #ys do d:add_(ss[i], { alpha = al[i] - ys[i]:dot(d):item() * ro[i] }) end
  return d
end

-- The step ----------------------------------------------------------------------------------------------------

---@param closure fun(): torch.Tensor  computes the loss and the gradients anew
---@return torch.Tensor loss           of the first call
function LBFGS:step(closure)
  check(type(closure) == "function", "LBFGS: step needs a closure that computes the loss and the gradients")
  local group = self.param_groups[1]
  local params, id = group.params, group.params[1]:id()
  self.state[id] = self.state[id] or { func_evals = 0, n_iter = 0 }
  local state, evaluations, g = self.state[id], 0, nil

  local function evaluate()
    local loss = torch.enable_grad(closure)
    evaluations = evaluations + 1
    g = gradient(params)
    return torch.is_tensor(loss) and loss:item() or loss, loss
  end
  local function flat() return g:abs():max():item() <= group.tolerance_grad end

  return torch.no_grad(function()
    local f, first = evaluate()
    for iteration = 1, flat() and 0 or group.max_iter do
      state.n_iter = state.n_iter + 1
      if state.n_iter == 1 then
        state.d, state.old_dirs, state.old_stps, state.ro, state.H_diag = -g, {}, {}, {}, 1
        state.t = math.min(1, 1 / g:abs():sum():item()) * group.lr
      else
        remember(state, g, group.history_size)
        state.d, state.t = direction_of(state, g), group.lr
      end
      local d, slope, before = state.d, g:dot(state.d):item(), f
      state.prev_flat_grad = g:clone()
      if slope > -group.tolerance_change then break end

      if group.line_search_fn then
        local origin = copies(params)
        local point = search(function(t)
          move(params, t, d)
          local value = evaluate()
          restore(params, origin)
          return { t = t, f = value, g = g, slope = g:dot(d):item() }
        end, { t = 0, f = f, g = g, slope = slope }, state.t, d, group.tolerance_change)
        state.t, f, g = point.t, point.f, point.g
        move(params, state.t, d)
      else
        move(params, state.t, d)
        if iteration < group.max_iter then f = evaluate() end
      end
      local least = group.tolerance_change
      if evaluations >= group.max_eval or flat() or math.abs(f - before) < least then break end
      if (d * state.t):abs():max():item() <= least then break end
    end
    state.func_evals = state.func_evals + evaluations
    return first
  end)
end

return LBFGS
