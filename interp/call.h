// The one C function behind every operator.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Adds every operator of the registry to the module, which is on top of the stack, and to the methods of tensors:
/// `name`, and `name_` where there is an in-place form.
void open_operators(lua_State* L, State& S);

/// Adds one operator that is not in the registry, in place of an earlier one of its name.
void add_operator(lua_State* L, State& S, const Operator& op);

/// torch.library
void open_custom_operators(lua_State* L, State& S);

}  // namespace facula::interp
