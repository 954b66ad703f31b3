local torch = require "torch"
local spec, shell, files = require "spec", require "shell", require "files"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local with, bytes = files.with, files.little_endian

-- The bytes of a file with any header.
local function file_of(header, data, length)
  return bytes(length or #header, 8) .. header .. (data or "")
end

local function loaded(content)
  local tensors, metadata
  with(function(path)
    shell.write(path, content)
    tensors, metadata = torch.load_safetensors(path)
  end)
  return tensors, metadata
end

describe("torch.save_safetensors and torch.load_safetensors", function()
  it("keep every dtype of the format, every form, and metadata", function()
    local given = { empty = torch.zeros(0, 4), scalar = torch.tensor(3) }
    given["naïve.name"] = torch.arange(6):view(2, 3):t()
    for _, name in ipairs(files.dtypes) do
      if name ~= "complex128" then given[name] = torch.tensor({ 0, 1, 1 }, { dtype = torch[name] }) end
    end
    with(function(path)
      torch.save_safetensors(given, path, { format = "pt", note = "ä" })
      for _, mmap in ipairs { false, true } do
        local back, metadata = torch.load_safetensors(path, { mmap = mmap })
        equal(metadata, { format = "pt", note = "ä" })
        for name, x in pairs(given) do
          equal(back[name].dtype, x.dtype)
          assert(torch.equal(back[name], x))
        end
      end
    end)
  end)

  it("keep modules as their state", function()
    local model, copy = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    with(function(path)
      torch.save_safetensors(model, path)
      copy:load_state_dict((torch.load_safetensors(path)))
    end)
    equal(copy.weight, model.weight)
  end)

  it("give a state that takes more", function()
    with(function(path)
      torch.save_safetensors({ b = torch.ones(1), a = torch.zeros(1) }, path)
      local state = torch.load_safetensors(path)
      state.a, state.c = nil, torch.ones(2)
      state.a = torch.ones(1)
      equal(state:keys(), { "a", "b", "c" })
    end)
  end)

  it("write wide dtypes first, and the elements at a multiple of 64 bytes", function()
    with(function(path)
      local x = torch.zeros(1)
      torch.save_safetensors({ b = x, a = x:to(torch.uint8), c = x }, path)
      equal((torch.load_safetensors(path)):keys(), { "b", "c", "a" })
      local content = shell.read(path)
      equal((8 + content:byte(1) + 256 * content:byte(2)) % 64, 0)
    end)
  end)

  it("refuse what the format lacks", function()
    with(function(path)
      fails(function() torch.save_safetensors({ a = 1 }, path) end, "'a' is a number, not a tensor")
      fails(function() torch.save_safetensors({ torch.ones(1) }, path) end, "'1' is no name")
      fails(function() torch.save_safetensors({ ["\255"] = torch.ones(1) }, path) end, "is no name")
      fails(function() torch.save_safetensors({ a = torch.ones(1, { dtype = torch.complex128 }) }, path) end,
        "'a' is torch.complex128, which the format does not have")
      fails(function() torch.save_safetensors({}, path, { a = 1 }) end, "metadata 'a' is not a text")
    end)
  end)
end)

describe("torch.load_safetensors", function()
  local function row(dtype, shape, first, last)
    return ('{"dtype":"%s","shape":[%s],"data_offsets":[%s,%s]}'):format(dtype, shape, first, last)
  end

  it("reads what others write: spaces, any order, unsigned integers", function()
    local header = '{"b":' .. row("U16", "2", 4, 8) .. ', "a" : ' .. row("F32", "", 0, 4) .. "}    "
    local tensors, metadata = loaded(file_of(header, "\0\0\128\63\255\255\1\0"))
    equal(tensors:keys(), { "a", "b" })
    equal(tensors.a, torch.tensor(1))
    equal(tensors.b, torch.tensor({ 65535, 1 }, { dtype = torch.int32 }))
    equal(metadata, {})
    equal((loaded(file_of("{}"))):size(), 0)
  end)

  it("reads long names and many tensors", function()
    local name, rows = ("n"):rep(2 ^ 24), {}
    equal((loaded(file_of('{"' .. name .. '":' .. row("F32", "", 0, 4) .. "}", "\0\0\128\63")))[name]:item(), 1)
    for i = 1, 20000 do rows[i] = ('"%d":'):format(i) .. row("U8", "1", i - 1, i) end
    local tensors = loaded(file_of("{" .. table.concat(rows, ",") .. "}", ("\7"):rep(20000)))
    equal({ tensors:size(), tensors["20000"]:item() }, { 20000, 7 })
  end)

  it("refuses lengths of the header that lie", function()
    for _, length in ipairs { 0, 1, 7, 3, 2 ^ 31, 2 ^ 53, 100e6 + 1 } do
      fails(function() loaded(file_of("{}", "", length)) end, "does not fit")
    end
    for _, length in ipairs { "\0\0\0\0\0\0\0\128", ("\255"):rep(8) } do
      fails(function() loaded(length .. "{}") end, "does not fit")
    end
    fails(function() loaded("{}") end, "too short for a header")
    fails(function() loaded("") end, "too short for a header")
  end)

  it("refuses descriptions that lie, before it asks for memory", function()
    local data = ("\0"):rep(8)
    local wrong = {
      { '{"a":' .. row("F32", "2", 8, 0) .. "}", "lies from byte 8 to 0" },
      { '{"a":' .. row("F32", "4", 0, 16) .. "}", "lies from byte 0 to 16 of 8" },
      { '{"a":' .. row("F32", "2", 0, 8) .. ',"b":' .. row("F32", "1", 4, 8) .. "}", "begins at byte 4" },
      { '{"a":' .. row("F32", "1", 0, 4) .. "}", "4 bytes behind the last tensor" },
      { '{"a":' .. row("F32", "1", 4, 8) .. "}", "begins at byte 4, the one before ends at 0" },
      { '{"a":' .. row("F32", "2", 0, 8) .. ',"a":' .. row("F32", "2", 0, 8) .. "}", "it has two tensors 'a'" },
      { '{"a":' .. row("F8_E4M3", "8", 0, 8) .. "}", "unknown dtype 'F8_E4M3'" },
      { '{"a":' .. row("F32", "4398046511105,4194304", 0, 8) .. "}", "does not fill 8 bytes" },
      { '{"a":' .. row("F32", "3", 0, 8) .. "}", "does not fill 8 bytes" },
      { '{"a":' .. row("F32", "-2", 0, 8) .. "}", "is not described" },
      { '{"a":' .. row("F32", "2", "-8", 0) .. "}", "is not described" },
      { '{"a":' .. row("F32", "0.5", 0, 8) .. "}", "is not described" },
      { '{"a":' .. row("F32", ("1,"):rep(65) .. "2", 0, 8) .. "}", "is not described" },
      { '{"a":{"dtype":"F32"}}', "is not described" },
      { '{"a":[]}', "is not described" },
      { '{"a":' .. row("BOOL", "8", 0, 8) .. "}", "other values than 0 and 1", "\2" .. data:sub(2) },
      { '{"__metadata__":{"a":1}}', "__metadata__ has other values", "" },
      { '{"__metadata__":{"a":"b","a":"c"}}', "it has two texts 'a'", "" },
      { '{"__metadata__":[]}', "__metadata__ has other values", "" },
      { ('{"a":'):rep(10000), "no JSON" },
      { '{"\255":' .. row("F32", "2", 0, 8) .. "}", "UTF-8" },
      { "[1]", "does not begin with '{'" },
      { "{} x", "no JSON" },
    }
    for _, case in ipairs(wrong) do
      fails(function() loaded(file_of(case[1], case[3] or data)) end, case[2])
      fails(function() loaded(file_of(case[1], case[3] or data)) end, "load_safetensors: '/tmp/")
    end
  end)
end)

describe("the safetensors library", function()
  it("reads what we write, and writes what we read", function()
    with(function(path)
      local halves = torch.ones(2, { dtype = torch.bfloat16 })
      torch.save_safetensors({ w = torch.arange(6):view(2, 3):t(), h = halves }, path, { format = "pt" })
      local printed = files.python("safetensors, torch", [[
from safetensors.torch import load_file, save_file
t = load_file(sys.argv[1])
print(t["w"].tolist(), t["h"].dtype)
save_file({"x": torch.arange(3), "b": torch.tensor([True])}, sys.argv[1], {"a": "b"})]], path)
      if not printed then return end
      equal(printed, "[[0, 3], [1, 4], [2, 5]] torch.bfloat16\n")
      local tensors, metadata = torch.load_safetensors(path)
      equal(tensors.x, torch.arange(3))
      equal(tensors.b, torch.tensor { true })
      equal(metadata, { a = "b" })
    end)
  end)
end)
