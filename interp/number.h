// Numbers between Lua and core: doubles, booleans, and LuaJIT's 64-bit integers and complex numbers.
#pragma once

#include <limits>

#include "interp/state.h"

namespace facula::interp {

/// LuaJIT's own type for `1LL`, `2i` and pointers.
inline constexpr int kCData = 10;

/// `d` as an integer, if it is one that int64 holds.
inline bool to_integer(lua_Number d, int64_t& out) {
  if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) return false;
  out = static_cast<int64_t>(d);
  return static_cast<lua_Number>(out) == d;
}
/// The number at `index`. Lua's 0/0 has its sign set on x86, which no script means.
inline lua_Number number_at(lua_State* L, int index) {
  const lua_Number d = lua_tonumber(L, index);
  return d == d ? d : std::numeric_limits<lua_Number>::quiet_NaN();
}
/// The integer at `index`: an integral number or an int64_t or uint64_t; false for anything else.
bool to_integer(lua_State* L, const State& S, int index, int64_t& out);
/// The number or boolean at `index`: integral numbers are int64, others double; false for anything else.
bool to_scalar(lua_State* L, const State& S, int index, Scalar& out);

/// A Lua number where it is exact, an int64_t beyond 2^53.
void push_integer(lua_State* L, const State& S, int64_t v);
/// Boolean, number, int64_t or complex.
void push_scalar(lua_State* L, const State& S, const Scalar& v);

/// Prepares the look into cdata; without LuaJIT's ffi there is none.
void open_numbers(lua_State* L, State& S);

}  // namespace facula::interp
