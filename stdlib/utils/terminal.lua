--- What the terminal can show.

local torch = require "torch"

local terminal = {}

--- Does the user's locale have the characters of Unicode?
---@return boolean
function terminal.speaks_utf8()
  local locale = os.getenv("LC_ALL") or os.getenv("LC_CTYPE") or os.getenv("LANG") or ""
  return locale:upper():find("UTF%-?8") ~= nil
end

--- Is stdout a terminal with colours, and does the user want them? See https://no-color.org.
---@return boolean
function terminal.wants_colour()
  local refused = os.getenv("NO_COLOR")
  return torch.core.isatty(1) and os.getenv("TERM") ~= "dumb" and not (refused and refused ~= "")
end

--- Columns that a text takes: continuation bytes of UTF-8 take none.
---@param text string
---@return integer
function terminal.columns(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

return terminal
