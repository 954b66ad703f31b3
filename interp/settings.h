// What holds for the whole process: default dtype, seeds, threads, printing, devices.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Expects the module on top of the stack.
void open_settings(lua_State* L, State& S);

}  // namespace facula::interp
