--- torch.autograd.functional: derivatives of functions. `inputs` is a tensor or a list of them; results have its form.

local torch, check = require "torch", require "torch.check"

local functional = {}

local function as_list(x)
  return torch.is_tensor(x) and { x } or x
end

-- Copies of the inputs with graphs of their own, or the inputs themselves where the result is to be differentiated.
local function prepared(inputs, create_graph)
  local list = {}
  for i, x in ipairs(as_list(inputs)) do
    list[i] = create_graph and x.requires_grad and x or x:detach():requires_grad_()
  end
  return list
end

local function detached(list, create_graph)
  for i, x in ipairs(list) do list[i] = create_graph and x or x:detach() end
  return list
end

local function like(inputs, list)
  if torch.is_tensor(inputs) then return list[1] end
  return list
end

-- The gradients of `outputs`, zeros where an input is unused.
local function gradients(outputs, inputs, grad_outputs, create_graph)
  local grads = torch.autograd.grad(outputs, inputs,
    { grad_outputs = grad_outputs, create_graph = create_graph, retain_graph = true, allow_unused = true })
  local list = {}
  for i, x in ipairs(inputs) do list[i] = grads[i] or torch.zeros_like(x) end
  return list
end

-- Sizes of `y` and then of `x`.
local function sizes(y, x)
  local list = {}
  for d = 1, y:dim() do list[d] = y:size(d) end
  for d = 1, x:dim() do list[#list + 1] = x:size(d) end
  return list
end

-- The Jacobians of one output, one for each input: sizes of y, then of x.
local function jacobian_of(y, xs, create_graph)
  local rows, flat = {}, y:reshape(-1)
  for k in ipairs(xs) do rows[k] = {} end
  for i = 1, flat:numel() do
    local grads = y.requires_grad and gradients({ flat[i] }, xs, nil, create_graph) or {}
    for k, x in ipairs(xs) do rows[k][i] = grads[k] or torch.zeros_like(x) end
  end
  local list = {}
  for k, x in ipairs(xs) do
    list[k] = (#rows[k] > 0 and torch.stack(rows[k], 1) or torch.zeros(0)):reshape(sizes(y, x))
  end
  return list
end

local read_jacobian = torch.core.signature("jacobian(any func, any inputs, bool create_graph=False)")

--- The derivative of each element of the output by each element of the input: sizes of the output, then of the input.
--- Several outputs give a list of results.
---@return torch.Tensor|table
function functional.jacobian(...)
  local opt = read_jacobian(...)
  return torch.enable_grad(function()
    local xs = prepared(opt.inputs, opt.create_graph)
    local outputs, results = { opt.func(unpack(xs)) }, {}
    for o, y in ipairs(outputs) do
      results[o] = like(opt.inputs, detached(jacobian_of(y, xs, opt.create_graph), opt.create_graph))
    end
    return #results == 1 and results[1] or results
  end)
end

local read_hessian = torch.core.signature("hessian(any func, any inputs, bool create_graph=False)")

--- The second derivatives of a function with one number for a result; for several inputs a list of lists.
---@return torch.Tensor|table
function functional.hessian(...)
  local opt = read_hessian(...)
  return torch.enable_grad(function()
    local xs = prepared(opt.inputs, opt.create_graph)
    local y = opt.func(unpack(xs))
    check(y:numel() == 1, "hessian: the function gives %s, not a single number", y:size())
    local rows = {}
    for k, g in ipairs(gradients({ y }, xs, nil, true)) do
      rows[k] = like(opt.inputs, detached(jacobian_of(g, xs, opt.create_graph), opt.create_graph))
    end
    return like(opt.inputs, rows)
  end)
end

local read_vjp = torch.core.signature("vjp(any func, any inputs, any? v=None, bool create_graph=False)")

--- The outputs, and the gradient of sum(v * output): v^T J.
---@return torch.Tensor output, torch.Tensor|torch.Tensor[] vjp
function functional.vjp(...)
  local opt = read_vjp(...)
  return torch.enable_grad(function()
    local xs = prepared(opt.inputs, opt.create_graph)
    local y = opt.func(unpack(xs))
    local grads = gradients({ y }, xs, opt.v and as_list(opt.v), opt.create_graph)
    return detached({ y }, opt.create_graph)[1], like(opt.inputs, detached(grads, opt.create_graph))
  end)
end

local read_jvp = torch.core.signature("jvp(any func, any inputs, any? v=None, bool create_graph=False)")

--- The output, and its derivative in the direction v: J v. It takes two passes backward: u^T J is linear in u.
---@return torch.Tensor output, torch.Tensor jvp
function functional.jvp(...)
  local opt = read_jvp(...)
  return torch.enable_grad(function()
    local xs = prepared(opt.inputs, opt.create_graph)
    local y = opt.func(unpack(xs))
    local u = torch.zeros_like(y):requires_grad_()
    local grads = gradients({ y }, xs, { u }, true)
    local jvp = gradients(grads, { u }, opt.v and as_list(opt.v), opt.create_graph)
    return detached({ y }, opt.create_graph)[1], detached(jvp, opt.create_graph)[1]
  end)
end

local read_hvp = torch.core.signature("hvp(any func, any inputs, any? v=None, bool create_graph=False)")

--- The output (one number), and the product of its second derivatives with v.
---@return torch.Tensor output, torch.Tensor|torch.Tensor[] hvp
function functional.hvp(...)
  local opt = read_hvp(...)
  return torch.enable_grad(function()
    local xs = prepared(opt.inputs, opt.create_graph)
    local y = opt.func(unpack(xs))
    check(y:numel() == 1, "hvp: the function gives %s, not a single number", y:size())
    local grads = gradients({ y }, xs, nil, true)
    local products = gradients(grads, xs, opt.v and as_list(opt.v), opt.create_graph)
    return detached({ y }, opt.create_graph)[1], like(opt.inputs, detached(products, opt.create_graph))
  end)
end

return functional
