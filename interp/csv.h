// What torch.load_csv and torch.save_csv stand on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.read_csv` and `core.write_csv`; expects the module `torch` on top of the stack and leaves it there.
void open_csv(lua_State* L, State& S);

}  // namespace facula::interp
