// Numbers in nested Lua tables to tensors, and back.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// A tensor of the numbers, booleans or tensors in the value at `index`, as `torch.tensor` makes it; `where` names the
/// caller in errors. Without a dtype, numbers become the default dtype whatever they are, booleans bool, `1LL` int64.
Tensor tensor_of(lua_State* L, State& S, int index, const char* where, OptDType dtype, Device device);

/// `x` in that dtype and on that device; `x` itself where nothing changes.
Tensor converted(const Tensor& x, OptDType dtype, OptDevice device);

/// Pushes the elements as nested tables; a plain number or boolean for a tensor without dimensions.
void push_nested(lua_State* L, State& S, const Tensor& x);

/// torch.tensor and its relatives; expects the module on top of the stack.
void open_data(lua_State* L, State& S);

}  // namespace facula::interp
