--- torch.autograd.functional: derivatives of functions. `inputs` is a tensor or a list of them, which the function gets
-- as its arguments; what belongs to the inputs has their form. The function returns one tensor or several; what belongs
-- to the outputs is a tensor or a list accordingly.
--
-- With `create_graph` results can be differentiated again, as functions of those inputs that require a gradient. With
-- `strict` it is an error if an output does not hang on an input, instead of a derivative of zero.

local torch, class, check = require "torch", require "torch.class", require "torch.check"

local gradients_of = require "torch.autograd.gradients"

local functional = {}

local function as_list(x)
  return torch.is_tensor(x) and { x } or x
end

-- Checks what stands for tensors like `like`: as many, of their sizes. Without any, the one of `like` is a number.
local function vectors(name, v, like, what)
  if v == nil then
    check(#like == 1 and like[1]:numel() == 1, "%s: v is needed unless there is a single %s with one element", name,
      what)
    return { torch.ones_like(like[1]) }
  end
  local list = as_list(v)
  check(type(list) == "table" and #list == #like, "%s: v has %s tensors, there are %s %ss", name,
    type(list) == "table" and #list or 0, #like, what)
  for i, x in ipairs(list) do
    check(torch.is_tensor(x) and x:size() == like[i]:size(), "%s: v %s is %s, the %s %s", name, i,
      torch.is_tensor(x) and x:size() or "a " .. class.type(x), what, like[i]:size())
  end
  return list
end

-- Copies of the inputs with graphs of their own, or the inputs themselves where the result is to be differentiated.
local function prepared(name, inputs, create_graph)
  check(torch.is_tensor(inputs) or type(inputs) == "table" and #inputs > 0,
    "%s: inputs are a tensor or a list of them, got a %s", name, class.type(inputs))
  local list = {}
  for i, x in ipairs(as_list(inputs)) do
    check(torch.is_tensor(x), "%s: input %s is not a tensor but a %s", name, i, class.type(x))
    list[i] = create_graph and x.requires_grad and x:view_as(x) or x:detach():requires_grad_()
  end
  return list
end

-- The function's results as a list, and whether they are one.
local function results(name, func, xs)
  local good = type(func) == "function" or type(func) == "table" and (getmetatable(func) or {}).__call
  check(good, "%s: func is a function, got a %s", name, class.type(func))
  local ys = { func(unpack(xs)) }
  check(#ys > 0, "%s: the function returns nothing", name)
  for i, y in ipairs(ys) do
    check(torch.is_tensor(y), "%s: result %s of the function is not a tensor but a %s", name, i, class.type(y))
  end
  return ys, #ys == 1
end

local function released(list, create_graph)
  for i, x in ipairs(list) do list[i] = create_graph and x or x:detach() end
  return list
end

local function formed(list, single)
  return single and list[1] or list
end

-- The gradients of `outputs`, zeros where an input is unused, which `strict` forbids.
local function gradients(name, outputs, inputs, grad_outputs, opt, create_graph)
  for i, y in ipairs(outputs) do
    check(y.requires_grad or not opt.strict, "%s: output %s does not hang on the inputs, as strict wants",
      name, i)
  end
  local list = gradients_of(outputs, inputs, grad_outputs, create_graph)
  for i, x in ipairs(inputs) do
    check(list[i] or not opt.strict, "%s: no output hangs on input %s, as strict wants", name, i)
    list[i] = list[i] or torch.zeros_like(x)
  end
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
local function jacobian_of(name, y, xs, opt)
  local rows, flat = {}, y:reshape(-1)
  for k in ipairs(xs) do rows[k] = {} end
  for i = 1, flat:numel() do
    for k, g in ipairs(gradients(name, { flat[i] }, xs, nil, opt, opt.create_graph)) do rows[k][i] = g end
  end
  local list = {}
  for k, x in ipairs(xs) do
    local rest = #rows[k] > 0 and torch.stack(rows[k], 1) or torch.zeros(0, { dtype = x.dtype, device = x.device })
    list[k] = rest:reshape(sizes(y, x))
  end
  return released(list, opt.create_graph)
end

local read_jacobian = torch.core.signature("jacobian(any func, any inputs, bool create_graph=False, bool strict=False)")

--- The derivative of each element of the output by each element of the input: sizes of the output, then of the input.
--- Several outputs give a list, whose items have the form of the inputs.
---@return torch.Tensor|table
function functional.jacobian(...)
  local opt = read_jacobian(...)
  return torch.enable_grad(function()
    local xs, list = prepared("jacobian", opt.inputs, opt.create_graph), {}
    local ys, single = results("jacobian", opt.func, xs)
    for o, y in ipairs(ys) do
      list[o] = formed(jacobian_of("jacobian", y, xs, opt), torch.is_tensor(opt.inputs))
    end
    return formed(list, single)
  end)
end

-- The one number that a function returns.
local function number(name, func, xs)
  local ys, single = results(name, func, xs)
  check(single and ys[1]:numel() == 1, "%s: the function gives %s, not a single number", name,
    single and ys[1]:size() or #ys .. " tensors")
  return ys[1]
end

local read_hessian = torch.core.signature("hessian(any func, any inputs, bool create_graph=False, bool strict=False)")

--- The second derivatives of a function with one number for a result; for several inputs a list of lists.
---@return torch.Tensor|table
function functional.hessian(...)
  local opt = read_hessian(...)
  return torch.enable_grad(function()
    local single = torch.is_tensor(opt.inputs)
    local xs, rows = prepared("hessian", opt.inputs, opt.create_graph), {}
    local y = number("hessian", opt.func, xs)
    for k, g in ipairs(gradients("hessian", { y }, xs, nil, opt, true)) do
      rows[k] = formed(jacobian_of("hessian (first derivative)", g, xs, opt), single)
    end
    return formed(rows, single)
  end)
end

local PRODUCT = "(any func, any inputs, any? v=None, bool create_graph=False, bool strict=False)"

local read_vjp = torch.core.signature("vjp" .. PRODUCT)

--- The outputs, and the gradient of sum(v * output): v^T J. v is like the outputs.
---@return torch.Tensor|torch.Tensor[] output, torch.Tensor|torch.Tensor[] vjp
function functional.vjp(...)
  local opt = read_vjp(...)
  return torch.enable_grad(function()
    local xs = prepared("vjp", opt.inputs, opt.create_graph)
    local ys, single = results("vjp", opt.func, xs)
    local grads = gradients("vjp", ys, xs, vectors("vjp", opt.v, ys, "output"), opt, opt.create_graph)
    return formed(released(ys, opt.create_graph), single),
      formed(released(grads, opt.create_graph), torch.is_tensor(opt.inputs))
  end)
end

local read_jvp = torch.core.signature("jvp" .. PRODUCT)

--- The outputs, and their derivatives in the direction v: J v. v is like the inputs. It takes two passes backward:
--- u^T J is linear in u.
---@return torch.Tensor|torch.Tensor[] output, torch.Tensor|torch.Tensor[] jvp
function functional.jvp(...)
  local opt = read_jvp(...)
  return torch.enable_grad(function()
    local xs = prepared("jvp", opt.inputs, opt.create_graph)
    local v = vectors("jvp", opt.v, xs, "input")
    local ys, single = results("jvp", opt.func, xs)
    local us = {}
    for i, y in ipairs(ys) do us[i] = torch.zeros_like(y):requires_grad_() end
    local grads = gradients("jvp", ys, xs, us, opt, true)
    local jvp = gradients("jvp", grads, us, v, { strict = false }, opt.create_graph)
    return formed(released(ys, opt.create_graph), single), formed(released(jvp, opt.create_graph), single)
  end)
end

-- vhp and hvp are the same: second derivatives are symmetric.
local function define_product(name)
  local read = torch.core.signature(name .. PRODUCT)
  return function(...)
    local opt = read(...)
    return torch.enable_grad(function()
      local xs = prepared(name, opt.inputs, opt.create_graph)
      local v = vectors(name, opt.v, xs, "input")
      local y = number(name, opt.func, xs)
      local grads = gradients(name, { y }, xs, nil, opt, true)
      local products = gradients(name .. " (first derivative)", grads, xs, v, opt, opt.create_graph)
      return released({ y }, opt.create_graph)[1],
        formed(released(products, opt.create_graph), torch.is_tensor(opt.inputs))
    end)
  end
end

--- The output (one number), and the product of v with its second derivatives: v^T H. v is like the inputs.
---@return torch.Tensor output, torch.Tensor|torch.Tensor[] vhp
functional.vhp = define_product "vhp"

--- The same from the right: H v.
---@return torch.Tensor output, torch.Tensor|torch.Tensor[] hvp
functional.hvp = define_product "hvp"

return functional
