--- The prompt's session: runs inputs, shows their results, keeps variables, and explains errors. The program reads the
-- lines, stops what runs at Ctrl-C, and gives what Lua lacks as `host`.

local torch = require "torch"
local check, suggestion = require "torch.check", require "torch.suggestion"
local show, source, units = require "torch.repl.show", require "torch.repl.source", require "torch.units"

local chunk_name = "=stdin"
local most_results = 100 -- in _RESULTS
local slow = 1 -- seconds from which on the time of an input is shown

---@class repl.Host
---@field terminal boolean  is there somebody at a terminal?
---@field coloured boolean  may stdout be coloured?
---@field coloured_errors boolean  may stderr?
---@field describe_error fun(err: any): string, string  the message, and the functions that run: the user's, then others
---@field catch_interrupts fun()  takes LuaJIT's profiler back after another use
---@field list_folder fun(path: string): string[]
---@field folder fun(): string
---@field change_folder fun(path: string)
---@field report fun(): string
---@field summary fun(): string

---@class repl.Session
---@field env table  the variables of the session before the globals
---@field locals table<string, true>  see Note [Locals of a session] in source.lua
---@field inputs string[]
---@field over boolean
local Session = {}
Session.__index = Session

local own_file = debug.getinfo(1, "S").source
local getinfo, getlocal, stdout, stderr = debug.getinfo, debug.getlocal, io.stdout, io.stderr

function Session:say(text)
  stdout:write(text, "\n")
  stdout:flush()
end

function Session:warn(text)
  stdout:flush()
  stderr:write(self.paint_error("error", text), "\n")
end

-- Variables --------------------------------------------------------------------------------------------------

-- New variables are globals, unless they were declared as locals of the session.
local function new_environment(locals)
  return setmetatable({}, {
    __index = _G,
    __newindex = function(env, name, value)
      if locals[name] then rawset(env, name, value) else _G[name] = value end
    end,
  })
end

local function declare(self, names)
  for _, name in ipairs(names) do self.locals[name] = true end
  if names[1] and self.host.terminal and not self.told_of_locals then
    self.told_of_locals = true
    self:say(self.paint("faint", ("(locals of the prompt last: `%s` is a variable of this session)"):format(names[1])))
  end
end

