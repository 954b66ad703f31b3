// What torch.utils.tensorboard stands on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.append_file(path, bytes)`, `core.make_folders(path)`, `core.host()` and `core.crc32c(bytes)`; expects the
/// module `torch` on top of the stack and leaves it there.
void open_event_logs(lua_State* L, State& S);

}  // namespace facula::interp
