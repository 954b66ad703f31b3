--- torch.func: derivatives as functions of functions. `grad(f)` is a function like f which returns f's gradient, so
-- that `grad(grad(f))` is the second derivative.
--
-- Arguments are tensors, or tables of tensors such as a module's parameters by name; derivatives have their form.
-- Results can be differentiated further, by these functions or by `backward`, with respect to arguments that require a
-- gradient; tensors that f knows by itself are constants.

local torch, class, check = require "torch", require "torch.class", require "torch.check"
local functional, gradients = require "torch.autograd.functional", require "torch.autograd.gradients"

local func = {}

local function pack(...) return { n = select("#", ...), ... } end

-- A copy of a tensor or a table of tensors, each replaced by `change(x)`; other values stay.
local function mapped(tree, change)
  if torch.is_tensor(tree) then return change(tree) end
  if type(tree) ~= "table" then return tree end
  local copy = {}
  for key, value in pairs(tree) do copy[key] = mapped(value, change) end
  return copy
end

-- Tensors by which a derivative can be taken: `leaves` collects them. Arguments with a history keep it.
local function opened(tree, leaves)
  return mapped(tree, function(x)
    if not x:is_floating_point() and not x:is_complex() then return x end
    local leaf = x.requires_grad and x:view_as(x) or x:detach():requires_grad_()
    leaves[#leaves + 1] = leaf
    leaves.recorded = leaves.recorded or x.requires_grad
    return leaf
  end)
end

-- The arguments at the positions `argnums` opened: the list of all, and the leaves.
local function opened_at(name, argnums, ...)
  local arguments, leaves = pack(...), {}
  for _, i in ipairs(argnums) do
    check(i >= 1 and i <= arguments.n, "%s: argnums has %s, but there are %s arguments", name, i, arguments.n)
    arguments[i] = opened(arguments[i], leaves)
  end
  check(#leaves > 0, "%s: the arguments by which to differentiate hold no floating or complex tensor", name)
  return arguments, leaves
end

local function positions(name, argnums)
  if type(argnums) == "number" then argnums = { argnums } end
  check(type(argnums) == "table" and #argnums > 0, "%s: argnums is a position or a list of them, from 1", name)
  return argnums
end

-- A check that gives the value back.
local function callable(name, f)
  local good = type(f) == "function" or type(f) == "table" and (getmetatable(f) or {}).__call
  check(good, "%s: expected a function, got a %s", name, class.type(f))
  return f
end

-- The gradients of `outputs`, by the leaves' ids; zeros where there is no way.
local function by_leaf_of(outputs, leaves, cotangents)
  local by_leaf, grads = {}, gradients(outputs, leaves, cotangents, leaves.recorded)
  for i, x in ipairs(leaves) do by_leaf[x:id()] = grads[i] or torch.zeros_like(x) end
  return by_leaf
end

local function released(x, recorded)
  return torch.is_tensor(x) and not recorded and x:detach() or x
end

local read_grad = torch.core.signature("grad(any func, any argnums=None, bool has_aux=False)")

-- What grad and grad_and_value share: a function that returns the gradients and the list of f's results.
local function differentiated(name, ...)
  local opt = read_grad(...)
  local f, argnums = callable(name, opt.func), positions(name, opt.argnums or 1)
  return function(...)
    return torch.enable_grad(function(...)
      local arguments, leaves = opened_at(name, argnums, ...)
      local values = pack(f(unpack(arguments, 1, arguments.n)))
      local y = values[1]
      check(torch.is_tensor(y) and y:numel() == 1, "%s: the function gives %s, not a single number", name,
        torch.is_tensor(y) and y:size() or "a " .. class.type(y))
      local by_leaf, list = by_leaf_of({ y }, leaves), {}
      for i, position in ipairs(argnums) do
        list[i] = mapped(arguments[position], function(x) return by_leaf[x:id()] end)
      end
      for i = 1, values.n do values[i] = mapped(values[i], function(x) return released(x, leaves.recorded) end) end
      return type(opt.argnums) == "table" and list or list[1], values, opt.has_aux
    end, ...)
  end
end

--- The gradient of a function with one number for a result, as a function of the same arguments.
---@param f fun(...): torch.Tensor, ...
---@param argnums? integer|integer[]  the arguments by which, from 1; a list gives a list. Default: 1.
---@param has_aux? boolean            f returns more, which is returned after the gradient. Default: false.
---@return fun(...): any, ...
function func.grad(...)
  local derivative = differentiated("grad", ...)
  return function(...)
    local gradient, values, has_aux = derivative(...)
    if has_aux then return gradient, unpack(values, 2, values.n) end
    return gradient
  end
end

--- Like `grad`, for a function that returns the gradient and then f's value.
---@return fun(...): any, torch.Tensor, ...
function func.grad_and_value(...)
  local derivative = differentiated("grad_and_value", ...)
  return function(...)
    local gradient, values, has_aux = derivative(...)
    return gradient, unpack(values, 1, has_aux and values.n or 1)
  end
end

local function all_tensors(name, values)
  for i = 1, values.n do
    check(torch.is_tensor(values[i]), "%s: result %s of the function is not a tensor but a %s", name, i,
      class.type(values[i]))
  end
  return values
end

-- The form of results: one tensor, or a list of several.
local function formed(values)
  if values.n == 1 then return values[1] end
  values.n = nil
  return values
end

--- The results of f at the arguments, and a function that takes tensors like the results, v, and returns v^T J: one
--- derivative for each argument.
---@param f fun(...): torch.Tensor, ...
---@param ... any  the arguments
---@return torch.Tensor|torch.Tensor[] output, fun(...): any, ...
function func.vjp(f, ...)
  callable("vjp", f)
  local count, given = select("#", ...), { ... }
  return torch.enable_grad(function()
    local argnums = {}
    for i = 1, count do argnums[i] = i end
    local arguments, leaves = opened_at("vjp", argnums, unpack(given, 1, count))
    local ys = all_tensors("vjp", pack(f(unpack(arguments, 1, arguments.n))))
    local output = { n = ys.n }
    for i = 1, ys.n do output[i] = released(ys[i], leaves.recorded) end
    return formed(output), function(...)
      local v = pack(...)
      check(v.n == ys.n, "vjp: the function has %s results, there are %s vectors", ys.n, v.n)
      local by_leaf, list = by_leaf_of(ys, leaves, v), {}
      for i = 1, count do list[i] = mapped(arguments[i], function(x) return by_leaf[x:id()] end) end
      return unpack(list, 1, count)
    end
  end)
end

--- The results of f, and their derivatives when the arguments move along the tangents: J v.
---@param f fun(...): torch.Tensor, ...
---@param primals torch.Tensor[]   the arguments
---@param tangents torch.Tensor[]  like the arguments
---@return torch.Tensor|torch.Tensor[] output, torch.Tensor|torch.Tensor[] tangent
function func.jvp(f, primals, tangents)
  callable("jvp", f)
  check(type(primals) == "table" and type(tangents) == "table" and #primals == #tangents,
    "jvp: primals and tangents are lists of as many tensors")
  local recorded = false
  for _, x in ipairs(primals) do recorded = recorded or torch.is_tensor(x) and x.requires_grad end
  return functional.jvp(f, primals, tangents, { create_graph = recorded })
end

local read_jacobian = torch.core.signature("jacrev(any func, any argnums=None)")

--- The Jacobian of f as a function of the same arguments: sizes of the result, then of the argument. Several results
--- give a list.
---@param f fun(...): torch.Tensor, ...
---@param argnums? integer|integer[]  the arguments by which, from 1; a list gives lists. Default: 1.
---@return fun(...): torch.Tensor|table
function func.jacrev(...)
  local opt = read_jacobian(...)
  local f, argnums = callable("jacrev", opt.func), positions("jacrev", opt.argnums or 1)
  return function(...)
    local arguments, inputs, recorded = pack(...), {}, false
    for i, position in ipairs(argnums) do
      local x = arguments[position]
      check(torch.is_tensor(x), "jacrev: argument %s is not a tensor but a %s", position, class.type(x))
      inputs[i], recorded = x, recorded or x.requires_grad
    end
    return functional.jacobian(function(...)
      for i, position in ipairs(argnums) do arguments[position] = (select(i, ...)) end
      return f(unpack(arguments, 1, arguments.n))
    end, type(opt.argnums) == "table" and inputs or inputs[1], { create_graph = recorded })
  end
end

--- The same as `jacrev`: derivatives are computed backward.
func.jacfwd = func.jacrev

--- The second derivatives of a function with one number for a result.
---@param f fun(...): torch.Tensor
---@param argnums? integer  the argument by which, from 1. Default: 1.
---@return fun(...): torch.Tensor
function func.hessian(f, argnums)
  return func.jacrev(func.grad(f, argnums or 1), argnums or 1)
end

-- Modules ---------------------------------------------------------------------------------------------------

-- All places of a module where parameters and buffers are: {owner, key, name, tensor}.
local function places(module)
  local list = {}
  for path, m in module:named_modules { remove_duplicate = false } do
    for name, x, key in m:_items(torch.is_tensor) do
      list[#list + 1] = { owner = m, key = key, name = path == "" and name or path .. "." .. name, tensor = x }
    end
  end
  return list
end

--- Calls a module as if its parameters and buffers were others; what is not named stays its own. A tensor in several
--- places is replaced in all of them.
---@param module nn.Module
---@param tensors table<string, torch.Tensor>  by their names, such as "fc.weight"
---@param ... any                              the module's arguments
---@return any ...
function func.functional_call(module, tensors, ...)
  check(class.isinstance(module, torch.nn.Module), "functional_call: expected a module, got a %s", class.type(module))
  check(type(tensors) == "table", "functional_call: expected tensors by name, got a %s", class.type(tensors))
  local all, named, replaced = places(module), {}, {}
  for _, place in ipairs(all) do named[place.name] = place end
  for name, x in pairs(tensors) do
    check(named[name], "functional_call: %s has no parameter or buffer '%s'", class.type(module), name)
    check(torch.is_tensor(x), "functional_call: '%s' is not a tensor but a %s", name, class.type(x))
    replaced[named[name].tensor:id()] = x
  end
  local function put(choose)
    for _, place in ipairs(all) do rawset(place.owner, place.key, choose(place)) end
  end
  put(function(place) return tensors[place.name] or replaced[place.tensor:id()] or place.tensor end)
  local results = pack(pcall(module, ...))
  put(function(place) return place.tensor end)
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

--- The parameters and buffers of like modules, stacked along a new first dimension.
---@param modules nn.Module[]
---@return table<string, torch.Tensor> parameters  leaves that require a gradient
---@return table<string, torch.Tensor> buffers
function func.stack_module_state(modules)
  check(type(modules) == "table" and #modules > 0, "stack_module_state: expected a list of modules")
  for i, m in ipairs(modules) do
    check(class.isinstance(m, torch.nn.Module), "stack_module_state: item %s is not a module but a %s", i,
      class.type(m))
    check(class.type(m) == class.type(modules[1]), "stack_module_state: module %s is a %s, the first a %s", i,
      class.type(m), class.type(modules[1]))
  end
  local function stacked(kind)
    local list = {}
    for _, m in ipairs(modules) do
      for name, x in m["named_" .. kind](m) do
        list[name] = list[name] or {}
        table.insert(list[name], x:detach())
      end
    end
    for name, tensors in pairs(list) do
      check(#tensors == #modules, "stack_module_state: '%s' is not in every module", name)
      list[name] = torch.stack(tensors, 1)
      if kind == "parameters" then list[name]:requires_grad_() end
    end
    return list
  end
  return stacked "parameters", stacked "buffers"
end

return func
