local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local read, write = shell.read, shell.write
local nn = torch.nn

-- Calls body with the name of a file, which is removed afterwards.
local function with_file(body)
  local path = os.tmpname()
  local good, problem = pcall(body, path)
  os.remove(path)
  if not good then error(problem, 0) end
end

-- What comes back of a value.
local function round_trip(value)
  local back
  with_file(function(path)
    torch.save(value, path)
    back = torch.load(path)
  end)
  return back
end

describe("torch.save and torch.load", function()
  it("keep plain values", function()
    for _, value in ipairs { 1.5, -0.1, 2 ^ 60, math.huge, "text é", "", "\0\255 bytes", true, false, torch.float16 } do
      equal(round_trip(value), value, 0)
    end
    equal(round_trip(nil), nil)
    equal(round_trip(-9007199254740993LL), -9007199254740993LL)
    local nan = round_trip(0 / 0)
    assert(nan ~= nan)
  end)

  it("keep tables, lists, and keys of all kinds", function()
    local value = { 1, 2, { a = "x", [3.5] = {}, [true] = "yes" }, n = 4 }
    equal(round_trip(value), value)
    equal(round_trip {}, {})
    equal(round_trip(torch.ones(2, 3):size()), { 2, 3 })
  end)

  it("keep tensors of every dtype and form", function()
    for _, name in ipairs {
      "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
      "complex128",
    } do
      local x = torch.tensor({ 0, 1, 1 }, { dtype = torch[name] })
      equal(round_trip(x).dtype, torch[name])
      equal(round_trip(x:to(torch.float64)), x:to(torch.float64))
    end
    equal(round_trip(torch.tensor(3)), torch.tensor(3))
    equal(round_trip(torch.zeros(0, 4)), torch.zeros(0, 4))
    equal(round_trip(torch.arange(6):view(2, 3):t()), torch.arange(6):view(2, 3):t())
    equal(round_trip(torch.tensor { 1 / 0, -1 / 0, 0 / 0 }), torch.tensor { 1 / 0, -1 / 0, 0 / 0 })
  end)

  it("keep shared storages shared, and tables that are one, one", function()
    local x, t = torch.zeros(4), {}
    local back = round_trip { x, x:narrow(1, 2, 2), x, t, t }
    assert(back[1] == back[3] and back[4] == back[5])
    back[2]:fill_(7)
    equal(back[1]:tolist(), { 0, 7, 7, 0 })
  end)

  it("keep cycles", function()
    local t = { name = "t" }
    t.self = t
    local back = round_trip(t)
    assert(back.self == back and back.name == "t")
  end)

  it("keep depth that would overflow a stack", function()
    local t = {}
    for _ = 1, 20000 do t = { t } end
    local back, depth = round_trip(t), 0
    while back[1] do back, depth = back[1], depth + 1 end
    equal(depth, 20000)
  end)

  it("write only the part of a storage that is used", function()
    with_file(function(path)
      torch.save(torch.zeros(1000, 1000)[5], path)
      assert(#read(path) < 10000)
      equal(torch.load(path), torch.zeros(1000))
    end)
  end)

  it("keep parameters and what requires gradients", function()
    local p = nn.Parameter(torch.ones(2))
    local back = round_trip { p, torch.ones(1, { requires_grad = true }), (p * 2) }
    assert(torch.core.is_parameter(back[1]) and back[1].requires_grad)
    assert(back[2].requires_grad and not back[3].requires_grad)
  end)

  it("keep state dicts in order, and modules as their state", function()
    local m = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    local state = round_trip(m:state_dict())
    equal(state:keys(), m:state_dict():keys())
    local copy = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    copy:load_state_dict(round_trip { model = m }.model)
    local x = torch.randn(4, 2)
    equal(copy(x), m(x))
  end)

  it("keep the name of a module's class beside its state", function()
    local back = round_trip { model = nn.Linear(2, 3), state = nn.Linear(2, 3):state_dict() }
    equal(back.model:module_class(), "Linear")
    equal(back.state:module_class(), nil)
    equal(round_trip(back.model):module_class(), "Linear")
  end)

  it("take PyTorch's weights_only, which changes nothing", function()
    with_file(function(path)
      torch.save({ 1, torch.ones(2) }, path)
      for _, value in ipairs { true, false } do
        equal(torch.load(path, { map_location = "cpu", weights_only = value })[2], torch.ones(2))
      end
    end)
  end)

  it("refuse what is not data, saying where it is", function()
    with_file(function(path)
      fails(function() torch.save({ a = { b = print } }, path) end, "save: the value.a.b is a function")
      fails(function() torch.save({ coroutine.create(print) }, path) end, "save: the value[1] is a thread")
      local optimizer = torch.optim.SGD({ torch.zeros(1) }, { lr = 1 })
      fails(function() torch.save({ optimizer }, path) end, "save: the value[1] is an object of class SGD")
      fails(function() torch.save({ [{}] = 1 }, path) end, "a table for a key")
      fails(function() torch.save(1, 2) end, "save: the path is a string, got a number")
      fails(function() torch.save(1, path, { fromat = "pytorch" }) end, "unknown argument 'fromat'")
    end)
    fails(function() torch.save({}, "/no/such/folder/file") end, "/no/such/folder/file")
  end)
end)

-- Calls body with the name of a folder, which is removed afterwards.
local function with_folder(body)
  local folder = shell.folder()
  local good, problem = pcall(body, folder)
  os.execute(("chmod -R u+w %s; rm -rf %s"):format(folder, folder))
  if not good then error(problem, 0) end
end

-- The error of `body`, run by somebody for whom permissions count.
local function as_nobody(body)
  local ffi = require "ffi"
  ffi.cdef "int setuid(unsigned id); unsigned getuid(void);"
  local channel = torch.core.start_worker(function(channel)
    if ffi.C.getuid() == 0 then ffi.C.setuid(65534) end
    channel:send(select(2, pcall(body)))
  end)
  local _, problem = channel:receive()
  channel:finish(5)
  return tostring(problem)
end

describe("torch.save into a folder", function()
  it("follows links, also those that lead to a file that is not there yet", function()
    with_folder(function(folder)
      local links = "cd %s && mkdir a && ln -s a/file link && ln -s link second && ln -s loop loop"
      assert(os.execute(links:format(folder)) == 0)
      for _, name in ipairs { "second", "second", "link" } do
        torch.save(name, folder .. "/" .. name)
        equal(torch.load(folder .. "/a/file"), name)
      end
      equal(shell.output_of(("cd %s && readlink link second && ls -A . a"):format(folder)),
        "a/file\nlink\n.:\na\nlink\nloop\nsecond\n\na:\nfile\n")
      fails(function() torch.save(1, folder .. "/loop/file") end, "(Too many levels of symbolic links)")
    end)
  end)

  it("takes names as long as the file system does", function()
    with_folder(function(folder)
      local longest = folder .. "/" .. ("n"):rep(255)
      for version = 1, 2 do
        torch.save(version, longest)
        equal(torch.load(longest), version)
      end
      fails(function() torch.save(1, longest .. "n") end, "n' (File name too long)")
      fails(function() torch.save(1, folder .. "/no/file") end, "/no/file' (No such file or directory)")
      fails(function() torch.save(1, longest .. "/file") end, "/file' (Not a directory)")
    end)
  end)

  it("says whose permission is missing", function()
    with_folder(function(folder)
      torch.save(1, folder .. "/file")
      os.execute(("chmod 555 %s; chmod 444 %s/file"):format(folder, folder))
      local problem = as_nobody(function() torch.save(2, folder .. "/new") end)
      assert(problem:find("save: cannot write '" .. folder .. "/new' (Permission denied)", 1, true), problem)
      os.execute("chmod 777 " .. folder)
      problem = as_nobody(function() torch.save(2, folder .. "/file") end)
      assert(problem:find("/file' (Permission denied)", 1, true), problem)
      equal({ torch.load(folder .. "/file"), shell.output_of("ls -A " .. folder) }, { 1, "file\n" })
    end)
  end)

  -- The system's signal once ended the program.
  it("says so where files may not become so large", function()
    with_folder(function(folder)
      local code = ("torch.save(torch.zeros(1e5), [[%s/file]])"):format(folder)
      local output = shell.output_of(("ulimit -f 8; '%s' -e '%s' 2>&1; echo $?"):format(shell.program, code))
      assert(output:find("cannot write '" .. folder .. "/file' (File too large)", 1, true), output)
      assert(output:find("\n1\n$"), output)
      equal(shell.output_of("ls -A " .. folder), "")
    end)
  end)

  it("leaves one file of two processes that save at once", function()
    with_folder(function(folder)
      local path, writers = folder .. "/file", {}
      torch.save({ 0, torch.zeros(1000) }, path)
      for id = 1, 2 do
        writers[id] = torch.core.start_worker(function()
          for k = 1, 50 do torch.save({ id * k, torch.full({ 1000 }, id * k) }, path) end
        end)
      end
      for _ = 1, 50 do
        local number, x = unpack(torch.load(path))
        equal({ x:min():item(), x:max():item() }, { number, number })
      end
      for id = 1, 2 do equal(writers[id]:fate(), "ended with exit code 0") end
      equal(shell.output_of("ls -A " .. folder), "file\n")
    end)
  end)
end)

describe("torch.load", function()
  it("refuses files that are missing or something else, by name", function()
    fails(function() torch.load("/no/such/file") end, "/no/such/file")
    with_file(function(path)
      for _, text in ipairs { "", "garbage", ("\0"):rep(1000), "PK\3\4" .. ("x"):rep(100) } do
        write(path, text)
        fails(function() torch.load(path) end, path)
      end
    end)
  end)

  it("refuses every truncated file", function()
    with_file(function(path)
      torch.save({ a = torch.arange(20), b = "text" }, path)
      local text = read(path)
      for n = 0, #text - 1, 7 do
        write(path, text:sub(1, n))
        fails(function() torch.load(path) end, path)
      end
    end)
  end)

  it("answers or refuses files with a changed byte", function()
    with_file(function(path)
      torch.save({ a = torch.arange(20), list = { 1, 2 } }, path)
      local text = read(path)
      for n = 1, #text, 3 do
        write(path, text:sub(1, n - 1) .. string.char((text:byte(n) + 13) % 256) .. text:sub(n + 1))
        local good, message = pcall(torch.load, path)
        assert(good or not message:find("attempt to", 1, true), message)
      end
    end)
  end)

  it("looks at a description before it uses it", function()
    local blobs = { torch.zeros(4), torch.zeros(1, { dtype = torch.int64 }) }
    local function description(changes)
      local fields = {
        format = '"facula"', version = "1", root = '{"tensor":0}', objects = "[]",
        tensors = '[{"blob":0,"size":[4],"stride":[1],"offset":0}]',
      }
      for k, v in pairs(changes) do fields[k] = v end
      local parts = {}
      for k, v in pairs(fields) do parts[#parts + 1] = ('"%s":%s'):format(k, v) end
      return "{" .. table.concat(parts, ",") .. "}"
    end
    local function tensor(text) return { tensors = "[" .. text .. "]" } end
    local wrong = {
      { { format = '"other"' }, "it is not a file of torch.save" },
      { { version = "2" }, "version 2" },
      { { root = '{"tensor":1}' }, "a 'tensor' that does not exist" },
      { { root = '{"tensor":-1}' }, "a 'tensor' that does not exist" },
      { { root = '{"object":0}' }, "a 'object' that does not exist" },
      { { root = '{"code":"os.exit()"}' }, "a value of unknown kind 'code'" },
      { { root = "{}" }, "a value of unknown kind" },
      { { root = '{"int64":"1e5"}' }, "'int64'" },
      { { root = '{"int64":"9223372036854775808"}' }, "'int64'" },
      { { root = '{"bytes":"f"}' }, "'bytes'" },
      { { objects = "{}" }, "no objects or tensors" },
      { { objects = '[{"map":[1]}]' }, "a key without a value" },
      { { objects = '[{"map":[null,1]}]' }, "a wrong key" },
      { { objects = '[{"state_dict":[1,2]}]' }, "a wrong key" },
      { { objects = '[{"what":[]}]' }, "object 0 is of unknown kind" },
      { { objects = "[3]" }, "object 0 is of unknown kind" },
      { tensor '{"blob":2,"size":[4],"stride":[1],"offset":0}', "tensor 0 has no data" },
      { tensor '{"blob":0,"size":[4],"stride":[1]}', "tensor 0 has no sizes, strides or offset" },
      { tensor '{"blob":0,"size":[4],"stride":[1,1],"offset":0}', "tensor 0 has no sizes" },
      { tensor '{"blob":0,"size":[4],"stride":[1],"offset":1}', "tensor 0 reaches beyond its data" },
      { tensor '{"blob":0,"size":[5],"stride":[1],"offset":0}', "tensor 0 reaches beyond its data" },
      { tensor '{"blob":0,"size":[2,9007199254740992],"stride":[1,1],"offset":0}', "reaches beyond its data" },
      { tensor '{"blob":0,"size":[-1],"stride":[1],"offset":0}', "tensor 0 has no sizes" },
      { tensor '{"blob":0,"size":[1.5],"stride":[1],"offset":0}', "tensor 0 has no sizes" },
      { tensor '{"blob":1,"size":[1],"stride":[1],"offset":0,"requires_grad":true}',
        "tensor 0 of torch.int64 requires grad" },
    }
    with_file(function(path)
      torch.core.write_archive(path, description {}, blobs)
      equal(torch.load(path), torch.zeros(4))
      for _, entry in ipairs(wrong) do
        torch.core.write_archive(path, description(entry[1]), blobs)
        local message = fails(function() torch.load(path) end, entry[2])
        assert(message:find(path, 1, true), message)
      end
      torch.core.write_archive(path, "not JSON", blobs)
      fails(function() torch.load(path) end, "is damaged")
    end)
  end)
end)
