// Lua's patterns, matched so that a limit can stop them.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Puts find, match, gmatch and gsub, as Lua 5.1's manual describes them (5.4.1), into the table on top of the stack. Unlike
/// LuaJIT's own they look, while they search, whether the script is to stop.
void open_patterns(lua_State* L, State& S);

}  // namespace facula::interp
