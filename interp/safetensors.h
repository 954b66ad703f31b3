// The binding of core/safetensors.h.
#pragma once

#include "interp/register.h"

namespace facula::interp {

/// Adds `core.read_safetensors(path, mmap)`, which returns the names and the tensors in the order of the file, the positions
/// of those that hold unsigned elements as signed ones, and the metadata. Expects the module `torch` on top of the stack and
/// leaves it there.
void open_safetensors(lua_State* L, State& S);

}  // namespace facula::interp
