// A state whose scripts reach nothing but themselves: see docs/sandbox.md.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Takes from a fresh state all that leads out of it. The standard library keeps a little of that, in an environment of its
/// own which scripts cannot reach. `folders`: whose files they may use.
void close_sandbox(lua_State* L, State& S, const std::vector<std::string>& folders);

}  // namespace facula::interp
