--- The prompt's commands: one table that `:name` and `%name` are looked up in, completed from and listed from.

local torch = require "torch"
local check, measure, units = require "torch.check", require "torch.repl.measure", require "torch.units"

local function shell_quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read_file(path)
  local file, problem = io.open(path, "rb")
  check(file, "cannot read %s", problem)
  local text = file:read("*a")
  file:close()
  check(text, "cannot read %s: it is no file", path)
  return text
end

local function expanded(path)
  return (path:gsub("^~/", (os.getenv("HOME") or "~") .. "/"))
end

local function load(session, path)
  check(path ~= "", "which file? `:load FILE`")
  path = expanded(path)
  session:run_text(read_file(path), "@" .. path)
end

local function save(session, rest)
  local path, range = rest:match("^(%S+)%s*(.-)$")
  check(path, "which file? `:save FILE [FIRST-LAST]`")
  local first, last = range:match("^(%d+)%-?(%d*)$")
  check(first or range == "", "expected numbers of inputs such as 3 or 3-7, got '%s'", range)
  first = tonumber(first) or 1
  last = tonumber(last) or (range ~= "" and not range:find("-", 1, true) and first) or #session.inputs
  local lines = {}
  for i = first, math.min(last, #session.inputs) do lines[#lines + 1] = session.inputs[i] .. "\n" end
  torch.core.write_pieces(expanded(path), ":save", table.concat(lines))
  session:say(("%d inputs in %s"):format(#lines, path))
end

-- A file, or the input of that number (the last one by default) in a file of its own.
local function edit(session, rest)
  local number = tonumber(rest)
  local path = rest ~= "" and not number and expanded(rest) or os.tmpname()
  if number or rest == "" then
    torch.core.write_pieces(path, ":edit", (session.inputs[number or #session.inputs] or "") .. "\n")
  end
  local editor = os.getenv("VISUAL") or os.getenv("EDITOR") or "vi"
  if os.execute(editor .. " " .. shell_quoted(path)) == 0 then session:run_text(read_file(path), "@" .. path) end
  if number or rest == "" then os.remove(path) end
end

local function history(session, wanted)
  for i, input in ipairs(session.inputs) do
    if input:find(wanted, 1, true) then session:say(("%4d  %s"):format(i, (input:gsub("\n", "\n      ")))) end
  end
end

local function time(session, code)
  local before = torch.memory_stats().total
  local wall, cpu = torch.monotonic(), os.clock()
  session:run_text(code)
  wall, cpu = torch.monotonic() - wall, os.clock() - cpu
  session:say(session.paint("faint", ("%s, %s of processors, %s allocated for tensors"):format(units.seconds(wall),
    units.seconds(cpu), units.bytes(torch.memory_stats().total - before))))
end

-- Where Lua spends its time, by LuaJIT's sampling profiler where it is installed, and which operators take it.
local function profile(session, code)
  check(code ~= "", "of what? `:prof CODE`")
  local good, sampling = pcall(require, "jit.p")
  if good then sampling.start("Fli1m1") end
  local operators = torch.profiler.profile(function() session:run_text(code) end, { print = false })
  if good then sampling.stop() end
  session.host.catch_interrupts() -- which LuaJIT's profiler is used for, too
  session:say(operators:table { row_limit = 20 })
end

local function change_folder(session, path)
  session.host.change_folder(path == "" and (os.getenv("HOME") or "/") or expanded(path))
  session:say(session.host.folder())
end

---@class repl.Command
---@field names string[]  the first is the one that is listed
---@field arguments string
---@field doc string
---@field run fun(session: repl.Session, rest: string)
---@field takes_files? boolean  for completion

---@type repl.Command[]
local commands = {}

local function add(names, arguments, doc, run, takes_files)
  commands[#commands + 1] = { names = names, arguments = arguments, doc = doc, run = run, takes_files = takes_files }
end

-- The same of a command that shows what `text(session, rest)` returns.
local function add_text(names, arguments, doc, text)
  add(names, arguments, doc, function(session, rest) session:say(text(session, rest)) end)
end

add_text({ "help", "h" }, "", "this list", function(session) return session:help() end)
add({ "doc" }, "NAME", "signature and description, as ?NAME", function(session, name) session:explain(name) end)
add({ "search", "apropos" }, "TEXT", "names and descriptions with this text, as ??TEXT",
  function(session, text) session:search(text) end)
add_text({ "who" }, "", "your variables", function(session) return session:who(false) end)
add_text({ "whos" }, "", "your variables, with types and sizes", function(session) return session:who(true) end)
add({ "reset" }, "", "forgets your variables", function(session) session:reset() end)
add({ "time" }, "CODE", "runs it, and says how long that took", time)
add_text({ "timeit" }, "CODE", "runs it many times: best, mean and standard deviation",
  function(session, code) return measure.repeated(session:chunk(code)) end)
add({ "prof", "profile" }, "CODE", "runs it, and says where Lua spent its time, and operators theirs", profile)
add_text({ "mem", "memory" }, "", "memory in use, by Lua and by tensors", measure.memory)
add({ "load" }, "FILE", "runs a file as if it were typed here", load, true)
add({ "save" }, "FILE [FIRST-LAST]", "writes the inputs of this session", save, true)
add({ "edit" }, "[NUMBER | FILE]", "opens the last input, that input or a file in $EDITOR, then runs it", edit, true)
add({ "history", "hist" }, "[TEXT]", "the inputs of this session, with their numbers", history)
add_text({ "tb" }, "", "the last error with all of its functions",
  function(session) return session:last_traceback() end)
add_text({ "debug" }, "[NUMBER]", "local variables where the last error was, of all functions or one",
  function(session, number) return session:post_mortem(tonumber(number)) end)
add({ "depth", "printlevel" }, "N", "how deep tables in tables are shown", function(session, levels)
  session.depth = check(tonumber(levels), "expected a number of levels, got '%s'", levels)
end)
add({ "cd" }, "[FOLDER]", "changes the folder", change_folder, true)
add_text({ "env" }, "", "versions, processor, libraries, limits", function(session) return session.host.report() end)
add({ "quit", "q", "exit" }, "", "leaves, as Ctrl-D does", function(session) session.over = true end)

local by_name = {}
for _, command in ipairs(commands) do
  for _, name in ipairs(command.names) do by_name[name] = command end
end

--- The command of that name, nil if there is none.
---@param name string
---@return repl.Command?
function commands.find(name)
  return by_name[name]
end

--- The list as text.
---@return string
function commands.listed()
  local lines = {}
  for i, command in ipairs(commands) do
    lines[i] = ("  %-26s %s"):format(":" .. command.names[1] .. " " .. command.arguments, command.doc)
  end
  return table.concat(lines, "\n")
end

return commands
