-- Optimizers against steps computed with plain numbers by the formulas of their papers.
local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local optim = torch.optim

-- Runs an optimizer on one number with the given gradients; the values after each step.
local function run(Optimizer, options, gradients)
  local p = torch.tensor(1, { dtype = torch.float64, requires_grad = true })
  local optimizer, values = Optimizer({ p }, options), {}
  for i, g in ipairs(gradients) do
    optimizer:zero_grad()
    ;(p * g):backward()
    optimizer:step()
    values[i] = p:item()
  end
  return values, optimizer
end

local gradients = { 0.5, -1, 2, 0.25 }

-- The same by plain arithmetic: next(p, g, t).
local function by_hand(following)
  local p, values = 1, {}
  for t, g in ipairs(gradients) do
    p = following(p, g, t)
    values[t] = p
  end
  return values
end

describe("SGD", function()
  it("goes against the gradient", function()
    equal(run(optim.SGD, { lr = 0.1 }, gradients), by_hand(function(p, g) return p - 0.1 * g end), 1e-12)
    equal(run(optim.SGD, { lr = 0.1, maximize = true }, gradients), by_hand(function(p, g) return p + 0.1 * g end),
      1e-12)
  end)

  it("keeps its momentum, with weight decay and dampening", function()
    local v
    equal(run(optim.SGD, { lr = 0.1, momentum = 0.9, dampening = 0.2, weight_decay = 0.01 }, gradients),
      by_hand(function(p, g)
        g = g + 0.01 * p
        v = v and 0.9 * v + 0.8 * g or g
        return p - 0.1 * v
      end), 1e-12)
  end)

  it("looks ahead with nesterov", function()
    local v
    equal(run(optim.SGD, { lr = 0.1, momentum = 0.9, nesterov = true }, gradients), by_hand(function(p, g)
      v = v and 0.9 * v + g or g
      return p - 0.1 * (g + 0.9 * v)
    end), 1e-12)
    fails(function() optim.SGD({ torch.zeros(1) }, { lr = 1, nesterov = true }) end, "nesterov needs a momentum")
  end)
end)

describe("Adam", function()
  local function adam(options)
    local m, v, largest = 0, 0, 0
    return by_hand(function(p, g, t)
      if options.maximize then g = -g end
      g = g + (options.weight_decay or 0) * p
      m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
      largest = math.max(largest, v)
      local second = options.amsgrad and largest or v
      return p - 0.01 * (m / (1 - 0.9 ^ t)) / (math.sqrt(second / (1 - 0.999 ^ t)) + 1e-8)
    end)
  end

  it("follows Kingma and Ba", function()
    for _, options in ipairs {
      { lr = 0.01 }, { lr = 0.01, weight_decay = 0.1 }, { lr = 0.01, amsgrad = true }, { lr = 0.01, maximize = true },
    } do
      equal(run(optim.Adam, options, gradients), adam(options), 1e-12)
    end
  end)

  it("has PyTorch's defaults", function()
    local group = optim.Adam({ torch.zeros(1, { requires_grad = true }) }).param_groups[1]
    equal(group.lr, 1e-3)
    equal(group.betas, { 0.9, 0.999 })
    equal(group.eps, 1e-8, 1e-15)
    fails(function() optim.Adam({ torch.zeros(1) }, { betas = { 0.9, 1 } }) end, "Adam: beta 2 is within 0..1, got 1")
  end)
end)

