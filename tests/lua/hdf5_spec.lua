local torch = require "torch"
local spec, files, shell = require "spec", require "files", require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails

-- Is libhdf5 there? Without it there is one clear error, and nothing else to test.
local there, problem = pcall(torch.hdf5.open, "/no/such/file")
if tostring(problem):find("libhdf5 is not installed", 1, true) then
  print("skipped what needs libhdf5")
  describe("hdf5.open", function()
    it("says that the library is missing", function() assert(not there) end)
  end)
  return
end

-- A file with what `fill` writes, opened to be read.
local function written(fill, body)
  files.with(function(path)
    local f = torch.hdf5.open(path, "w")
    fill(f)
    f:close()
    local back = torch.hdf5.open(path)
    body(back, path)
    back:close()
  end)
end

-- An open file whose process has been killed.
local function open_and_kill(path, mode)
  local others = {}
  for _, pid in ipairs(shell.children()) do others[pid] = true end
  local f = torch.hdf5.open(path, mode)
  for _, pid in ipairs(shell.children()) do
    if not others[pid] then os.execute("kill -9 " .. pid) end
  end
  return f
end

describe("HDF5 files", function()
  it("hold tensors of every dtype and shape", function()
    local shapes = { { 2, 3 }, { 6 }, { 1, 3, 1, 2 }, { 0, 3 } }
    local made = {}
    written(function(f)
      for _, name in ipairs {
        "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
        "complex128",
      } do
        local x = torch.tensor({ 0, 1, 1, 0, 1, 1 }, { dtype = torch[name] })
        for i, shape in ipairs(shapes) do
          local key = ("%s/%d"):format(name, i)
          made[key] = shape[1] == 0 and torch.empty(shape, { dtype = torch[name] }) or x:reshape(shape)
          f:write(key, made[key])
        end
        made[name .. "/one"] = x[2]
        f:write(name .. "/one", x[2])
      end
    end, function(f)
      for key, x in pairs(made) do
        local y = f:read(key)
        assert(y.dtype == x.dtype and y:size() == x:size() and y:eq(x):all():item(), key)
        equal(f:info(key), { kind = "dataset", shape = x:size(), dtype = x.dtype })
      end
    end)
  end)

  it("hold strided tensors, extreme numbers, texts and plain values", function()
    local x = torch.tensor({ -1e300, 1e-310, math.huge }, { dtype = torch.float64 })
    written(function(f)
      f:write("turned", torch.arange(6):reshape(2, 3):t())
      f:write("extreme", x)
      f:write("long", torch.tensor({ 9007199254740993LL, -9007199254740993LL }, { dtype = torch.int64 }))
      f:write("text", "grün\n")
      f:write("texts", { "a", "", "ccc" })
      f:write("number", 1.5)
      f:write("yes", true)
    end, function(f)
      equal(f:read "turned", torch.arange(6):reshape(2, 3):t():contiguous())
      equal(f:read "extreme", x, 0)
      equal(f:read("long"):tolist(), { 9007199254740993LL, -9007199254740993LL })
      equal(f:read "text", "grün\n")
      equal(f:read "texts", { "a", "", "ccc" })
      equal(f:read("number"):item(), 1.5)
      equal(f:read("yes"):item(), true)
      equal(f:info "text", { kind = "dataset", shape = {} })
    end)
  end)

  it("give parts of a tensor by ranges", function()
    local x = torch.arange(60):reshape(5, 4, 3)
    for _, options in ipairs { {}, { chunks = { 2, 2, 2 } }, { compression = 4 } } do
      written(function(f) f:write("x", x, options) end, function(f)
        equal(f:read("x", { { 2, -1 } }), x:narrow(1, 2, 4))
        equal(f:read("x", { {}, { 2, 3 }, { 1, 3, 2 } }), x[{ {}, { 2, 3 }, { 1, 3, 2 } }])
        equal(f:read("x", { 5, {}, -1 }), x[{ 5, {}, 3 }])
        equal(f:read("x", { { 3, 2 } }):size(), { 0, 4, 3 })
        fails(function() f:read("x", { { 2, 6 } }) end, "hdf5.read: position 6 is outside 1..5 in dimension 1")
        fails(function() f:read("x", { {}, 0 }) end, "hdf5.read: position 0 is outside 1..4 in dimension 2")
        fails(function() f:read("x", { {}, {}, {}, {} }) end, "hdf5.read: 4 ranges for 3 dimensions")
        fails(function() f:read("x", { { 1, 2, 0 } }) end,
          "hdf5.read: the step in dimension 1 is a positive whole number, got 0")
      end)
    end
  end)

  it("hold groups as tables", function()
    local value = { a = torch.ones(2), deep = { b = torch.zeros(1), text = "t" } }
    written(function(f)
      f:write("net", value)
      f:create_group "empty"
    end, function(f)
      equal(f:keys(), { "empty", "net" })
      equal(f:keys "net/deep", { "b", "text" })
      local all = f:read()
      equal(all.empty, {})
      equal(all.net.deep.b, value.deep.b)
      equal(all.net.deep.text, "t")
      equal(f:read("net").a, value.a)
      equal(f:info "net", { kind = "group" })
      equal(f:exists "net/deep/b", true)
      equal(f:exists "net/none/b", false)
    end)
  end)

  it("hold attributes", function()
    written(function(f)
      f:write("x", torch.ones(2))
      f:set_attribute("x", "rate", 8000)
      f:set_attribute("x", "rate", 44100)
      f:set_attribute("/", "by", "somebody")
      f:set_attribute("/", "list", { "a", "b" })
      f:set_attribute("/", "on", true)
    end, function(f)
      equal(f:get_attribute("x", "rate"), 44100)
      equal(f:get_attribute("x", "none"), nil)
      equal(f:attributes "/", { by = "somebody", list = { "a", "b" }, on = true })
    end)
  end)

  it("are replaced when they are closed, and not before", function()
    files.with(function(path)
      shell.write(path, "old")
      local f = torch.hdf5.open(path, "w")
      f:write("x", torch.ones(1))
      equal(shell.read(path), "old")
      f:close()
      f:close()
      f = torch.hdf5.open(path, "a")
      f:write("y", torch.zeros(1))
      f:remove "x"
      equal(torch.hdf5.open(path):keys(), { "x" })
      f:close()
      equal(torch.hdf5.open(path):keys(), { "y" })
      fails(function() f:keys() end, "' is closed")
    end)
  end)

  it("refuse what does not fit", function()
    written(function(f)
      f:write("x", torch.ones(2))
      fails(function() f:write("x", torch.ones(2)) end, "has a 'x' already")
      fails(function() f:write("x/y", torch.ones(2)) end, "hdf5.write: '")
      fails(function() f:write("l", { 1, 2 }) end, "write lists of numbers as tensors")
      fails(function() f:write("f", print) end, "hdf5.write: expected a tensor, a string or a list of strings")
      fails(function() f:write("c", torch.ones(2), { chunks = { 3 } }) end, "chunks of 3 for 2 elements in dimension 1")
      fails(function() f:write("c", torch.ones(2), { compression = 10 }) end, "compression is 0 to 9, got 10")
      local cycle = {}
      cycle.again = cycle
      fails(function() f:write("cycle", cycle) end, "lies in itself")
    end, function(f, path)
      fails(function() f:read "none" end, ("hdf5.read: '%s' has no 'none'"):format(path))
      fails(function() f:keys "x" end, "has a 'x' that is no group")
      fails(function() f:write("z", torch.ones(1)) end, "is open for reading only")
      fails(function() torch.hdf5.open(path, "x") end, "the mode is 'r', 'w' or 'a', got 'x'")
    end)
    files.holding("no HDF5", function(path)
      fails(function() torch.hdf5.open(path) end, ("hdf5.open: '%s' is not a file of HDF5"):format(path))
    end)
    fails(function() torch.hdf5.open "/dev/zero" end, "hdf5.open: '/dev/zero' is not a plain file")
  end)

  it("ask for no more memory than the file can hold", function()
    local size = 2 ^ 33
    written(function(f) f:write("x", torch.zeros(size / 2 ^ 23), { chunks = { 1 } }) end, function(_, path)
      -- the size stands in the file as 8 bytes
      local bytes = shell.read(path)
      local at = bytes:find("\0\4\0\0\0\0\0\0", 1, true)
      while at do
        shell.write(path, bytes:sub(1, at - 1) .. "\0\0\0\0\2\0\0\0" .. bytes:sub(at + 8))
        local good, message = pcall(function() return torch.hdf5.open(path):read "x" end)
        assert(good or message:find("cannot hold", 1, true) or message:find("hdf5.", 1, true), message)
        at = bytes:find("\0\4\0\0\0\0\0\0", at + 1, true)
      end
    end)
  end)

  it("survive the end of the process that reads them", function()
    written(function(f) f:write("x", torch.arange(5)) end, function(f, path)
      local opened = open_and_kill(path)
      fails(function() opened:read "x" end,
        ("hdf5.read: '%s' is damaged: the process of libhdf5 was killed by signal 9 (Killed)"):format(path))
      equal(opened:read("x"):size(), { 5 })
      opened:close()
      equal(f:read("x"):size(), { 5 })
    end)
  end)

  it("are lost, and the old ones kept, with the process that writes them", function()
    files.holding("old", function(path)
      local f = open_and_kill(path, "w")
      fails(function() f:write("x", torch.ones(1)) end, "the process of libhdf5 was killed by signal 9")
      fails(function() f:write("x", torch.ones(1)) end, "stays as it was: the process that writes it is gone")
      fails(function() f:close() end, "stays as it was")
      equal(shell.read(path), "old")
    end)
  end)

  it("are read in forked processes, too, and closed by their own", function()
    written(function(f) f:write("x", torch.arange(5)) end, function(f, path)
      local set = { size = function() return 4 end, get = function(_, i) return f:read("x", { i }) end }
      local got = {}
      for x in torch.utils.data.DataLoader(set, { num_workers = 2 }):iter() do got[#got + 1] = x:item() end
      equal(got, { 0, 1, 2, 3 })
      os.remove(path)
      equal(f:read("x"):size(), { 5 })
    end)
  end)

  it("leave no process behind", function()
    written(function(f) f:write("x", torch.ones(1)) end, function(_, path)
      collectgarbage()
      local before = #shell.children()
      local f = torch.hdf5.open(path)
      equal(#shell.children(), before + 1)
      f:close()
      equal(#shell.children(), before)
      for _ = 1, 200 do torch.hdf5.open(path) end -- and nobody closes them
      assert(#shell.children() < before + 100)
    end)
  end)

  it("are not there in a sandbox", function()
    local output = shell.output_of(("%s --sandbox -e 'print(pcall(torch.hdf5.open, [[data.h5]]))' 2>&1"):format(
      shell.program))
    assert(output:find("hdf5.open: not there in a sandbox", 1, true), output)
  end)
end)

describe("h5py", function()
  it("reads what is written here, and the other way round", function()
    files.with(function(path)
      local f = torch.hdf5.open(path, "w")
      f:write("g/x", torch.arange(12):reshape(3, 4):to(torch.float32), { compression = 5 })
      f:write("flags", torch.tensor { true, false })
      f:write("z", torch.complex(torch.tensor { 1.0 }, torch.tensor { -2.0 }))
      f:write("half", torch.tensor({ 1.5 }, { dtype = torch.float16 }))
      f:write("texts", { "a", "bc" })
      f:set_attribute("g", "rate", 2)
      f:close()
      local seen = files.python("h5py, numpy", [=[
with h5py.File(sys.argv[1]) as f:
    x = f["g/x"]
    print(x.dtype, x.shape, x.compression, x[1].tolist(), f["flags"].dtype, f["flags"][:].tolist(), f["z"][:].tolist(),
          f["half"].dtype, f["half"][0], [t.decode() for t in f["texts"][:]], f["g"].attrs["rate"])
with h5py.File(sys.argv[1], "w") as f:
    f["u2"] = numpy.array([1, 65535], ">u2")
    f["u8"] = numpy.array([1, 2**63], "u8")
    f["fixed"] = numpy.array([b"ab", b"c"])
    f["bool"] = numpy.array([True, False])
    f["c"] = numpy.array([1 + 2j])
    f["h"] = numpy.array([0.5], "f2")
    f.create_dataset("big", data=numpy.arange(1000).reshape(10, 100), chunks=(3, 7), compression="gzip", shuffle=True)
    f.attrs["who"] = "h5py"
    f["there"] = h5py.ExternalLink("/etc/passwd", "/")
]=], path)
      if not seen then return end
      equal(seen, "float32 (3, 4) gzip [4.0, 5.0, 6.0, 7.0] bool [True, False] [(1-2j)] float16 1.5 ['a', 'bc'] 2.0\n")
      f = torch.hdf5.open(path)
      equal(f:read "u2", torch.tensor({ 1, 65535 }, { dtype = torch.int32 }))
      fails(function() f:read "u8" end, "unsigned numbers from 2^63 on have no dtype")
      equal(f:read "fixed", { "ab", "c" })
      equal(f:read "bool", torch.tensor { true, false })
      equal(f:read("c").dtype, torch.complex128)
      equal(f:read "h", torch.tensor({ 0.5 }, { dtype = torch.float16 }))
      equal(f:read("big", { { 10, 10 }, { 99, 100 } }):tolist(), { { 998, 999 } })
      equal(f:get_attribute("/", "who"), "h5py")
      fails(function() f:read "there" end, "has a 'there' that cannot be opened")
      f:close()
    end)
  end)
end)
