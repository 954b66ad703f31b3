// Files of other formats, for the readers and writers of `torch.format`, which are written in Lua.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.open_file`, `core.open_zip` and their relatives; expects the module `torch` on top of the stack and leaves it
/// there.
void open_files(lua_State* L, State& S);

}  // namespace facula::interp
