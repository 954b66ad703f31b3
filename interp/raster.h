// What torch.plot draws pictures with.
#pragma once

#include "interp/state.h"

namespace facula::interp {

/// Adds `core.stroke(image, points, sizes, width, colour, box)` and `core.fill(image, points, sizes, colour, box)`, as in
/// core/raster.h; expects the module `torch` on top of the stack and leaves it there.
void open_raster(lua_State* L, State& S);

}  // namespace facula::interp
