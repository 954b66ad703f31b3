// The prompt: reads lines until they are an input, and hands them to the session, which is stdlib/repl.
#pragma once

#include <lua.hpp>

#include "interp/options.h"

namespace facula::interp {

/// Runs until Ctrl-D or `:quit`. Errors do not end it. With options.json requests come as lines of JSON instead.
void run_repl(lua_State* L, const Options& options);

}  // namespace facula::interp
