--- Undefined globals noticed: a table of globals whose missing names warn or raise, with the name that may have been
-- meant. Names that were assigned once, nil included, are defined.

local suggestion = require "torch.suggestion"
local check = require "torch.check"

-- The place of the code that reads the global.
local function place()
  local frame = debug.getinfo(3, "Sl")
  return frame and frame.currentline > 0 and ("%s:%d: "):format(frame.short_src, frame.currentline) or ""
end

--- Watches the globals from now on.
---@param manner "warn"|"error"  warnings are printed once for each name, to stderr
return function(manner)
  local defined, warned = {}, {}
  local old = getmetatable(_G)
  check(old == nil, "strict: the table of globals has a metatable already")
  setmetatable(_G, {
    __newindex = function(t, name, value)
      defined[name] = true
      rawset(t, name, value)
    end,
    __index = function(_, name)
      if defined[name] or warned[name] then return nil end
      local near = suggestion.of_global(tostring(name))
      local message = ("undefined global '%s'"):format(tostring(name))
        .. (near and (", did you mean '%s'?"):format(near) or "")
      if manner == "error" then error(message, 2) end
      warned[name] = true
      io.stderr:write(place(), "warning: ", message, "\n")
      return nil
    end,
  })
end
