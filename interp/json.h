// JSON as Lua values.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Adds `core.decode_json` and `core.is_utf8`; expects the module `torch` on top of the stack and leaves it there.
void open_json(lua_State* L, State& S);

}  // namespace facula::interp
