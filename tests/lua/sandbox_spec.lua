-- Ways out of a sandbox, and ways to use it up: each ends in a clear error, or reaches nothing.
local spec = require "spec"
local shell = require "shell"
local describe, it, equal = spec.describe, spec.it, spec.equal
local output_of, program = shell.output_of, shell.program

local folder = shell.folder()
os.execute(("mkdir %s/open && echo 'return 7' > %s/open/seven.lua && echo secret > %s/closed.txt"):format(folder,
  folder, folder))

-- Runs a script in a sandbox; what it wrote, to either stream, and the exit code.
local function run(code, options)
  shell.write(folder .. "/script.lua", code)
  local command = "cd %s && timeout 20 '%s' --sandbox %s script.lua >out 2>&1; echo $?"
  local status = output_of(command:format(folder, program, options or "--timeout 0.2 --max-memory 128M"))
  return shell.read(folder .. "/out"), tonumber(status)
end

-- Rows are {what, script}: all are to give the one code and a text.
local function all_give(status, text, rows, options)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local out, code = run(row[2], options)
      if code ~= status or not out:find(row[3] or text, 1, true) then
        error(("expected %d and '%s', got %d and %s"):format(status, row[3] or text, code, out:sub(1, 500)))
      end
    end)
  end
end

describe("what a sandbox has not:", function()
  all_give(0, "true", {
    { "io", "print(io == nil)" },
    { "debug", "print(debug == nil)" },
    { "package", "print(package == nil and module == nil)" },
    { "jit", "print(jit == nil)" },
    { "ffi", "print(ffi == nil and not pcall(require, 'ffi'))" },
    { "os but clocks", "local n = 0 for _ in pairs(os) do n = n + 1 end print(n == 4 and os.time() > 0)" },
    { "getfenv and setfenv", "print(getfenv == nil and setfenv == nil)" },
    { "newproxy", "print(newproxy == nil)" },
    { "string.dump", "print(string.dump == nil)" },
    { "the libraries by require", "for _, m in ipairs{'io','debug','package','jit','jit.util','ffi','table.new'} "
      .. "do assert(not pcall(require, m), m) end print(true)" },
    { "private modules", "for _, m in ipairs{'program','repl','repl.commands','data_pointer','command.info','output',"
      .. "'strict'} do assert(not pcall(require, 'torch.' .. m), m) end print(true)" },
    { "bytecode in load", "print(load('\\27LJ\\2\\0') == nil and loadstring('\\27LJ\\2\\0') == nil)" },
    { "bytecode by pieces", "local n = 0 print(load(function() n = n + 1 return ({'\\27', 'LJ'})[n] end) == nil)" },
    { "bytecode by mode", "print(load('\\27LJ\\2\\0', 'x', 'b') == nil)" },
    { "collectgarbage('stop')", "print(not pcall(collectgarbage, 'stop') and "
      .. "not pcall(collectgarbage, 'setpause', 1e9))" },
    { "the string metatable", "print(getmetatable('') == false)" },
    { "pointers to tensors", "local x = torch.zeros(2) print(not pcall(function() return x:data() end))" },
    { "memory by its address", "print(torch.core.borrow == nil and "
      .. "not pcall(function() return torch.from_buffer end))" },
    { "dlpack", "print(torch.from_dlpack == nil and torch.core.from_dlpack == nil and not pcall(function() "
      .. "return torch.utils.dlpack.from_dlpack end))" },
    { "the network", "print(torch.core.download == nil and not pcall(torch.vision.datasets.download, "
      .. "'file:///etc/passwd', 'passwd'))" },
    { "its own limits", "print(torch.set_memory_limit == nil and torch.set_num_threads == nil)" },
    { "metatables of tensors", "print(type(getmetatable(torch.zeros(1))) == 'string')" },
    { "the host's globals through functions", "local seen = {} local function look(t) if seen[t] then return end "
      .. "seen[t] = true for k, v in pairs(t) do assert(k ~= 'popen' and k ~= 'execute' and k ~= 'loadlib' and "
      .. "k ~= 'getregistry' and k ~= 'cdef', k) if type(v) == 'table' then look(v) end end end look(_G) print(true)" },
  })
end)

