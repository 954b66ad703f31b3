local torch = require "torch"
local spec, shell, files = require "spec", require "shell", require "files"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local with, nn = files.with, torch.nn

-- What comes back of a value by way of a .pt file.
local function round_trip(value, options)
  local back
  with(function(path)
    torch.save(value, path, { format = "pytorch" })
    back = torch.load(path, options or {})
  end)
  return back
end

-- Writes an archive as PyTorch does: a pickle, and the bytes of storages by key.
local function write_archive(path, pickle, storages)
  local names, contents = { "a/data.pkl", "a/version" }, { pickle, "3\n" }
  for key, content in pairs(storages or {}) do
    names[#names + 1], contents[#contents + 1] = "a/data/" .. key, content
  end
  torch.core.write_zip(path, "save", names, contents)
end

local function loaded(pickle, storages)
  local value
  with(function(path)
    write_archive(path, pickle, storages)
    value = torch.load(path)
  end)
  return value
end

describe("torch.save in PyTorch's format, and torch.load", function()
  it("keep plain values and tables", function()
    local value = { 1, 2.5, -3, 2 ^ 40, "é", true, { a = { b = "c" } }, {} }
    equal(round_trip(value), value)
    for _, x in ipairs { math.huge, -math.huge, -0.1, 2 ^ 53, 2 ^ 60, "\0\255", torch.float16, -2LL ^ 62 } do
      equal(round_trip { x }[1], x)
    end
    local nan = round_trip { 0 / 0 }[1]
    assert(nan ~= nan)
    equal(round_trip { [0] = "zero", [true] = 1 }, { [0] = "zero", [true] = 1 })
  end)

  it("keep tensors of every dtype and form, copied and mapped", function()
    local given = { empty = torch.zeros(0, 4), scalar = torch.tensor(3), view = torch.arange(6):view(2, 3):t() }
    for _, name in ipairs(files.dtypes) do given[name] = torch.tensor({ 0, 1, 1 }, { dtype = torch[name] }) end
    for _, mmap in ipairs { false, true } do
      local back = round_trip(given, { mmap = mmap })
      for name, x in pairs(given) do
        equal(back[name].dtype, x.dtype)
        assert(torch.equal(back[name], x), name)
      end
    end
  end)

  it("keep what is shared shared, and cycles", function()
    local x, t = torch.zeros(4), {}
    t.self = t
    local back = round_trip { x, x:narrow(1, 2, 2), x, t }
    assert(back[1] == back[3] and back[4].self == back[4])
    back[2]:fill_(7)
    equal(back[1]:tolist(), { 0, 7, 7, 0 })
  end)

  it("write only the part of a storage that is used", function()
    with(function(path)
      torch.save(torch.zeros(1000, 1000)[5], path, { format = "pytorch" })
      assert(#shell.read(path) < 10000)
    end)
  end)

  it("keep parameters, and modules as their state, in order", function()
    local back = round_trip { nn.Parameter(torch.ones(2)), torch.ones(1, { requires_grad = true }) }
    assert(torch.core.is_parameter(back[1]) and back[1].requires_grad and back[2].requires_grad)
    local model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    local copy = torch.deepcopy(model)
    nn.init.zeros_(copy[1].weight)
    local state = round_trip(model)
    equal(state:keys(), model:state_dict():keys())
    copy:load_state_dict(state)
    equal(copy[1].weight, model[1].weight)
  end)

  it("put tensors where they are wanted", function()
    equal(round_trip({ torch.ones(2) }, { map_location = "meta" })[1].device.type, "meta")
  end)

  it("refuse what is not data, and unknown formats", function()
    with(function(path)
      local function save(value) torch.save(value, path, { format = "pytorch" }) end
      fails(function() save { print } end, "save: a function cannot be saved in this format")
      fails(function() save { torch.optim.SGD({ torch.zeros(1) }, { lr = 1 }) } end, "an object of class SGD")
      local deep = {}
      for _ = 1, 600 do deep = { deep } end
      fails(function() save(deep) end, "nested deeper than 500")
      fails(function() torch.save({}, path, { format = "onnx" }) end, "the format is 'facula' or 'pytorch', got 'onnx'")
    end)
  end)
end)

-- What a pickle stands for in a file from before 1.6, which is quicker written: behind the magic number, the protocol
-- and a description of the system; in front of the keys of no storages.
local function unpickled(pickle)
  local value
  with(function(path)
    shell.write(path, "\138\10\108\252\156\70\249\32\106\168\80\25.M\233\3.}." .. pickle .. "].")
    value = torch.load(path)
  end)
  return value
end

describe("the pickle machine", function()
  local none = require("torch.format.unpickler").none

  it("reads the operations of all protocols", function()
    local rows = {
      { "I42\n.", 42 }, { "I01\n.", true }, { "L-7L\n.", -7 }, { "F2.5\n.", 2.5 }, { "S'text'\n.", "text" },
      { "Vtext\n.", "text" }, { "K\7.", 7 }, { "M\1\1.", 257 }, { "J\255\255\255\255.", -1 },
      { "G\64\4\0\0\0\0\0\0.", 2.5 }, { "\138\0.", 0 }, { "\139\1\0\0\0\254.", -2 }, { "N.", none }, { "\136.", true },
      { "(lI1\naI2\na.", { 1, 2 } }, { "(I1\nI2\nl.", { 1, 2 } }, { "](K\1K\2e.", { 1, 2 } }, { "(K\1K\2t.", { 1, 2 } },
      { "K\1\133.", { 1 } }, { "K\1K\2\134.", { 1, 2 } }, { "K\1K\2K\3\135.", { 1, 2, 3 } }, { ").", {} },
      { "(S'a'\nI1\nd.", { a = 1 } }, { "}U\1aK\1s.", { a = 1 } }, { "}(U\1aK\1U\1bK\2u.", { a = 1, b = 2 } },
      { "}U\1aNs.", {} }, { "\143(K\1K\2\144.", { true, true } }, { "(K\1K\2\145.", { true, true } },
      { "]p0\n0g0\n.", {} }, { "]q\0\0480K\1h\0.", nil }, { "\128\4\149\3\0\0\0\0\0\0\0K\1\148.", 1 },
      { "K\1K\0020.", 1 }, { "(K\1K\0021K\3.", 3 }, { "K\0012\134.", { 1, 1 } }, { "X\1\0\0\0a.", "a" },
      { "\140\1a.", "a" }, { "C\1a.", "a" }, { "B\1\0\0\0a.", "a" }, { "\141\1\0\0\0\0\0\0\0a.", "a" },
      { "\150\1\0\0\0\0\0\0\0a.", "a" }, { "ccollections\nOrderedDict\n)R.", {} },
      { "c_codecs\nencode\n(X\2\0\0\0\195\191X\6\0\0\0latin1tR.", "\255" }, { "ctorch\nfloat16\n.", torch.float16 },
      { "ctorch\nSize\n(K\2K\3t\133R.", { 2, 3 } }, { "\140\5torch\140\5int64\147.", torch.int64 },
      { "ctorch\ndevice\nU\4cuda\133R.", "cuda" },
    }
    for _, row in ipairs(rows) do
      if row[2] ~= nil then equal(unpickled(row[1]), row[2]) end
    end
  end)

  it("answers or refuses every operation alone, and after values", function()
    for code = 0, 255 do
      for _, before in ipairs { "", "(K\1", "}K\1K\2" } do
        local good, problem = pcall(unpickled, before .. string.char(code) .. ".")
        assert(good or tostring(problem):find("load: '/tmp/", 1, true), ("%d: %s"):format(code, tostring(problem)))
      end
    end
  end)

  it("names nothing that is not allowed", function()
    local names = {
      "os system", "posix system", "nt system", "subprocess Popen", "subprocess call", "builtins eval", "io open",
      "builtins exec", "builtins open", "builtins getattr", "builtins __import__", "__builtin__ eval", "sys exit",
      "__builtin__ apply", "shutil rmtree", "torch load", "torch.hub load", "torch.jit load",
      "torch.ops load_library", "torch.storage load", "torch.serialization load", "torch.utils.cpp_extension load",
      "torch.nn Linear", "torch.nn.modules.linear Linear", "torch _C", "torch save", "torch print", "torch nn",
      "torch core", "torch zeros", "types CodeType", "runpy run_path", "types FunctionType", "functools partial",
      "operator attrgetter", "marshal loads", "pickle loads", "codecs encode", "_codecs decode",
      "importlib import_module", "ctypes CDLL", "collections Counter", "numpy fromfile",
      "numpy.core.multiarray _reconstruct", "socket socket", "webbrowser open", "pty spawn",
    }
    for _, entry in ipairs(names) do
      local module, name = entry:match("(%S+) (%S+)")
      fails(function() unpickled(("c%s\n%s\n)R."):format(module, name)) end,
        ("has an object of %s.%s, which is not read"):format(module, name))
    end
  end)

  it("refuses operations on values of the wrong kind", function()
    local rows = {
      { "K\1)R.", "calls a value that is no function" }, { "ctorch\nSize\nK\1R.", "arguments that are no tuple" },
      { "ctorch\nSize\n)R.", "'torch.Size' has wrong arguments" }, { "})R.", "calls a value that is no function" },
      { "ccollections\nOrderedDict\n)RX\4\0\0\0callK\1s)R.", "calls a value that is no function" },
      { "K\1K\2a.", "adds to a value that is no list" }, { "}(K\1e.", "adds to a value that is no list" },
      { "]K\1K\2s.", "adds to a value that is no dict" }, { "K\1(K\1K\2u.", "adds to a value that is no dict" },
      { ")K\1a.", "no list" }, { "](K\1\144.", "no set" }, { "}(K\1u.", "a key without a value" },
      { "}NK\1s.", "a key that Lua cannot have" },
      { "ccollections\nOrderedDict\n)RK\1K\1s.", "a key that is no text" },
      { "K\1}b.", "takes none" }, { "]}b.", "takes none" }, { "h\7.", "memory 7 that was never filled" },
      { "g9\n.", "memory 9" }, { "a.", "takes a value that is not there" }, { "t.", "takes a mark that is not there" },
      { "(K\1.", "leaves 1 values" }, { "K\1K\2.", "leaves 2 values" }, { ".", "leaves 0 values" },
      { "K", "beyond its" },
      { "X\255\255\255\255", "4294967295 bytes" },
      { "\139\255\255\255\127", "more than 8" },
      { "\139\255\255\255\255", "more than 8" }, { "\141" .. ("\255"):rep(8), "beyond" }, { "\128\9.", "protocol 9" },
      { "ctorch\nSize", "beyond its" }, { ("c" .. "x"):rep(1000), "ends nowhere" }, { "I1x\n.", "number that is none" },
      { "I99999999999999999999\n.", "too long" }, { "S'a\\x00'\n.", "escapes" }, { "Q.", "not there" },
      { "K\1Q.", "refers to something outside" }, { "P1\n.", "operation 0x50" }, { "\151.", "operation 0x97" },
      { "c__builtin__\nset\n](Ke.", "load: '/tmp/" },
    }
    for _, row in ipairs(rows) do fails(function() unpickled(row[1]) end, row[2]) end
  end)

  it("bounds depth and counts", function()
    fails(function() unpickled(("("):rep(1e6) .. ".") end, "nested deeper than 65536")
    fails(function() unpickled(("K\1"):rep(2 ^ 22 + 1) .. ".") end, "more than 4194304 values")
    fails(function() unpickled(")" .. ("\133"):rep(3e6) .. ".") end, "more than 2097152 tables")
  end)
end)

-- A tensor of a storage of `count` floats, in PyTorch's words.
local function tensor_pickle(count, offset, size, stride, class, key)
  local function integers(list)
    local out = {}
    for i, n in ipairs(list) do out[i] = ("I%d\n"):format(n) end
    return "(" .. table.concat(out) .. "t"
  end
  return ("ctorch._utils\n_rebuild_tensor_v2\n((U\7storagectorch\n%s\nU\1%sU\3cpuI%d\ntQI%d\n%s%sI00\n)tR."):format(
    class or "FloatStorage", key or "0", count, offset, integers(size), integers(stride))
end

describe("torch.load of PyTorch's archives", function()
  local four = torch.arange(4):to(torch.float32)

  it("finds storages by their keys", function()
    equal(loaded(tensor_pickle(4, 1, { 3 }, { 1 }), { ["0"] = { four } }), torch.tensor { 1, 2, 3 })
    equal(loaded(tensor_pickle(4, 0, { 2, 2 }, { 1, 2 }), { ["0"] = { four } }), torch.tensor { { 0, 2 }, { 1, 3 } })
  end)

  it("swaps the bytes of archives that say they are big-endian", function()
    with(function(path)
      local swapped = torch.core.swap_bytes(four:clone())
      torch.core.write_zip(path, "save", { "a/data.pkl", "a/version", "a/byteorder", "a/data/0" },
        { tensor_pickle(4, 0, { 4 }, { 1 }), "3\n", "big", { swapped } })
      equal(torch.load(path, { mmap = true }), four)
    end)
  end)

  it("refuses storages that lie, and tensors that reach outside of them", function()
    local rows = {
      { tensor_pickle(5, 0, { 4 }, { 1 }), "has 16 bytes, 5 of torch.float32 need 20" },
      { tensor_pickle(3, 0, { 3 }, { 1 }), "has 16 bytes, 3 of torch.float32 need 12" },
      { tensor_pickle(2 ^ 40, 0, { 4 }, { 1 }), "has 16 bytes" },
      { tensor_pickle(4, 0, { 4 }, { 1 }, "DoubleStorage"), "has 16 bytes, 4 of torch.float64" },
      { tensor_pickle(4, 0, { 4 }, { 1 }, nil, "9"), "a/data/9 is missing" },
      { tensor_pickle(4, 0, { 4 }, { 1 }, "QInt8Storage"), "has an object of torch.QInt8Storage" },
      { tensor_pickle(-4, 0, { 4 }, { 1 }), "is no storage" },
      { tensor_pickle(4, 1, { 4 }, { 1 }), "wrong arguments" },
      { tensor_pickle(4, 0, { 5 }, { 1 }), "wrong arguments" },
      { tensor_pickle(4, 0, { 2, 2 }, { 1, 3 }), "wrong arguments" },
      { tensor_pickle(4, 0, { 2 }, { 2 ^ 52 }), "wrong arguments" },
      { tensor_pickle(4, -1, { 2 }, { 1 }), "wrong arguments" },
      { tensor_pickle(4, 3, { 2 }, { -1 }), "wrong arguments" },
      { tensor_pickle(4, 0, { -2 }, { 1 }), "wrong arguments" },
      { tensor_pickle(4, 0, { 2, 2 }, { 1 }), "wrong arguments" },
      { tensor_pickle(4, 0, { 2 ^ 32, 2 ^ 32 }, { 0, 0 }), "wrong arguments" },
    }
    for _, row in ipairs(rows) do fails(function() loaded(row[1], { ["0"] = { four } }) end, row[2]) end
    -- sizes 1, 1, nothing, 1 out of a dict
    local sizes = tensor_pickle(4, 0, { 7 }, { 1, 1, 1, 1 }):gsub("%(I7\nt", "}(K\1K\1K\2K\1K\4K\1u")
    fails(function() loaded(sizes, { ["0"] = { four } }) end, "wrong arguments")
    local message = fails(function() loaded(tensor_pickle(1, 0, { 1 }, { 1 }, "BoolStorage"), { ["0"] = "\2" }) end,
      "a/data/0: there are other values than 0 and 1")
    assert(message:find("load: '/tmp/", 1, true), message)
  end)

  it("reads a pickle that is deflated, and refuses one that cannot be inflated", function()
    with(function(path)
      write_archive(path, "K\7.")
      local content = shell.read(path)
      local method = content:find("PK\1\2", 1, true) + 10
      shell.write(path, content:sub(1, method - 1) .. "\8" .. content:sub(method + 1))
      local message = fails(function() torch.load(path) end, "1 bytes at byte 0 cannot be read")
      assert(message:find(path, 1, true), message)
      if not files.python("zipfile", [[
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
  z.writestr("a/data.pkl", b"N0" * 200000 + b"K\x07.")
  z.writestr("a/version", "3")]], path) then return end
      equal(torch.load(path), 7)
    end)
  end)

  it("refuses programs, and archives of something else, with advice", function()
    with(function(path)
      torch.core.write_zip(path, "save", { "a/data.pkl", "a/version", "a/constants.pkl" }, { ").", "3\n", ")." })
      fails(function() torch.load(path) end, "is a program of TorchScript; save model.state_dict()")
      torch.core.write_zip(path, "save", { "../../x" }, { "text" })
      fails(function() torch.load(path) end, "is a zip archive, but not a file of torch.save")
      torch.save_npz({ torch.ones(1) }, path)
      fails(function() torch.load(path) end, "use torch.load_npz")
      torch.save_npy(torch.ones(1), path)
      fails(function() torch.load(path) end, "use torch.load_npy")
      torch.save_safetensors({ a = torch.ones(1) }, path)
      fails(function() torch.load(path) end, "use torch.load_safetensors")
      shell.write(path, "\128\2}q\0.")
      fails(function() torch.load(path) end, "is a pickle but not of torch.save")
      shell.write(path, ("\0"):rep(257) .. "ustar" .. ("\0"):rep(500))
      fails(function() torch.load(path) end, "is from PyTorch before 0.1.10")
    end)
  end)
end)

describe("PyTorch", function()
  it("loads what we save, without its full unpickler", function()
    with(function(path)
      local model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
      torch.save(model, path, { format = "pytorch" })
      files.agree(files.python("torch", [[
state = torch.load(sys.argv[1], weights_only=True)
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
print(model.load_state_dict(state), list(state)[-1], state["1.num_batches_tracked"].dtype)]], path),
        "<All keys matched successfully> 1.num_batches_tracked torch.int64\n")
      local x = torch.arange(4)
      torch.save({ x = x, y = x:view(2, 2):t(), p = nn.Parameter(torch.ones(1)), l = { 1, 2.5, "é", "\255" } }, path,
        { format = "pytorch" })
      files.agree(files.python("torch", [[
v = torch.load(sys.argv[1])
v["x"].fill_(2)
print(v["y"].tolist(), v["y"].stride(), type(v["p"]).__name__, v["l"])]], path),
        "[[2, 2], [2, 2]] (1, 2) Parameter [1, 2.5, 'é', b'\\xff']\n")
    end)
  end)

  it("saves what we load: archives and the older pickles, of two protocols", function()
    for _, options in ipairs { "", ", _use_new_zipfile_serialization=False", ", pickle_protocol=4" } do
      with(function(path)
        if not files.python("torch", [=[
x = torch.arange(12.)
model = torch.nn.Linear(2, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.25)
model(torch.ones(1, 2)).sum().backward()
optimizer.step()
kinds = {str(t): torch.ones(2).to(t) for t in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32,
  torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)}
torch.save({"x": x, "view": x.view(3, 4).t(), "part": x[3:5], "none": None, "list": [1, 2.5, None, "é", b"\xff", 2**40],
  "tuple": (1, 2), "zero": {0: "a"}, "kinds": kinds, "parameter": torch.nn.Parameter(torch.ones(3)),
  "empty": torch.zeros(0, 3), "scalar": torch.tensor(5), "dtype": torch.float16, "size": torch.Size([2, 3]),
  "device": torch.device("cpu"), "set": {1, 2}, "state": model.state_dict(), "optimizer": optimizer.state_dict()},
  sys.argv[1]]=] .. options .. ")", path) then return end
        for _, mmap in ipairs { false, true } do
          local v = torch.load(path, { mmap = mmap })
          equal(v.view, torch.arange(12):view(3, 4):t():to(torch.float32))
          v.x:fill_(1)
          equal(v.part, torch.ones(2))
          equal({ v.list[1], v.list[2], tostring(v.list[3]), v.list[4], v.list[5], v.list[6] },
            { 1, 2.5, "None", "é", "\255", 2 ^ 40 })
          equal({ v.none == nil, v.tuple, v.zero[0], v.dtype, v.size, v.device, v.set },
            { true, { 1, 2 }, "a", torch.float16, { 2, 3 }, "cpu", { true, true } })
          for name, x in pairs(v.kinds) do
            equal(tostring(x.dtype), name)
            equal(x:to(torch.float32), torch.ones(2))
          end
          assert(torch.core.is_parameter(v.parameter) and v.parameter.requires_grad)
          equal({ v.empty:size(), v.scalar:item(), v.state:keys() }, { { 0, 3 }, 5, { "weight", "bias" } })
          equal({ v.optimizer.param_groups[1].lr, v.optimizer.state[0].exp_avg:size() }, { 0.25, { 3, 2 } })
        end
      end)
    end
  end)
end)
