--- Gradient checkpoints (Chen et al. 2016): a part of the graph is not kept but computed again in the backward pass.
--
--     local y = torch.utils.checkpoint(block, x)

local torch, check = require "torch", require "torch.check"

local function pack(...) return { n = select("#", ...), ... } end

-- Runs `fn` with the random numbers that came after `state`.
local function replayed(state, fn)
  local now = torch.get_rng_state()
  torch.set_rng_state(state)
  local results = pack(pcall(fn))
  torch.set_rng_state(now)
  if not results[1] then error(results[2], 0) end
  return unpack(results, 2, results.n)
end

-- Copies of the arguments, from which a graph of their own begins.
local function detached(arguments)
  local copies = { n = arguments.n }
  for i = 1, arguments.n do
    local x = arguments[i]
    copies[i] = torch.is_tensor(x) and x:detach():requires_grad_(x.requires_grad) or x
  end
  return copies
end

local function backward_through(outputs, gradients)
  local roots, seeds = {}, {}
  for i = 1, outputs.n do
    if torch.is_tensor(outputs[i]) and outputs[i].requires_grad and gradients[i] then
      roots[#roots + 1], seeds[#seeds + 1] = outputs[i], gradients[i]
    end
  end
  torch.autograd.backward(roots, seeds)
end

--- Calls `fn` without keeping its graph; when gradients are wanted it is called again, with the same random numbers.
--- At least one argument must require a gradient; other tensors that `fn` uses get theirs too.
---@param fn fun(...): torch.Tensor ...
---@param ... any  its arguments
---@return torch.Tensor ...
local function checkpoint(fn, ...)
  check(type(fn) == "function" or type(fn) == "table", "checkpoint: expected a function or a module, got a %s",
    type(fn))
  local given, state = pack(...), torch.get_rng_state()
  local Checkpoint = torch.autograd.Function.extend {
    forward = function(_, ...)
      return torch.no_grad(fn, ...)
    end,
    backward = function(_, ...)
      local gradients, inputs, outputs = pack(...), detached(given), nil
      torch.enable_grad(function()
        outputs = pack(replayed(state, function() return fn(unpack(inputs, 1, inputs.n)) end))
      end)
      backward_through(outputs, gradients)
      local results = {}
      for i = 1, inputs.n do results[i] = torch.is_tensor(inputs[i]) and inputs[i].grad or nil end
      return unpack(results, 1, inputs.n)
    end,
  }
  return Checkpoint:apply(...)
end

local read_sequential = torch.core.signature("checkpoint_sequential(any functions, int segments, any input)")

--- Runs a Sequential (or a list of functions) in `segments` parts, each behind a checkpoint but the last.
---@param functions nn.Sequential|function[]
---@param segments integer
---@param x torch.Tensor
---@return torch.Tensor
local function checkpoint_sequential(...)
  local opt = read_sequential(...)
  local functions, segments, x = opt.functions, opt.segments, opt.input
  check(type(functions) == "table", "checkpoint_sequential: expected a Sequential or a list of functions, got a %s",
    type(functions))
  local count = #functions
  check(segments >= 1 and segments <= count, "checkpoint_sequential: segments is within 1..%s, got %s", count, segments)
  local size = math.floor(count / segments)
  local function run(first, last)
    return function(y)
      for i = first, last do y = functions[i](y) end
      return y
    end
  end
  for part = 1, segments - 1 do x = checkpoint(run((part - 1) * size + 1, part * size), x) end
  return run((segments - 1) * size + 1, count)(x)
end

return setmetatable({ checkpoint = checkpoint, checkpoint_sequential = checkpoint_sequential },
  { __call = function(_, ...) return checkpoint(...) end })
