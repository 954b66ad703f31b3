--- What the program's options and commands mean in Lua.

local torch = require "torch"
local check = require "torch.check"

local program = {}

--- `-j off`, `-j dump=+rs,file`: a function of LuaJIT's `jit`, or a module `jit.*` with the arguments of its `start`.
---@param command string
function program.jit(command)
  local name, rest = command:match("^(%w+)=?(.*)$")
  check(name, "-j: expected a command of LuaJIT such as off or p=Fl, got '%s'", command)
  local start = jit[name]
  if type(start) ~= "function" then
    local good, module = pcall(require, "jit." .. name)
    check(good and type(module) == "table" and module.start, "-j: LuaJIT has no command or module '%s'", name)
    start = module.start
  end
  local arguments = {}
  for argument in rest:gmatch("[^,]+") do arguments[#arguments + 1] = argument end
  start(unpack(arguments))
end

--- `-g`, `-gg`
---@param level integer
function program.strict(level)
  require "torch.strict"(level > 1 and "error" or "warn")
end

--- `--device D`
---@param name string
function program.device(name)
  torch.set_default_device(name)
end

--- `--profile`: measures all that follows.
function program.start_profile() torch.profiler.start() end

--- Ends the profile with a table on stderr; `path`, unless empty, gets the Chrome trace.
---@param path string
function program.stop_profile(path)
  local profile = torch.profiler.stop()
  io.stderr:write(profile:table { row_limit = 30 }, "\n")
  if path ~= "" then profile:export_chrome_trace(path) end
end

--- The script behind `facula info`, `facula check`; nil for other words.
---@param word string
---@return function?
function program.command(word)
  local name = "torch.command." .. word
  local text = torch.core.module_source(name)
  return text and assert(loadstring(text, "@" .. name:gsub("%.", "/") .. ".lua"))
end

return program
