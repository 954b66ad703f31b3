#include "interp/register.h"

#include <mutex>
#include <unordered_map>

#include "interp/memory.h"
#include "interp/types.h"

namespace facula::interp {

static int call_native(lua_State* L, Function& f) {
  const int top = lua_gettop(L);
  Arguments arguments(L, *f.state, f.name, *f.schema, {.explain = true});
  arguments.read(top);
  Call call{L, *f.state, f, arguments};
  const int results = f.body(call);
  collect_if_due(L, *f.state);
  return results;
}

int Call::returns(const Value& v) const {
  const bool is_self =
      v.is<Tensor>() && arguments.size() > 0 && arguments[0].is<Tensor>() && tensor().is(v.get<Tensor>());
  if (is_self) return returns_argument();
  push_value(L, S, v);
  return 1;
}

void new_metatable(lua_State* L, Metatable& type, const char* name) {
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  type.address = lua_topointer(L, -1);
  lua_pushvalue(L, -1);
  type.ref = luaL_ref(L, LUA_REGISTRYINDEX);
}

Function& push_description(lua_State* L, State& S, std::string name) {
  Function& f = S.functions.emplace_back();
  f.state = &S;
  f.name = std::move(name);
  lua_pushlightuserdata(L, &f);
  return f;
}

Function& push_function(lua_State* L, State& S, std::string name, lua_CFunction function) {
  Function& f = push_description(L, S, std::move(name));
  lua_pushcclosure(L, function, 1);
  return f;
}

// Signatures are literals, they are read once per process.
static const Schema& schema_of(const Native& native) {
  static std::mutex mutex;
  static std::unordered_map<const char*, Schema> schemas;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = schemas.try_emplace(native.signature);
  if (is_new) place->second = parse_schema(native.signature);
  return place->second;
}

void push_native(lua_State* L, State& S, const Native& native) {
  const Schema& schema = schema_of(native);
  Function& f = push_function(L, S, schema.name, door<call_native>);
  f.schema = &schema;
  f.body = native.body;
  f.doc = native.doc;
  f.example = native.example;
}

void set_metamethods(lua_State* L, State& S, std::span<const Metamethod> methods) {
  for (const Metamethod& m : methods) {
    push_function(L, S, m.name, m.function);
    lua_setfield(L, -2, m.name);
  }
}

void set_path(lua_State* L, std::string_view path) {
  lua_pushvalue(L, -2);
  for (size_t dot; (dot = path.find('.')) != std::string_view::npos; path.remove_prefix(dot + 1)) {
    lua_pushlstring(L, path.data(), dot);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushlstring(L, path.data(), dot);
      lua_pushvalue(L, -2);
      lua_rawset(L, -4);
    }
    lua_remove(L, -2);
  }
  push_string(L, path);
  lua_pushvalue(L, -3);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

void add_natives(lua_State* L, State& S, std::span<const Native> natives) {
  for (const Native& n : natives) {
    push_native(L, S, n);
    set_path(L, S.functions.back().name);
  }
}

void add_variadics(lua_State* L, State& S, std::span<const Variadic> functions) {
  for (const Variadic& v : functions) {
    Function& f = push_function(L, S, v.name, v.function);
    f.arguments = v.arguments;
    f.doc = v.doc;
    f.example = v.example;
    set_path(L, v.name);
  }
}

}  // namespace facula::interp
