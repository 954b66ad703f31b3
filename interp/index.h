// x[...] and x[...] = value.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Can a string be meant as an index, such as `2:4, :`?
bool is_index_text(std::string_view key);
/// Pushes `x[key]` for the key at `index`, which is no property's name; false if it is a string that means nothing.
bool push_indexed(lua_State* L, State& S, const Tensor& x, int index);
/// x[key] = value, for stack positions of both.
void assign_indexed(lua_State* L, State& S, const Tensor& x, int index, int value);

}  // namespace facula::interp
