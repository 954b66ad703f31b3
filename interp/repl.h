// The prompt: reads, runs and shows until the input ends.
#pragma once

#include <lua.hpp>

namespace facula::interp {

/// Runs until Ctrl-D. Errors do not end it. `banner` shows one line about the program first.
void run_repl(lua_State* L, bool banner);

}  // namespace facula::interp
