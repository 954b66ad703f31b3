#include "interp/number.h"

#include <cmath>

namespace facula::interp {
namespace {

// The C API knows neither the type of cdata nor how to make it; ffi does. lua_topointer gives the address of what it
// holds.
constexpr char kCDataSource[] = R"(
  local ok, ffi = pcall(require, "ffi")
  if not ok then return nil end
  local int64, uint64, complex = ffi.typeof("int64_t"), ffi.typeof("uint64_t"), ffi.typeof("complex")
  local function kind(v)
    return ffi.istype(int64, v) and 1 or ffi.istype(uint64, v) and 2 or ffi.istype(complex, v) and 3 or 0
  end
  return {kind, function() return int64() end, function() return complex() end}
)";
enum Entry { kKind = 1, kNewInt64, kNewComplex };
enum Kind { kOther, kInt64, kUInt64, kComplex };

// Pushes what the entry returns when called with the value at `index` (0: nothing); false if it cannot be had.
bool ask(lua_State* L, const State& S, Entry entry, int index = 0) {
  if (S.cdata == LUA_NOREF) return false;
  if (index < 0) index = lua_gettop(L) + 1 + index;
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.cdata);
  lua_rawgeti(L, -1, entry);
  lua_remove(L, -2);
  if (index) lua_pushvalue(L, index);
  if (lua_pcall(L, index ? 1 : 0, 1, 0) == 0) return true;
  lua_pop(L, 1);
  return false;
}

Kind kind_of_cdata(lua_State* L, const State& S, int index) {
  if (!ask(L, S, kKind, index)) return kOther;
  const auto kind = static_cast<Kind>(lua_tointeger(L, -1));
  lua_pop(L, 1);
  return kind;
}

void* push_cdata(lua_State* L, const State& S, Entry entry) {
  return ask(L, S, entry) ? const_cast<void*>(lua_topointer(L, -1)) : nullptr;
}

}  // namespace

bool to_integer(lua_State* L, const State& S, int index, int64_t& out) {
  switch (lua_type(L, index)) {
    case LUA_TNUMBER: return to_integer(lua_tonumber(L, index), out);
    case kCData:
      switch (kind_of_cdata(L, S, index)) {
        case kInt64:
        case kUInt64: out = *static_cast<const int64_t*>(lua_topointer(L, index)); return true;
        default: return false;
      }
    default: return false;
  }
}

bool to_scalar(lua_State* L, const State& S, int index, Scalar& out) {
  int64_t i;
  switch (lua_type(L, index)) {
    case LUA_TNUMBER: {
      const lua_Number d = number_at(L, index);
      out = to_integer(d, i) ? Scalar(i) : Scalar(d);
      return true;
    }
    case LUA_TBOOLEAN: out = Scalar(lua_toboolean(L, index) != 0); return true;
    case kCData:
      if (to_integer(L, S, index, i)) {
        out = Scalar(i);
        return true;
      }
      if (kind_of_cdata(L, S, index) != kComplex) return false;
      out = Scalar(*static_cast<const complex128*>(lua_topointer(L, index)));
      return true;
    default: return false;
  }
}

void push_integer(lua_State* L, const State& S, int64_t v) {
  constexpr int64_t kExact = int64_t{1} << 53;
  if (v < -kExact || v > kExact) {
    if (void* p = push_cdata(L, S, kNewInt64)) {
      *static_cast<int64_t*>(p) = v;
      return;
    }
  }
  lua_pushnumber(L, static_cast<lua_Number>(v));
}

void push_scalar(lua_State* L, const State& S, const Scalar& v) {
  switch (v.kind()) {
    case Category::Bool: return lua_pushboolean(L, v.to<bool>());
    case Category::Integral: return push_integer(L, S, v.to<int64_t>());
    case Category::Floating: return lua_pushnumber(L, v.to<double>());
    case Category::Complex:
      if (void* p = push_cdata(L, S, kNewComplex))
        *static_cast<complex128*>(p) = v.to<complex128>();
      else
        lua_pushnil(L);
  }
}

void open_numbers(lua_State* L, State& S) {
  if (luaL_loadbuffer(L, kCDataSource, sizeof(kCDataSource) - 1, "=torch.number") != 0 || lua_pcall(L, 0, 1, 0) != 0)
    fail("torch: ", lua_tostring(L, -1));
  if (lua_isnil(L, -1))
    lua_pop(L, 1);
  else
    S.cdata = luaL_ref(L, LUA_REGISTRYINDEX);
}

}  // namespace facula::interp