describe("an optimizer", function()
  local function parameter() return torch.ones(2, { requires_grad = true }) end

  it("has groups with settings of their own", function()
    local a, b, c = parameter(), parameter(), parameter()
    local o = optim.SGD({ { params = { a } }, { params = b, lr = 1 } }, { lr = 0.5 })
    o:add_param_group { params = { c }, lr = 2 }
    ;(a:sum() + b:sum() + c:sum()):backward()
    o:step()
    equal({ a:tolist(), b:tolist(), c:tolist() }, { { 0.5, 0.5 }, { 0, 0 }, { -1, -1 } })
  end)

  it("leaves parameters without a gradient alone", function()
    local a, b = parameter(), parameter()
    local o = optim.Adam { a, b }
    a:sum():backward()
    o:step()
    equal(b:tolist(), { 1, 1 })
    o:zero_grad()
    equal(a.grad, nil)
    a:sum():backward()
    o:zero_grad { set_to_none = false }
    equal(a.grad:tolist(), { 0, 0 })
  end)

  it("returns the loss of a closure", function()
    local a = parameter()
    local o = optim.SGD({ a }, { lr = 0.1 })
    local loss = o:step(function()
      o:zero_grad()
      local l = (a * a):sum()
      l:backward()
      return l
    end)
    equal(loss:item(), 2)
    equal(a:tolist(), { 0.8, 0.8 })
  end)

  it("goes on from a state as if nothing had happened", function()
    for _, entry in ipairs { { optim.SGD, { lr = 0.1, momentum = 0.9 } }, { optim.Adam, { amsgrad = true } } } do
      local Optimizer, options = entry[1], entry[2]
      local a = parameter()
      local o = Optimizer({ a }, options)
      local function step(optimizer, p)
        optimizer:zero_grad()
        ;(p ^ 3):sum():backward()
        optimizer:step()
      end
      step(o, a)
      local b = a:detach():clone():requires_grad_()
      local path = os.tmpname()
      torch.save(o:state_dict(), path)
      local resumed = Optimizer({ b }, options)
      resumed:load_state_dict(torch.load(path))
      os.remove(path)
      for _ = 1, 3 do
        step(o, a)
        step(resumed, b)
      end
      equal(b:tolist(), a:tolist(), 0)
    end
  end)

  it("changes many tensors in one pass as it changes each alone", function()
    local all = {
      { optim.SGD, { lr = 0.1, weight_decay = 0.1 } },
      { optim.SGD, { lr = 0.1, momentum = 0.9, dampening = 0.2, maximize = true } },
      { optim.SGD, { lr = 0.1, momentum = 0.9, nesterov = true } },
      { optim.Adam, { lr = 0.01, weight_decay = 0.1 } },
      { optim.Adam, { lr = 0.01, amsgrad = true, maximize = true } },
      { optim.AdamW, { lr = 0.01, weight_decay = 0.3 } },
      { optim.AdamW, { lr = 0.01, amsgrad = true } },
      { optim.Adamax, { lr = 0.01 } },
      { optim.NAdam, { lr = 0.01, momentum_decay = 0.1 } },
      { optim.RAdam, { lr = 0.01 } }, -- rectified from step 6 on
      { optim.Adagrad, { lr = 0.1, lr_decay = 0.1, initial_accumulator_value = 0.5 } },
      { optim.Adadelta, { weight_decay = 0.1 } },
      { optim.RMSprop, { lr = 0.01 } },
      { optim.RMSprop, { lr = 0.01, centered = true } },
      { optim.RMSprop, { lr = 0.01, momentum = 0.9 } },
      { optim.RMSprop, { lr = 0.01, momentum = 0.9, centered = true } },
      { optim.Rprop, {} },
      { optim.ASGD, { lr = 0.1, lambd = 0.01, t0 = 3 } },
    }
    for _, dtype in ipairs { torch.float32, torch.float64 } do
      for _, row in ipairs(all) do
        local function trained(fused)
          torch.manual_seed(1)
          local params = {}
          for i, n in ipairs { 1, 40, 0, 20011 } do
            params[i] = torch.randn(n, { dtype = dtype, requires_grad = true })
          end
          local optimizer = row[1](params, row[2])
          if not fused then optimizer.fused = false end
          for step = 1, 8 do
            optimizer:zero_grad()
            for i, p in ipairs(params) do
              if i ~= 2 or step > 2 then (p * torch.randn_like(p)):sum():backward() end -- the second is late
            end
            optimizer:step()
          end
          return torch.cat(params):detach()
        end
        local together, alone = trained(true), trained(false)
        assert(torch.allclose(together, alone, { rtol = dtype == torch.float32 and 1e-4 or 1e-10, atol = 1e-6 }),
          tostring(row[1]({ torch.zeros(1) }, row[2])) .. "they differ by " .. (together - alone):abs():max():item())
      end
    end
  end)

  it("says what a rule of the kernel cannot take", function()
    local core, p = torch.core, torch.zeros(3)
    fails(function() core.update("newton", {}, {}) end, "there is no rule 'newton'")
    fails(function() core.update("sgd", { 1 }, { p, p }) end, "rule 'sgd' takes 3 numbers, got 1")
    fails(function() core.update("sgd", { 1, 0, 1 }, { p }) end, "takes rows of 2 tensors, got 1")
    fails(function() core.update("sgd", { 1, 0, 1 }, { p, torch.zeros(4) }) end,
      "a parameter is float32 (3), tensor 1 beside it float32 (4)")
  end)

  it("refuses what it cannot work on", function()
    local a = parameter()
    fails(function() optim.SGD({}, { lr = 1 }) end, "SGD: a group has no parameters")
    fails(function() optim.SGD({ a }) end, "SGD: a group has no learning rate")
    fails(function() optim.SGD({ a, a }, { lr = 1 }) end, "SGD: parameter 2 occurs twice")
    fails(function() optim.SGD({ a * 2 }, { lr = 1 }) end, "SGD: parameter 1 is not a leaf")
    fails(function() optim.SGD({ 3 }, { lr = 1 }) end, "a group is a table")
    fails(function() optim.SGD({ a }, { lr = -1 }) end, "SGD: lr is at least 0, got -1")
    fails(function() optim.SGD({ { params = a, lr = "x" } }, { lr = 1 }) end, "SGD: 'lr' of a group is not a number")
    fails(function() optim.SGD { { params = a, lr = "x" } } end, "SGD: lr is at least 0, got x")
    fails(function() optim.SGD({ { params = 3 } }, { lr = 1 }) end, "SGD: params of a group are a list, got a number")
    fails(function() optim.Adam { { params = a, betas = 3 } } end, "Adam: 'betas' of a group is not a table but")
    fails(function() optim.Optimizer(3) end, "Optimizer: expected the constructor's arguments in a table, got a number")
    fails(function() optim.SGD({ a }, { lr = 1 }):load_state_dict { state = {}, param_groups = {} } end,
      "the state has 0 groups, the optimizer 1")
  end)
end)

