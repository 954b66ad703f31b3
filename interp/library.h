// What the standard library needs of C++, in `torch.core`.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Expects the module on top of the stack.
void open_library(lua_State* L, State& S);

}  // namespace facula::interp
