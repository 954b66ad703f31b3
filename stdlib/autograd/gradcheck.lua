--- Derivatives compared with finite differences.
--
-- Element by element, each input is moved by eps to both sides: (f(x + eps) - f(x - eps)) / (2 eps) is a column of the
-- numerical Jacobian. Its rows come from `backward` with a single 1 for each element of an output. Inputs are float64,
-- since rounding in float32 exceeds the differences. Complex numbers, complex128, count as pairs of real ones, so that
-- both of Wirtinger's derivatives are looked at.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local gradcheck = {}

local function pack(...) return { n = select("#", ...), ... } end

local function as_list(x)
  return torch.is_tensor(x) and { x } or x
end

-- Floating and complex tensors among values, lists opened.
local function floating(values, into)
  for i = 1, values.n or #values do
    local x = values[i]
    if torch.is_tensor(x) then
      if x:is_floating_point() or x:is_complex() then into[#into + 1] = x end
    elseif type(x) == "table" then
      floating(x, into)
    end
  end
  return into
end

-- Calls fn with inputs: the results that can have a derivative.
local function outputs_of(fn, inputs)
  return floating(pack(fn(unpack(inputs, 1, inputs.n or #inputs))), {})
end

-- The function and the inputs with each complex number as a pair of real ones.
local function in_pairs(fn, inputs)
  local list, complex = { n = inputs.n or #inputs }, {}
  for i = 1, list.n do
    local x = inputs[i]
    complex[i] = torch.is_tensor(x) and x.dtype == torch.complex128 and x.requires_grad
    list[i] = complex[i] and torch.view_as_real(x:detach()):requires_grad_() or x
  end
  return function(...)
    local values = pack(...)
    for i = 1, values.n do
      if complex[i] then values[i] = torch.view_as_complex(values[i]) end
    end
    local ys = outputs_of(fn, values)
    for o, y in ipairs(ys) do ys[o] = y:is_complex() and torch.view_as_real(y) or y end
    return unpack(ys)
  end, list
end

local function wanted(inputs)
  local list = {}
  for i = 1, inputs.n or #inputs do
    local x = inputs[i]
    if torch.is_tensor(x) and x.requires_grad then list[#list + 1] = x end
  end
  return list
end

-- Iterates over the elements of x in row-major order: a view of each, over the memory of x.
local function elements(x)
  local base, i = x:detach(), -1
  return function()
    i = i + 1
    if i >= x:numel() then return nil end
    local offset, rest = x:storage_offset(), i
    for d = x:dim(), 1, -1 do
      offset = offset + rest % x:size(d) * x:stride(d)
      rest = math.floor(rest / x:size(d))
    end
    return base:as_strided({}, {}, offset)
  end
end

-- Jacobians by finite differences: [k][o] is [elements of outputs[o], elements of inputs[k]].
local function numerical(fn, inputs, xs, outputs, eps)
  local jacobians = {}
  for k, x in ipairs(xs) do
    jacobians[k] = {}
    for o, y in ipairs(outputs) do jacobians[k][o] = torch.zeros(y:numel(), x:numel(), { dtype = y.dtype }) end
    local column = 0
    for element in elements(x) do
      column = column + 1
      local value = element:item()
      element:fill_(value + eps)
      local above = outputs_of(fn, inputs)
      for o, y in ipairs(above) do above[o] = y:detach():clone() end -- fn may hand out its input
      element:fill_(value - eps)
      local below = outputs_of(fn, inputs)
      for o in ipairs(outputs) do
        local difference = (above[o] - below[o]:detach()):reshape(-1)
        jacobians[k][o]:select(2, column):copy_(difference / (2 * eps))
      end
      element:fill_(value)
    end
  end
  return jacobians
end

-- The same by `backward`.
local function analytical(xs, outputs)
  local jacobians = {}
  for k, x in ipairs(xs) do
    jacobians[k] = {}
    for o, y in ipairs(outputs) do jacobians[k][o] = torch.zeros(y:numel(), x:numel(), { dtype = y.dtype }) end
  end
  for o, y in ipairs(outputs) do
    for row = 1, y.requires_grad and y:numel() or 0 do
      local g = torch.zeros(y:numel(), { dtype = y.dtype })
      g[row] = 1
      local grads = torch.autograd.grad({ y }, xs,
        { grad_outputs = { g:reshape(y:size()) }, retain_graph = true, allow_unused = true })
      for k, x in ipairs(xs) do
        local grad = grads[k]
        if grad then
          check(grad:size() == x:size(),
            "gradcheck: the gradient of input %s has the size %s, the input %s", k, grad:size(), x:size())
          jacobians[k][o]:select(1, row):copy_(grad:reshape(-1))
        end
      end
    end
  end
  return jacobians
end

-- Calls see(output, input, a, b) with the Jacobians of each pair.
local function each_pair(a, b, see)
  for k in ipairs(a) do
    for o in ipairs(a[k]) do see(o, k, a[k][o], b[k][o]) end
  end
end

local function close(a, b, opt)
  if a:numel() == 0 then return true end
  local excess = (a - b):abs() - b:abs() * opt.rtol - opt.atol
  return excess:le(0):all():item() -- NaN is not close
end

local function compare(fn, inputs, opt)
  fn, inputs = in_pairs(fn, inputs)
  local xs = wanted(inputs)
  check(#xs > 0, "gradcheck expects at least one input tensor that requires a gradient")
  for k, x in ipairs(xs) do
    check(x.dtype == torch.float64, "gradcheck: input %s is %s; finite differences need torch.float64 or "
      .. "torch.complex128", k, x.dtype)
    for d = 1, x:dim() do
      check(x:stride(d) > 0 or x:size(d) <= 1, "gradcheck: elements of input %s share memory (is it expanded?)", k)
    end
  end
  local outputs = outputs_of(fn, inputs)
  local exact = analytical(xs, outputs)
  each_pair(exact, analytical(xs, outputs), function(o, k, a, b)
    check(close(a, b, { rtol = 0, atol = opt.nondet_tol }),
      "gradcheck: backward is not reentrant: it gave two gradients of output %s with respect to input %s", o, k)
  end)
  each_pair(exact, numerical(fn, inputs, xs, outputs, opt.eps), function(o, k, a, n)
    check(close(a, n, opt),
      "Jacobian mismatch for output %s with respect to input %s,\nnumerical: %s\nanalytical: %s", o, k, n, a)
  end)
  return true
end

local options = "float eps=1e-6, float atol=1e-5, float rtol=1e-3, bool raise_exception=True, float nondet_tol=0.0)"
local read_first = torch.core.signature("gradcheck(any func, any inputs, *, " .. options)
local read_second = torch.core.signature("gradgradcheck(any func, any inputs, any? grad_outputs=None, *, " .. options)

local function run(fn, inputs, opt)
  check(type(inputs) == "table", "gradcheck: inputs are a tensor or a list, got a %s", class.type(inputs))
  check(type(fn) == "function" or getmetatable(fn), "gradcheck: expected a function, got a %s", class.type(fn))
  if opt.raise_exception then return compare(fn, inputs, opt) end
  return (pcall(compare, fn, inputs, opt))
end

--- Are the derivatives of `func` at `inputs` right? Raises an error with both Jacobians if not.
---@param func fun(...): torch.Tensor ...
---@param inputs torch.Tensor|any[]  those that require gradients are checked, in float64 or complex128
---@param opt? { eps: number, atol: number, rtol: number, raise_exception: boolean, nondet_tol: number }
---@return boolean
function gradcheck.gradcheck(...)
  local opt = read_first(...)
  return run(opt.func, as_list(opt.inputs), opt)
end

--- The same for the second derivatives: those of the function that gives the gradients for `inputs` and `grad_outputs`.
---@param func fun(...): torch.Tensor ...
---@param inputs torch.Tensor|any[]
---@param grad_outputs? torch.Tensor|torch.Tensor[]  Default: random.
---@return boolean
function gradcheck.gradgradcheck(...)
  local opt = read_second(...)
  local fn, inputs = opt.func, as_list(opt.inputs)
  local count, gs = inputs.n or #inputs, opt.grad_outputs and as_list(opt.grad_outputs)
  if not gs then
    gs = {}
    for o, y in ipairs(outputs_of(fn, inputs)) do
      gs[o] = torch.randn_like(y:detach()):requires_grad_()
    end
  end
  local all = { unpack(inputs, 1, count) }
  for o, g in ipairs(gs) do all[count + o] = g end
  all.n = count + #gs

  local function gradients(...)
    local values = pack(...)
    local given, outs, grads = { n = count, unpack(values, 1, count) }, {}, {}
    for o, y in ipairs(outputs_of(fn, given)) do
      if y.requires_grad then
        outs[#outs + 1], grads[#grads + 1] = y, values[count + o]
      end
    end
    local found, list = torch.autograd.grad(outs, wanted(given),
      { grad_outputs = grads, create_graph = true, allow_unused = true }), {}
    for k = 1, #wanted(given) do list[#list + 1] = found[k] end
    return unpack(list)
  end
  return run(gradients, all, opt)
end

return gradcheck
