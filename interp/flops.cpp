#include "interp/flops.h"

#include "core/flops.h"
#include "interp/register.h"

namespace facula::interp {
namespace {

int start(Call&) {
  FlopCounter::instance().start();
  return 0;
}

int count(Call& call) {
  lua_pushnumber(call.L, FlopCounter::instance().count());
  return 1;
}

int stop(Call&) {
  FlopCounter::instance().stop();
  return 0;
}

constexpr Native kNatives[] = {
    {"core.start_flops()", start},
    {"core.flops() -> float", count},
    {"core.stop_flops()", stop},
};

}  // namespace

void open_flops(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
