// What torch.utils.summary counts with.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.start_flops()`, `core.flops()`, which is the count since then, and `core.stop_flops()`; expects the module
/// `torch` on top of the stack and leaves it there.
void open_flops(lua_State* L, State& S);

}  // namespace facula::interp