describe("files of a sandbox:", function()
  all_give(0, "outside the folders that this script may use", {
    { "loadfile", "print(select(2, loadfile('/etc/passwd')))" },
    { "dofile", "print(pcall(dofile, '/etc/passwd'))" },
    { "torch.load", "print(pcall(torch.load, '/etc/passwd'))" },
    { "torch.save", "print(pcall(torch.save, {1}, 'here.pt'))" },
    { "torch.save over a file", "print(pcall(torch.save, {1}, 'script.lua'))" },
    { "a profile's trace", "print(pcall(torch.profiler.profile, function() end, "
      .. "{print = false, trace = 'trace.json'}))" },
    { "an event file", "print(pcall(torch.utils.tensorboard.SummaryWriter, 'runs'))" },
    { "a plot", "print(pcall(function() torch.plot.line({ 1, 2 }):save('plot.svg') end))" },
    { "adding to a file", "print(pcall(torch.core.append_file, 'script.lua', 'error()'))" },
    { "core functions", "print(pcall(torch.core.read_file, 'closed.txt'))" },
    { "parts of files", "print(pcall(torch.core.open_file, 'closed.txt', 'x'), pcall(torch.core.open_zip, 'a', 'x'))" },
    { "pieces of files", "print(pcall(torch.core.write_pieces, 'here', 'x', 'y'))" },
    { "archives", "print(pcall(torch.core.write_zip, 'here', 'x', {}, {}))" },
    { "NumPy's files", "print(pcall(torch.load_npy, 'closed.txt'), pcall(torch.save_npy, torch.ones(1), 'here'))" },
    { "safetensors", "print(pcall(torch.load_safetensors, 'closed.txt'))" },
    { "a picture", "print(pcall(torch.vision.read_image, 'closed.png'))" },
    { "a picture that is written", "print(pcall(torch.vision.write_png, "
      .. "torch.zeros(1, 1, 1):to(torch.uint8), 'x.png'))" },
    { "a table", "print(pcall(torch.load_csv, '/etc/passwd'))" },
    { "a table that is written", "print(pcall(torch.save_csv, {}, 'x.csv'))" },
    { "text", "print(pcall(torch.load_text, '/etc/passwd'))" },
    { "text that is written", "print(pcall(torch.save_text, 'x', 'x.txt'))" },
    { "numbers", "print(pcall(torch.load_idx, '/etc/passwd'))" },
    { "numbers that are written", "print(pcall(torch.save_idx, torch.zeros(1), 'x.idx'))" },
    { "sound", "print(pcall(torch.load_wav, '/etc/passwd'))" },
    { "sound that is written", "print(pcall(torch.save_wav, torch.zeros(1), 'x.wav', 8000))" },
    { "Torch7's files", "print(pcall(torch.load_t7, '/etc/passwd'))" },
    { "folders", "print(pcall(torch.vision.datasets.ImageFolder, '/etc'))" },
    { "checksums", "print(pcall(torch.core.digest, '/etc/passwd', 'md5'))" },
    { "a device", "print(pcall(torch.load, '/dev/zero'))" },
    { "the process's memory", "print(pcall(torch.core.read_file, '/proc/self/mem'))" },
  })

  it("are those of the folders that were allowed", function()
    local options = "--allow open --timeout 2"
    equal(run("print(require('seven'), dofile('open/seven.lua'))", options), "7\t7\n")
    equal(run("torch.save({5}, 'open/x.pt') print(torch.load('open/x.pt')[1])", options), "5\n")
    equal(run("torch.save({5, torch.ones(2)}, 'open/x.pt', {format = 'pytorch'}) "
      .. "local x = torch.load('open/x.pt', {mmap = true}) print(x[1], x[2]:sum():item()) "
      .. "torch.save_npz({a = torch.ones(2)}, 'open/x.npz') print(torch.load_npz('open/x.npz').a:sum():item()) "
      .. "torch.save_safetensors({a = torch.ones(2)}, 'open/x') print(torch.load_safetensors('open/x').a:sum():item())",
      options), "5\t2\n2\n2\n")
    for _, path in ipairs { "closed.txt", "open/../closed.txt", "open/link", "/etc/passwd" } do
      os.execute(("ln -sf ../closed.txt %s/open/link"):format(folder))
      local out = run(("print(pcall(torch.core.read_file, '%s'))"):format(path), options)
      assert(out:find("outside the folders", 1, true), out)
    end
  end)
end)

