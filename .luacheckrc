-- luacheck's rules for facula's Lua: LuaJIT, 120 columns.
std = "luajit"
max_line_length = 120
unused_args = false -- callbacks name what they are given
exclude_files = {"tests/conformance/*/*", "build"}
files["examples"] = {globals = {"torch"}}
-- `not (x <= y)` is true for NaN; plain Lua has its unpack in table.
files["tests/conformance/lib.lua"] = {ignore = {"143", "581", "582"}}
