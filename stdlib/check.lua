--- Errors that name the line of the user's code, however deep in the library the fault was found.

local getinfo = debug.getinfo

-- Chunks of the library are named alike up to their own name.
local library = getinfo(1, "S").source:match("^(.*[/.])check") or "@torch/"

local function users_level()
  local level = 3
  while true do
    local frame = getinfo(level, "S")
    if not frame then return 0 end
    if frame.what ~= "C" and frame.source:sub(1, #library) ~= library then return level - 1 end
    level = level + 1
  end
end

--- Returns `good`, or raises the message `text:format(...)` if it is nil or false.
---@generic T
---@param good T
---@param text string
---@param ... any  what the text's `%s` stand for; taken through tostring
---@return T good
return function(good, text, ...)
  if good then return good end
  local parts = { ... }
  for i = 1, select("#", ...) do parts[i] = tostring(parts[i]) end
  error(text:format(unpack(parts)), users_level())
end
