// What is neither number nor tensor, as Lua values: dtypes, devices, sizes, generators, storages, symbols.
#pragma once

#include <string_view>

#include "interp/handle.h"

namespace facula::interp {

inline std::string_view to_string(lua_State* L, int index) {
  size_t n = 0;
  const char* s = lua_tolstring(L, index, &n);
  return {s, n};
}

inline void push_string(lua_State* L, std::string_view s) { lua_pushlstring(L, s.data(), s.size()); }

inline const DType* to_dtype(lua_State* L, const State& S, int index) {
  return static_cast<const DType*>(to_object(L, S.dtype, index));
}
inline const Device* to_device(lua_State* L, const State& S, int index) {
  return static_cast<const Device*>(to_object(L, S.device, index));
}
/// Null also for an object whose finalizer has run.
template <class T>
const Ref<T>* to_ref(lua_State* L, const Metatable& type, int index) {
  const auto* r = static_cast<const Ref<T>*>(to_object(L, type, index));
  return r && *r ? r : nullptr;
}
inline const Ref<Generator>* to_generator(lua_State* L, const State& S, int index) {
  return to_ref<Generator>(L, S.generator, index);
}
/// The name of a symbol such as torch.newaxis; null for anything else.
const char* to_symbol(lua_State* L, const State& S, int index);

/// Userdata that holds a copy of `value`.
template <class T>
void push_object(lua_State* L, const Metatable& type, T value) {
  new (lua_newuserdata(L, sizeof(T))) T(std::move(value));
  type.push(L);
  lua_setmetatable(L, -2);
}
/// The finalizer of userdata that holds a T: leaves an empty one behind.
template <class T, Metatable State::*type>
int collect_object(lua_State* L) {
  const State& S = *running_function(L).state;
  if (auto* p = static_cast<T*>(to_object(L, S.*type, 1))) *p = T();
  return 0;
}

/// The one object of that dtype.
void push_dtype(lua_State* L, const State& S, DType t);
void push_device(lua_State* L, const State& S, Device d);
/// A torch.Size: a Lua array with a metatable.
void push_sizes(lua_State* L, const State& S, const IntList& sizes);

/// Any argument or result; nil for none.
void push_value(lua_State* L, State& S, const Value& v);

/// Positions as an int64 tensor of one dimension.
Tensor position_tensor(const IntList& positions);

/// Makes the metatables and the dtype objects; expects the module `torch` on top of the stack and leaves it there.
void open_types(lua_State* L, State& S);

}  // namespace facula::interp
