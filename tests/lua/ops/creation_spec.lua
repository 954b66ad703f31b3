local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local int32, int64 = { dtype = torch.int32 }, { dtype = torch.int64 }

describe("arange", function()
  it("counts in the numbers that integers can hold", function()
    equal(torch.arange(0, 5, 1.5, int32):tolist(), { 0, 1, 2, 3 })
    equal(torch.arange(-2.5, 2.5, 1, int64):tolist(), { -2, -1, 0, 1 })
    fails(function() torch.arange(1, 2, 0.3, int32) end, "arange: step 0.3 is 0 as an integer")
    fails(function() torch.arange(0, 1, 0) end, "arange: step must not be 0")
    fails(function() torch.arange(0, 0 / 0) end, "is no range")
    fails(function() torch.arange(1, 0) end, "does not go in steps of 1")
  end)
end)

describe("logspace", function()
  it("has powers of its base", function()
    equal(torch.logspace(0, 3, 4), torch.tensor { 1, 10, 100, 1000 })
    equal(torch.logspace(0, 10, 5, 2.5, int32):tolist(), { 1, 9, 97, 965, 9536 })
    equal(torch.logspace(0.5, 3.5, 4, int64):tolist(), { 1, 10, 100, 1000 })
    equal(torch.logspace(1, 2, 1):tolist(), { 10 })
    equal(torch.logspace(1, 2, 0):tolist(), {})
    equal(torch.logspace(0, 1, 3, -2):tolist(), { 1, 0 / 0, -2 })
    fails(function() torch.logspace(1, 2, -1) end, "logspace: steps must not be negative, got -1")
  end)
end)

describe("asarray", function()
  it("shares the memory of a tensor unless told otherwise", function()
    local x = torch.ones(2, { requires_grad = true })
    local y = torch.asarray(x)
    equal({ y.requires_grad, y:data_ptr() == x:data_ptr() }, { false, true })
    equal(torch.asarray(x, { copy = true }):data_ptr() == x:data_ptr(), false)
    equal(torch.asarray({ 1, 2 }, { dtype = torch.int64 }), torch.tensor({ 1, 2 }, int64))
    fails(function() torch.asarray(x, { dtype = torch.float64, copy = false }) end, "another dtype or device needs")
    fails(function() torch.asarray({ 1 }, { copy = false }) end, "a list cannot be used without a copy")
  end)
end)

describe("strided tensors", function()
  it("have the dtype of the tensor that makes them", function()
    local x = torch.ones(2, { dtype = torch.float64 }):new_empty_strided({ 2, 3 }, { 1, 2 })
    equal({ x:stride(1), x:stride(2) }, { 1, 2 })
    equal(x.dtype, torch.float64)
    fails(function() x:new_empty_strided({ 2 }, { 1, 2 }) end, "new_empty_strided: (2) and (1, 2) have")
    fails(function() x:new_empty_strided({ 2 }, { -1 }) end, "new_empty_strided: stride -1 is negative")
  end)
end)

describe("sizes", function()
  it("broadcast without tensors", function()
    equal({ unpack(torch.broadcast_shapes({ 5, 1 }, 3, {})) }, { 5, 3 })
    fails(function() torch.broadcast_shapes({ 2 }, { 3 }) end, "broadcast_shapes: sizes (2) and (3) do not broadcast")
    fails(function() torch.broadcast_shapes { -1 } end, "expected lists of sizes, got the number -1")
    fails(function() torch.broadcast_shapes "2" end, "expected lists of sizes, got the string '2'")
  end)
end)

describe("PyTorch's spelling of", function()
  local x = torch.tensor { { 1, 2 }, { 3, 4 } }

  it("where as a method chooses from self", function()
    equal(x:where(x:gt(2), 0):tolist(), { { 0, 0 }, { 3, 4 } })
    equal(torch.where(x:gt(2), x, 0):tolist(), { { 0, 0 }, { 3, 4 } })
    fails(function() x:where(x, 0) end, "the condition must be bool, got float32")
  end)

  it("memory formats is accepted", function()
    equal(x:t():contiguous { memory_format = torch.contiguous_format }, x:t())
    equal(x:clone { memory_format = torch.preserve_format }, x)
  end)

  it("printing options sets the scientific mode anew each time", function()
    torch.set_printoptions { profile = "default", sci_mode = true }
    equal(tostring(torch.tensor { 0.5 }), "tensor([5.0000e-01])")
    torch.set_printoptions { precision = 2 }
    equal(tostring(torch.tensor { 0.5 }), "tensor([0.50])")
    torch.set_printoptions { profile = "default" }
  end)
end)

describe("tensors on several devices", function()
  it("are not joined", function()
    local here, nowhere = torch.ones(2), torch.ones(2, { device = "meta" })
    for _, name in ipairs { "cat", "stack", "hstack", "vstack", "dstack" } do
      fails(function() torch[name] { here, nowhere } end, "tensors are on different devices, cpu and meta")
    end
    fails(function() torch.block_diag(here, nowhere) end, "tensors are on different devices")
  end)
end)
