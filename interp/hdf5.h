// What torch.hdf5 stands on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.open_hdf5(path, mode)`, which returns an open file with methods; expects the module `torch` on top of the stack
/// and leaves it there.
void open_hdf5(lua_State* L, State& S);

}  // namespace facula::interp
