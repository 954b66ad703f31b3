// What holds for the whole process.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Default dtype and what is known of dtypes, threads, printing. All three expect the module on top of the stack.
void open_settings(lua_State* L, State& S);
/// Seeds and generators.
void open_random(lua_State* L, State& S);
/// torch.profiler
void open_profiler(lua_State* L, State& S);
/// torch.cuda
void open_cuda(lua_State* L, State& S);

}  // namespace facula::interp