describe("time in a sandbox ends:", function()
  all_give(3, "the time limit of 0.2 seconds is exceeded", {
    { "a loop", "while true do end" },
    { "a loop of calls", "local function f() end while true do f() end" },
    { "repeat", "repeat until false" },
    { "goto", "::again:: goto again" },
    { "recursion by tail calls", "local function f() return f() end f()" },
    { "in pcall", "while true do pcall(function() while true do end end) end" },
    { "in nested pcalls", "local function f() pcall(f) while true do end end f()" },
    { "in xpcall's handler", "xpcall(error, function() while true do end end)" },
    { "in an error handler of errors", "xpcall(function() while true do end end, function() while true do end end)" },
    { "in a coroutine", "coroutine.wrap(function() while true do end end)()" },
    { "in coroutines around pcall", "while true do coroutine.wrap(function() "
      .. "pcall(function() while true do end end) end)() end" },
    { "in __index", "local t = setmetatable({}, {__index = function() while true do end end}) print(t.x)" },
    { "in a chain of __index", "local u = {} for _ = 1, 90 do u = setmetatable({__index = u}, u) end "
      .. "while true do local _ = u.x end" },
    { "in __tostring of an error", "error(setmetatable({}, {__tostring = function() while true do end end}))",
      "the error is a table value" },
    { "in __tostring", "print(setmetatable({}, {__tostring = function() while true do end end}))" },
    { "in sort's comparison", "table.sort({3, 2, 1}, function() while true do end end)" },
    { "in a sort that never agrees", "local t = {} for i = 1, 1e6 do t[i] = i % 7 end "
      .. "while true do table.sort(t) end" },
    { "in gsub's function", "('x'):gsub('x', function() while true do end end)" },
    { "in load's reader", "load(function() while true do end end)" },
    { "in an iterator", "for _ in function() return 1 end do end" },
    { "in a pattern that backtracks", "print((('a'):rep(40)):find(('a*'):rep(30) .. 'b'))" },
    { "in gmatch", "for _ in (('a'):rep(1e4)):gmatch(('.-'):rep(20) .. 'b') do end" },
    { "in gsub", "print((('a'):rep(40)):gsub(('a-'):rep(30) .. 'b', ''))" },
    { "in a plain search", "local s, w = ('a'):rep(4e6), ('a'):rep(2e6) .. 'b' while true do s:find(w, 1, true) end" },
    { "in a hook of autograd", "local x = torch.ones(1, {requires_grad = true}) local y = x * 2 "
      .. "y:register_hook(function() while true do end end) y:backward()" },
    { "in a Function's backward", "local F = torch.autograd.Function.extend{forward = function(c, x) return x * 1 end, "
      .. "backward = function() while true do end end} F:apply(torch.ones(1, {requires_grad = true})):backward()" },
    { "in no_grad", "while true do pcall(torch.no_grad, function() while true do end end) end" },
    { "in small operators", "local x = torch.ones(3) while true do x = x + 1 end" },
    { "in large operators", "local x = torch.randn(1000, 1000) while true do x = x:mm(x) end" },
    { "in a drawing", "local image, points = torch.zeros(4000, 4000, 3, {dtype = torch.uint8}), {} "
      .. "for i = 1, 20000 do points[i] = i % 4 < 2 and 0 or 4000 end "
      .. "torch.core.stroke(image, points, {10000}, 9, {0, 0, 0, 1}, {0, 0, 4000, 4000})" },
    { "in operators within pcall", "local x = torch.randn(1e6) while true do pcall(x.sort, x) end" },
    { "before a factorisation that would outlast it", "local x = torch.randn(2000, 2000) "
      .. "pcall(torch.linalg.svd, x)" },
    { "in a backward without end", "local x = torch.ones(1, {requires_grad = true}) local y = x "
      .. "for _ = 1, 1e9 do y = y * 1 end" },
  })

  it("not for a factorisation that it suffices for", function()
    local out, code = run("print(torch.linalg.svd(torch.eye(300)))", "--timeout 60")
    assert(code == 0, out)
  end)

  it("after so many instructions", function()
    local out, code = run("pcall(function() while true do end end)", "--max-instructions 1000000")
    assert(code == 3 and out:find("the limit of 1000000 instructions is exceeded", 1, true), out)
  end)
end)

