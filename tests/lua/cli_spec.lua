local spec = require "spec"
local shell = require "shell"
local describe, it, equal = spec.describe, spec.it, spec.equal
local read, write, output_of, program = shell.read, shell.write, shell.output_of, shell.program

local folder = shell.folder()
local script, input = folder .. "/script.lua", folder .. "/input"

-- Runs `facula ARGUMENTS` in an empty folder. Returns what it wrote to stdout and stderr, and the exit code.
local function run(arguments, stdin)
  write(input, stdin or "")
  local code = output_of(("cd %s && env -u TERM '%s' %s <input >out 2>err; echo $?"):format(folder, program, arguments))
  return read(folder .. "/out"), read(folder .. "/err"), tonumber(code)
end

-- The same of a script's text.
local function run_script(text, arguments)
  write(script, text)
  return run("script.lua " .. (arguments or ""))
end

-- A run that gives these three.
local function gives(expected_out, expected_err, expected_code, ...)
  local out, err, code = run(...)
  equal(out, expected_out)
  equal(err, expected_err)
  equal(code, expected_code)
end

describe("the command line", function()
  it("runs code, in order, with modules between", function()
    write(folder .. "/beside.lua", "return {name = ...}")
    gives("1\nbeside\n", "", 0, "-e 'print(1)' -l beside -e 'print(beside.name)'")
    gives("", "", 0, "-e ''")
  end)

  it("hands the arguments to the script", function()
    write(script, "print(arg[0], #arg, arg[1], arg[2], ...)")
    gives("script.lua\t2\t-e\tb\t-e\tb\n", "", 0, "-q script.lua -e b")
    gives("script.lua\t2\t--\t-e\t--\t-e\n", "", 0, "-- script.lua -- -e")
    write(script, "print(arg[-1], arg[-2] ~= nil)")
    gives("-q\ttrue\n", "", 0, "-q script.lua")
  end)

  it("finds modules in FACULA_PATH", function()
    os.execute("mkdir -p " .. folder .. "/modules")
    write(folder .. "/modules/answer.lua", "return 42")
    local command = "cd %s && FACULA_PATH=modules '%s' -e 'print(require(\"answer\"), torch.nn.Linear ~= nil)'"
    equal(output_of(command:format(folder, program)), "42\ttrue\n")
  end)

  it("finds modules beside the script", function()
    os.execute("mkdir -p " .. folder .. "/deep")
    write(folder .. "/deep/main.lua", "print(require('friend'))")
    write(folder .. "/deep/friend.lua", "return 'found'")
    gives("found\n", "", 0, "deep/main.lua")
  end)

  it("has torch as a global and as a module", function()
    gives("true\t3\n", "", 0, "-e 'print(torch == require \"torch\", torch.ones(3):sum():item())'")
  end)

  it("runs the standard input", function()
    gives("hello\n", "", 0, "", "print('hello')")
    gives("hello\ta\n", "", 0, "- a", "print('hello', ...)")
    gives("", "", 0, "", "")
  end)

  it("skips #! lines and byte order marks, and takes any line ends", function()
    local out, err, code = run_script("#!/usr/bin/env facula\nprint(1)\r\nprint(2)")
    equal({ out, err, code }, { "1\n2\n", "", 0 })
    out, err, code = run_script("\239\187\191print(3)")
    equal({ out, err, code }, { "3\n", "", 0 })
    out, err, code = run_script("")
    equal({ out, err, code }, { "", "", 0 })
  end)

  it("describes itself", function()
    local out, err, code = run("--version")
    assert(out:find("^facula %d+%.%d+%.%d+\nLuaJIT: +2%.1.*\nBLAS: +OpenBLAS.*\nthreads: +%d+\nCUDA: "), out)
    equal({ err, code }, { "", 0 })
    out, err, code = run("--help")
    assert(out:find("usage: facula [options] [script.lua | -] [arguments]", 1, true), out)
    equal({ err, code }, { "", 0 })
  end)

  it("sets threads and seed", function()
    gives("3\n", "", 0, "--threads 3 -e 'print(torch.get_num_threads())'")
    local first, second = run("--seed 7 -e 'print(torch.rand(2))'"), run("--seed=7 -e 'print(torch.rand(2))'")
    equal(first, second)
    gives("true\n", "", 0, "--seed 7 -e 'a = torch.rand(2) torch.manual_seed(7) print(torch.equal(a, torch.rand(2)))'")
  end)

  it("makes tensors on the device that is asked for", function()
    gives("meta\tmeta\tcpu\n", "", 0, "--device meta -e 'print(torch.ones(2).device, torch.tensor{1}.device, "
      .. "torch.ones(2, {device = \"cpu\"}).device)'")
    gives("cpu\n", "", 0, "--device meta -e 'torch.set_default_device() print(torch.rand(2).device)'")
    gives("meta\n", "", 0, "-e 'torch.set_default_device(\"meta\") print(torch.get_default_device())'")
  end)

  it("asks for deterministic algorithms", function()
    gives("false\n", "", 0, "-e 'print(torch.are_deterministic_algorithms_enabled())'")
    gives("true\ntensor([3.])\n", "", 0, "--deterministic -e 'print(torch.are_deterministic_algorithms_enabled()) "
      .. "print(torch.zeros(1):scatter_add(1, torch.tensor{1, 1}:long(), torch.tensor{1, 2}))'")
  end)

  it("profiles what runs, also when it fails", function()
    local out, err, code = run("--profile=trace.json -e 'torch.ones(2):exp() print(1)'")
    equal({ out, code }, { "1\n", 0 })
    assert(err:find("^Name +Self CPU %%") and err:find("\nexp ") and err:find("Self CPU time total"), err)
    local trace = require("torch.json").decode(read(folder .. "/trace.json"))
    equal(#trace.traceEvents, 2)
    out, err, code = run("--profile -e 'torch.ones(2):exp() error(\"no\")'")
    assert(out == "" and code == 1 and err:find("no\n") and err:find("\nexp "), err)
  end)

  it("tells LuaJIT what to do", function()
    gives("false\n", "", 0, "-joff -e 'print((jit.status()))'")
    gives("true\nfalse\n", "", 0, "-e 'print((jit.status()))' -j off -e 'print((jit.status()))'")
    gives("", "facula: -j: LuaJIT has no command or module 'dmp'\n", 1, "-j dmp")
  end)

  it("warns of undefined globals, or makes them errors", function()
    write(script, "local a = zeros\nb = nil\nprint(a, b, zeros)")
    gives("nil\tnil\tnil\n", "script.lua:1: warning: undefined global 'zeros', did you mean 'torch.zeros'?\n", 0,
      "-g script.lua")
    local out, err, code = run("-gg script.lua")
    assert(err:find("^facula: script.lua:1: undefined global 'zeros', did you mean 'torch.zeros'%?\n"), err)
    equal({ out, code }, { "", 1 })
  end)

  it("shows and checks saved files, unless a script has that name", function()
    write(script, "torch.save({weight = torch.ones(2, 3), epoch = 3}, 'saved.pt')")
    gives("", "", 0, "script.lua")
    gives("epoch   3\nweight  float32 (2, 3)\n1 tensor, 24 B\n", "", 0, "info saved.pt")
    gives("saved.pt: good\n", "", 0, "check saved.pt")
    local out, err, code = run("check saved.pt script.lua")
    assert(err:find("^'?script.lua"), err)
    equal({ out, code }, { "saved.pt: good\n", 1 })
    gives("", "facula: info: expected one file\nusage: facula info FILE\n", 2, "info")
    write(folder .. "/info", "print('mine')")
    gives("mine\n", "", 0, "info")
    os.remove(folder .. "/info")
  end)

  it("converts saved files, as their names say", function()
    write(script, "torch.save({m = {w = torch.ones(2, 3)}, epoch = 3}, 'a.saved')")
    gives("", "", 0, "script.lua")
    gives("", "left out: epoch (a number)\n", 0, "convert a.saved b.safetensors")
    gives("", "", 0, "convert b.safetensors c.pt")
    gives("", "", 0, "convert c.pt d.npz")
    gives("", "", 0, "convert d.npz e.npy")
    gives("", "", 0, "convert e.npy f.saved")
    for _, name in ipairs { "b.safetensors", "c.pt", "d.npz" } do
      gives("m.w  float32 (2, 3)\n1 tensor, 24 B\n", "", 0, "info " .. name)
    end
    gives("(value)  float32 (2, 3)\n1 tensor, 24 B\n", "", 0, "info f.saved")
    local usage = "facula: convert: expected two files\nusage: facula convert FROM TO\n"
    gives("", usage, 2, "convert a.saved")
    local out, err, code = run("convert script.lua x.npy")
    assert(out == "" and err:find("'script.lua' is not a file of torch.save", 1, true), err)
    equal(code, 1)
  end)

  it("checks itself", function()
    local out, err, code = run("--threads 2 test")
    assert(out:find("\nmatmul +float32 on 2 threads differs from float64 on one by [%d.e-]+\n"), out)
    assert(out:find("\n%d+ passed, 0 failed\n$"), out)
    equal({ err, code }, { "", 0 })
    out, err, code = run([[-e 'torch.exp = function() error("lost") end' test]])
    assert(out:find("\nexp +FAILED: [^\n]*lost\n"), out)
    assert(out:find("\n%d+ passed, [1-9]%d* failed\n$"), out)
    assert(err:find("exp: torch.exp(torch.tensor{", 1, true), err)
    equal(code, 1)
    gives("", "facula: test: expected no arguments\nusage: facula test\n", 2, "test all")
  end)

  it("names what is wrong with an option, and ends with 2", function()
    local usage = "\nusage: facula [options] [script.lua | -] [arguments]\nfacula --help lists the options\n"
    gives("", "facula: unknown option '--foo'" .. usage, 2, "--foo script.lua")
    gives("", "facula: unknown option '-x'" .. usage, 2, "-x")
    gives("", "facula: -e: 1 required CODE missing" .. usage, 2, "-e")
    gives("", "facula: --device: device: unknown device 'gpu', expected 'cpu', 'meta', 'cuda' or 'cuda:N'" .. usage, 2,
      "--device gpu")
    gives("", "facula: --color: expected one of auto, always, never, got 'red'" .. usage, 2, "--color red")
    gives("", "facula: --threads: expected a whole number from 1 to 1024, got '0'" .. usage, 2, "--threads 0")
  end)
end)

describe("an error", function()
  it("ends the program with 1, on stderr, with the user's functions", function()
    write(script, "local function f()\n  error('deep')\nend\nlocal function g() f() end\ng()\nprint('unreached')")
    gives("", "facula: script.lua:2: deep\n\tscript.lua:2: in 'f'\n\tscript.lua:4: in 'g'\n"
      .. "\tscript.lua:5: in main chunk\n", 1, "script.lua")
  end)

  it("shows the operator, the user's line, and no function of the library before the user's", function()
    write(script, "local x = torch.ones(2, 3)\nlocal y = x:sum(3)\nprint(y)")
    local out, err, code = run("script.lua")
    assert(err:find("^facula: script.lua:2: sum: dim 3 is out of range"), err)
    assert(err:find("\n\tscript.lua:2: in main chunk\n$"), err)
    equal({ out, code }, { "", 1 })
  end)

  it("of a closed standard input ends the script, and the prompt as its end does", function()
    local code = output_of(("cd %s && '%s' <&- >out 2>err; echo $?"):format(folder, program))
    equal({ read(folder .. "/out"), read(folder .. "/err"), tonumber(code) },
      { "", "facula: cannot read stdin: Bad file descriptor\n", 1 })
    code = output_of(("cd %s && '%s' -i -q <&- >out 2>err; echo $?"):format(folder, program))
    equal({ read(folder .. "/out"), read(folder .. "/err"), tonumber(code) }, { "> \n", "", 0 })
  end)

  it("names the library's part in one line", function()
    write(script, [[
      local Net = torch.class("Net", torch.nn.Module)
      function Net:forward(x)
        local y = x:no_such()
        return y
      end
      torch.nn.Sequential(Net())(torch.ones(1))
    ]])
    local out, err, code = run("script.lua")
    assert(err:find("^facula: script.lua:3: attempt to call method 'no_such'[^\n]+\n\tscript.lua:3: in [^\n]+\n"), err)
    assert(err:find("\n\tscript.lua:6: in main chunk\n   through [^\n]*nn/container.lua:%d+\n$"), err)
    equal({ out, code }, { "", 1 })
  end)

  it("may be any value", function()
    local place = "\n\t(command line):1: in main chunk\n"
    gives("", "facula: (the error is a nil value)" .. place, 1, "-e 'error(nil)'")
    gives("", "facula: (the error is a table value)" .. place, 1, "-e 'error({})'")
    gives("", "facula: (command line):1: 42" .. place, 1, "-e 'error(42)'")
    gives("", "facula: mine" .. place, 1,
      "-e 'error(setmetatable({}, {__tostring = function() return \"mine\" end}))'")
    gives("", "facula: (the error is a table value)" .. place, 1,
      "-e 'error(setmetatable({}, {__tostring = function() error({}) end}))'")
  end)

  it("in the syntax names the place", function()
    write(script, "x = = 1")
    gives("", "facula: script.lua:1: unexpected symbol near '='\n", 1, "script.lua")
    gives("", "facula: (command line):1: unexpected symbol near '<eof>'\n", 1, "-e 'x ='")
  end)

  it("of a missing script or module", function()
    gives("", "facula: cannot open nowhere.lua: No such file or directory\n", 1, "nowhere.lua")
    local out, err, code = run("-l nowhere -e 'print(1)'")
    assert(err:find("^facula: module 'nowhere' not found:"), err)
    equal({ out, code }, { "", 1 })
  end)

  it("in deep recursion ends as any other", function()
    local out, err, code = run("-e 'local function f() return 1 + f() end f()'")
    assert(err:find("^facula: .*stack overflow"), err)
    assert(#err < 2000, #err)
    equal({ out, code }, { "", 1 })
  end)

  it("of the output is not lost", function()
    local code = output_of(("'%s' -e 'print(1)' >/dev/full 2>%s/err; echo $?"):format(program, folder))
    equal(tonumber(code), 1)
    equal(read(folder .. "/err"), "facula: cannot write to the standard output (No space left on device)\n")
  end)
end)

describe("leaving", function()
  it("os.exit is obeyed everywhere", function()
    gives("", "", 3, "-e 'pcall(os.exit, 3)'")
  end)

  it("a reader that went away ends it quietly", function()
    local out = output_of(("{ '%s' -e 'for i = 1, 1e6 do print(i) end' 2>%s/err; echo $? >%s/code; } | head -n 1")
      :format(program, folder, folder))
    equal(out, "1\n")
    equal(read(folder .. "/err"), "")
    equal(read(folder .. "/code"), "141\n")
  end)

  -- The shell that it starts sends the signal, while the code runs.
  local function interrupted(code)
    return run(("-e 'io.popen(\"kill -INT $PPID\") %s'"):format(code))
  end

  it("Ctrl-C stops interpreted and compiled loops, kernels, and ends with 130 and a traceback", function()
    for _, loop in ipairs {
      "jit.off() while true do end", "while true do end", "for i = 1, 1e18 do end",
      "while true do pcall(error, 1) end", "local x = torch.ones(1000, 1000) while true do x = x:mul(1) end",
      "local function f() while true do end end f()", -- a compiled loop of one function and one line
      "while true do local t = setmetatable({}, {__index = function() end}) t = t.x end",
    } do
      local out, err, code = interrupted(loop)
      assert(err:find("^facula: %(command line%):1: interrupted\n"), loop .. ": " .. err)
      assert(err:find("\n\t(command line):1: in main chunk\n", 1, true), loop .. ": " .. err)
      equal({ out, code }, { "", 130 })
    end
  end)

  it("Ctrl-C waits while a script holds it, and is the script's if it asks", function()
    local press = "io.popen(\"kill -INT $PPID\"):close() "
    local function holding(body)
      local code = "torch.core.hold_interrupts(function() %s print(1) end) print(2) while true do end"
      return run(("-e '%s'"):format(code:format(body)))
    end
    local out, err, code = run("-e 'torch.core.hold_interrupts(function() " .. press
      .. "while not torch.core.interrupted() do end end) print(torch.core.interrupted())'")
    equal({ out, err, code }, { "true\n", "", 0 })
    out, err, code = holding(press)
    assert(out:find("^1\n") and err:find("interrupted", 1, true), out .. err)
    equal(code, 130)
    out, err, code = holding(press .. "while not torch.core.interrupted() do end " .. press .. "while true do end")
    assert(out == "" and err:find("interrupted", 1, true), out .. err)
    equal(code, 130)
  end)
end)

describe("CmdLine", function()
  local text = [[
    local cmd = torch.CmdLine()
    cmd:text "Trains."
    cmd:argument("data", "folder")
    cmd:option("-lr", 0.1, "learning rate")
    cmd:option("-cuda", false, "use the GPU")
    cmd:option("--name", "x")
    local opt = cmd:parse(arg)
    print(opt.data, opt.lr, opt.cuda, opt.name, cmd:string("run", opt, {data = true}))
  ]]
  local help = "usage: script.lua [options] <data>\nTrains.\n  <data>             folder\n"
    .. "  -lr                learning rate [0.1]\n  -cuda              use the GPU [false]\n  -name               [x]\n"

  it("reads options in Torch7's and in argparse's spelling", function()
    equal({ run_script(text, "d") }, { "d\t0.1\tfalse\tx\trun\n", "", 0 })
    equal({ run_script(text, "-lr 0.5 -cuda d --name=a=b") },
      { "d\t0.5\ttrue\ta=b\trun,cuda=t,lr=0.5,name=a=b\n", "", 0 })
    equal({ run_script(text, "--lr=-1 --cuda=true -5") }, { "-5\t-1\ttrue\tx\trun,cuda=t,lr=-1\n", "", 0 })
    equal({ run_script(text, "--help") }, { help, "", 0 })
  end)

  it("ends with 2 at a mistake, which it names", function()
    for arguments, problem in pairs {
      ["-lr x d"] = "-lr needs a number, got 'x'", ["d -lr"] = "-lr needs a number", ["-foo d"] = "unknown option -foo",
      ["d e"] = "unexpected argument 'e'", [""] = "argument <data> is missing",
    } do
      equal({ run_script(text, arguments) }, { "", "script.lua: " .. problem .. "\n" .. help, 2 })
    end
  end)

  it("writes a log of what is printed", function()
    write(script, "c = torch.CmdLine() c:option('-a', 1) c:log('log', c:parse {}) print(1, 2) io.write(3)")
    gives("1\t2\n3", "", 0, "script.lua")
    equal(read(folder .. "/log"), "a=1\n1\t2\n3")
  end)
end)

describe("lines of JSON", function()
  local json = require "torch.json"

  -- The replies to these requests, without the greeting.
  local function replies(...)
    local lines = {}
    for i, request in ipairs { ... } do
      lines[i] = type(request) == "string" and request or json.encode(request)
    end
    local out, err, code = run("--json-repl", table.concat(lines, "\n") .. "\n")
    equal({ err, code }, { "", 0 })
    local found = {}
    for line in out:gmatch("[^\n]+") do found[#found + 1] = json.decode(line) end
    equal(table.remove(found, 1).type, "ready")
    return found
  end

  it("run code: output as it comes, then the values or the error", function()
    local found = replies({ id = 1, type = "execute", code = "print('a', 2) x = 1; x + 1, 'b'" },
      { id = "two", type = "execute", code = "1 + {}" }, { id = 3, type = "execute", code = "x" },
      { type = "execute", code = ":who" })
    equal(found, {
      { id = 1, type = "output", text = "a\t2\n" }, { id = 1, type = "result", values = { "2", "b" } },
      { id = "two", type = "error", message = "stdin:1: attempt to perform arithmetic on a table value",
        traceback = "\n\tstdin:1: in main chunk" },
      { id = 3, type = "result", values = { "1" } },
      { id = json.null, type = "output", text = "x\n" }, { id = json.null, type = "result", values = {} },
    })
  end)

  it("complete, inspect, and tell whether an input is complete", function()
    local found = replies({ type = "complete", code = "1 + torch.arang" }, { type = "is_complete", code = "for" },
      { type = "is_complete", code = "1" }, { type = "inspect", code = "torch.relu" }, { type = "quit" }, "unread")
    equal({ found[1].replaced, found[1].words }, { 5, { "arange" } })
    equal({ found[2].complete, found[3].complete }, { false, true })
    assert(found[4].text:find("^relu%(Tensor self%)"), found[4].text)
    equal({ found[5].type, found[6].type, #found }, { "result", "result", 6 })
  end)

  it("refuse what is no request", function()
    local found = replies("nonsense", "[]", { type = "fly", code = "" }, { id = 4, type = "execute" }, "{}")
    equal(#found, 5)
    for _, reply in ipairs(found) do equal(reply.type, "error") end
  end)

  it("go on after Ctrl-C", function()
    local found = replies({ id = 1, type = "execute", code = "io.popen('kill -INT $PPID') while true do end" },
      { id = 2, type = "execute", code = "1" })
    equal({ found[1].type, found[1].message }, { "error", "stdin:1: interrupted" })
    equal(found[2], { id = 2, type = "result", values = { "1" } })
  end)

  it("keep the output of others apart", function()
    local out, err = run("--json-repl", '{"type":"execute","code":"os.execute(\'echo apart\'); torch.ones(1)\255"}\n'
      .. '{"type":"execute","code":"$ echo apart"}\n')
    for line in out:gmatch("[^\n]+") do json.decode(line) end
    equal(err, "apart\n")
  end)
end)

describe("the prompt", function()
  -- What it shows for these lines, with its own words left out.
  local function session(lines)
    local out, err, code = run("-i -q", table.concat(lines, "\n") .. "\n")
    equal(code, 0)
    return out:gsub("%.%.> ", ""):gsub("> ", ""):gsub("\n$", ""), err
  end

  it("shows the values of expressions, and no nil", function()
    equal(session { "1 + 1", "'text'", "nil", "1, nil, 'b'", "x = 5", "x", "x;", "= x", "> x" },
      "2\ntext\n1\nnil\nb\n5\n5\n5\n")
    equal(session { "torch.ones(2)" }, "tensor([1., 1.])\n")
  end)

  it("prints one prompt a line, another where the input goes on", function()
    gives("> ..> ..> 1\n2\n> 7\n> \n", "", 0, "-i -q", "for i = 1, 2 do\nprint(i)\nend\n3 + 4\n")
  end)

  it("keeps the last value and local variables", function()
    equal(session { "20", "_ + 1", "local a, b = 1, 2", "local function f(n) return n == 0 and b or f(n - 1) end",
      "f(3)", "for i = 1, 1 do local a = 9 end", "a", "local type = 3", "type", "torch.ones(1):type()" },
      "20\n21\n2\n1\n3\ntorch.FloatTensor\n")
  end)

  it("shows tables", function()
    equal(session { "{1, 2, {a = 'x\\n', ['b c'] = {}, [7] = true}}" },
      '{1, 2, {[7] = true, ["b c"] = {}, a = "x\\n"}}\n')
    equal(session { "t = {} t.t = t", "t" }, "{t = {...}}\n")
    equal(session { "{{{{{1}}}}}" }, "{{{{{...}}}}}\n")
    equal(session { "t = {} for i = 1, 1000 do t[i] = 0 end", "#t, t;", "{('x'):rep(70), 'second'}" },
      '{\n  "' .. ("x"):rep(70) .. '",\n  "second"\n}\n')
    local out = session { "t = {} for i = 1, 1000 do t[i] = 0 end", "t" }
    assert(out:find("  0,\n  ... 950 more\n}", 1, true), out)
  end)

  it("goes on after errors", function()
    local out, err = session { "error('no')", "zero_s()", "x = = 1", "1" }
    equal(out, "1\n")
    equal(err, "no\nstdin:1: attempt to call global 'zero_s' (a nil value), did you mean 'torch.zeros'?\n"
      .. "stdin:1: unexpected symbol near '='\n")
  end)

  it("says what is missing at the end of the input", function()
    gives("> ..> \n> \n", "stdin:1: 'end' expected near '<eof>'\n", 0, "-i -q", "for i = 1, 2 do")
  end)

  it("knows operators", function()
    local out = session { "?torch.sum", "help(torch.sum)", "?no_such_name", "??log-softmax" }
    assert(out:find("sum(Tensor self, ", 1, true), out)
    assert(select(2, out:gsub("sum%(Tensor self, ", "")) >= 2, out)
    assert(out:find("nothing is known of 'no_such_name'", 1, true), out)
  end)

  it("saves its inputs to a file that is replaced at once or not at all", function()
    local path = folder .. "/saved.lua"
    equal(session { "x = 1", ":save " .. path }, "1 inputs in " .. path .. "\n")
    equal(read(path), "x = 1\n")
    local _, problem = session { "x = 1", ":save /dev/full" }
    assert(problem:find(":save: '/dev/full' exists and is not a plain file", 1, true), problem)
  end)

  it("comes after the script with -i, and says hello without -q", function()
    write(script, "y = 3")
    local out, err, code = run("-i script.lua", "y\n")
    assert(out:find("^facula %d.-%? for help\n> 3\n> \n$"), out)
    equal({ err, code }, { "", 0 })
  end)

  it("takes any bytes and long lines", function()
    equal(session { "#'" .. ("x"):rep(1e6) .. "'" }, "1000000\n")
    equal(session { "#'a\0b'", "#'\255\254'" }, "3\n2\n")
  end)
end)

os.execute("rm -rf " .. folder)
