local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local a, b = torch.tensor { 1, 2 }, torch.tensor { 3, 4 }

cases("hstack", {
  { "vectors", { a, b }, gives = { 1, 2, 3, 4 } },
  { "nothing", {}, fails = "hstack: the list of tensors is empty" },
})
cases("vstack", { { "vectors", { a, b }, gives = { { 1, 2 }, { 3, 4 } } } })
cases("dstack", { { "vectors", { a, b }, gives = { { { 1, 3 }, { 2, 4 } } } } })
cases("column_stack", { { "vectors", { a, b }, gives = { { 1, 3 }, { 2, 4 } } } })
cases("atleast_3d", { { "a vector", a, gives = { { { 1 }, { 2 } } } } })
cases("combinations", {
  { "of two", torch.tensor { 1, 2, 3 }, 2, gives = { { 1, 2 }, { 1, 3 }, { 2, 3 } } },
  { "with replacement", a, 2, true, gives = { { 1, 1 }, { 1, 2 }, { 2, 2 } } },
  { "of more than there are", a, 3, gives = torch.empty(0, 3) },
  { "too many", torch.arange(200), 100, fails = "more than can be counted" },
  { "of a matrix", torch.ones(2, 2), fails = "combinations: expected a vector, got sizes (2, 2)" },
  { "a negative number", a, -1, fails = "combinations: r must not be negative, got -1" },
})
cases("cartesian_prod", {
  { "of two", a, b, gives = { { 1, 3 }, { 1, 4 }, { 2, 3 }, { 2, 4 } } },
  { "of a matrix", torch.ones(1, 1), a, fails = "cartesian_prod: expected vectors, got sizes (1, 1)" },
})
cases("vander", {
  { "powers that fall", torch.tensor { 2, 3 }, 3, gives = { { 4, 2, 1 }, { 9, 3, 1 } } },
  { "powers that rise", torch.tensor { 2, 3 }, 3, true, gives = { { 1, 2, 4 }, { 1, 3, 9 } } },
  { "no powers", a, 0, gives = torch.empty(2, 0) },
})
cases("movedim", {
  { "one", torch.ones(2, 3), 1, 2, gives = torch.ones(3, 2) },
  { "too few destinations", torch.ones(2, 3), { 1, 2 }, { 1 }, fails = "movedim: 2 source dims for 1 destinations" },
  { "one twice", torch.ones(2, 3), { 1, 1 }, { 1, 2 }, fails = "movedim: dim 1 appears twice" },
})

describe("split and its kin", function()
  local x = torch.arange(7)
  local function parts(list)
    local t = {}
    for i, part in ipairs(list) do t[i] = part:tolist() end
    return t
  end

  it("cut where they are told", function()
    equal(parts(x:tensor_split(3)), { { 0, 1, 2 }, { 3, 4 }, { 5, 6 } })
    equal(parts(x:tensor_split { 3, -2 }), { { 0, 1 }, { 2, 3, 4 }, { 5, 6 } })
    equal(parts(x:hsplit { 2, 20 }), { { 0 }, { 1, 2, 3, 4, 5, 6 }, {} })
    equal(parts(x:tensor_split(torch.tensor(2LL))), { { 0, 1, 2, 3 }, { 4, 5, 6 } })
  end)

  it("refuse what makes no sense", function()
    fails(function() x:tensor_split(0) end, "tensor_split: the number of sections must be positive, got 0")
    fails(function() x:tensor_split(2LL ^ 62) end, "sections are too many")
    fails(function() x:hsplit(2) end, "hsplit: (7) cannot be cut into 2 equal parts in dimension 1")
    fails(function() x:vsplit(1) end, "vsplit: expected at least 2 dimensions, got (7)")
    fails(function() torch.empty(0):chunk(2LL ^ 62) end, "pieces are too many")
    fails(function() torch.tensor(1):tensor_split(1) end, "a tensor without dimensions cannot be split")
  end)
end)

describe("meshgrid", function()
  it("varies along its own dimension", function()
    local x, y = unpack(torch.meshgrid(a, torch.tensor { 0, 1, 2 }))
    equal(x:tolist(), { { 1, 1, 1 }, { 2, 2, 2 } })
    equal(y:tolist(), { { 0, 1, 2 }, { 0, 1, 2 } })
    equal(torch.meshgrid({ a, b, b }, { indexing = "xy" })[1]:size(2), 2)
    fails(function() torch.meshgrid(a, a, { indexing = "yx" }) end, "indexing must be 'ij' or 'xy', got 'yx'")
    fails(function() torch.meshgrid(a, torch.ones(1, 1)) end, "tensor 2 has sizes (1, 1)")
  end)
end)

describe("cat and stack", function()
  it("join many small tensors as they join few large ones", function()
    local list = {}
    for i = 1, 300 do list[i] = torch.full({ 3 }, i) end
    local rows = torch.arange(1, 301):to(torch.float32):reshape(300, 1):expand(300, 3)
    equal(torch.stack(list):equal(rows), true)
    equal(torch.stack(list, 2):equal(rows:t()), true)
    equal(torch.cat(list):equal(rows:reshape(-1)), true)
    equal(torch.stack({ a:to(torch.float64), b }).dtype, torch.float64)
  end)
end)

describe("windows", function()
  it("overlap, and their gradients add up", function()
    local x = torch.randn(2, 5, { dtype = torch.float64, requires_grad = true })
    assert(torch.autograd.gradcheck(function(y) return y:unfold(2, 3, 1) end, x))
    assert(torch.autograd.gradgradcheck(function(y) return y:unfold(1, 2, 1) end, x))
    fails(function() x:unfold(2, 6, 1) end, "unfold: windows of 6 do not fit into 5 positions of dimension 2")
    fails(function() x:unfold(2, 2, 0) end, "unfold: the step must be positive, got 0")
  end)
end)
