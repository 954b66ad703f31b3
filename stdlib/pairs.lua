--- `pairs` as Lua 5.2 has it: a table's `__pairs` says how it is gone through. State dicts are, in order.
--
-- Installed by the program and by embedded interpreters; a stock luajit keeps its own.

local plain, getmetatable, type = pairs, getmetatable, type

function pairs(t) -- luacheck: ignore 121
  local meta = getmetatable(t)
  local own = type(meta) == "table" and meta.__pairs
  if own then return own(t) end
  return plain(t)
end
