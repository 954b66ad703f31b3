--- Lets print, io.write, io.stdout and io.stderr write to functions in place of the process's streams.
-- For interpreters whose host takes their output, logs, and prompts for programs.
-- luacheck: ignore 122

local concat, error, select, setmetatable, tostring, type = table.concat, error, select, setmetatable, tostring, type
local io = io

-- What a stream of Lua's has, for one that can only be written to.
local function stream(name, write)
  local file = setmetatable({}, {__tostring = function() return ("file (%s)"):format(name) end})
  function file:write(...)
    for i = 1, select("#", ...) do
      local v = select(i, ...)
      if type(v) ~= "string" and type(v) ~= "number" then
        error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, type(v)), 2)
      end
      write(tostring(v))
    end
    return self
  end
  function file:flush() return self end
  function file:setvbuf() return true end
  function file:close() return nil, "a standard stream cannot be closed" end
  function file:seek() return nil, "a standard stream has no positions" end
  function file:read() return nil, "this stream is for writing" end
  function file:lines() error("this stream is for writing", 2) end
  return file
end

local function redirect_print(write)
  function print(...) -- luacheck: ignore 121
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    write(concat(words, "\t") .. "\n")
  end
end

-- io.write goes to `file` until io.output has chosen another one.
local function redirect_io(file)
  local current, choose = file, io.output
  function io.output(chosen)
    if chosen == file then
      current = file
    elseif chosen then
      current = choose(chosen)
    end
    return current
  end
  function io.write(...) return current:write(...) end
  io.stdout = file
end

--- Arguments: functions that take a string; nil leaves a stream as it is.
---@param write_output? fun(text: string)
---@param write_error? fun(text: string)
return function(write_output, write_error)
  if write_output then redirect_print(write_output) end
  if not io then return end
  local ours, type_of = {}, io.type
  if write_output then
    redirect_io(stream("stdout", write_output))
    ours[io.stdout] = true
  end
  if write_error then
    io.stderr = stream("stderr", write_error)
    ours[io.stderr] = true
  end
  function io.type(file) return file ~= nil and ours[file] and "file" or type_of(file) end
end
