// Lua values as messages between processes.
#pragma once

#include "core/channel.h"
#include "interp/state.h"

namespace facula::interp {

/// Sends the values at `first` to the top of the stack: nil, booleans, numbers, int64, strings, dtypes, dense tensors of the CPU,
/// and tables of these. False if the other end is gone. Errors: anything else, naming where it is.
bool send_values(lua_State* L, State& S, Channel& channel, int first);

/// Pushes the values of a message; returns how many. Tensors of 16 KB and more look into the message, smaller ones are copies.
int push_values(lua_State* L, State& S, const Delivery& delivery);

}  // namespace facula::interp
