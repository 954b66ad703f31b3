// What data sets from the network stand on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.download`, `core.digest` and `core.list_folder`; expects the module `torch` on top of the stack and leaves it
/// there.
void open_downloads(lua_State* L, State& S);

}  // namespace facula::interp
