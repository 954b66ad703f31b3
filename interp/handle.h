// Tensors as Lua values: userdata that hold one counted pointer, and a mark by which they are known.
#pragma once

#include "interp/error.h"

namespace facula::interp {

/// One reference to a tensor, or, after torch.scope released it, the address of the place where that happened plus one
/// (of none after the collector came by). Several handles may hold one tensor.
struct Handle {
  static constexpr uintptr_t kCollected = 1;
  static constexpr char kMarks[2] = {};  // their addresses mark handles, plain and in a scope; nothing else holds them

  union {
    Tensor tensor;
    uintptr_t released;
  };
  const char* mark;

  bool is_released() const { return released & 1; }
  bool is_marked() const { return mark == kMarks || mark == kMarks + 1; }
  /// Does, or did, a torch.scope know of it?
  bool is_scoped() const { return mark != kMarks; }
  Handle() = delete;
  ~Handle() = delete;
};

/// Is the value at `index` userdata with this metatable? Its address, or null.
inline void* to_object(lua_State* L, const Metatable& type, int index) {
  void* p = lua_touserdata(L, index);
  if (!p || !lua_getmetatable(L, index)) return nullptr;
  if (lua_topointer(L, -1) != type.address) p = nullptr;
  lua_pop(L, 1);
  return p;
}

[[noreturn]] void fail_released(const Handle& h);

/// The handle at `index`, or null. By size and mark: half the calls into Lua that comparing metatables takes.
inline Handle* to_handle(lua_State* L, int index) {
  auto* h = static_cast<Handle*>(lua_touserdata(L, index));
  return h && lua_objlen(L, index) == sizeof(Handle) && h->is_marked() ? h : nullptr;
}

/// The tensor at `index`, null for anything else; an error if it was released. Valid while the handle is on the stack.
inline const Tensor* to_tensor(lua_State* L, const State&, int index) {
  Handle* h = to_handle(L, index);
  if (h && h->is_released()) [[unlikely]]
    fail_released(*h);
  return h ? &h->tensor : nullptr;
}

/// A new handle; nil for an undefined tensor.
void push_tensor(lua_State* L, State& S, Tensor t);
/// A Lua array of handles.
void push_tensors(lua_State* L, State& S, const Tensors& list);
/// The tensors of the array at `index`; an error with `where` and `what` if it holds anything else.
Tensors to_tensors(lua_State* L, const State& S, int index, const char* where, const char* what);

/// Makes the metatable of tensors, but for its operators.
void open_handles(lua_State* L, State& S);

}  // namespace facula::interp
