local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local x = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }

cases("reshape", {
  { "with one size left open", x, 3, -1, gives = { { 1, 2 }, { 3, 4 }, { 5, 6 } } },
  { "to a list of sizes", x, { 6 }, gives = { 1, 2, 3, 4, 5, 6 } },
  { "to another number of elements", x, 4, fails = "reshape: " },
})
cases("transpose", { { "two dimensions", x, 1, 2, gives = { { 1, 4 }, { 2, 5 }, { 3, 6 } } } })
cases("permute", { { "all dimensions", x, 2, 1, gives = { { 1, 4 }, { 2, 5 }, { 3, 6 } } } })
cases("narrow", {
  { "a range", x, 2, 2, 2, gives = { { 2, 3 }, { 5, 6 } } },
  { "a range beyond", x, 2, 3, 2, fails = "narrow: " },
})
cases("select", { { "a position from the end", x, 2, -1, gives = { 3, 6 } } })
cases("expand", { { "a new dimension", torch.tensor { 1, 2 }, 2, 2, gives = { { 1, 2 }, { 1, 2 } } } })
cases("unsqueeze", { { "behind the last", torch.tensor { 1, 2 }, 2, gives = { { 1 }, { 2 } } } })
cases("squeeze", { { "all of size 1", torch.tensor { { { 1 }, { 2 } } }, gives = { 1, 2 } } })
cases("flatten", { { "everything", x, gives = { 1, 2, 3, 4, 5, 6 } } })

cases("cat", {
  { "rows", { x, torch.tensor { { 7, 8, 9 } } }, 1, gives = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } } },
  { "columns", { x, x:narrow(2, 1, 1) }, 2, gives = { { 1, 2, 3, 1 }, { 4, 5, 6, 4 } } },
  { "sizes that differ", { x, torch.ones(2, 2) }, 1, fails = "cat: " },
  { "nothing", {}, 1, fails = "cat: " },
})
cases("stack", {
  { "in front", { torch.tensor { 1, 2 }, torch.tensor { 3, 4 } }, gives = { { 1, 2 }, { 3, 4 } } },
  { "behind", { torch.tensor { 1, 2 }, torch.tensor { 3, 4 } }, 2, gives = { { 1, 3 }, { 2, 4 } } },
})

describe("views", function()
  it("share memory with their base", function()
    local base = torch.zeros(2, 3)
    base:t()[3]:fill_(1)
    base:view(-1):narrow(1, 1, 2):add_(5)
    base[{ 2, { 1, 2 } }] = 7
    equal(base:tolist(), { { 5, 5, 1 }, { 7, 7, 1 } })
  end)

  it("split and chunk cut into lists", function()
    local parts = {}
    for i, part in ipairs(torch.arange(5):split(2)) do parts[i] = part:tolist() end
    equal(parts, { { 0, 1 }, { 2, 3 }, { 4 } })
    equal(#torch.arange(5):chunk(2), 2)
  end)

  it("of scattered elements need reshape", function()
    fails(function() x:t():view(6) end, "reshape")
    equal(x:t():reshape(6):tolist(), { 1, 4, 2, 5, 3, 6 })
  end)
end)

-- What random calls found: each of these once ended the program.
describe("absurd arguments are refused", function()
  local function refused(text, f, ...)
    local n, arguments = select("#", ...), { ... }
    fails(function() f(unpack(arguments, 1, n)) end, text)
  end
  it("pieces beyond counting", function()
    refused("chunk: 2147483648 pieces are too many", torch.chunk, torch.zeros(0, 3), 2 ^ 31)
    refused("unbind: 1099511627776 pieces are too many", torch.unbind, torch.zeros(1):expand(2 ^ 40))
    refused("add up to more than can be counted", torch.split, torch.zeros(2), { 2 ^ 62, 2 ^ 62 })
  end)
  it("bytes that are no booleans", function()
    refused("float32 numbers cannot be seen as bool", torch.view, torch.ones(2), torch.bool)
    refused("only the bytes 0 and 1", torch.view, torch.tensor { 1, 2 }:to(torch.uint8), torch.bool)
    equal(torch.tensor { 1, 0 }:to(torch.uint8):view(torch.bool), torch.tensor { true, false })
  end)
  it("out= for a list", function()
    refused("nonzero: called like this it does not return the tensor that 'out' is for",
      torch.nonzero, torch.ones(2), { as_tuple = true, out = torch.zeros(1, { dtype = torch.int64 }) })
  end)
  it("tensors of several devices in a list", function()
    refused("stack: tensors are on different devices, cpu and meta", torch.stack,
      { torch.tensor(1), torch.empty({}, { device = "meta" }) })
  end)
  it("padding='same' for what is no image", function()
    refused("conv2d: expected an input with 4 dimensions, or 3 without a batch, got (0)", torch.conv2d, torch.zeros(0),
      torch.zeros(2, 2, 3, 3), nil, 1, "same")
  end)
end)
