-- A DataLoader's worker processes: the same batches as without, and every way in which they may end.
local torch = require "torch"
local spec = require "spec"
local shell = require "shell"
local describe, it, equal, fails = spec.describe, spec.it, spec.equal, spec.fails
local data = torch.utils.data
local core = torch.core

local output_of, open_files, program = shell.output_of, shell.open_files, shell.program
local folder = shell.folder()

local function write(name, text)
  shell.write(folder .. "/" .. name, text)
end

-- Ten samples, or n, of what `get` gives.
local function set_of(get, n)
  return { size = function() return n or 10 end, get = function(_, i) return get(i) end }
end

-- All batches of a pass, tensors as tables.
local function batches(set, opt)
  local list = {}
  for x, y in data.DataLoader(set, opt):iter() do
    list[#list + 1] = { torch.is_tensor(x) and x:tolist() or x, torch.is_tensor(y) and y:tolist() or y }
  end
  return list
end

-- The error of a pass with two workers over what `get` gives.
local function failure(get, text, opt)
  opt = opt or {}
  opt.num_workers, opt.batch_size = opt.num_workers or 2, 2
  return fails(function() batches(set_of(get), opt) end, text)
end

local function signal(name, pid)
  os.execute(("kill -%s %d"):format(name, pid or core.process_id()))
end

describe("workers", function()
  it("give the batches, order and random numbers that a loader without them gives", function()
    local set = set_of(function(i) return torch.rand(80, 60) + i, { name = "n" .. i, at = { i, i % 2 == 0 } } end)
    local function pass(workers)
      torch.manual_seed(7)
      local list = {}
      for x, info in data.DataLoader(set, { batch_size = 3, shuffle = true, num_workers = workers }):iter() do
        list[#list + 1] = { x:sum { dim = { 2, 3 } }:tolist(), x:max():item(), info.name, info.at[1]:tolist(),
          info.at[2]:tolist() }
      end
      list[#list + 1] = torch.rand(1):item()
      return list
    end
    local expected = pass(0)
    equal(#expected, 5)
    for workers = 1, 3 do equal(pass(workers), expected, 0) end
  end)

  it("deliver every dtype and shape, and what tables hold", function()
    local values = { torch.zeros(0, 3), torch.tensor(3), torch.ones(100, 100):t(), torch.arange(1, 9):view(2, 2, 2),
      "text\0with zero", 1.5, true, false, 2LL ^ 60, torch.float16 }
    for _, name in ipairs { "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
      "float64", "complex64", "complex128" } do
      values[#values + 1] = torch.ones(3, { dtype = torch[name] })
    end
    local set = set_of(function()
      return { list = values, [0.5] = "half", [true] = { {} }, size = values[1]:size() }
    end, 1)
    for x in data.DataLoader(set, { batch_size = false, num_workers = 1 }):iter() do
      equal(#x.list, #values)
      for i, value in ipairs(values) do
        local same = torch.is_tensor(value) and x.list[i].dtype == value.dtype and x.list[i]:equal(value)
        assert(same or x.list[i] == value, i)
      end
      equal({ x[0.5], x[true], x.size }, { "half", { {} }, { 0, 3 } })
    end
  end)

  it("share the memory of large tensors instead of sending them", function()
    local set = set_of(function(i) return torch.full({ 300, 300 }, i) end, 40)
    local kept = {}
    for x in data.DataLoader(set, { batch_size = 2, num_workers = 2 }):iter() do
      assert(x:storage():nbytes() == 2 * 300 * 300 * 4)
      x:add_(0.5)
      kept[#kept + 1] = x
    end
    for k, x in ipairs(kept) do
      equal({ x[1]:min():item(), x[2]:max():item() }, { 2 * k - 0.5, 2 * k + 0.5 })
    end
  end)

  it("use their copies of the script's own functions and tensors", function()
    local table_of = torch.randn(500, 500)
    local product = table_of:mm(table_of) -- in threads, before the fork
    local set = set_of(function(i) return table_of:mm(table_of):sub(product):abs():max() + i end, 4)
    for _, batch in ipairs(batches(set, { batch_size = 2, num_workers = 2 })) do
      assert(batch[1][1] % 1 < 1e-2 or batch[1][1] % 1 > 0.99, batch[1][1])
    end
  end)

  it("know which they are", function()
    equal(data.get_worker_info(), nil)
    local set = set_of(function()
      local info = data.get_worker_info()
      return info.id * 10 + info.num_workers, info.dataset:size()
    end, 4)
    equal(batches(set, { num_workers = 2 }),
      { { { 12 }, { 4 } }, { { 22 }, { 4 } }, { { 12 }, { 4 } }, { { 22 }, { 4 } } })
    equal(data.get_worker_info(), nil)
  end)

  it("begin with worker_init_fn", function()
    local started = 0
    local set = set_of(function() return started end, 4)
    equal(batches(set, { batch_size = 4, num_workers = 1, worker_init_fn = function(id) started = id + 40 end }),
      { { { 41, 41, 41, 41 } } })
    equal(started, 0)
    failure(function(i) return i end, "worker 1 (pid", { worker_init_fn = function() error("not ready") end })
  end)

  it("share an iterable set out among themselves", function()
    local set = { iter = function()
      local info = data.get_worker_info()
      local i = info.id - info.num_workers
      return function()
        i = i + info.num_workers
        if i <= 7 then return i end
      end
    end }
    equal(batches(set, { batch_size = 2, num_workers = 2 }),
      { { { 1, 3 } }, { { 2, 4 } }, { { 5, 7 } }, { { 6 } } })
    equal(batches(set, { batch_size = 2, num_workers = 2, drop_last = true }),
      { { { 1, 3 } }, { { 2, 4 } }, { { 5, 7 } } })
    equal(batches(set, { batch_size = 2, num_workers = 5, drop_last = true }), { { { 1, 6 } }, { { 2, 7 } } })
  end)

  it("go on to the next pass if they are persistent", function()
    local set = set_of(function(i) return i, core.process_id() end, 6)
    local loader = data.DataLoader(set, { batch_size = 2, num_workers = 2, persistent_workers = true })
    local seen = {}
    for _ = 1, 3 do
      local order = {}
      for x, pids in loader:iter() do
        order[#order + 1] = x:tolist()
        seen[pids[1]:item()] = true
      end
      equal(order, { { 1, 2 }, { 3, 4 }, { 5, 6 } })
      loader:iter()() -- left early
    end
    local n = 0
    for _ in pairs(seen) do n = n + 1 end
    equal(n, 2)
    local older = loader:iter()
    older()
    loader:iter()
    fails(older, "this pass was ended, by an error or by a new pass")
  end)

  it("forget the errors of a pass that was left, if they are persistent", function()
    local hot = true
    local set = set_of(function(i) return i == 3 and hot and error("hot") or i end, 4)
    local loader = data.DataLoader(set, { num_workers = 1, persistent_workers = true,
      sampler = { size = function() return 4 end, iter = function() return data.SequentialSampler(set):iter() end } })
    equal(loader:iter()(), torch.tensor { 1 })
    hot = false -- here, not in the worker
    local following = loader:iter()
    equal({ following():item(), following():item() }, { 1, 2 })
    fails(following, "hot")
    equal(loader:iter()(), torch.tensor { 1 })
  end)

  it("may have workers themselves", function()
    local inner = set_of(function(i) return i end, 3)
    local set = set_of(function(i)
      local sum = 0
      for x in data.DataLoader(inner, { num_workers = 2 }):iter() do sum = sum + x:item() end
      return sum * i
    end, 2)
    equal(batches(set, { batch_size = 2, num_workers = 1 }), { { { 6, 12 } } })
  end)

  it("are new programs with start = 'spawn'", function()
    write("my_set.lua", "return function(n, word) return { size = function() return n end, get = function(_, i) "
      .. "assert(i ~= 4, 'four') return torch.full({ 90, 90 }, i), word .. i end } end")
    package.path = folder .. "/?.lua;" .. package.path
    local set = require("my_set")(3, "w")
    local option = { batch_size = 2, num_workers = 2, start = "spawn", module = { "my_set", 3, "w" } }
    local list = {}
    for x, words in data.DataLoader(set, option):iter() do
      list[#list + 1] = { x:amax { dim = { 2, 3 } }:tolist(), words }
    end
    equal(list, { { { 1, 2 }, { "w1", "w2" } }, { { 3 }, { "w3" } } })
    option.module = { "my_set", 5, "w" }
    fails(function() batches(require("my_set")(5, "w"), option) end, "failed at batch 2, sample 4:\n")
    option.module = { "no_such_set" }
    fails(function() batches(set, option) end, "module 'no_such_set' not found")
  end)
end)

describe("a worker that", function()
  it("raises delivers its error with worker, batch, sample and traceback", function()
    local function deep(i) return i == 5 and error("no picture " .. i) or i end
    local message = failure(deep, "failed at batch 3, sample 5:\n")
    assert(message:find("data_workers_spec.lua:%d+: DataLoader: worker 1 %(pid %d+%)"), message)
    assert(message:find("data_workers_spec.lua:%d+: no picture 5\n\t.*: in 'get'"), message)
    failure(function(i) if i < 4 then return i end error({}) end, "(the error is a table value)")
  end)

  it("is killed is named with pid and signal", function()
    failure(function(i)
      if i == 5 then signal("KILL") end
      return i
    end, "was killed by signal 9 (Killed)")
    failure(function(i)
      if i == 5 then signal("TERM") end
      return i
    end, "was killed by signal 15 (Terminated)")
  end)

  it("reaches for memory that is not its own is named, too", function()
    failure(function(i)
      if i == 5 then require("ffi").cast("int *", 8)[0] = i end
      return i
    end, shell.sanitized and "ended with exit code 1" or "was killed by signal 11 (Segmentation fault)")
  end)

  -- The error once came with a later task, before batches that were there, and with that task's number.
  it("ends is missed at the batch that it owes", function()
    local count = 0
    local set = set_of(function(i)
      if i == 5 then signal("KILL") end
      return i
    end, 40)
    fails(function()
      for _ in data.DataLoader(set, { batch_size = 2, num_workers = 2, prefetch_factor = 8 }):iter() do
        count = count + 1
      end
    end, "was killed by signal 9 (Killed); batch 3 was its next")
    equal(count, 2)
  end)

  it("ends by itself is an error", function()
    failure(function(i) return i == 5 and os.exit(3) or i end, "ended with exit code 3")
    failure(function(i) return i == 5 and os.exit() or i end, "ended with exit code 0")
    failure(function(i) return i == 5 and os.exit(false) or i end, "ended with exit code 1")
  end)

  it("says nothing for too long is an error at the timeout", function()
    local text = "gave no batch 3 within the timeout of 0.2 seconds"
    failure(function(i)
      while i == 5 do end
      return i
    end, text, { timeout = 0.2 })
    failure(function(i)
      if i == 5 then signal("STOP") end
      return i
    end, text, { timeout = 0.2 })
  end)

  it("gives what no batch can be made of, or nothing, names the sample", function()
    failure(function(i) return torch.ones(i) end, "stack: tensor 2 has sizes (2), the first has (1)")
    failure(function(i) return i == 5 and "five" or i end, "a string in sample")
    failure(function(i) if i ~= 5 then return i end end, "the data set gave nothing for sample 5")
    failure(function(i) return ({ 1, 2, 3 })[i] end, "the data set gave nothing for sample 4")
    failure(function() return torch.zeros(2 ^ 40) end, "out of memory: 4398046511104 bytes cannot be had")
  end)

  it("gives what cannot go to another process says where it is", function()
    local function given(value, text)
      failure(function() return value end, text, { collate_fn = function(samples) return { batch = samples } end })
    end
    given(print, "this is a function (at .batch[1][1])")
    given(torch.nn.ReLU(), "this is one of ReLU (at .batch[1][1])")
    given(torch.ones(2):requires_grad_(), "requires a gradient has no history in another process")
    given({ [{}] = 1 }, "have strings, numbers and booleans for keys")
    local ring = {}
    ring.ring = ring
    given(ring, "nested 100 deep at most, and not within themselves")
  end)

  if shell.sanitized then return print("skipped memory that cannot be shared: the sanitizer needs descriptors") end
  it("can get no memory to share says so", function()
    local ffi = require "ffi"
    ffi.cdef "struct facula_rlimit { unsigned long soft, hard; }; int setrlimit(int what, const void *limit);"
    local function starved()
      ffi.C.setrlimit(7, ffi.new("struct facula_rlimit", 0, 0)) -- RLIMIT_NOFILE: no further memory by descriptor
      return torch.zeros(1000)
    end
    fails(function() batches(set_of(starved, 1), { batch_size = false, num_workers = 1 }) end,
      "bytes of shared memory cannot be had (Too many open files)")
  end)
end)

describe("nothing is left behind by", function()
  it("passes that were left early", function()
    local loader = data.DataLoader(set_of(function(i) return torch.full({ 100, 100 }, i) end), { num_workers = 2 })
    collectgarbage()
    local files = open_files()
    for k = 1, 200 do
      for x in loader:iter() do
        if x:mean():item() > k % 4 then break end
      end
    end
    collectgarbage()
    -- A pass that was left may live on in a slot of the stack, until that is written over.
    assert(#shell.children() <= 2)
    assert(open_files() <= files + 2, open_files())
  end)

  it("passes that ended, and workers that failed", function()
    collectgarbage()
    local files = open_files()
    for _ = 1, 20 do
      equal(#batches(set_of(function(i) return i end), { batch_size = 4, num_workers = 3 }), 3)
      failure(function(i) return i == 9 and error("nine") or i end, "nine")
    end
    assert(#shell.children() <= 2)
    assert(open_files() <= files, open_files())
  end)

  -- Runs a script whose workers write their process ids, then hang. Returns its exit code, stderr and those that are
  -- still there.
  local function survivors(name)
    write("hang.lua", ([[
      local core, name = torch.core, "%s"
      local main = core.process_id()
      local set = { size = function() return 100 end, get = function(_, i)
        if i == 1 or i == 2 then io.stdout:write(core.process_id(), "\n") io.stdout:flush() end
        if i == 5 then os.execute(("kill -%%s %%d"):format(name, main)) end
        while i > 4 do end
        return i
      end }
      for _ in torch.utils.data.DataLoader(set, { num_workers = 2 }):iter() do end]]):format(name))
    local command = "cd %s && (timeout 20 '%s' hang.lua >out 2>err; echo $?) 2>/dev/null"
    local code = output_of(command:format(folder, program))
    local left = {}
    for pid in io.lines(folder .. "/out") do
      for _ = 1, 1000 do -- whoever dies is a zombie until its parent looks, or gone
        local state = output_of(("cut -d' ' -f3 /proc/%s/stat 2>/dev/null"):format(pid))
        left[pid] = state ~= "" and state ~= "Z\n" and state or nil
        if not left[pid] then break end
      end
    end
    return tonumber(code), shell.read(folder .. "/err"), left
  end

  it("Ctrl-C while a batch is waited for", function()
    local code, err, left = survivors("INT")
    equal({ code, left }, { 130, {} })
    assert(err:find(": interrupted\n\thang.lua:9: in main chunk", 1, true), err)
  end)

  it("a parent that is killed", function()
    local code, _, left = survivors("KILL")
    equal({ code, left }, { 137, {} })
  end)
end)

describe("worker processes", function()
  it("are not there in a sandbox", function()
    write("sandboxed.lua", [[
      local set = torch.utils.data.TensorDataset(torch.arange(1, 4))
      for x in torch.utils.data.DataLoader(set, 3):iter() do print(table.concat(x:tolist(), " ")) end
      print(pcall(torch.utils.data.DataLoader, set, { num_workers = 1 }))
      print(torch.core.start_worker, torch.core.spawn_worker, torch.core.join_parent)]])
    local out = output_of(("cd %s && '%s' --sandbox sandboxed.lua 2>&1"):format(folder, program))
    assert(out:find("^1 2 3\nfalse\t.*a sandbox has no worker processes; use num_workers = 0\nnil\tnil\tnil\n$"), out)
  end)

  it("write what they print once, and end without what the program does at its end", function()
    write("prints.lua", [[
      io.write("begun ") -- stays in the buffer until the workers start
      local set = { size = function() return 2 end, get = function(_, i) io.write("got ") return i end }
      for _ in torch.utils.data.DataLoader(set, { num_workers = 1 }):iter() do end
      io.write("done\n")]])
    equal(output_of(("cd %s && '%s' prints.lua 2>&1"):format(folder, program)), "begun got got done\n")
  end)

  it("may be far ahead", function()
    local n = 0
    for _ in data.DataLoader(set_of(function(i) return i end, 300), { num_workers = 1, prefetch_factor = 64 }):iter() do
      n = n + 1
    end
    equal(n, 300)
  end)

  it("warn once that pin_memory has no effect", function()
    write("pins.lua", [[
      local set = torch.utils.data.TensorDataset(torch.arange(1, 4))
      for _ = 1, 2 do torch.utils.data.DataLoader(set, { pin_memory = true }) end]])
    equal(output_of(("cd %s && '%s' pins.lua 2>&1"):format(folder, program)),
      "DataLoader: pin_memory has no effect, batches stay in pageable memory\n")
  end)
end)

os.execute("rm -rf " .. folder)
