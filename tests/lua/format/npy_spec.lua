local torch = require "torch"
local spec, shell, files = require "spec", require "shell", require "files"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local with, bytes = files.with, files.little_endian

-- The bytes of a file with any header.
local function file_of(header, data, version)
  local length = bytes(#header, (version or 1) == 1 and 2 or 4)
  return "\147NUMPY" .. string.char(version or 1, 0) .. length .. header .. (data or "")
end

local function described(descr, shape, fortran)
  return ("{'descr': %s, 'fortran_order': %s, 'shape': %s, }"):format(descr, fortran and "True" or "False", shape)
end

local function loaded(content, options)
  local x
  with(function(path)
    shell.write(path, content)
    x = torch.load_npy(path, options or {})
  end)
  return x
end

describe("torch.save_npy and torch.load_npy", function()
  it("keep every dtype that NumPy has, and every form", function()
    for _, name in ipairs(files.dtypes) do
      if name ~= "bfloat16" then
        local x = torch.tensor({ { 0, 1, 1 }, { 1, 0, 1 } }, { dtype = torch[name] })
        with(function(path)
          torch.save_npy(x, path)
          for _, mmap in ipairs { false, true } do
            local back = torch.load_npy(path, { mmap = mmap })
            equal(back.dtype, x.dtype)
            assert(torch.equal(back, x))
          end
        end)
      end
    end
    for _, x in ipairs { torch.tensor(3), torch.zeros(0, 4), torch.arange(24):view(2, 3, 4):permute(3, 1, 2) } do
      with(function(path)
        torch.save_npy(x, path)
        equal(torch.load_npy(path), x)
      end)
    end
  end)

  it("refuse what the format lacks", function()
    with(function(path)
      fails(function() torch.save_npy(torch.zeros(1, { dtype = torch.bfloat16 }), path) end,
        "save_npy: NumPy has no type for torch.bfloat16")
      fails(function() torch.save_npy({ 1 }, path) end, "save_npy")
      fails(function() torch.save_npy(torch.zeros(1), "/no/such/folder/file") end, "/no/such/folder/file")
    end)
  end)
end)

describe("torch.load_npy", function()
  it("reads all versions, orders of bytes and dimensions", function()
    local data = "\1\0\2\0\3\0\4\0\5\0\6\0"
    for version = 1, 3 do
      equal(loaded(file_of(described("'<i2'", "(2, 3)"), data, version)):tolist(), { { 1, 2, 3 }, { 4, 5, 6 } })
    end
    equal(loaded(file_of(described("'<i2'", "(2, 3)", true), data)):tolist(), { { 1, 3, 5 }, { 2, 4, 6 } })
    equal(loaded(file_of(described("'>i2'", "(6,)"), data)):tolist(), { 256, 512, 768, 1024, 1280, 1536 })
    equal(loaded(file_of(described("'|u1'", "(1L, 2L)"), data)):tolist(), { { 1, 0 } })
    equal(loaded(file_of(described("'<i4'", "()"), data)):item(), 131073)
  end)

  it("widens unsigned integers that have no dtype", function()
    equal(loaded(file_of(described("'<u2'", "(2,)"), "\255\255\1\0")),
      torch.tensor({ 65535, 1 }, { dtype = torch.int32 }))
    local x = loaded(file_of(described("'>u4'", "(1,)"), "\255\255\255\254"))
    equal(x.dtype, torch.int64)
    equal(x:item(), 2 ^ 32 - 2)
    equal(loaded(file_of(described("'<u8'", "(1,)"), "\7" .. ("\0"):rep(7))):item(), 7)
    fails(function() loaded(file_of(described("'<u8'", "(1,)"), ("\255"):rep(8))) end, "beyond 2^63")
  end)

  it("lets a mapped tensor lie in the file, without writing to it", function()
    with(function(path)
      torch.save_npy(torch.zeros(4), path)
      local before, x = shell.read(path), torch.load_npy(path, { mmap = true })
      x:fill_(7)
      equal(shell.read(path), before)
      collectgarbage()
      equal(x:sum():item(), 28)
    end)
  end)

  it("survives that somebody cuts the file of a mapped tensor", function()
    with(function(path)
      torch.save_npy(torch.ones(100000), path)
      local x = torch.load_npy(path, { mmap = true })
      shell.write(path, "cut")
      local message = fails(function() x:sum() end, "was cut while tensors lay in it")
      assert(message:find("load_npy: '" .. path .. "'", 1, true), message)
      equal(x:sum():item(), 0)
      equal(torch.ones(3):sum():item(), 3)
    end)
  end)

  it("neither shows nor saves zeros for what a mapped file has lost", function()
    for _, use in ipairs { function(x) x:tolist() end, tostring, function(x, other) torch.save_npy(x, other) end } do
      with(function(path)
        local other = path .. ".copy"
        torch.save_npy(torch.ones(100000), path)
        torch.save_npy(torch.ones(2), other)
        local x = torch.load_npy(path, { mmap = true })
        shell.write(path, "cut")
        fails(function() use(x, other) end, "was cut")
        equal(torch.load_npy(other):tolist(), { 1, 1 })
        os.remove(other)
      end)
    end
  end)

  it("refuses headers that lie, before it asks for memory", function()
    local wrong = {
      { "", "does not begin as a file of NumPy's" },
      { "\147NUMPY", "does not begin as a file of NumPy's" },
      { "\147NUMPY\9\0\0\0\0\0", "version 9" },
      { "\147NUMPY\2\0\255\255\255\255", "header of 4294967295 bytes does not fit" },
      { "\147NUMPY\1\0\255\255{}", "does not fit" },
      { "\147NUMPY\2\0\1\0", "does not fit" },
      { file_of("{'descr': __import__('os').system('true'), }"), "no dictionary of plain values" },
      { file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), "no dictionary" },
      { file_of(described("'<f4'", "(1,)"):gsub("}", "")), "no dictionary" },
      { file_of("{'descr': '<f4', 'descr': '<f4', }"), "no dictionary" },
      { file_of("{'shape': (1,), 'fortran_order': False, }"), "lacks a type" },
      { file_of(described("'|O'", "(1,)"), ("x"):rep(8)), "no dtype for NumPy's type 'O'" },
      { file_of(described("'<U4'", "(1,)"), ("x"):rep(16)), "no dtype for NumPy's type 'U4'" },
      { file_of(described("'<f4'", "(-1,)")), "its shape is none" },
      { file_of(described("'<f4'", "('1',)")), "no dictionary" },
      { file_of(described("'<f4'", "(1099511627776,)")), "do not fit" },
      { file_of(described("'<f4'", "(4294967296, 4294967296)")), "do not fit" },
      { file_of(described("'<f4'", "(99999999999999999999,)")), "its shape is none" },
      { file_of(described("'<f4'", "(" .. ("1,"):rep(65) .. ")"), "abcd"), "its shape is none" },
      { file_of(described("'<f4'", "(2,)"), "1234567"), "do not fit" },
      { file_of(described("'|b1'", "(2,)"), "\0\2"), "other values than 0 and 1" },
    }
    for _, row in ipairs(wrong) do
      fails(function() loaded(row[1]) end, row[2])
      fails(function() loaded(row[1]) end, "load_npy: '/tmp/")
    end
    fails(function() torch.load_npy("/tmp") end, "is a directory")
    fails(function() torch.load_npy("/dev/zero") end, "is not a plain file")
  end)
end)

