local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn = torch.nn

local function names_of(iterator)
  local names = {}
  for name in iterator do names[#names + 1] = name end
  return names
end

local Net = torch.class("Net(int hidden=3)", nn.Module)
function Net:init(opt)
  self.first = nn.Linear(4, opt.hidden)
  self.scale = nn.Parameter(torch.ones(opt.hidden))
  self.count = torch.zeros(1)
  self.rest = nn.Sequential(nn.ReLU(), nn.Linear(opt.hidden, 2, { bias = false }))
  self.text, self._cache = "not state", torch.ones(9)
end
function Net:forward(x) return self.rest(self.first(x) * self.scale) end

describe("fields", function()
  it("are parameters, buffers and children, in the order of their first assignment", function()
    local net = Net()
    equal(names_of(net:named_parameters()), { "scale", "first.weight", "first.bias", "rest.1.weight" })
    equal(names_of(net:named_buffers()), { "count" })
    equal(names_of(net:named_children()), { "first", "rest" })
    equal(names_of(net:named_modules()), { "", "first", "rest", "rest.0", "rest.1" })
    equal(#net:parameters(), 4)
    equal(#net:parameters(false), 1)
    equal(#net:modules(), 5)
    equal(names_of(net:named_parameters { prefix = "net", recurse = false }), { "net.scale" })
  end)

  it("keep their place when they get another value, and leave with nil", function()
    local net = Net()
    net.first = nn.Linear(4, 3, false)
    equal(names_of(net:named_parameters()), { "scale", "first.weight", "rest.1.weight" })
    net.scale = nil
    equal(names_of(net:named_parameters()), { "first.weight", "rest.1.weight" })
    net.scale = nn.Parameter(torch.ones(3))
    equal(names_of(net:named_parameters()), { "scale", "first.weight", "rest.1.weight" })
  end)

  it("hold the constructor's arguments", function()
    local linear = nn.Linear(4, 3)
    equal(linear.in_features, 4)
    equal(linear.out_features, 3)
    equal(nn.Linear(4, 3, { bias = false }).bias, nil)
    equal(nn.Conv2d(1, 2, 3).stride, { 1, 1 })
  end)

  it("name a shared parameter once, but twice in the state", function()
    local linear = nn.Linear(3, 3)
    local m = nn.Sequential(linear, nn.Tanh(), linear)
    equal(names_of(m:named_parameters()), { "0.weight", "0.bias" })
    equal(m:state_dict():keys(), { "0.weight", "0.bias", "2.weight", "2.bias" })
  end)

  it("are registered by name, too", function()
    local m = nn.Module()
    m:register_parameter("w", nn.Parameter(torch.ones(2)))
    m:register_parameter("none", nil)
    m:register_buffer("kept", torch.ones(1))
    m:register_buffer("passing", torch.ones(1), { persistent = false })
    m:add_module("child", nn.Linear(1, 1))
    equal(m:state_dict():keys(), { "w", "kept", "child.weight", "child.bias" })
    equal(#m:buffers(), 2)
    fails(function() m:register_parameter("x", torch.ones(1)) end, "'x' is not a Parameter but a Tensor")
    fails(function() m:add_module("forward", nn.ReLU()) end, "'forward' is already a method")
    fails(function() m:register_buffer("a.b", torch.ones(1)) end, "a string without dots")
  end)
end)

describe("containers", function()
  it("count from 1, while names count from 0", function()
    local m = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    m:append(nn.Linear(3, 1))
    equal(#m, 3)
    equal(m:size(), 3)
    equal(m[3].in_features, 3)
    equal(m:state_dict():keys(), { "0.weight", "0.bias", "2.weight", "2.bias" })
    equal(nn.Sequential()(5), 5)
    fails(function() nn.Sequential(3) end, "Sequential: expected a module, got a number")
  end)

  it("ModuleDict goes by name in the order given", function()
    local m = nn.ModuleDict { { "second", nn.Linear(1, 1) }, { "first", nn.ReLU() } }
    equal(m:keys(), { "second", "first" })
    equal(m["second"].in_features, 1)
    equal(m:state_dict():keys(), { "second.weight", "second.bias" })
    fails(function() m:set("keys", nn.ReLU()) end, "'keys' is already a method")
    fails(function() nn.ModuleDict { { "a", 1 } } end, "expected a module under 'a', got a number")
  end)

  it("ParameterList and ParameterDict hold parameters", function()
    local p = nn.ParameterList { nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(2)) }
    equal(names_of(p:named_parameters()), { "0", "1" })
    local d = nn.ParameterDict { { "w", nn.Parameter(torch.ones(1)) } }
    equal(names_of(d:named_parameters()), { "w" })
    fails(function() nn.ParameterList { torch.ones(1) } end, "expected a parameter, got a Tensor")
  end)
end)

describe("the state", function()
  it("shares the module's storage and goes into another one", function()
    local a, b = Net(), Net()
    local state = a:state_dict()
    equal(state:size(), 5)
    equal(state:keys(), { "scale", "count", "first.weight", "first.bias", "rest.1.weight" })
    assert(not state["first.weight"].requires_grad)
    b:load_state_dict(state)
    local x = torch.randn(5, 4)
    equal(b(x), a(x))
    state.scale:fill_(7)
    equal(a.scale:tolist(), { 7, 7, 7 })
    equal(b.scale:tolist(), { 1, 1, 1 })
  end)

  it("that does not fit is refused with all reasons, and changes nothing", function()
    local m = nn.Linear(3, 2)
    local before = m.weight:detach():clone()
    local text = fails(function()
      m:load_state_dict { weight = torch.zeros(3, 2), other = torch.zeros(1) }
    end, "load_state_dict: the state does not fit Linear")
    for _, part in ipairs { 'missing keys: "bias"', 'unexpected keys: "other"', "size mismatch for weight" } do
      assert(text:find(part, 1, true), text)
    end
    fails(function() m:load_state_dict({ weight = torch.zeros(3, 2) }, { strict = false }) end, "size mismatch")
    fails(function() m:load_state_dict({ weight = 1, bias = torch.zeros(2) }) end, "weight is not a tensor")
    equal(m.weight:detach(), before)
    local missing, unexpected = m:load_state_dict({ weight = torch.zeros(2, 3), x = 1 }, { strict = false })
    equal(missing, { "bias" })
    equal(unexpected, { "x" })
    equal(m.weight:tolist(), { { 0, 0, 0 }, { 0, 0, 0 } })
  end)

  it("is an ordered map", function()
    local state = nn.Linear(1, 1):state_dict()
    state.extra, state.size = torch.ones(1), torch.ones(2)
    local all = {}
    for name, x in pairs(state) do all[name] = x:numel() end
    equal(all, { weight = 1, bias = 1, extra = 1, size = 2 })
    state.size = nil
    equal(state:keys(), { "weight", "bias", "extra" })
  end)
end)

describe("a state with more than tensors", function()
  local Counting = torch.class("Counting", nn.Module)
  function Counting:init() self.scale, self._seen = nn.Parameter(torch.ones(1)), 0 end
  function Counting:get_extra_state() return { seen = self._seen } end
  function Counting:set_extra_state(state) self._seen = state.seen end

  it("is saved and set by the module itself", function()
    local a, b = nn.Sequential(Counting()), nn.Sequential(Counting())
    a[1]._seen = 7
    local path = os.tmpname()
    torch.save(a, path)
    local state = torch.load(path)
    os.remove(path)
    equal(state:keys(), { "0.scale", "0._extra_state" })
    b:load_state_dict(state)
    equal(b[1]._seen, 7)
    state["0._extra_state"] = nil
    fails(function() b:load_state_dict(state) end, 'missing keys: "0._extra_state"')
  end)

  it("may have a prefix, another destination, and the parameters themselves", function()
    local m = nn.Linear(1, 1)
    local all = m:state_dict { prefix = "a." }
    assert(m:state_dict { destination = all, prefix = "b.", keep_vars = true } == all)
    equal(all:keys(), { "a.weight", "a.bias", "b.weight", "b.bias" })
    assert(all["b.weight"] == m.weight and not all["a.weight"].requires_grad)
  end)

  it("passes through hooks", function()
    local m, log = nn.Sequential(nn.Linear(1, 1, false)), {}
    m[1]:register_state_dict_pre_hook(function(_, prefix) log[#log + 1] = "pre " .. prefix end)
    m[1]:register_state_dict_post_hook(function(_, state, prefix) state[prefix .. "version"] = torch.tensor(2) end)
    local state = m:state_dict()
    equal(log, { "pre 0." })
    equal(state:keys(), { "0.weight", "0.version" })

    local load = m[1]:register_load_state_dict_pre_hook(function(_, given, prefix, strict)
      log[#log + 1] = strict
      given[prefix .. "version"] = nil
    end)
    m:load_state_dict(state)
    equal(log, { "pre 0.", true })
    equal(state:keys(), { "0.weight", "0.version" })
    load:remove()
    fails(function() m:load_state_dict(state) end, 'unexpected keys: "0.version"')
    m[1]:register_load_state_dict_post_hook(function(_, missing, unexpected)
      equal({ missing, unexpected }, { {}, { "0.version" } })
      unexpected[1] = nil
    end)
    state["0.weight"] = torch.full({ 1, 1 }, 3)
    m:load_state_dict(state)
    equal(m[1].weight:tolist(), { { 3 } })
  end)
end)

describe("modes and conversion", function()
  it("train and eval reach the children", function()
    local dropout = nn.Dropout(0.5)
    local m = nn.Sequential(nn.Sequential(dropout))
    equal(dropout.training, true)
    m:eval()
    equal(dropout.training, false)
    equal(dropout(torch.ones(4)):tolist(), { 1, 1, 1, 1 })
    m:train()
    equal(dropout.training, true)
    m:train(false)
    equal(m.training, false)
  end)

  it("double keeps parameters the same tensors and integers integers", function()
    local m = Net()
    m.steps = torch.zeros(1, { dtype = torch.int64 })
    local weight = m.first.weight
    m:double()
    assert(m.first.weight == weight and weight.dtype == torch.float64 and weight.requires_grad)
    equal(m.count.dtype, torch.float64)
    equal(m.steps.dtype, torch.int64)
    equal(m(torch.zeros(1, 4, { dtype = torch.float64 })).dtype, torch.float64)
    m:to { dtype = torch.float32 }
    equal(weight.dtype, torch.float32)
  end)

  it("float leaves complex numbers alone, type changes all, to takes floating dtypes only", function()
    local m = nn.Module()
    m.w, m.z = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1, { dtype = torch.complex64 }))
    m.n = torch.ones(1, { dtype = torch.int64 })
    m:double()
    equal({ m.w.dtype, m.z.dtype, m.n.dtype }, { torch.float64, torch.complex64, torch.int64 })
    m:half()
    equal(m.w.dtype, torch.float16)
    m:bfloat16()
    equal(m.w.dtype, torch.bfloat16)
    m:float()
    equal(m.w.dtype, torch.float32)
    m.z = nil
    m:type(torch.float64)
    equal({ m.w.dtype, m.n.dtype }, { torch.float64, torch.float64 })
    m:to(torch.zeros(1))
    equal(m.w.dtype, torch.float32)
    m:to("cpu", torch.float64)
    equal(m.w.dtype, torch.float64)
    fails(function() m:to(torch.int64) end, "Module: to(torch.int64): a module's dtype is floating or complex")
  end)

  it("to_empty moves without values, share_memory for processes", function()
    local m = nn.Linear(2, 3)
    local weight = m.weight
    assert(m:to_empty { device = "meta" } == m)
    equal({ tostring(m.weight.device), m.weight:size() }, { "meta", { 3, 2 } })
    m:to_empty { device = "cpu" }
    assert(m.weight == weight)
    m.weight:detach():fill_(1)
    equal(m:share_memory()(torch.ones(2)):size(), { 3 })
  end)

  it("zero_grad clears or zeroes", function()
    local m = nn.Linear(2, 1)
    m(torch.ones(1, 2)):sum():backward()
    equal(m.weight.grad:tolist(), { { 1, 1 } })
    m:zero_grad { set_to_none = false }
    equal(m.weight.grad:tolist(), { { 0, 0 } })
    m:zero_grad()
    equal(m.weight.grad, nil)
  end)

  it("requires_grad_ freezes, apply visits children first", function()
    local m, seen = nn.Sequential(nn.Linear(1, 1), nn.ReLU()), {}
    m:requires_grad_(false)
    assert(not m[1].weight.requires_grad)
    m:apply(function(child) seen[#seen + 1] = torch.type(child) end)
    equal(seen, { "Linear", "ReLU", "Sequential" })
  end)
end)

describe("tostring", function()
  it("prints the tree as PyTorch does", function()
    equal(tostring(nn.Sequential(nn.Linear(784, 10), nn.Sequential(nn.ReLU { inplace = true }))), [[
Sequential(
  (0): Linear(in_features=784, out_features=10, bias=True)
  (1): Sequential(
    (0): ReLU(inplace=True)
  )
)]])
  end)

  it("prints each module's arguments", function()
    local texts = {
      ["Sequential()"] = nn.Sequential(),
      ["Linear(in_features=2, out_features=3, bias=False)"] = nn.Linear(2, 3, false),
      ["Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))"] = nn.Conv2d(1, 2, 3),
      ["Conv2d(4, 4, kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=(2, 2), groups=2, bias=False)"] =
        nn.Conv2d(4, 4, { 3, 2 }, { 2, 1 }, { 1, 0 }, 2, 2, false),
      ["MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"] = nn.MaxPool2d(2),
      ["MaxPool2d(kernel_size=(3, 2), stride=(2, 1), padding=(1, 0), dilation=1, ceil_mode=True)"] =
        nn.MaxPool2d({ 3, 2 }, { stride = { 2, 1 }, padding = { 1, 0 }, ceil_mode = true }),
      ["Dropout(p=0.5, inplace=False)"] = nn.Dropout(),
      ["Flatten(start_dim=2, end_dim=-1)"] = nn.Flatten(),
      ["Unflatten(dim=2, unflattened_size=(2, 3))"] = nn.Unflatten(2, { 2, 3 }),
      ["ReLU()"] = nn.ReLU(), ["Sigmoid()"] = nn.Sigmoid(), ["Tanh()"] = nn.Tanh(), ["Identity()"] = nn.Identity(),
      ["Softmax(dim=1)"] = nn.Softmax(1), ["LogSoftmax(dim=-1)"] = nn.LogSoftmax { dim = -1 },
      ["CrossEntropyLoss()"] = nn.CrossEntropyLoss(), ["MSELoss()"] = nn.MSELoss(), ["NLLLoss()"] = nn.NLLLoss(),
      ["Net(\n  hidden=1\n  (first): Linear(in_features=4, out_features=1, bias=True)\n  (rest): Sequential(\n"
        .. "    (0): ReLU()\n    (1): Linear(in_features=1, out_features=2, bias=False)\n  )\n)"] = Net(1),
    }
    for text, m in pairs(texts) do equal(tostring(m), text) end
  end)

  it("leaves tensors and objects among the arguments out", function()
    local Wrap = torch.class("Wrap(any body, float p=1, Tensor? mask=None, int[] sizes=[1, 2])", nn.Module)
    equal(tostring(Wrap(nn.ReLU(), { mask = torch.ones(2) })), "Wrap(\n  p=1.0, sizes=(1, 2)\n  (body): ReLU()\n)")
  end)
end)

describe("hooks", function()
  it("see and change inputs and outputs, in order, until they are removed", function()
    local m, log = nn.Identity(), {}
    local before = m:register_forward_pre_hook(function(_, input)
      log[#log + 1] = "before"
      return input[1] + 1
    end)
    local after = m:register_forward_hook(function(_, input, output)
      log[#log + 1] = "after"
      equal(input[1]:item(), 2)
      return output * 10
    end)
    equal(m(torch.ones(1)):tolist(), { 20 })
    equal(log, { "before", "after" })
    before:remove()
    before:remove()
    after:remove()
    equal(m(torch.ones(1)):tolist(), { 1 })
    equal(m._hooks, nil)
  end)

  it("see and change gradients", function()
    local m = nn.Linear(2, 1, false)
    m:load_state_dict { weight = torch.tensor { { 2, 3 } } }
    local seen = {}
    local handle = m:register_full_backward_hook(function(module, grad_input, grad_output)
      assert(module == m)
      seen[#seen + 1] = { grad_input[1]:tolist(), grad_output[1]:tolist() }
      return grad_input[1] * 10
    end)
    local x = torch.ones(1, 2, { requires_grad = true })
    m(x):sum():backward()
    equal(seen, { { { { 2, 3 } }, { { 1 } } } })
    equal(x.grad:tolist(), { { 20, 30 } })
    handle:remove()
    x.grad = nil
    m(x):sum():backward()
    equal(x.grad:tolist(), { { 2, 3 } })
  end)

  it("stand before others on request, and change what comes back", function()
    local m, log = nn.Identity(), {}
    m:register_forward_hook(function() log[#log + 1] = "second" end)
    m:register_forward_hook(function() log[#log + 1] = "first" end, { prepend = true })
    m:register_full_backward_pre_hook(function(_, grad_output) return grad_output[1] * 3 end)
    local x = torch.ones(1, { requires_grad = true })
    m(x):sum():backward()
    equal(log, { "first", "second" })
    equal(x.grad:item(), 3)
    fails(function() m:register_forward_hook(3) end, "register hook: expected a function, got a number")
  end)

  it("are copied with their module", function()
    local m, calls = nn.Identity(), 0
    local handle = m:register_forward_hook(function() calls = calls + 1 end)
    local copy = torch.deepcopy(m)
    handle:remove()
    m(1)
    copy(1)
    equal(calls, 1)
  end)

  it("see the outputs' gradients where no input wants one", function()
    local m, calls = nn.Linear(2, 1), 0
    m:register_full_backward_hook(function(_, grad_input, grad_output)
      calls = calls + 1
      equal(grad_input.n, 0)
      equal(grad_output[1]:tolist(), { { 1 } })
    end)
    m(torch.ones(1, 2)):sum():backward()
    equal(calls, 1)
  end)
end)

describe("looking things up", function()
  it("goes by paths", function()
    local net = Net()
    assert(net:get_submodule("") == net and net:get_submodule("rest.1") == net.rest[2])
    assert(net:get_parameter("first.weight") == net.first.weight and net:get_buffer("count") == net.count)
    fails(function() net:get_submodule("rest.7") end, "Sequential has no child '7' on the way to 'rest.7'")
    fails(function() net:get_submodule("scale") end, "Net has no child 'scale'")
    fails(function() net:get_parameter("first.count") end, "get_parameter: Linear has no parameter 'count'")
    fails(function() net:get_buffer("scale") end, "get_buffer: Net has no buffer 'scale'")
    fails(function() net:get_buffer(1) end, "get_buffer: a path is a string, got a number")
  end)

  it("tells shared parts once, or wherever they are", function()
    local linear = nn.Linear(1, 1, false)
    local m = nn.Sequential(linear, nn.Sequential(linear))
    equal(names_of(m:named_modules { prefix = "m" }), { "m", "m.0", "m.1" })
    equal(names_of(m:named_modules { remove_duplicate = false }), { "", "0", "1", "1.0" })
    equal(names_of(m:named_parameters { remove_duplicate = false }), { "0.weight", "1.0.weight" })
    equal(names_of(m:named_parameters()), { "0.weight" })
    local twice = nn.Sequential(linear, nn.ReLU(), linear)
    equal({ names_of(twice:named_children()), #twice:children() }, { { "0", "1" }, 2 })
    equal(select(2, tostring(twice):gsub("Linear", "")), 2)
  end)
end)

describe("hooks of all modules", function()
  local all = nn.modules.module

  it("run before a module's own, in every module", function()
    local log = {}
    local function note(name) return function(m) log[#log + 1] = name .. " " .. torch.type(m) end end
    local handles = { all.register_module_forward_pre_hook(note "in"), all.register_module_forward_hook(note "out") }
    local m = nn.Sequential(nn.Identity())
    m[1]:register_forward_hook(note "own")
    m(torch.ones(1))
    equal(log, { "in Sequential", "in Identity", "out Identity", "own Identity", "out Sequential" })
    for _, handle in ipairs(handles) do handle:remove() end
    nn.Identity()(torch.ones(1))
    equal(#log, 5)
    equal(rawget(nn.Module, "_hooks"), nil)
  end)

  it("see gradients", function()
    local seen = {}
    local first = all.register_module_full_backward_pre_hook(function(_, grad_output) return grad_output[1] * 2 end)
    local last = all.register_module_full_backward_hook(function(m, grad_input, grad_output)
      seen[#seen + 1] = { torch.type(m), grad_input[1]:item(), grad_output[1]:item() }
    end)
    local x = torch.ones(1, { requires_grad = true })
    nn.Sequential(nn.ReLU(), nn.Identity())(x):sum():backward()
    first:remove()
    last:remove()
    -- each of the three modules doubles what comes in
    equal(seen, { { "Identity", 4, 4 }, { "ReLU", 8, 8 }, { "Sequential", 8, 2 } })
    equal(x.grad:item(), 8)
  end)
end)

describe("a module without forward", function()
  it("says so", function()
    fails(function() nn.Module()(1) end, "Module: this class has no forward")
  end)
end)