describe("--sandbox=", function()
  local function with(limits, code)
    return output_of(("'%s' --sandbox=%s -e '%s' 2>&1; echo $?"):format(program, limits, code))
  end

  it("takes limits", function()
    assert(with("time=0.2s,mem=64M", "while true do end"):find("time limit of 0.2 seconds.*3\n$"))
    assert(with("mem=64M", "torch.zeros(2^30)"):find("memory.*3\n$"))
    assert(with("insn=1e5,fs=none", "while true do end"):find("100000 instructions.*3\n$"))
    assert(with("fs=/nowhere", "print(1)"):find("^1\n0"))
  end)
  it("names what it does not know", function()
    assert(with("cpu=3", "print(1)"):find("expected mem=, time=, insn= or fs=, got 'cpu=3'.*2\n$"))
    assert(with("mem=much", "print(1)"):find("expected a size such as 512M or 2G, got 'much'.*2\n$"))
  end)
end)

describe("memory in a sandbox ends:", function()
  all_give(3, "memory", {
    { "string.rep", "('x'):rep(1e9)" },
    { "concatenation", "local s = 'x' while true do s = s .. s end" },
    { "gsub", "(('x'):rep(1e5)):gsub('x', ('y'):rep(1e4))" },
    { "table.concat", "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(1e6) end table.concat(t)" },
    { "tables", "local t = {} while true do t = {t, t} end" },
    { "an array", "local t = {} for i = 1, 1e9 do t[i] = i end" },
    { "closures", "local t = {} for i = 1, 1e9 do t[i] = function() return t end end" },
    { "coroutines", "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end" },
    { "a tensor", "torch.zeros(2^40)" },
    { "tensors", "local t = {} for i = 1, 1e9 do t[i] = torch.zeros(10000) end" },
    { "cat", "local x = torch.zeros(1000) while true do x = torch.cat{x, x} end" },
    { "contiguous", "torch.zeros(1):expand(2^33):contiguous()" },
    { "arange", "torch.arange(1e12)" },
    { "kron", "local x = torch.ones(100, 100) x = torch.kron(x, x) torch.kron(x, x)" },
    { "a graph", "local x = torch.ones(1000, {requires_grad = true}) local y = x for _ = 1, 1e9 do y = y * x end" },
    { "string.format", "local s = ('x'):rep(1e6) while true do s = ('%s%s'):format(s, s) end" },
  }, "--max-memory 128M")
  all_give(1, "signature:", {
    { "signatures", "for i = 1, 1e9 do torch.core.signature('f' .. i .. '(int a=1)') end", "65536 in this state" },
    { "a signature", "torch.core.signature('f(' .. ('int a, '):rep(1e6) .. 'int a)')", "7000008 bytes are too long" },
  }, "--max-memory 128M")

  it("as an error that a script may catch, and go on", function()
    local out, code = run("print((pcall(string.rep, 'x', 1e9))) print((pcall(torch.zeros, 2^40))) "
      .. "print(torch.ones(3):sum():item())", "--max-memory 128M")
    equal(out, "false\nfalse\n3\n")
    equal(code, 0)
  end)
end)

