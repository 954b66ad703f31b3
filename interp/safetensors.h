// The binding of core/safetensors.h.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Expects the module `torch` on top of the stack and leaves it there.
void open_safetensors(lua_State* L, State& S);

}  // namespace facula::interp
