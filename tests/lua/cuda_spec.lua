-- The cuda device: what a script sees where there is none, and that kernels agree with the CPU's where there is one.
local torch = require "torch"
local spec = require "spec"
local describe, it, fails = spec.describe, spec.it, spec.fails

-- Complex tensors are compared by their parts.
local function equal(actual, expected, tolerance)
  if torch.is_tensor(expected) and expected:is_complex() then
    spec.equal(actual.dtype, expected.dtype)
    spec.equal(torch.imag(actual), torch.imag(expected), tolerance)
    actual, expected = torch.real(actual), torch.real(expected)
  end
  spec.equal(actual, expected, tolerance)
end

if not torch.cuda.is_available() then
  print("SKIPPED cuda: there is no cuda device here, so its kernels were not run")
  describe("without a device", function()
    it("counts none", function() equal(torch.cuda.device_count(), 0) end)

    it("refuses a cuda tensor with the reason", function()
      fails(function() return torch.zeros(2, { device = "cuda" }) end, "cuda: ")
      fails(function() return torch.zeros(2):cuda() end, "cuda: ")
      fails(function() return torch.zeros(2):to("cuda:0") end, "cuda: ")
    end)

    it("looks for one in a few milliseconds", function()
      local start = os.clock()
      for _ = 1, 100 do torch.cuda.is_available() end
      assert(os.clock() - start < 0.1)
    end)
  end)
  return
end

local dtypes = {
  torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
  torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
}

describe("copies", function()
  it("come back as they went, in every dtype and from strided views", function()
    for _, dtype in ipairs(dtypes) do
      local x = torch.arange(24):view(2, 3, 4):to(dtype)
      equal(x:cuda():cpu(), x)
      equal(x:transpose(1, 3):cuda():cpu(), x:transpose(1, 3))
      equal(x:cuda():transpose(1, 3):cpu(), x:transpose(1, 3))
      equal(x:cuda():select(2, 2):cpu(), x:select(2, 2))
    end
  end)

  it("convert on the device as on the CPU", function()
    local x = torch.tensor { -300.75, -1, -0.5, 0, 0.5, 1, 255, 70000 }
    for _, dtype in ipairs(dtypes) do equal(x:cuda():to(dtype):cpu(), x:to(dtype)) end
  end)

  it("stay on the device, and two devices do not mix", function()
    local x = torch.ones(2, { device = "cuda" })
    equal(tostring((x + 1).device), "cuda:0")
    fails(function() return x + torch.ones(2) end, "different devices")
  end)
end)

-- Operands of several layouts: dense, transposed, sliced, stretched, of 0 dimensions, empty.
local function layouts()
  torch.manual_seed(1)
  local x = torch.randn(37, 53)
  return { x, x:t(), x:narrow(2, 5, 31), x:select(1, 3), x:narrow(1, 2, 1):expand(5, 53), x[{ 1, 1 }],
    x:narrow(1, 1, 0), torch.randn(3, 300000), torch.randn(70000, 3) }
end

-- The same on both devices; `run` gets one tensor and returns tensors.
local function agrees(run, tolerance)
  for _, x in ipairs(layouts()) do
    local here, there = { run(x) }, { run(x:cuda()) }
    for i = 1, #here do
      assert(there[i].is_cuda, "the result has left the device")
      equal(there[i]:cpu(), here[i], tolerance or 1e-4)
    end
  end
end

local function table_of(rows)
  for name, row in pairs(rows) do
    it(name, function() agrees(type(row) == "table" and row[1] or row, type(row) == "table" and row[2] or nil) end)
  end
end

describe("pointwise operators agree with the CPU's:", function()
  table_of {
    ["arithmetic"] = function(x) return x + 2 * x, x - 1, x * x, x / (x * x + 1), -x end,
    ["functions"] = function(x) return x:exp(), (x * x + 1):log(), x:abs():sqrt(), x:sin(), x:cos(), x:tanh() end,
    ["activations"] = function(x) return x:sigmoid(), x:relu(), x:clamp(-0.5, 0.5) end,
    ["powers"] = function(x) return x:pow(2), x:abs():pow(0.3) end,
    ["comparison and selection"] = function(x) return x:gt(0), torch.where(x:gt(0), x, -x), torch.maximum(x, -x) end,
    ["half precision"] = { function(x) return (x:to(torch.float16) * 2 + 1):to(torch.float32) end, 2e-3 },
    ["integers"] = function(x) return (x * 10):to(torch.int64) * 3, (x * 10):to(torch.int32):remainder(7) end,
    ["in place through a view"] = function(x)
      local y = x:contiguous():clone()
      if y:dim() == 2 then y:t():mul_(3) end
      return y
    end,
  }
end)

describe("reductions agree with the CPU's:", function()
  table_of {
    ["over everything"] = function(x) return x:sum(), x:gt(3):any(), x:lt(9):all() end,
    ["along a dimension"] = function(x)
      if x:dim() == 0 then return x end
      return x:sum(1), x:sum(-1), x:norm(2, -1), x:to(torch.float64):std(-1):to(torch.float32)
    end,
    ["extremes with positions"] = function(x)
      if x:numel() == 0 or x:dim() == 0 then return x end
      local value, position = x:max(-1)
      return value, position, x:argmin(), x:argmax(1), x:amax(1)
    end,
    ["softmax"] = function(x)
      if x:dim() == 0 then return x end
      return x:softmax(-1), x:log_softmax(1)
    end,
    ["order"] = function(x)
      if x:dim() == 0 then return x end
      local value, position = x:sort(-1, true)
      return value, position
    end,
  }

  it("the same in every run", function()
    local x = torch.randn(3000000, { device = "cuda" })
    local first = x:sum():item()
    for _ = 1, 5 do assert(x:sum():item() == first) end
  end)
end)

