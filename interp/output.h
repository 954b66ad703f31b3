// Where print and io.write go.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Lets print, io.write and io.stdout write to `output`, and io.stderr to `error`, where there is one.
void redirect_output(lua_State* L, State& S, Writer output, Writer error);

}  // namespace facula::interp
