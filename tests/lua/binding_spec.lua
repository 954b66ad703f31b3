-- What Lua hands to the operators and what it gets back: arguments, results, errors, types.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

local m = torch.tensor { { 1, 2, 3 }, { 4, 5, 6 } }

-- The line that the caller stands on, as errors name it.
local function here()
  local frame = debug.getinfo(2, "Sl")
  return frame.short_src .. ":" .. frame.currentline .. ": "
end

describe("arguments", function()
  it("by position, by name, and both", function()
    equal(m:sum(1):tolist(), { 5, 7, 9 })
    equal(m:sum { dim = 1 }:tolist(), { 5, 7, 9 })
    equal(m:sum(1, { keepdim = true }):tolist(), { { 5, 7, 9 } })
    equal(torch.sum { self = m, dim = -1, keepdim = true }:tolist(), { { 6 }, { 15 } })
  end)

  it("a table with integer keys, or without any, is a list", function()
    equal(m:sum({ 1, 2 }):item(), 21)
    equal(torch.zeros({ 2, 0 }):size(), torch.Size { 2, 0 })
    equal(torch.full({}, 2.5):item(), 2.5)
    equal(m:reshape({ 3, -1 }):size(), m:reshape(3, -1):size())
    equal(torch.zeros(m:size()):size(), m:size())
  end)

  it("an empty table of options is no argument too many", function()
    equal(torch.tensor({ 1, 2 }, {}):tolist(), { 1, 2 })
  end)

  it("nil is not given, false is None where None is not the default", function()
    equal(m:sum(nil, nil):item(), 21)
    equal(m:sum(1, nil):tolist(), { 5, 7, 9 })
  end)

  it("numbers stand for tensors and promote like numbers", function()
    local i = torch.tensor({ 1, 2 }, { dtype = torch.int64 })
    equal((i + 2).dtype, torch.int64)
    equal((i + 2.5).dtype, torch.float32)
    equal((i:double() * 0.1):tolist(), { 0.1, 0.2 }, 1e-15)
    equal((2 ^ m):tolist(), { { 2, 4, 8 }, { 16, 32, 64 } })
    equal(torch.pow(2, m):tolist(), (2 ^ m):tolist())
    equal((10 - m):tolist(), { { 9, 8, 7 }, { 6, 5, 4 } })
    equal((torch.tensor { true, false } * 2).dtype, torch.int64)
  end)

  it("64-bit integers are exact both ways", function()
    local big = 9007199254740993LL -- 2^53 + 1
    local x = torch.tensor({ big, 1LL })
    equal(x.dtype, torch.int64)
    assert(x[1]:item() == big and type(x[1]:item()) == "cdata")
    assert(type(x[2]:item()) == "number")
    assert((x + big)[2]:item() == big + 1)
    assert(x:tolist()[1] == big)
  end)

  it("complex numbers", function()
    local x = torch.tensor { 1i, 2i }
    equal(x.dtype, torch.complex64)
    equal((x * 2i):real():tolist(), { -2, -4 })
    assert(x[2]:item().im == 2 and x[2]:item().re == 0)
  end)

  it("dtypes, devices and generators", function()
    equal(torch.zeros(2, { dtype = torch.double }).dtype, torch.float64)
    equal(torch.zeros(2, { device = "meta" }).device, torch.device("meta"))
    local g = torch.Generator():manual_seed(3)
    local a = torch.rand(3, { generator = g })
    equal(torch.rand(3, { generator = torch.Generator():manual_seed(3) }):tolist(), a:tolist())
  end)

  it("dimensions count from 1, or from the end", function()
    equal(m:sum(2):tolist(), m:sum(-1):tolist())
    equal(m:unsqueeze(3):size(), torch.Size { 2, 3, 1 })
    equal(m:select(2, 3):tolist(), { 3, 6 })
    for _, call in ipairs {
      function() m:sum(0) end, function() m:sum { dim = { 1, 0 } } end, function() m:transpose(1, 0) end,
      function() m:size(0) end, function() m:unsqueeze(0) end, function() m:select(1, 0) end,
    } do
      fails(call, "1-based")
    end
    fails(function() m:sum(3) end, "sum: dim 3 is out of range for a tensor with 2 dimensions (1..2 or -2..-1)")
    fails(function() m:size(3) end, "size: dim 3 is out of range for a tensor with 2 dimensions (1..2 or -2..-1)")
  end)

  it("positions count from 1", function()
    local value, position = m:max(2)
    equal(value:tolist(), { 3, 6 })
    equal(position:tolist(), { 3, 3 })
    equal(m:argmax():item(), 6)
  end)
end)

