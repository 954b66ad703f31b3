#include "interp/raster.h"

#include "core/raster.h"
#include "interp/register.h"

namespace facula::interp {
namespace {

using Numbers = std::vector<double>;

// `first`: the position of the colour, which the box follows.
Ink ink(Call& call, int first) { return {call.tensor(), call.get<Numbers>(first), call.get<Numbers>(first + 1)}; }

Shapes shapes(Call& call) {
  const IntList sizes = call.get<IntList>(2);
  return {call.get<Numbers>(1), {sizes.begin(), sizes.end()}};
}

int stroke_lines(Call& call) {
  stroke(ink(call, 4), shapes(call), call.get<double>(3));
  return 0;
}

int fill_polygons(Call& call) {
  fill(ink(call, 3), shapes(call));
  return 0;
}

constexpr Native kNatives[] = {
    {"core.stroke(Tensor image, float[] points, int[] sizes, float width, float[] colour, float[] box)", stroke_lines},
    {"core.fill(Tensor image, float[] points, int[] sizes, float[] colour, float[] box)", fill_polygons},
};

}  // namespace

void open_raster(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
