// How C++ functions become Lua's: natives with a signature, metamethods, and where each is found.
#pragma once

#include <span>

#include "interp/arguments.h"

namespace facula::interp {

/// A call of a native: its arguments, in the order of its signature.
struct Call {
  lua_State* L;
  State& S;
  const Function& function;
  Arguments& arguments;

  const Tensor& tensor(int i = 0) const { return arguments[i].get<Tensor>(); }
  template <class T>
  T get(int i) const {
    return FromValue<T>::get(arguments[i]);
  }
  bool given(int i) const { return !arguments[i].is_none(); }
  /// Stack position of an argument of any type; 0 if it was not given.
  int source(int i) const { return arguments.source(i); }
  /// Returns the very value that was given.
  int returns_argument(int i = 0) const {
    lua_pushvalue(L, source(i));
    return 1;
  }
  /// Returns a tensor, number, dtype, text...; for `self` the handle that was given.
  int returns(const Value& v) const;
};

/// A function that is no operator: `numel(Tensor self) -> int`. `any` arguments are read from the stack by the body.
struct Native {
  const char* signature;  // a literal
  int (*body)(Call&);
  const char* doc = "";
  const char* example = "";
};
/// A function that reads the stack itself, because it hands arguments on.
struct Variadic {
  const char* name;
  lua_CFunction function;
  const char* arguments = "...";
  const char* doc = "";
  const char* example = "";
};
struct Metamethod {
  const char* name;
  lua_CFunction function;
};

/// Makes a metatable that scripts cannot see, and leaves it on the stack.
void new_metatable(lua_State* L, Metatable& type, const char* name);
void set_metamethods(lua_State* L, State& S, std::span<const Metamethod> methods);

/// Pushes the description of a function, the first upvalue of its closure.
Function& push_description(lua_State* L, State& S, std::string name);
/// Pushes the closure.
Function& push_function(lua_State* L, State& S, std::string name, lua_CFunction function);
void push_native(lua_State* L, State& S, const Native& native);

/// Adds to the table on top of the stack, under the names of the signatures; dots lead into tables within it.
void add_natives(lua_State* L, State& S, std::span<const Native> natives);
void add_variadics(lua_State* L, State& S, std::span<const Variadic> functions);
/// table[`a.b.name`] = value; both are on top of the stack, the value is popped.
void set_path(lua_State* L, std::string_view path);

}  // namespace facula::interp