describe("products of matrices agree with the CPU's", function()
  it("in every layout and dtype", function()
    local a, b = torch.randn(5, 33, 20), torch.randn(5, 20, 17)
    local tolerances = { float32 = 1e-4, float64 = 1e-10, complex64 = 1e-4, int64 = 0, float16 = 2e-2, bfloat16 = 8e-2 }
    for name, within in pairs(tolerances) do
      local p, q = (a * 3):to(torch[name]), (b * 3):to(torch[name])
      local function both(run) equal(run(p:cuda(), q:cuda()):cpu(), run(p, q), within) end
      both(function(x, y) return x:bmm(y) end)
      both(function(x, y) return y:transpose(2, 3):bmm(x:transpose(2, 3)) end)
      both(function(x, y) return x[1]:mm(y[1]) end)
      both(function(x, y) return x[1]:narrow(2, 2, 9):mm(y[1]:narrow(1, 2, 9)) end)
      both(function(x, y) return x[{ 1, 1 }]:dot(y[1]:select(2, 1)) end)
    end
  end)

  it("with no terms", function()
    equal(torch.zeros(2, 0, { device = "cuda" }):mm(torch.zeros(0, 3, { device = "cuda" })):cpu(), torch.zeros(2, 3))
  end)
end)

describe("positions", function()
  local x = torch.arange(15):view(5, 3)

  it("choose and write as on the CPU", function()
    local rows = torch.tensor({ 5, 1, 1 }, { dtype = torch.int64 })
    equal(x:cuda():index_select(1, rows:cuda()):cpu(), x:index_select(1, rows))
    equal(x:cuda()[x:cuda():gt(6)]:cpu(), x[x:gt(6)])
    equal(x:gt(6):cuda():nonzero():cpu(), x:gt(6):nonzero())
    local index = torch.tensor({ { 1, 2, 3 }, { 5, 4, 1 } }, { dtype = torch.int64 })
    equal(x:cuda():gather(1, index:cuda()):cpu(), x:gather(1, index))
    local y, z = torch.zeros(5, 3), torch.zeros(5, 3, { device = "cuda" })
    y:scatter_add_(1, index, torch.ones(2, 3))
    z:scatter_add_(1, index:cuda(), torch.ones(2, 3, { device = "cuda" }))
    equal(z:cpu(), y)
  end)

  it("outside are an error at once, which names them", function()
    local index = torch.tensor({ { 7, 1, 1 } }, { dtype = torch.int64, device = "cuda" })
    local y = x:cuda()
    fails(function() return y:gather(1, index) end, "gather: position 7 is outside 1..5 in dimension 1 of (5, 3)")
  end)
end)

describe("random numbers", function()
  local function drawn(device)
    torch.manual_seed(7)
    return torch.rand(1001, { device = device }):cpu(), torch.randn(1001, { device = device }):cpu(),
      torch.randint(0, 100, { 1001 }, { device = device }):cpu(), torch.randperm(100, { device = device }):cpu()
  end

  it("are those of the CPU for the same seed", function()
    local u, n, i, p = drawn("cpu")
    local cu, cn, ci, cp = drawn("cuda")
    equal(cu, u, 0)
    equal(cn, n, 1e-5)
    equal(ci, i, 0)
    equal(cp, p, 0)
  end)
end)

describe("networks", function()
  local function gradients(device)
    torch.manual_seed(3)
    local x = torch.randn(4, 3, 9, 9):to(device):requires_grad_()
    local w = torch.randn(6, 3, 3, 3):to(device):requires_grad_()
    local y = torch.nn.functional.conv2d(x, w, nil, { 1, 1 }, { 1, 1 })
    local z = torch.nn.functional.max_pool2d(y:relu(), 2):flatten(2)
    local target = torch.tensor({ 1, 2, 3, 4 }, { dtype = torch.int64 }):to(device)
    torch.nn.functional.cross_entropy(z, target):backward()
    return z:cpu(), x.grad:cpu(), w.grad:cpu()
  end

  it("and their gradients agree with the CPU's", function()
    local here, there = { gradients("cpu") }, { gradients("cuda") }
    for i = 1, 3 do equal(there[i], here[i], 1e-3) end
  end)
end)

describe("memory", function()
  it("is counted, reused and given back", function()
    torch.cuda.synchronize()
    local before = torch.cuda.memory_allocated()
    local x = torch.zeros(1000, 1000, { device = "cuda" })
    assert(torch.cuda.memory_allocated() - before >= 4e6)
    for _ = 1, 1000 do local _ = x + 1 end
    x = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(torch.cuda.memory_allocated() - before < 4e6)
    torch.cuda.empty_cache()
  end)

  it("that cannot be had is an error", function()
    fails(function() return torch.empty(2 ^ 44, { device = "cuda" }) end, "out of memory")
  end)

  it("refuse to sum in no fixed order if that is forbidden", function()
    local x = torch.zeros(2, { device = "cuda" })
    local index = torch.tensor({ 1, 1 }, { dtype = torch.int64, device = "cuda" })
    torch.use_deterministic_algorithms(true)
    local good, message = pcall(x.scatter_add, x, 1, index, torch.ones(2, { device = "cuda" }))
    torch.use_deterministic_algorithms(false)
    assert(not good and message:find("scatter_add: sums in no fixed order on cuda", 1, true), message)
    equal(x:scatter_add(1, index, torch.ones(2, { device = "cuda" })):cpu(), { 2, 0 })
  end)
end)
