// The standard library's modules: embedded texts, or files under FACULA_PATH in their place.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds a searcher for `torch.*` to package.loaders, and what it finds to the module on top of the stack.
void open_modules(lua_State* L, State& S);
/// Pushes the chunk of stdlib/init.lua.
void push_library(lua_State* L);

}  // namespace facula::interp
