local torch = require "torch"
local spec = require "spec"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

describe("resize_", function()
  it("keeps elements in their order in memory", function()
    local x = torch.arange(6, { dtype = torch.float32 })
    assert(x:resize_(2, 2) == x)
    equal(x, { { 0, 1 }, { 2, 3 } })
    equal(x:resize_ { 3, 2 }, { { 0, 1 }, { 2, 3 }, { 4, 5 } })
    equal(x:resize_(8):narrow(1, 1, 6), { 0, 1, 2, 3, 4, 5 })
  end)

  it("keeps strides where the sizes stay", function()
    equal(torch.ones(2, 3):t():resize_(3, 2):stride(1), 1)
  end)

  it("leaves views of a smaller memory behind", function()
    local x = torch.zeros(2)
    local view = x:view(2)
    x:resize_(100):fill_(1)
    equal(view, { 0, 0 })
  end)

  it("of bool leaves nothing but booleans", function()
    local x = torch.ones(1, { dtype = torch.bool }):resize_(1000)
    assert(x:sum():item() == 1)
  end)

  it("refuses what cannot be", function()
    fails(function() torch.ones(2):resize_(-1) end, "negative")
    fails(function() torch.ones(2):resize_(2 ^ 40, 2 ^ 40) end, "more elements than can be counted")
    fails(function() torch.ones(2):requires_grad_():resize_(3) end, "requires grad")
  end)

  it("takes another tensor's sizes", function()
    equal(torch.arange(4, { dtype = torch.float32 }):resize_as_(torch.ones(2, 2)), { { 0, 1 }, { 2, 3 } })
  end)
end)

describe("set_", function()
  it("shares another tensor's memory", function()
    local x, y = torch.ones(2, 2), torch.zeros(0)
    assert(not y:is_set_to(x))
    assert(y:set_(x) == y and y:is_set_to(x) and not y:is_set_to(x:t()))
    x:fill_(3)
    equal(y, { { 3, 3 }, { 3, 3 } })
  end)

  it("sees a part of it", function()
    local x = torch.arange(6, { dtype = torch.float32 })
    equal(torch.zeros(0):set_(x, 1, { 2, 2 }, { 2, 1 }), { { 1, 2 }, { 3, 4 } })
    fails(function() torch.zeros(0):set_(x, 3, { 2, 2 }) end, "as_strided")
  end)

  it("sees nothing", function() equal(torch.ones(3):set_():numel(), 0) end)

  it("keeps its dtype", function()
    fails(function() torch.ones(1):set_(torch.ones(1):double()) end, "set_: 'self' is float32, 'source' float64")
  end)
end)

describe("predicates", function()
  it("of tensors", function()
    assert(torch.is_nonzero(torch.tensor { 2 }) and not torch.is_nonzero(torch.zeros(1, 1)))
    fails(function() torch.is_nonzero(torch.ones(2)) end, "is_nonzero: expected one element, got sizes (2)")
    assert(torch.ones(1):is_signed() and not torch.ones(1):byte():is_signed())
    assert(not torch.is_inference(torch.ones(1)) and not torch.is_conj(torch.ones(1)) and not torch.ones(1):is_neg())
    assert(torch.is_storage(torch.ones(1):storage()) and not torch.is_storage(torch.ones(1)))
  end)

  it("of the default dtype, by a tensor type", function()
    torch.set_default_tensor_type("torch.DoubleTensor")
    local dtype = torch.get_default_dtype()
    torch.set_default_tensor_type(torch.float32)
    assert(dtype == torch.float64)
    fails(function() torch.set_default_tensor_type("torch.LongTensor") end, "only floating point")
  end)
end)
