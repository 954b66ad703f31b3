local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local dlpack = torch.utils.dlpack

describe("dlpack", function()
  it("hands memory on without a copy", function()
    local x = torch.arange(6):reshape(2, 3):t()
    local y = torch.from_dlpack(torch.to_dlpack(x))
    equal(y:data_ptr(), x:data_ptr())
    equal(y:stride(), x:stride())
    equal(y.dtype, x.dtype)
    y:fill_(7)
    equal(x:sum():item(), 42)
  end)

  it("takes every dtype, and tensors without elements or dimensions", function()
    for _, name in ipairs {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
      "float64", "complex64", "complex128"} do
      equal(dlpack.from_dlpack(dlpack.to_dlpack(torch.ones(2, {dtype = torch[name]}))).dtype, torch[name])
    end
    equal(torch.from_dlpack(torch.to_dlpack(torch.empty(0, 3))):size(), torch.empty(0, 3):size())
    equal(torch.from_dlpack(torch.to_dlpack(torch.tensor(5))):item(), 5)
  end)

  it("keeps the memory while either side uses it", function()
    local y
    do
      local capsule = torch.to_dlpack(torch.full({1000}, 3))
      collectgarbage()
      y = torch.from_dlpack(capsule)
    end
    collectgarbage()
    collectgarbage()
    equal(y:sum():item(), 3000)
  end)

  it("takes a tensor for its own capsule", function()
    local x = torch.ones(3)
    equal(torch.from_dlpack(x):data_ptr(), x:data_ptr())
  end)

  it("refuses what cannot be shared", function()
    local learnt, meta = torch.ones(2, {requires_grad = true}), torch.empty(2, {device = "meta"})
    fails(function() torch.to_dlpack(learnt) end, "to_dlpack: the tensor requires grad; use x:detach()")
    fails(function() torch.to_dlpack(meta) end, "to_dlpack: a meta tensor has no elements")
    fails(function() torch.from_dlpack(7) end, "expected a capsule")
    local capsule = torch.to_dlpack(torch.ones(1))
    torch.from_dlpack(capsule)
    fails(function() torch.from_dlpack(capsule) end, "the capsule has been used")
  end)
end)