describe("a state that does not fit", function()
  local function parameter(n) return torch.ones(n or 2, { requires_grad = true }) end
  local function adam()
    return optim.Adam { { params = { parameter() } }, { params = { parameter(), parameter() } } }
  end

  it("is refused by an optimizer, which stays as it was", function()
    local o = adam()
    local function state(change)
      local dict = adam():state_dict()
      dict.state[1] = { step = 1, exp_avg = torch.ones(2), exp_avg_sq = torch.ones(2) }
      change(dict)
      return dict
    end
    local before = tostring(o)
    for _, row in ipairs {
      { function(d) table.remove(d.param_groups) end, "Adam: the state has 1 groups, the optimizer 2" },
      { function(d) d.param_groups[2].params = { 2 } end,
        "Adam: group 2 of the state has 1 parameters, the optimizer's 2" },
      { function(d) d.param_groups[2] = 5 end, "Adam: group 2 of the state is not a group" },
      { function(d) d.param_groups[1].lr = "x" end, "Adam: 'lr' in group 1 of the state is not a number but a string" },
      { function(d) d.param_groups[1].lr = -1 end, "Adam: lr is at least 0, got -1" },
      { function(d) d.param_groups[1].betas = { 0.9 } end, "Adam: betas are two numbers, got 1" },
      { function(d) d.state[1] = torch.ones(2) end, "Adam: the state of parameter 1 is not a table but a Tensor" },
      { function(d) d.state[1].exp_avg = torch.ones(3) end,
        "Adam: 'exp_avg' in the state of parameter 1 has torch.Size([3]), the parameter torch.Size([2])" },
      { function(d) d.state[1].step = "one" end, "Adam: 'step' in the state of parameter 1 is not a number" },
      { function(d) d.state = nil end, "Adam: load_state_dict expects what `state_dict` returned" },
    } do
      fails(function() o:load_state_dict(state(row[1])) end, row[2])
    end
    for _, garbage in ipairs { 1, "text", torch.ones(1), { weight = torch.ones(1) } } do
      fails(function() o:load_state_dict(garbage) end, "Adam: load_state_dict expects what `state_dict` returned")
    end
    equal(tostring(o), before)
    equal(next(o.state), nil)
  end)

  it("may lack settings, and count steps in tensors as PyTorch does", function()
    local o = adam()
    local dict = o:state_dict()
    dict.param_groups[1].amsgrad, dict.param_groups[1].lr = nil, 0.5
    dict.state[1] = { step = torch.tensor(3), exp_avg = torch.ones(2), exp_avg_sq = torch.ones(2) }
    o:load_state_dict(dict)
    equal(o.param_groups[1].amsgrad, false)
    equal(o.param_groups[1].lr, 0.5)
    equal(o:state_dict().state[1].step, 3)
  end)

  it("is refused by a scheduler", function()
    local schedulers = optim.lr_scheduler
    local function step_lr() return schedulers.StepLR(optim.SGD({ parameter() }, { lr = 1 }), 2) end
    local function with(change)
      local state = step_lr():state_dict()
      change(state)
      return state
    end
    for _, row in ipairs {
      { 5, "StepLR: load_state_dict expects what `state_dict` returned, got a number" },
      { {}, "StepLR: the state has no '" },
      { with(function(s) s.last_epoch = nil end), "StepLR: the state has no 'last_epoch'" },
      { with(function(s) s.T_max = 3 end), "StepLR: the state has 'T_max', which this scheduler has not" },
      { with(function(s) s.step = 3 end), "StepLR: the state has 'step', which this scheduler has not" },
      { with(function(s) s.gamma = "x" end), "StepLR: 'gamma' in the state is not a number but a string" },
      { with(function(s) s.base_lrs = { 1, 2 } end), "StepLR: 'base_lrs' in the state has 2 values, this" },
    } do
      fails(function() step_lr():load_state_dict(row[1]) end, row[2])
    end
    local function sequence(n)
      local o, list, milestones = optim.SGD({ parameter() }, { lr = 1 }), {}, {}
      for i = 1, n do list[i], milestones[i] = schedulers.ConstantLR(o), i end
      milestones[n] = nil
      return schedulers.SequentialLR(o, list, milestones)
    end
    sequence(2):load_state_dict(sequence(2):state_dict())
    fails(function() sequence(2):load_state_dict(sequence(3):state_dict()) end, "SequentialLR: '_schedulers' in the")
  end)
end)

