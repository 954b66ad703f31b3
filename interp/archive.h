// What torch.save and torch.load stand on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.write_archive(path, description, tensors)` and `core.read_archive(path, device, mmap)`, which returns the
/// description and a list of tensors; expects the module `torch` on top of the stack and leaves it there.
void open_archives(lua_State* L, State& S);

}  // namespace facula::interp
