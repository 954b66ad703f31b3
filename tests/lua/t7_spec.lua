local torch = require "torch"
local spec, files, writer = require "spec", require "files", require "t7_writer"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local nn = torch.nn
local map, list, tensor, storage, object = writer.map, writer.list, writer.tensor, writer.storage, writer.object

local function load_bytes(bytes, options)
  local value
  files.holding(bytes, function(path) value = torch.load_t7(path, options) end)
  return value
end

-- What comes back of a value in every manner of writing; they agree.
local function loaded(value, check)
  for manner in pairs(writer.manners) do check(load_bytes(writer.write(value, manner)), manner) end
end

describe("load_t7", function()
  it("reads plain values and tables", function()
    for _, value in ipairs { 1.5, -0.1, 2 ^ 60, "text\n with lines", "", true, false } do
      loaded(value, function(back) equal(back, value, 0) end)
    end
    loaded(nil, function(back) equal(back, nil) end)
    loaded(map("a", 1, 2, list("x", "y"), true, map()), function(back)
      equal(back, { a = 1, [2] = { "x", "y" }, [true] = {} })
    end)
  end)

  it("keeps what is shared, and cycles", function()
    local shared = list(7)
    local root = map("one", shared, "two", shared)
    root[#root + 1], root[#root + 2] = "self", root
    loaded(root, function(back)
      assert(back.one == back.two and back.self == back)
      equal(back.one, { 7 })
    end)
  end)

  it("reads tables that lie deep in each other", function()
    local int, levels = writer.manners.binary.int, {}
    for i = 1, 20000 do levels[i] = int(3) .. int(i) .. int(1) .. int(2) .. int(2) .. "in" end
    local back, depth = load_bytes(table.concat(levels) .. int(0)), 0
    while back do depth, back = depth + 1, back["in"] end
    equal(depth, 20000)
  end)

  it("reads tensors and storages of all types, those of CUDA too", function()
    for name, dtype in pairs {
      Byte = "uint8", Char = "int8", Short = "int16", Int = "int32", Long = "int64", Float = "float32",
      Double = "float64", Cuda = "float32", CudaLong = "int64", CudaDouble = "float64",
    } do
      loaded(list(tensor(name, { 2, 3 }, { 1, 2, 3, 4, 5, 100 }), storage(name, { 9, 10, 8 })), function(back)
        equal(back[1], torch.tensor({ { 1, 2, 3 }, { 4, 5, 100 } }, { dtype = torch[dtype] }))
        equal(back[2], torch.tensor({ 9, 10, 8 }, { dtype = torch[dtype] }))
      end)
    end
    equal(load_bytes(writer.write(tensor("Half", { 2 }, { 0x3c00, 0xc000 }))),
      torch.tensor({ 1, -2 }, { dtype = torch.float16 }))
    loaded(list(tensor("Float", {}, {}), tensor("Float", { 1 }, { 0 / 0 })), function(back)
      equal(back[1]:size(), { 0 })
      assert(back[2]:isnan():item())
    end)
  end)

  it("keeps views of one storage", function()
    local data = storage("Double", { 1, 2, 3, 4, 5, 6 })
    local root = list(
      tensor("Double", { 2, 2 }, nil, { storage = data, stride = { 1, 3 }, offset = 2 }),
      tensor("Double", { 3, 2 }, nil, { storage = data, stride = { 0, 1 } }),
      data)
    loaded(root, function(back)
      equal(back[1]:tolist(), { { 2, 5 }, { 3, 6 } })
      equal(back[2]:tolist(), { { 1, 2 }, { 1, 2 }, { 1, 2 } })
      back[3]:fill_(7)
      equal(back[1]:tolist(), { { 7, 7 }, { 7, 7 } })
    end)
  end)

  it("makes tables of objects of unknown classes, and runs no functions", function()
    local fn = writer.closure()
    loaded(list(object("my.Class", "x", 1, "f", fn), fn), function(back)
      equal(back[1].torch_typename, "my.Class")
      equal(back[1].x, 1)
      equal(back[2].torch_typename, "function")
      assert(back[1].f == back[2])
    end)
  end)
end)

-- Modules -----------------------------------------------------------------------------------------------------

-- A tensor of Torch7's with the numbers of one of ours, and ours.
local function random(...)
  local x = torch.randn(...):to(torch.float64)
  local sizes = {}
  for d = 1, x:dim() do sizes[d] = x:size(d) end
  return tensor("Double", sizes, x:reshape(-1):tolist()), x
end

local function module_of(value, options) return load_bytes(writer.write(value), options) end

local function long(...) return storage("Long", { ... }) end

local function sequential(...) return object("nn.Sequential", "modules", list(...), "train", false) end

local window = { "kW", 2, "kH", 3, "dW", 1, "dH", 2, "padW", 0, "padH", 1 }

local function with_window(name, ...)
  local fields = { ... }
  for _, item in ipairs(window) do fields[#fields + 1] = item end
  return object(name, unpack(fields))
end

describe("modules of Torch7", function()
  local F = nn.functional

  it("become those of torch.nn", function()
    local conv_weight, w = random(4, 3, 3, 2)
    local conv_bias, b = random(4)
    local flat = tensor("Double", { 4, 18 }, w:reshape(-1):tolist())
    local linear_weight, v = random(5, 4 * 2 * 4)
    local linear_bias, c = random(5)
    local x = torch.randn(2, 3, 6, 6, { dtype = torch.float64 })
    for _, case in ipairs { { "nn.SpatialConvolution", conv_weight }, { "cudnn.SpatialConvolution", conv_weight },
      { "nn.SpatialConvolutionMM", flat } } do
      local net = module_of(sequential(
        with_window(case[1], "nInputPlane", 3, "nOutputPlane", 4, "weight", case[2], "bias", conv_bias),
        object("nn.ReLU", "inplace", true),
        with_window("nn.SpatialMaxPooling", "ceil_mode", true),
        object("nn.View", "size", long(-1), "numElements", 1, "numInputDims", 3),
        object("nn.Linear", "weight", linear_weight, "bias", linear_bias),
        object("nn.Dropout", "p", 0.5, "v2", true),
        object("nn.LogSoftMax")))
      local h = F.conv2d(x, w, b, { 2, 1 }, { 1, 0 }):relu()
      h = F.max_pool2d(h, { 3, 2 }, { 2, 1 }, { 1, 0 }, { ceil_mode = true }):flatten(2)
      equal(net(x), F.log_softmax(F.linear(h, v, c), 2), 1e-9)
      equal(torch.type(net), "Sequential")
      equal(torch.type(net[1]), "Conv2d")
      equal(#net:parameters(), 4)
      equal(net.training, false)
    end
  end)

  it("keep batch statistics, also as older files have them", function()
    local mean, var = tensor("Float", { 2 }, { 1, 2 }), tensor("Float", { 2 }, { 4, 16 })
    local weight, bias = tensor("Float", { 2 }, { 3, 1 }), tensor("Float", { 2 }, { 0, 1 })
    local x = torch.ones(1, 2, 1, 1)
    local net = module_of(sequential(object("nn.SpatialBatchNormalization", "running_mean", mean, "running_var", var,
      "weight", weight, "bias", bias, "eps", 0, "momentum", 0.1)))
    equal(net(x):flatten(), torch.tensor { 0, 0.75 })
    local std = tensor("Float", { 2 }, { 0.5, 0.25 })
    net = module_of(sequential(object("nn.SpatialBatchNormalization", "running_mean", mean, "running_std", std,
      "weight", weight, "bias", bias, "eps", 0, "momentum", 0.1)))
    equal(net[1].running_var, torch.tensor { 4, 16 })
    equal(net:eval()(x):flatten(), torch.tensor { 0, 0.75 })
  end)

  it("may be containers of branches", function()
    local weight = tensor("Float", { 2, 2 }, { 1, 2, 3, 4 })
    local net = module_of(sequential(
      object("nn.ConcatTable", "modules", list(object("nn.Linear", "weight", weight), object("nn.Identity"))),
      object("nn.CAddTable", "inplace", true),
      object("nn.Concat", "dimension", 2, "modules", list(object("nn.Identity"), object("nn.MulConstant",
        "constant_scalar", 2)))))
    equal(net(torch.tensor { { 1, 1 } }), torch.tensor { { 4, 8, 8, 16 } })
  end)

  it("view batches as they did", function()
    local net = module_of(object("nn.Reshape", "size", long(2, 3)))
    equal(net(torch.ones(6)):size(), { 2, 3 })
    equal(net(torch.ones(4, 6)):size(), { 4, 2, 3 })
    equal(net(torch.ones(1, 6)):size(), { 1, 2, 3 })
    equal(net(torch.ones(3, 2)):size(), { 2, 3 })
  end)

  it("scale in evaluation where dropout was of the first kind", function()
    local net = module_of(sequential(object("nn.Dropout", "p", 0.25)))
    equal(net:eval()(torch.ones(2)), torch.tensor { 0.75, 0.75 })
  end)

  it("look up rows", function()
    local table = module_of(object("nn.LookupTable", "weight", tensor("Float", { 3, 2 }, { 1, 2, 3, 4, 5, 6 })))
    equal(table(torch.tensor({ 3, 1 }, { dtype = torch.int64 })), torch.tensor { { 5, 6 }, { 1, 2 } })
  end)

  it("stay tables where there is nothing like them, or nobody wants modules", function()
    local weight = tensor("Float", { 1, 2 }, { 1, 2 })
    local value = sequential(object("nn.Linear", "weight", weight), object("nn.Strange", "x", 1))
    local net = module_of(value)
    equal(net.torch_typename, "nn.Sequential")
    equal(torch.type(net.modules[1]), "Linear")
    equal(net.modules[2], { torch_typename = "nn.Strange", x = 1 })
    equal(module_of(value, { modules = false }).modules[1].torch_typename, "nn.Linear")
    -- fields that make no sense
    equal(module_of(object("nn.Linear", "weight", "no tensor")).weight, "no tensor")
    equal(module_of(with_window("nn.SpatialConvolution", "nOutputPlane", 0, "weight", weight)).nOutputPlane, 0)
  end)

  it("take no more memory than the file gave them", function()
    local spread = tensor("Float", { 2 ^ 20, 2 ^ 20 }, nil, { storage = storage("Float", { 1 }), stride = { 0, 0 } })
    equal(module_of(object("nn.Linear", "weight", spread)).weight:size(), { 2 ^ 20, 2 ^ 20 })
  end)
end)

-- Bad files ---------------------------------------------------------------------------------------------------

describe("files that lie to load_t7", function()
  local function refuses(bytes, text, options)
    files.holding(bytes, function(path)
      local message = fails(function() torch.load_t7(path, options) end, text)
      assert(message:find(path, 1, true), message)
    end)
  end

  local long_size = { long_size = 8 }

  -- A file with some numbers as they are in binary.
  local function raw(...)
    local out = ""
    for _, n in ipairs { ... } do out = out .. (type(n) == "string" and n or writer.manners.binary.int(n)) end
    return out
  end

  local TENSOR = raw(4, 1, 3, "V 1", 17, "torch.FloatTensor")
  local function longs(...) return writer.manners.binary.longs { ... } end

  it("are refused", function()
    refuses("", "is not a file of Torch7")
    refuses("PK\3\4", "is not a file of Torch7")
    refuses(raw(4), "reach beyond its 4")
    refuses("9\n", "is not a file of Torch7")
    refuses(raw(3, 1, 1, 99, 0), "a value is of the unknown type 99")
    refuses(raw(2, -1), "a string has -1 bytes")
    refuses(raw(2, 2 ^ 31 - 1, "abc"), "reach beyond")
    refuses(raw(3, 1, -1), "a table has -1 entries")
    refuses(raw(3, 1, 2 ^ 31 - 1), "a table has 2147483647 entries")
    refuses(raw(3, 1, 1, 0, 0), "a table has a key that is none")
    refuses(raw(4, 1, 1000), "the name of a class has 1000 bytes")
    refuses("2\n5\nabc", "5 bytes reach beyond the end")
    refuses("1\nabc\n", "expected a number")
    refuses("3\n1.5\n", "expected a whole number, got 1.5")
  end)

  it("about tensors are refused", function()
    refuses(TENSOR .. raw(2 ^ 31 - 1), "a tensor has 2147483647 dimensions")
    refuses(TENSOR .. raw(-1), "a tensor has -1 dimensions")
    refuses(TENSOR .. raw(1) .. longs(2, 2 ^ 61, 1), "a tensor has no proper sizes", long_size)
    refuses(TENSOR .. raw(1) .. longs(-2, 1, 1), "a tensor has no proper sizes", long_size)
    refuses(TENSOR .. raw(1) .. longs(2, 1, 0), "a tensor has no proper sizes", long_size)
    refuses(TENSOR .. raw(1) .. longs(2, 1, 1) .. raw(0), "a tensor has no storage", long_size)
    refuses(TENSOR .. raw(1) .. longs(2, 1, 1) .. raw(4, 1), "a tensor lies in itself", long_size)
    refuses(TENSOR .. raw(1) .. longs(2, 1, 1) .. raw(5, 1), "a tensor has something else for a storage", long_size)
    local data = storage("Float", { 1, 2, 3 })
    local function holding(size, stride, offset)
      return writer.write(tensor("Float", size, nil, { storage = data, stride = stride, offset = offset }))
    end
    refuses(holding({ 4 }), "a tensor reaches beyond its storage")
    refuses(holding({ 2 }, { 3 }), "a tensor reaches beyond its storage")
    refuses(holding({ 2 }, { 1 }, 3), "a tensor reaches beyond its storage")
    refuses(holding({ 2, 2 ^ 40 }, { 2 ^ 40, 2 ^ 40 }), "a tensor reaches beyond its storage")
    refuses(raw(4, 1, 3, "V 1", 18, "torch.FloatStorage") .. longs(2 ^ 40), "a storage has 1099511627776 elements",
      long_size)
    refuses(raw(4, 1, 3, "V 1", 18, "torch.FloatStorage") .. longs(-1), "a storage has -1 elements", long_size)
  end)
end)
