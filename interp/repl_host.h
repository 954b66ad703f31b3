// What the prompt's session, which is written in Lua, needs of the program.
#pragma once

#include <lua.hpp>

#include "interp/options.h"

namespace facula::interp {

/// Pushes the table that stdlib/repl/init.lua describes as repl.Host.
void push_host(lua_State* L, const Options& options);

}  // namespace facula::interp