describe("torch.save_npz and torch.load_npz", function()
  it("keep tensors by name", function()
    local given = { a = torch.arange(6):view(2, 3), ["b/c"] = torch.tensor(true), empty = torch.zeros(0, 2) }
    with(function(path)
      torch.save_npz(given, path)
      for _, mmap in ipairs { false, true } do
        local back = torch.load_npz(path, { mmap = mmap })
        for name, x in pairs(given) do equal(back[name], x) end
      end
      torch.save_npz({ torch.ones(2) }, path)
      equal(torch.load_npz(path).arr_0, torch.ones(2))
      torch.save_npz({}, path)
      equal(torch.load_npz(path), {})
    end)
  end)

  it("refuse what is no tensor, and files that are no archives", function()
    with(function(path)
      fails(function() torch.save_npz({ a = 1 }, path) end, "save_npz: a: expected a tensor, got a number")
      fails(function() torch.save_npz(3, path) end, "expected a table of tensors")
      shell.write(path, "text")
      fails(function() torch.load_npz(path) end, "is not a zip archive")
      torch.core.write_zip(path, "save", { "a.npy" }, { "text" })
      fails(function() torch.load_npz(path) end, "a.npy' is damaged: it does not begin")
      local lie = file_of(described("'<f8'", "(1000000,)"))
      torch.core.write_zip(path, "save", { "a.npy" }, { lie })
      fails(function() torch.load_npz(path) end, "do not fit")
      torch.core.write_zip(path, "save", { "a.npy" }, { file_of(described("'|b1'", "(1,)"), "\2") })
      fails(function() torch.load_npz(path) end, "a.npy' is damaged: there are other values than 0 and 1")
    end)
  end)
end)

describe("NumPy", function()
  it("reads what we write", function()
    with(function(path)
      torch.save_npz({ x = torch.arange(6):view(2, 3):t(), b = torch.tensor { true, false }, s = torch.tensor(2.5),
        c = torch.ones(1, { dtype = torch.complex128 }), h = torch.ones(2, { dtype = torch.float16 }) }, path)
      files.agree(files.python("numpy", [[
a = numpy.load(sys.argv[1])
print(a["x"].tolist(), a["b"].tolist(), a["s"], a["s"].shape, a["c"].tolist(), a["h"].dtype)]], path),
        "[[0, 3], [1, 4], [2, 5]] [True, False] 2.5 () [(1+0j)] float16\n")
    end)
  end)

  it("writes what we read: types, orders, compressed archives", function()
    with(function(path)
      if not files.python("numpy", [[
x = numpy.arange(6).reshape(2, 3)
arrays = {"a%d" % i: x.astype(t) for i, t in enumerate(
  ["u1", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c8",
   "<c16", ">c16", "<u2", ">u2", "<u4", "<u8"])}
arrays["f"] = numpy.asfortranarray(x)
arrays["z"] = numpy.zeros(100000)
with open(sys.argv[1], "wb") as f: numpy.savez_compressed(f, **arrays)]], path) then return end
      local back, x = torch.load_npz(path), torch.arange(6):view(2, 3)
      for i = 0, 21 do assert(torch.equal(back["a" .. i]:to(torch.complex128), x:to(torch.complex128))) end
      equal(back.f, x)
      equal(back.z, torch.zeros(100000, { dtype = torch.float64 }))
    end)
  end)
end)