describe("errors", function()
  it("name the line of the call", function()
    local line
    local message = fails(function() line = here() m:sum("x") end, "sum: argument 'dim'")
    assert(message:sub(1, #line) == line, message)
  end)

  it("from a method, a metamethod and a property too", function()
    local function starts_here(call)
      local line = debug.getinfo(call, "S").short_src .. ":" .. debug.getinfo(call, "S").linedefined .. ": "
      local _, message = pcall(call)
      assert(message:sub(1, #line) == line, message)
    end
    starts_here(function() m:backward() end)
    starts_here(function() return m + torch.zeros(4) end)
    starts_here(function() return m[7] end)
    starts_here(function() m.grad = 3 end)
  end)

  it("in the standard library name the user's line", function()
    local line
    local message = fails(function() line = here() torch.nn.Linear(3) end, "out_features")
    assert(message:sub(1, #line) == line, message)
  end)

  it("say what was expected and what came", function()
    fails(function() m:sum { dims = 1 } end,
      "sum: unknown argument 'dims', did you mean 'dim'?\n  expected sum(Tensor self, *, DType? dtype=None)")
    fails(function() torch.add(m) end, "add: argument 'other' is missing")
    fails(function() torch.add(m, 1, 2) end, "add: takes at most 2 positional arguments, got 3")
    fails(function() torch.add(m, 1, { other = 2 }) end, "add: argument 'other' is given twice")
    fails(function() torch.add(m, "one") end,
      "add: argument 'other' must be a Tensor or a number, got the string 'one'")
    fails(function() m:reshape({ 2, "x" }) end, "got a list whose item 2 is the string 'x'")
    fails(function() m:reshape(1.5, 2) end, "got a list whose item 1 is the number 1.5")
    fails(function() m:max({}, {}) end,
      "max: argument 'dim' must be Dim, got a table\n  expected max(Tensor self, Dim dim")
    fails(function() m:max("1") end,
      "max: no form of it takes (a float32 tensor (2, 3), the string '1')\n  expected max(")
    fails(function() m:max { dimm = 1 } end, "max: unknown argument 'dimm', did you mean 'dim'?")
    fails(function() torch.zeros(2, { dtype = "float" }) end,
      "zeros: argument 'dtype' must be DType?, got the string 'float'")
    fails(function() torch.zeros(2, { device = "gpu" }) end, "gpu")
    fails(function() m:add_(torch.zeros(3, 3)) end, "do not broadcast")
  end)

  it("show defaults counted from 1", function()
    fails(function() m:flatten("x") end, "Dim start_dim=1, Dim end_dim=-1")
  end)

  it("in a coroutine name a line as well", function()
    local message
    coroutine.wrap(function() message = select(2, pcall(function() m:sum("x") end)) end)()
    assert(message:find("binding_spec.lua:%d+: sum"), message)
  end)

  it("with a message that is no line for a call from C", function()
    local good, message = pcall(torch.sum, m, "x")
    assert(not good and message:find("sum: argument 'dim'", 1, true))
  end)
end)

describe("results", function()
  it("in place: the very userdata that was given", function()
    local x = torch.ones(2)
    assert(rawequal(x:add_(1), x) and rawequal(torch.add_(x, 1), x) and rawequal(x:zero_(), x))
    equal(x:tolist(), { 0, 0 })
  end)

  it("out=: the tensor that was given, or several of them", function()
    local r = torch.empty(2, 3)
    assert(rawequal(torch.add(m, m, { out = r }), r))
    equal(r:tolist(), (m * 2):tolist())
    local value, position = torch.empty(0), torch.empty(0, { dtype = torch.int64 })
    local v, p = m:max(2, { out = { value, position } })
    assert(rawequal(v, value) and rawequal(p, position))
    equal(value:tolist(), { 3, 6 })
    fails(function() m:view(6, { out = r }) end, "unknown argument 'out'")
  end)

  it("one tensor may have several handles", function()
    local x = torch.ones(2, { requires_grad = true })
    x:sum():backward()
    assert(x.grad == x.grad and not rawequal(x.grad, x.grad) and x.grad:id() == x.grad:id())
    assert(x ~= x:clone() and x:id() ~= x:clone():id())
    assert(rawequal(x:contiguous(), x), "what comes back unchanged keeps its handle")
  end)

  it("a list is a Lua array", function()
    local parts = torch.arange(5):split(2)
    equal(#parts, 3)
    equal(parts[3]:tolist(), { 4 })
  end)
end)

describe("tensors", function()
  it("from nested tables, numbers, booleans and tensors", function()
    equal(torch.tensor { 1, 2 }.dtype, torch.float32)
    equal(torch.tensor { true }.dtype, torch.bool)
    equal(torch.tensor(3):dim(), 0)
    equal(torch.tensor {}:size(), torch.Size { 0 })
    equal(torch.tensor { {}, {} }:size(), torch.Size { 2, 0 })
    equal(torch.tensor({ 1.7, -1.7 }, { dtype = torch.int32 }):tolist(), { 1, -1 })
    equal(torch.tensor({ true, 2 }, { dtype = torch.float64 }):tolist(), { 1, 2 })
    equal(torch.tensor { torch.tensor(1), torch.tensor(2) }:tolist(), { 1, 2 })
    equal(torch.tensor { { m[1], m[2] } }:size(), torch.Size { 1, 2, 3 })
    assert(torch.tensor({ 1 }, { requires_grad = true }).requires_grad)
    equal(torch.tensor(torch.Size { 4, 5 }):tolist(), { 4, 5 })
  end)

  it("tensor copies, as_tensor shares", function()
    local x = torch.zeros(2)
    assert(torch.tensor(x):data_ptr() ~= x:data_ptr())
    assert(rawequal(torch.as_tensor(x), x))
    assert(torch.as_tensor(x, torch.float64).dtype == torch.float64)
  end)

  it("Tensor takes sizes, or elements in a table", function()
    equal(torch.Tensor(2, 3):size(), torch.Size { 2, 3 })
    equal(torch.Tensor { 2, 3 }:tolist(), { 2, 3 })
    equal(torch.Tensor():size(), torch.Size { 0 })
    fails(function() torch.Tensor("a") end, "Tensor: size 1 is the string 'a'")
  end)

  it("name the place of what does not fit", function()
    fails(function() torch.tensor { { 1, 2 }, { 3 } } end, "tensor: [2] has 1 item, the first one at this depth 2")
    fails(function() torch.tensor { { 1, 2 }, { 3, "x" } } end, "tensor: [2][2] is the string 'x', not a number")
    fails(function() torch.tensor { { 1 }, 2 } end, "tensor: [2] is the number 2, expected a list of 1")
    fails(function() torch.tensor { 1, { 2 } } end, "tensor: [2] is a table")
    fails(function() torch.tensor { 1, true } end, "tensor: [2] mixes booleans and numbers")
    fails(function() torch.tensor { x = 1 } end, "has the key the string 'x'")
    fails(function() torch.tensor("text") end, "not a number")
    local round = {}
    round[1] = round
    fails(function() torch.tensor(round) end, "nests deeper than 64 tables")
  end)

  it("to nested tables and numbers", function()
    equal(m:tolist(), { { 1, 2, 3 }, { 4, 5, 6 } })
    equal(m:t():totable(), { { 1, 4 }, { 2, 5 }, { 3, 6 } })
    equal(torch.tensor(true):tolist(), true)
    equal(torch.zeros(2, 0):tolist(), { {}, {} })
    fails(function() m:item() end, "item")
    fails(function() torch.zeros(1, { device = "meta" }):tolist() end, "meta")
  end)

  it("geometry", function()
    equal(m:stride(), torch.Size { 3, 1 })
    equal({ m:dim(), m:numel(), m:stride(1), m.ndim, #m, m:element_size(), m.nbytes }, { 2, 6, 3, 2, 2, 4, 24 })
    assert(m:is_contiguous() and not m:t():is_contiguous())
    equal(m[2]:storage_offset(), 3)
    assert(m[2]:data_ptr() == m:data_ptr() + 12)
    equal(m.T:tolist(), m:t():tolist())
    equal(m.mT:size(), torch.Size { 3, 2 })
    fails(function() return #torch.tensor(1) end, "no length")
  end)

  it("x[i][j] is storage[1 + offset + (i - 1) * stride(1) + (j - 1) * stride(2)]", function()
    local view = m:t():narrow(1, 2, 2)
    local storage = view:storage()
    assert(storage == m:storage() and storage:size() == 6 and #storage == 6)
    for i = 1, 2 do
      for j = 1, 2 do
        local position = 1 + view:storage_offset() + (i - 1) * view:stride(1) + (j - 1) * view:stride(2)
        equal(storage[position], view[{ i, j }]:item())
      end
    end
    fails(function() return storage[7] end, "position 7 is outside 1..6")
  end)

  it("conversions return self where nothing changes", function()
    assert(rawequal(m:float(), m) and rawequal(m:to(m.dtype), m) and rawequal(m:cpu(), m))
    equal(m:int().dtype, torch.int32)
    equal(m:type(), "torch.FloatTensor")
    equal(m:type("torch.DoubleTensor").dtype, torch.float64)
    equal(m:type(torch.uint8).dtype, torch.uint8)
    fails(function() m:type("torch.Nonsense") end, "is no type")
  end)

  it("apply_ and map_ call a function for each element", function()
    equal(torch.tensor { 1, 2 }:apply_(function(v) return v * 10 end):tolist(), { 10, 20 })
    equal(torch.tensor { 1, 2 }:map_(torch.tensor { 3, 4 }, function(a, b) return a - b end):tolist(), { -2, -2 })
    equal(torch.tensor { 1, 2 }:apply_(function() end):tolist(), { 1, 2 })
    fails(function() m:clone():apply_(function() error("no") end) end, "no")
  end)

  it("methods can be added", function()
    function torch.Tensor:twice() return self * 2 end
    equal(torch.tensor { 3 }:twice():item(), 6)
    torch.Tensor.twice = nil
  end)

  it("have no fields of the script's", function()
    equal(m.nonsense, nil)
    fails(function() m.nonsense = 1 end, "'nonsense' cannot be set")
    fails(function() return m .. "x" end, "torch.cat")
  end)

  it("hide their metatable", function() equal(getmetatable(m), "torch.Tensor") end)
end)

describe("types", function()
  it("dtypes are objects of their own", function()
    equal(tostring(torch.float32), "torch.float32")
    assert(torch.float == torch.float32 and rawequal(m.dtype, torch.float32))
    equal({ torch.complex64.itemsize, torch.half.is_floating_point, torch.int8.is_signed }, { 8, true, true })
    equal(({ [torch.int8] = "eight" })[torch.char or torch.int8], "eight")
  end)

  it("devices compare by value", function()
    assert(torch.device("cpu") == m.device and torch.device("meta") ~= m.device)
    equal({ tostring(m.device), m.device.type }, { "cpu", "cpu" })
    fails(function() torch.device("cpu", 1) end, "only cuda devices have an index")
  end)

  it("a Size is a Lua array", function()
    local s = m:size()
    equal({ #s, s[1], s[2], s:numel() }, { 2, 2, 3, 6 })
    local sum = 0
    for _, n in ipairs(s) do sum = sum + n end
    equal({ sum, select("#", unpack(s)), tostring(s) }, { 5, 2, "torch.Size([2, 3])" })
    assert(s == torch.zeros(2, 3).shape and s ~= torch.Size { 3, 2 })
  end)

  it("generators go on where they were set to", function()
    local state = torch.get_rng_state()
    local a = torch.rand(5)
    torch.set_rng_state(state)
    equal(torch.rand(5):tolist(), a:tolist())
    torch.manual_seed(7)
    equal(torch.initial_seed(), 7)
    fails(function() torch.set_rng_state(torch.zeros(3)) end, "expected a state")
  end)

  it("finfo and iinfo", function()
    equal(torch.finfo(torch.float64).eps, 2 ^ -52)
    equal(torch.finfo(torch.float16).max, 65504)
    equal({ torch.iinfo(torch.int8).min, torch.iinfo(torch.uint8).max }, { -128, 255 })
    assert(torch.iinfo(torch.int64).max == 9223372036854775807LL)
    fails(function() torch.iinfo(torch.float32) end, "integer dtype")
  end)
end)

describe("signatures of Lua functions", function()
  local read, names = torch.core.signature(
    "Layer(int size, int[2] kernel=3, Dim dim=-1, str mode='same', any extra=None)")

  it("read arguments as operators do", function()
    equal(names, { "size", "kernel", "dim", "mode", "extra" })
    local o = read(4, { kernel = { 1, 2 }, dim = 2 })
    equal({ o.size, o.kernel, o.dim, o.mode }, { 4, { 1, 2 }, 2, "same" })
    equal(read { size = 5 }.kernel, { 3, 3 })
    equal(read(5, 7).kernel, { 7, 7 })
  end)

  it("hand values of any type on as they are", function()
    local extra = { some = "table" }
    assert(read { size = 1, extra = extra }.extra == extra)
    assert(read(1, nil, nil, nil, extra).extra == extra)
  end)

  it("check", function()
    fails(function() read() end, "Layer: argument 'size' is missing")
    fails(function() read { size = 1, kernal = 2 } end, "Layer: unknown argument 'kernal', did you mean 'kernel'?")
    fails(function() read(1.5) end, "argument 'size' must be int, got the number 1.5")
    fails(function() torch.core.signature("Broken(int") end, "Broken(int")
  end)
end)

describe("bytes", function()
  it("frombytes reads numbers", function()
    equal(torch.core.frombytes("\0\1\2\3", 1, { 3 }, torch.uint8):tolist(), { 1, 2, 3 })
    equal(torch.core.frombytes("\0\0\128\63", 0, {}, torch.float32):item(), 1)
    fails(function() torch.core.frombytes("abc", 1, { 3 }, torch.uint8) end, "need more than the 3 bytes there are")
    fails(function() torch.core.frombytes("abc", 4, { 0 }, torch.uint8) end, "need more")
  end)

  it("read_file unpacks gzip files and names what is wrong", function()
    local path = os.tmpname()
    shell.write(path, "plain \0 bytes")
    equal(torch.core.read_file(path), "plain \0 bytes")
    assert(os.execute("gzip -c '" .. path .. "' > '" .. path .. ".gz'") == 0)
    equal(torch.core.read_file(path .. ".gz"), "plain \0 bytes")
    assert(os.execute("head -c 20 '" .. path .. ".gz' > '" .. path .. "'") == 0)
    fails(function() torch.core.read_file(path) end, "is damaged: it ends too early")
    os.remove(path)
    os.remove(path .. ".gz")
    fails(function() torch.core.read_file(path) end, path)
  end)
end)

describe("nothing a script passes crashes", function()
  local odd = {
    "text", true, false, 0, -1, 1.5, 2 ^ 53, 2 ^ 64, 1e300, 0 / 0, math.huge, -math.huge,
    {}, { {} }, { 1, "x" }, { dim = 1 },
    { [true] = 1 }, function() end, coroutine.create(function() end), newproxy(true), io.stdout, 5LL, 2i,
    torch.float32, torch.newaxis, torch.device("cpu"), torch.Generator(), torch.Size { 1 },
    torch.zeros(0), torch.zeros(2, 2), torch.tensor(1),
  }

  -- Sizes beyond this are errors, not gigabytes.
  local function within_limit(body)
    torch.set_memory_limit(torch.memory_allocated() + 2 ^ 26)
    local good, problem = pcall(body)
    torch.set_memory_limit(0)
    assert(good, problem)
    equal(m:sum():item(), 21)
  end

  it("to any function, in any place", function()
    local skip = { set_default_dtype = true, set_num_threads = true, set_memory_limit = true, set_grad_enabled = true }
    within_limit(function()
      for name, fn in pairs(torch) do
        if type(fn) == "function" and not skip[name] then
          for _, value in ipairs(odd) do
            pcall(fn, value)
            pcall(fn, torch.ones(2), value)
            pcall(fn, torch.ones(2), torch.ones(2), value)
          end
        end
      end
    end)
  end)

  it("to any method", function()
    within_limit(function()
      for _, fn in pairs(torch.Tensor) do
        if type(fn) == "function" then
          for _, value in ipairs(odd) do
            pcall(fn, value)
            pcall(fn, torch.ones(2, 2), value, value)
          end
        end
      end
    end)
  end)

  it("as a key or a value", function()
    for _, key in ipairs(odd) do
      pcall(function() return torch.ones(2, 2)[key] end)
      pcall(function() return torch.ones(2, 2)[{ key, key }] end)
      for _, value in ipairs(odd) do pcall(function() torch.ones(2, 2)[key] = value end) end
    end
    for _, property in ipairs { "grad", "data", "requires_grad", "shape" } do
      for _, value in ipairs(odd) do pcall(function() torch.ones(2)[property] = value end) end
    end
  end)
end)