describe("a sandbox", function()
  all_give(1, "stack overflow", {
    { "survives recursion", "local function f() return 1 + f() end f()" },
    { "survives recursion through __index", "local t = setmetatable({}, {}) "
      .. "getmetatable(t).__index = function(s, k) return s[k .. 'x'] end return t.x" },
  })
  all_give(0, "false", {
    { "survives recursion through gsub", "local function f() ('x'):gsub('x', f) end print(pcall(f))" },
    { "survives recursion through sort", "local function f() table.sort({2, 1}, f) end print(pcall(f))" },
    { "survives recursion through no_grad", "local function f() torch.no_grad(f) end print(pcall(f))" },
    { "survives recursion through scope", "local function f() torch.scope(f) end print(pcall(f))" },
    { "survives recursion through hooks", "local function f() local x = torch.ones(1, {requires_grad = true}) "
      .. "x:register_hook(f) x:backward() end print(pcall(f))" },
    { "survives recursion through pcall", "local function f() assert(pcall(f)) end print(pcall(f))" },
    { "survives deep parentheses", "print(load(('('):rep(1e5) .. ('return 1')) ~= nil)" },
    { "survives unpack of a million", "print(pcall(unpack, {}, 1, 1e7))" },
    { "survives wide formats", "print(pcall(string.format, '%99999999d', 1))" },
  })

  it("trains a network, saves nothing, and ends well", function()
    local out, code = run([[
      local net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
      local optimizer = torch.optim.Adam(net:parameters())
      for _ = 1, 5 do
        optimizer:zero_grad()
        net(torch.randn(3, 4)):pow(2):mean():backward()
        optimizer:step()
      end
      print(net(torch.randn(3, 4)):size(1), select("#", ...))
    ]], "--timeout 5 --max-memory 256M")
    equal(out, "3\t0\n")
    equal(code, 0)
  end)

  it("has patterns as Lua has them", function()
    local patterns = [==[
      print(("hello world"):find("o w"), ("hello"):find("l+"), ("a.b"):find(".", 1, true), ("x"):find("", 5))
      print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("[[x]]"):match("%[%[(.-)%]%]"), ("f(a(b)c)d"):match("%b()"))
      print(("THE (quick) fox"):find("%((%a+)%)"), ("THE (quick) fox"):gsub("%f[%a]%a+", string.lower))
      print(("abc"):gsub("", "-"), ("abc"):gsub("b", "%%%0"), ("abc"):gsub("%w", { a = 1, b = 2, c = false }))
      print(("x=1,y=2"):gsub("(%w)=(%w)", "%2=%1"), ("aaa"):gsub("a", "b", 2), ("hello"):match("(l)(%1)"))
      print(("ab"):match("()b()"))
      for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do print(k, v) end
      for _, bad in ipairs { "[a", "%" } do
        print((select(2, pcall(string.find, "x", bad)):gsub("^script.lua:%d+: ", "")))
      end
      print(("0123-4"):match("[%d-]+"), ("a]b"):match("[]]"), ("a^b"):match("[%^]"), ("abc"):match("[^a-b]"))
      print(("\0a"):match("%z(.)"))
    ]==]
    equal((run(patterns, "--timeout 5")), output_of(("'%s' %s/script.lua"):format(program, folder)))
  end)

  it("goes with no option that needs more", function()
    for _, option in ipairs { "-i", "-j off", "-g", "--device cpu" } do
      local out, code = run("", option)
      assert(code == 2 and out:find("does not go with --sandbox", 1, true), out)
    end
  end)
end)