-- Results are `_`, `__` the one before, `_1`, `_2`, ... those of one input; `ans` and `_LAST` are other names of `_`.
local function keep(self, results)
  local env = self.env
  if results.n == 0 or (results.n == 1 and results[1] == nil) then return end
  rawset(env, "__", rawget(env, "_"))
  for _, name in ipairs { "_", "ans", "_LAST" } do rawset(env, name, results[1]) end
  for i = 1, math.max(results.n, self.result_count) do rawset(env, "_" .. i, results[i]) end
  self.result_count = results.n
  local all = rawget(env, "_RESULTS")
  all[#all + 1] = results[1]
  if #all > most_results then table.remove(all, 1) end
end

-- Names and values of the user's variables, by name.
local function variables(self)
  local found = {}
  for name, value in pairs(_G) do
    if not self.known[name] then found[#found + 1] = { name, value } end
  end
  for name in pairs(self.locals) do
    local value = rawget(self.env, name)
    if value ~= nil then found[#found + 1] = { name, value } end
  end
  table.sort(found, function(a, b) return tostring(a[1]) < tostring(b[1]) end)
  return found
end

local function tensor_line(name, x)
  return ("%-16s Tensor   (%s) %s %s, %s"):format(name, table.concat(x.shape, ", "),
    tostring(x.dtype):gsub("^torch%.", ""), tostring(x.device), units.bytes(x.nbytes))
end

--- The user's variables: their names, or a line for each.
function Session:who(in_detail)
  local lines = {}
  for i, variable in ipairs(variables(self)) do
    local name, value = tostring(variable[1]), variable[2]
    if not in_detail then
      lines[i] = name
    elseif torch.is_tensor(value) then
      lines[i] = tensor_line(name, value)
    else
      local text = show.value(value, { depth = 1 }):gsub("\n.*", " ...")
      lines[i] = ("%-16s %-8s %s"):format(name, torch.type(value), text)
    end
  end
  if #lines == 0 then return "no variables" end
  return table.concat(lines, in_detail and "\n" or "  ")
end

function Session:reset()
  for _, variable in ipairs(variables(self)) do _G[variable[1]] = nil end
  for name in pairs(self.locals) do self.locals[name] = nil end
  for name in pairs(self.env) do rawset(self.env, name, nil) end
  self.result_count = 0
  self:add_own_names()
end

-- Errors -----------------------------------------------------------------------------------------------------

local most_frames = 20

-- The Lua functions that run, innermost first, with their local variables.
local function frames_with_locals()
  local frames = {}
  for level = 3, 3 + most_frames do
    local about = getinfo(level, "Snl")
    if not about or about.source == own_file then break end
    if about.what ~= "C" then
      local locals = {}
      for i = 1, 200 do
        local name, value = getlocal(level, i)
        if not name then break end
        if name:sub(1, 1) ~= "(" then locals[#locals + 1] = { name, value } end
      end
      local name = about.what == "main" and "main chunk" or about.name or "a function"
      frames[#frames + 1] = { place = about.short_src .. ":" .. about.currentline, name = name, locals = locals }
    end
  end
  return frames
end

-- `did you mean torch.zeros?`, where a message is about a name that is nil.
local function remedy(self, message)
  local kind, name = message:match("attempt to %a+ (%a+) '([%a_][%w_]*)' %(a nil value%)$")
  if kind == "global" then return suggestion.of_global(name, self.env) end
  if kind == "method" then return suggestion.of_method(name) end
end

function Session:handler()
  return function(err)
    local message, frames = self.host.describe_error(err)
    self.failure = { message = message, frames = frames, locals = frames_with_locals() }
    rawset(self.env, "_err", err)
    return err
  end
end

local function users_frames(frames)
  return (frames:gsub("\n   through.*", ""))
end

--- Shows the last error: the message, and the user's functions where they say more than the message.
function Session:complain(code)
  local message, frames = self.failure.message, users_frames(self.failure.frames)
  local one_line = not code:find("\n", 1, true) and frames == "\n\tstdin:1: in main chunk"
  local near = remedy(self, message)
  self:warn(message .. (near and ", did you mean '" .. near .. "'?" or "") .. (one_line and "" or frames))
end

--- Calls `f`. An error is shown and kept; results are returned behind `true`.
function Session:protected(code, f, ...)
  local n, arguments = select("#", ...), { ... }
  local function call() return f(unpack(arguments, 1, n)) end
  local function finish(good, ...)
    if not good then self:complain(code) end
    return good, ...
  end
  return finish(xpcall(call, self:handler()))
end

---@return string
function Session:last_traceback()
  check(self.failure, "there was no error yet")
  return self.failure.message .. self.failure.frames
end

--- Local variables where the last error was, of the `number`-th function or of all.
---@return string
function Session:post_mortem(number)
  check(self.failure, "there was no error yet")
  local lines = {}
  for i, frame in ipairs(self.failure.locals) do
    if number == nil or i == number then
      lines[#lines + 1] = self.paint("strong", ("%d  %s in %s"):format(i, frame.place, frame.name))
      for _, variable in ipairs(frame.locals) do
        local text = show.value(variable[2], { depth = 2, paint = self.paint })
        lines[#lines + 1] = ("     %s = %s"):format(variable[1], (text:gsub("\n", "\n       ")))
      end
    end
  end
  check(#lines > 0, "there are %s functions, numbered from 1", #self.failure.locals)
  return table.concat(lines, "\n")
end

-- Running ----------------------------------------------------------------------------------------------------

--- Shows the values of an input.
---@param results table  with `n`
function Session:display(results)
  local options = { paint = self.paint, depth = self.depth, width = torch.core.terminal_width() }
  for i = 1, results.n do
    local x = results[i]
    if type(x) == "function" or type(x) == "table" and torch.class.is_class(x) then
      self:say(require("torch.repl.help").of_value(x, nil, options))
    else
      self:say(show.value(x, options))
    end
  end
end

--- The chunk of an input, which sees the session's variables. An error of the syntax is an error.
function Session:chunk(text, name)
  local chunk, names = source.compile(text, name or chunk_name)
  if not chunk then error(names, 0) end
  declare(self, names)
  return setfenv(chunk, self.env)
end

local function pack(good, ...)
  return good, { n = select("#", ...), ... }
end

--- Runs code as an input. The value of an expression is kept and, unless `;` ends it, shown.
---@param text string
---@param name? string  the chunk's
---@return boolean good
---@return table results
function Session:run_text(text, name)
  text = source.trimmed(text:gsub("^\239\187\191", ""):gsub("^#![^\n]*", ""))
  local visible = text:sub(-1) ~= ";"
  text = text:gsub("^=", ""):gsub(";$", "")
  if text == "" then return true, { n = 0 } end
  local compiled, chunk = self:protected(text, self.chunk, self, text, name)
  if not compiled then return false, { n = 0 } end
  local good, results = pack(self:protected(text, chunk))
  if not good then return false, results end
  keep(self, results)
  if visible and not (results.n == 1 and results[1] == nil) then self:protected("\n", self.display, self, results) end
  return true, results
end

local function shell(self, command)
  check(command ~= "", "which command? `$ COMMAND`")
  stdout:flush()
  local code = os.execute(command)
  if code ~= 0 then self:warn(("the command ended with %d"):format(code > 255 and code / 256 or code)) end
end

local function run_command(self, name, rest)
  local commands = require "torch.repl.commands"
  local command = commands.find(name)
  if not command then
    local names = {}
    for _, known in ipairs(commands) do
      for _, one in ipairs(known.names) do names[#names + 1] = one end
    end
    local near = torch.core.nearest(name, names)
    near = near and (", did you mean '%s'?"):format(near) or "; :help lists them"
    check(false, "there is no command '%s'%s", name, near)
  end
  command.run(self, rest)
end

-- What is no Lua: patterns of an input, and who runs it. The first that matches is taken.
local special = {
  { "^%?%?%s*(.-)$", function(self, text) self:search(text) end },
  { "^%?%s*(.-)$", function(self, name) self:explain(name) end },
  { "^([%a_][%w_.:]*)%?%?$", function(self, text) self:search(text) end },
  { "^([%a_][%w_.:]*)%?$", function(self, name) self:explain(name) end },
  { "^[$!]%s*(.-)$", shell },
  { "^[:%%]([%a_]%w*)%s*(.-)$", run_command },
}

local function special_form(text)
  for _, form in ipairs(special) do
    local first, second = text:match(form[1])
    if first then return form[2], first, second end
  end
end

--- Pasted lines without the prompts that were copied along with them.
---@param text string
---@return string
function Session:without_prompts(text)
  return (text:gsub("[^\n]+", source.without_prompt))
end

--- Does the input go on in the next line?
---@param text string
---@return boolean
function Session:is_incomplete(text)
  return special_form(source.trimmed(text)) == nil and source.is_incomplete(text)
end

--- Runs an input: Lua, a command, a question.
---@param text string
function Session:run(text)
  text = source.trimmed(text)
  if text == "" then return end
  local run, first, second = special_form(text)
  local begun = torch.monotonic()
  if run then
    self:protected(text, run, self, first, second)
  else
    self:run_text(text)
  end
  self.inputs[#self.inputs + 1] = text
  local took = torch.monotonic() - begun
  if self.host.terminal and took >= slow then
    local note = ("[%.2f s]"):format(took)
    self:say((" "):rep(torch.core.terminal_width() - #note - 1) .. self.paint("faint", note))
  end
end

-- Help -------------------------------------------------------------------------------------------------------

--- How to use the prompt.
function Session:help()
  return table.concat({
    "Type Lua; the value of an expression is shown, unless `;` ends it, and is `_` afterwards.",
    "An input that is not complete goes on in the next line, after `..>`.",
    "Variables stay from input to input, `local` ones too: `local x = 1` makes x a variable of the prompt.",
    "  ?torch.sum                 signature and description; help(x) and torch.sum? do the same",
    "  ??softmax                  operators and classes with this word in name or description",
    "  $ ls, !ls                  a command of the shell",
    "  Tab                        completes names, arguments in braces, modules and files in strings",
    "  Up, Ctrl-R                 bring earlier lines back: those that begin like this one, those with a word",
    "  Ctrl-C                     drops the input, or stops what runs; pressed again it ends the program",
    "  Ctrl-D                     leaves",
    require("torch.repl.commands").listed(),
    "Commands may begin with % as well as with :",
  }, "\n")
end

--- `?name`: a value of the session, or an operator of that name.
function Session:explain(name)
  local help = require "torch.repl.help"
  if name == "" then return self:say(self:help()) end
  local chunk = loadstring("return " .. name:gsub(":([%a_][%w_]*)$", ".%1"), chunk_name)
  local good, value
  if chunk then good, value = pcall(setfenv(chunk, self.env)) end
  if good and value ~= nil then return self:say(help.of_value(value, name, { paint = self.paint })) end
  self:say(help.of_name(name) or help.unknown(name))
end

function Session:search(text)
  self:say(require("torch.repl.help").search(text))
end

-- Opening ----------------------------------------------------------------------------------------------------

-- What the prompt itself offers as variables.
function Session:add_own_names()
  local own = {
    help = function(x) self:explain_value(x) end,
    who = function() self:say(self:who(true)) end,
    import = function(name)
      local module = require(name)
      self.env[name:match("[^.]*$")] = module
      return module
    end,
    _RESULTS = {},
  }
  own.whos = own.who
  for name, value in pairs(own) do rawset(self.env, name, value) end
end

--- help(x): of a value, of an operator by its name, or of the prompt itself.
function Session:explain_value(x)
  if x == nil then return self:say(self:help()) end
  if type(x) == "string" then return self:explain(x) end
  self:say(require("torch.repl.help").of_value(x, nil, { paint = self.paint }))
end

local function start_up_file()
  local given = os.getenv("FACULA_STARTUP")
  if given and given ~= "" then return given end
  local config, home = os.getenv("XDG_CONFIG_HOME"), os.getenv("HOME")
  if not (config and config:sub(1, 1) == "/") then config = home and home .. "/.config" end
  return config and config .. "/facula/init.lua"
end

--- Runs $FACULA_STARTUP or $XDG_CONFIG_HOME/facula/init.lua, if there is one.
function Session:start_up()
  local path = start_up_file()
  local file = path and io.open(path, "rb")
  if not file then return end
  local text = file:read("*a")
  file:close()
  if text then self:run_text(text .. "\n;", "@" .. path) end
end

--- One line about the program.
function Session:greet()
  self:say(("facula %s (%s) ? for help"):format(torch.__version__, self.host.summary()))
end

--- The words that may stand at the end of a text, and how many of its bytes they replace.
function Session:complete(text)
  return require "torch.repl.complete"(self.env, text, self.host.list_folder)
end

--- A new session.
---@param host repl.Host
---@return repl.Session
return function(host)
  local locals, known = {}, {}
  for name in pairs(_G) do known[name] = true end
  local self = setmetatable({
    host = host, locals = locals, known = known, env = new_environment(locals), inputs = {}, result_count = 0,
    depth = 4, over = false,
    paint = show.painter(host.coloured), paint_error = show.painter(host.coloured_errors),
  }, Session)
  self:add_own_names()
  return self
end
