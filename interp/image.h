// What torch.vision.io stands on.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.decode_image`, `core.read_image`, `core.encode_png` and `core.encode_jpeg`; expects the module `torch` on top of
/// the stack and leaves it there.
void open_images(lua_State* L, State& S);

}  // namespace facula::interp
