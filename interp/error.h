// The door between C++ exceptions and Lua errors.
#pragma once

#include <memory>
#include <utility>

#include "interp/state.h"

namespace facula::interp {

/// Keeps a Lua value alive; forgets it where the state was closed before.
class LuaRef {
 public:
  LuaRef() = default;
  /// Takes the value from the top of the stack.
  LuaRef(lua_State* L, const State& S) : life_(S.life), ref_(luaL_ref(L, LUA_REGISTRYINDEX)) {}
  LuaRef(LuaRef&& other) noexcept : life_(std::move(other.life_)), ref_(std::exchange(other.ref_, LUA_NOREF)) {}
  LuaRef& operator=(LuaRef&& other) noexcept {
    std::swap(life_, other.life_);
    std::swap(ref_, other.ref_);
    return *this;
  }
  ~LuaRef() {
    if (is_open()) luaL_unref(life_->L, LUA_REGISTRYINDEX, ref_);
  }
  bool is_open() const { return life_ && life_->L; }
  void push(lua_State* L) const { lua_rawgeti(L, LUA_REGISTRYINDEX, ref_); }

 private:
  std::shared_ptr<Life> life_;
  int ref_ = LUA_NOREF;
};

/// What a callback raised, on its way through C++ frames. The door raises the same value again.
class LuaError : public Error {
 public:
  /// Takes the value from the top of the stack.
  LuaError(lua_State* L, const State& S);
  const LuaRef& value() const { return *value_; }

 private:
  std::shared_ptr<LuaRef> value_;  // exceptions are copied
};

/// Fails where so much of the thread's stack is used that calling back into Lua might overflow it: LuaJIT bounds its own
/// stack, not that of C functions which call Lua, which calls them.
void check_stack_room();

/// lua_pcall that throws LuaError.
void call_lua(lua_State* L, State& S, int arguments, int results);

using Body = int (*)(lua_State*, Function&);
enum class Retry : bool { No, Yes };

/// Runs `body` and turns what it throws into a Lua error at the user's line. A call that may be retried is made once
/// more, after a collection, when memory ran out; it has changed nothing but the stack above its arguments.
int guarded(lua_State* L, Body body, Retry retry);

/// The C function around a body; its closures have the Function as first upvalue.
template <Body body, Retry retry = Retry::No>
int door(lua_State* L) {
  return guarded(L, body, retry);
}

/// `file:line: ` of the innermost function that is neither C nor the standard library's; empty without one.
std::string users_place(lua_State* L, const State& S);

}  // namespace facula::interp
