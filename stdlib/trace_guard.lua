--- Keeps LuaJIT from running traces that it has compiled wrongly (`interp/trace_guard.h` says which): they are thrown
-- away before their first run, and the function that they began in is interpreted from then on.

local torch = require "torch"

local guard = {}

local began -- the function in which the trace being recorded starts

--- A handler of LuaJIT's event "trace".
---@param what string # "start", "stop", "abort" or "flush"
---@param trace number
---@param func function
function guard.watch(what, trace, func)
  if what == "start" then
    began = func
  elseif what == "stop" then
    local code, address = guard.code(trace)
    if code and torch.core.truncates_pointer(code, address) then
      jit.off(began)
      jit.flush()
    end
  end
end

--- Watches this interpreter's compiler. A handler that replaces this one, as `jit.v` and `jit.dump` do, ends it.
function guard.install()
  if not jit or jit.arch ~= "x64" then return end
  guard.code = require("jit.util").tracemc
  jit.attach(guard.watch, "trace")
end

return guard
