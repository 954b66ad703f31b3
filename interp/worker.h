// Processes that work for a script, and the connections between them and it.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.start_worker`, `core.spawn_worker` and `core.join_parent`; expects the module `torch` on top of the stack and leaves
/// it there.
void open_workers(lua_State* L, State& S);

}  // namespace facula::interp