describe("averages of weights", function()
  local swa = optim.swa_utils
  local nn = torch.nn
  local function model(value)
    local m = nn.BatchNorm1d(1)
    m:load_state_dict({ weight = torch.tensor { value }, num_batches_tracked = torch.tensor(value * 10) }, false)
    return m
  end

  it("are means, or forget, of one tensor or of lists", function()
    for _, row in ipairs {
      { {}, 2 }, -- (1 + 3) / 2
      { { avg_fn = swa.get_swa_avg_fn() }, 2 },
      { { multi_avg_fn = swa.get_swa_multi_avg_fn() }, 2 },
      { { avg_fn = swa.get_ema_avg_fn(0.75) }, 1.5 }, -- 0.75 1 + 0.25 3
      { { multi_avg_fn = swa.get_ema_multi_avg_fn(0.75), use_buffers = true }, 1.5 },
    } do
      local average = swa.AveragedModel(model(1), row[1])
      average:update_parameters(model(1))
      average:update_parameters(model(3))
      equal(average.module.weight:item(), row[2])
      equal(average.module.num_batches_tracked:item(), row[1].use_buffers and 15 or 30)
      equal(average.n_averaged:item(), 2)
    end
    fails(function() swa.AveragedModel(model(1), { avg_fn = print, multi_avg_fn = print }) end, "not both")
    fails(function() swa.get_ema_avg_fn(2) end, "decay is within 0..1, got 2")
  end)
end)

describe("a scheduler", function()
  local schedulers = optim.lr_scheduler
  local function sgd()
    return optim.SGD({ { params = torch.ones(1, { requires_grad = true }) },
      { params = torch.ones(1, { requires_grad = true }), lr = 2 } }, { lr = 1, momentum = 0.9 })
  end

  it("goes to an epoch that it is given, in every group", function()
    for _, make in ipairs {
      function(o) return schedulers.CyclicLR(o, { 0.1, 0.2 }, 1, { step_size_up = 3 }) end,
      function(o) return schedulers.OneCycleLR(o, 1, { total_steps = 9 }) end,
      function(o)
        return schedulers.LambdaLR(o, { function(e) return 1 / (e + 1) end, function(e) return 1 / 2 ^ e end })
      end,
      function(o) return schedulers.StepLR(o, 2) end,
    } do
      local one, other = make(sgd()), make(sgd())
      for _ = 1, 5 do one:step() end
      other:step(5)
      equal(other:get_last_lr(), one:get_last_lr())
    end
  end)

  it("refuses what it cannot work with", function()
    local o = sgd()
    for _, row in ipairs {
      { "LRScheduler", { 3 }, "LRScheduler: expected the constructor's arguments in a table, got a number" },
      { "StepLR", { 3, 1 }, "StepLR: expected an optimizer, got a number" },
      { "LambdaLR", { o, { print, 3 } }, "LambdaLR: lr_lambda is a function, or a list of 2, one for each group" },
      { "CyclicLR", { o, { 1, "x" }, 2 }, "CyclicLR: base_lr is a number, or one for each group, got a string" },
      { "CyclicLR", { o, { 1 }, 2 }, "CyclicLR: base_lr has 1 values for 2 groups" },
      { "CyclicLR", { o, 1, 2, 0 }, "CyclicLR: step_size_up is at least 1, got 0" },
      { "ReduceLROnPlateau", { 3 }, "ReduceLROnPlateau: expected an optimizer, got a number" },
      { "ReduceLROnPlateau", { o, { min_lr = { 1 } } }, "min_lr is a number, or one for each group, got a table" },
    } do
      fails(function() schedulers[row[1]](unpack(row[2])) end, row[3])
    end
    fails(function() optim.swa_utils.SWALR(o, print) end, "SWALR: swa_lr is a number, or one for each group, got a f")
  end)
end)
