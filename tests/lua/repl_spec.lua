-- The prompt on a terminal: editing, completion, history, pasting, interrupts. What it says without one is in cli_spec.
local spec = require "spec"
local shell = require "shell"
local Terminal = require "terminal"
local describe, it, equal = spec.describe, spec.it, spec.equal
local read, write, program = shell.read, shell.write, shell.program

local folder = shell.folder()

-- A prompt in an environment of its own, after its first `> `.
local function open(options)
  options = options or {}
  local environment = { TERM = "xterm", HOME = folder, XDG_STATE_HOME = options.state or folder .. "/state",
    LANG = "C.UTF-8", NO_COLOR = "1", PATH = os.getenv("PATH"), FACULA_PATH = os.getenv("FACULA_PATH"),
    ASAN_OPTIONS = os.getenv("ASAN_OPTIONS"), UBSAN_OPTIONS = os.getenv("UBSAN_OPTIONS") }
  for name, value in pairs(options.environment or {}) do environment[name] = value end
  local command = { program, "-q" }
  for _, argument in ipairs(options.arguments or {}) do command[#command + 1] = argument end
  local terminal = Terminal(command, environment, options.size)
  if not options.unprompted then terminal:expect("> ") end
  return terminal
end

-- Types a line and waits for what it shows.
local function answers(terminal, line, answer)
  terminal:type(line .. "\r")
  terminal:expect("\n")
  terminal:expect(answer)
  terminal:expect("> ")
end

local function leave(terminal)
  terminal:type("\4")
  return terminal:close()
end

-- Some containers have no pseudo-terminals.
if not pcall(function() Terminal({ "/bin/true" }, {}):close() end) then
  print("SKIPPED repl: there is no pseudo-terminal here, so the prompt was not driven")
  return
end

describe("the prompt on a terminal", function()
  it("shows results and leaves at Ctrl-D with 0", function()
    local terminal = open()
    answers(terminal, "1 + 1", "2\r\n")
    answers(terminal, "a = 20; a + 1", "21\r\n")
    equal((leave(terminal)), 0)
  end)

  it("leaves at :quit, and with the code of os.exit", function()
    local terminal = open()
    terminal:type(":quit\r")
    equal((terminal:close()), 0)
    terminal = open()
    terminal:type("os.exit(7)\r")
    equal((terminal:close()), 7)
  end)

  it("completes globals, methods, fields, arguments in braces, modules, files and commands", function()
    local terminal = open()
    answers(terminal, "x = torch.ones(2, 3)", "")
    for typed, completed in pairs {
      ["x:resolve_n\t"] = "eg", ["torch.nn.functional.cross_ent\t"] = "ropy", ["x:sum{keep\t"] = "dim=",
      ["torch.sum(x, {keep\t"] = "dim=", ['require "torch.optim.lr_s\t'] = "cheduler", ["x.req\t"] = "uires_grad",
      [":timei\t"] = "t", ["%rese\t"] = "t", ["torch.nn.Linear{in_f\t"] = "eatures=",
    } do
      terminal:type(typed)
      terminal:expect(typed:sub(1, -2) .. completed)
      terminal:type("\3")
      terminal:expect("> ")
    end
    write(folder .. "/unlikely_name.txt", "")
    terminal:type('io.open "' .. folder .. '/unlike\t')
    terminal:expect("unlikely_name.txt")
    terminal:type("\3")
    terminal:expect("> ")
    terminal:type("x:res\t")
    terminal:expect("reshape_as")
    terminal:expect("resolve_neg_")
    terminal:expect("\n> x:res")
    terminal:type("\3")
    terminal:expect("\n> ")
    equal((leave(terminal)), 0)
  end)

  it("goes on over several lines, and keeps them as one entry of the history", function()
    local terminal = open()
    terminal:type("for i = 1, 2 do\r")
    terminal:expect("..> ")
    terminal:type("print('line', i)\r")
    terminal:expect("..> ")
    terminal:type("end\r")
    terminal:expect("line\t1\r\nline\t2\r\n> ")
    leave(terminal)
    terminal = open()
    terminal:type("for\27[A") -- what begins so, from the session before
    terminal:expect("print('line', i)")
    terminal:type("\r")
    terminal:expect("line\t1\r\nline\t2\r\n> ")
    leave(terminal)
  end)

  it("finds earlier inputs by what they begin with and by what they have in them", function()
    local terminal = open { state = folder .. "/search" }
    answers(terminal, "'first'", "first")
    answers(terminal, "'second'", "second")
    answers(terminal, "3", "3")
    terminal:type("'\27[A\27[A\r")
    terminal:expect("\nfirst\r\n> ")
    terminal:type("\18econ") -- Ctrl-R
    terminal:expect("bck:")
    terminal:type("\r")
    terminal:expect("\nsecond\r\n> ")
    leave(terminal)
  end)

  it("keeps the history in a file that others cannot read, each input once", function()
    local state = folder .. "/file"
    for _ = 1, 2 do
      local terminal = open { state = state }
      answers(terminal, "'a\\\\n'", "a")
      answers(terminal, "2", "2")
      leave(terminal)
    end
    equal(shell.output_of("stat -c %a " .. state .. "/facula/history"), "600\n")
    local terminal = open { state = state }
    terminal:type("\27[A\27[A\27[A\27[A\27[A\r") -- up to the first
    terminal:expect("\r\na\\n\r\n> ")
    leave(terminal)
    equal(read(state .. "/facula/history"):sub(1, 16), "'a\\\\\\\\n'\n2\n'a\\\\\\")
  end)

  it("shares the history with other sessions at the same time", function()
    local state = folder .. "/shared"
    local one, two = open { state = state }, open { state = state }
    answers(one, "'one'", "one")
    answers(two, "'two'", "two")
    answers(one, "'three'", "three")
    leave(one)
    leave(two)
    equal(read(state .. "/facula/history"), "'one'\n'two'\n'three'\n")
  end)

  it("runs what is pasted as one input, without copied prompts", function()
    local terminal = open()
    terminal:type("\27[200~> local function twice(n)\r..>   return 2 * n\r..> end\rtwice(21)\27[201~")
    terminal:expect("twice(21)")
    terminal:type("\r")
    terminal:expect("42\r\n> ")
    leave(terminal)
  end)

  it("takes a paste of megabytes, and bytes that are no characters", function()
    local terminal = open()
    terminal:type("\27[200~#'" .. ("x"):rep(3e6) .. "'\27[201~")
    terminal:expect("(3000003 bytes pasted)\r\n3000000\r\n> ")
    terminal:type("\255\254'ä'\r")
    terminal:expect("\nä\r\n> ")
    leave(terminal)
  end)

  it("drops an unfinished input at Ctrl-C", function()
    local terminal = open()
    terminal:type("for i = 1, 2 do\r")
    terminal:expect("..> ")
    terminal:type("\3")
    terminal:expect("\n> ")
    answers(terminal, "3 + 4", "7\r\n")
    leave(terminal)
  end)

  it("stops code at Ctrl-C, also what was typed ahead, and goes on", function()
    local terminal = open()
    for _, code in ipairs {
      "io.write('go\\n') while true do end", "io.write('go\\n') x = torch.ones(500, 500) while true do x = x:mm(x) end",
      "io.write('go\\n') while true do pcall(error) end", "x = 1\rio.write('go\\n') while true do end",
      "set = { size = function() return 2 end, get = function() while true do end end }\r"
        .. "io.write('go\\n') torch.utils.data.DataLoader(set, { num_workers = 2 }):iter()()",
    } do
      terminal:type(code .. "\r")
      terminal:expect("\ngo\r\n")
      terminal:type("\3")
      terminal:expect("interrupted\r\n")
      terminal:expect("> ")
      answers(terminal, "3 + 4", "7\r\n")
    end
    leave(terminal)
  end)

  it("ends with 130 at a second Ctrl-C", function()
    local terminal = open()
    terminal:type("while true do print(pcall(function() io.write('go\\n') while true do end end)) end\r")
    terminal:expect("\ngo\r\n")
    terminal:type("\3")
    terminal:expect("interrupted\r\ngo\r\n")
    terminal:type("\3")
    equal((terminal:close()), 130)
  end)

  it("shows errors with the user's functions, all of them, and the variables there", function()
    local terminal = open()
    terminal:type("function f(n) local half = n / 2 error('deep') end\r")
    terminal:expect("> ")
    answers(terminal, "f(6) + 1", "stdin:1: deep\r\n\tstdin:1: in 'f'\r\n\tstdin:1: in main chunk\r\n")
    answers(terminal, "_err", "stdin:1: deep\r\n")
    answers(terminal, "%debug 1", "n = 6\r\n     half = 3\r\n")
    answers(terminal, "torh.ones(2)", "attempt to index global 'torh' (a nil value), did you mean 'torch'?")
    leave(terminal)
  end)

  it("tells once that locals of the prompt last", function()
    local terminal = open()
    answers(terminal, "local kept = 5", "`kept` is a variable of this session)")
    answers(terminal, "local other = 6", "")
    answers(terminal, "kept + other", "11\r\n")
    assert(not terminal.screen:find("`other`", 1, true), terminal.screen)
    leave(terminal)
  end)

  it("colours on a terminal, unless told otherwise", function()
    local function coloured(environment, arguments)
      local terminal = open { environment = environment, arguments = arguments }
      terminal:type("{1}\r")
      terminal:expect("{1}\r\n")
      terminal:expect("> ")
      leave(terminal)
      return terminal.screen:find("\27[36m1\27[0m", 1, true) ~= nil
    end
    equal(coloured { NO_COLOR = "" }, true)
    equal(coloured { NO_COLOR = "1" }, false)
    equal(coloured({ NO_COLOR = "1" }, { "--color=always" }), true)
    equal(coloured({ NO_COLOR = "" }, { "--color", "never" }), false)
    equal(coloured { NO_COLOR = "", TERM = "dumb" }, false)
  end)

  it("begins with the start-up file, unless told otherwise", function()
    write(folder .. "/startup.lua", "local greeting = 'hello from the file' print('started')\ngreeting")
    local environment = { FACULA_STARTUP = folder .. "/startup.lua" }
    local terminal = open { environment = environment }
    answers(terminal, "greeting", "hello from the file")
    assert(terminal.screen:find("started", 1, true), terminal.screen)
    leave(terminal)
    terminal = open { environment = environment, arguments = { "--no-init" } }
    answers(terminal, "greeting == nil", "true")
    leave(terminal)
  end)

  it("works on odd terminals and without a home", function()
    for _, one in ipairs {
      { size = { 1, 1 } }, { size = { 24, 5 } }, { environment = { TERM = "dumb" } }, { environment = { TERM = "" } },
      { environment = { TERM = "no-such-terminal" } }, { environment = { HOME = "", XDG_STATE_HOME = "" } },
      { environment = { XDG_STATE_HOME = "/proc" } }, { environment = { LANG = "C", LC_ALL = "C" } },
    } do
      local terminal = open { size = one.size, environment = one.environment, unprompted = true }
      terminal:expect(">")
      terminal:type("print('a'..'b')\r")
      terminal:expect("ab\r\n")
      terminal:expect(">")
      equal((leave(terminal)), 0)
    end
  end)

  it("reads the end of a large history, and shortens it", function()
    local state = folder .. "/large"
    os.execute("mkdir -p " .. state .. "/facula")
    write(state .. "/facula/history", ("'" .. ("y"):rep(1000) .. "'\n"):rep(20000) .. "'the last'\n")
    local terminal = open { state = state }
    terminal:type("\27[A\r")
    terminal:expect("\nthe last\r\n> ")
    leave(terminal)
    assert(#read(state .. "/facula/history") < 10000, "one entry of each is kept")
  end)
end)

os.execute("rm -rf " .. folder)
