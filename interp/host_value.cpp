// facula.h: values between the host and Lua, references, and what stands at a path of globals.
#include <cstdlib>
#include <cstring>
#include <optional>

#include "interp/host.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {

static Pool<facula_reference>& references() {
  static auto* pool = new Pool<facula_reference>;
  return *pool;
}

facula_reference* new_reference(facula_state* S, lua_State* L) {
  LuaRef value(L, *find_state(L));
  facula_reference* const reference = references().take();
  reference->state = S;
  reference->value = std::move(value);
  reference->mark.store(Mark::Reference, std::memory_order_release);
  return reference;
}

static bool is_reference(const facula_reference* r) {
  return r && r->mark.load(std::memory_order_acquire) == Mark::Reference;
}

static void push_reference(const facula_state* S, lua_State* L, const facula_reference* r, const char* what) {
  expect(is_reference(r), what, " is no reference");
  expect(r->state == S && r->value.is_open(), what, " is a reference to a value of another state");
  r->value.push(L);
}

void push_host_value(facula_state* S, lua_State* L, const facula_value& v, const char* what) {
  expect(lua_checkstack(L, 8), what, ": the Lua stack is full");
  State& lua = *find_state(L);
  const int type = number_in(v.type);
  switch (type) {
    case FACULA_NIL: return lua_pushnil(L);
    case FACULA_BOOLEAN: return lua_pushboolean(L, v.as.boolean);
    case FACULA_NUMBER: return lua_pushnumber(L, v.as.number);
    case FACULA_INTEGER: return push_integer(L, lua, v.as.integer);
    case FACULA_STRING:
      expect(v.as.string.bytes || v.as.string.length == 0, what, " is a string at NULL");
      return lua_pushlstring(L, v.as.string.bytes ? v.as.string.bytes : "", v.as.string.length);
    case FACULA_TENSOR: return push_tensor(L, lua, tensor_behind(v.as.tensor, what));
    case FACULA_REFERENCE: return push_reference(S, L, v.as.reference, what);
  }
  expect(false, what, " has the type ", type, ", which is none of facula_type");
}

static facula_value string_value(std::string_view text, Strings strings) {
  facula_value v = {FACULA_STRING, {}};
  v.as.string = {text.data(), text.size()};
  if (strings == Strings::Copied) {
    auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = 0;
    v.as.string.bytes = copy;
  }
  return v;
}

facula_value to_host_value(facula_state* S, lua_State* L, int index, Strings strings) {
  const State& lua = *find_state(L);
  facula_value v = {FACULA_NIL, {}};
  switch (lua_type(L, index)) {
    case LUA_TNIL: return v;
    case LUA_TBOOLEAN:
      v.type = FACULA_BOOLEAN;
      v.as.boolean = lua_toboolean(L, index);
      return v;
    case LUA_TNUMBER:
      v.type = FACULA_NUMBER;
      v.as.number = lua_tonumber(L, index);
      return v;
    case LUA_TSTRING: return string_value(to_string(L, index), strings);
    default: break;
  }
  if (const Tensor* t = to_tensor(L, lua, index)) {
    v.as.tensor = new_handle(*t);
    v.type = FACULA_TENSOR;
  } else if (lua_type(L, index) == kCData && to_integer(L, lua, index, v.as.integer)) {
    v.type = FACULA_INTEGER;
  } else {
    lua_pushvalue(L, index);
    v.as.reference = new_reference(S, L);
    v.type = FACULA_REFERENCE;
  }
  return v;
}

void release(facula_value& v, Strings strings) {
  switch (number_in(v.type)) {
    case FACULA_STRING:
      if (strings == Strings::Copied) std::free(const_cast<char*>(v.as.string.bytes));
      break;
    case FACULA_TENSOR: facula_tensor_release(v.as.tensor); break;
    case FACULA_REFERENCE: facula_reference_release(v.as.reference); break;
    default: break;
  }
  v = {FACULA_NIL, {}};
}

// ---- paths ---------------------------------------------------------------------------------------------------------------

// Replaces the table on top of the stack by what stands in it at `path`; nil where something on the path is nil.
static void follow(lua_State* L, std::string_view path) {
  while (!lua_isnil(L, -1)) {
    const size_t dot = path.find('.');
    lua_pushlstring(L, path.data(), std::min(dot, path.size()));
    lua_gettable(L, -2);
    lua_remove(L, -2);
    if (dot == std::string_view::npos) return;
    path.remove_prefix(dot + 1);
  }
}

static int follow_path(lua_State* L) {
  follow(L, to_string(L, 1));
  return 1;
}

static void push_followed(Interpreter& I, lua_State* L, int table, const char* path) {
  lua_pushcfunction(L, follow_path);
  lua_pushstring(L, path);
  lua_pushvalue(L, table);
  call_protected(I, L, 2, 1);
}

void push_callable(Interpreter& I, lua_State* L, const char* where, const char* path) {
  expect(path && *path, where, ": the name is ", path ? "empty" : "NULL");
  push_followed(I, L, LUA_GLOBALSINDEX, path);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, find_state(L)->torch);
  push_followed(I, L, lua_gettop(L), path);
  lua_remove(L, -2);
  check(!lua_isnil(L, -1), where, ": there is no global and no operator '", path, "'");
}

// Arguments: the path and the value. Tables are made where there is nothing.
static int set_path_of_globals(lua_State* L) {
  std::string_view path = to_string(L, 1);
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  for (size_t dot; (dot = path.find('.')) != std::string_view::npos; path.remove_prefix(dot + 1)) {
    lua_pushlstring(L, path.data(), dot);
    lua_gettable(L, -2);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_newtable(L);
      lua_pushlstring(L, path.data(), dot);
      lua_pushvalue(L, -2);
      lua_settable(L, -4);
    }
    lua_remove(L, -2);
  }
  push_string(L, path);
  lua_pushvalue(L, 2);
  lua_settable(L, -3);
  return 0;
}

void set_global(Interpreter& I, lua_State* L, const char* where, const char* path) {
  expect(path && *path, where, ": the name is ", path ? "empty" : "NULL");
  lua_pushcfunction(L, set_path_of_globals);
  lua_pushstring(L, path);
  lua_pushvalue(L, -3);
  call_protected(I, L, 2, 0);
  lua_pop(L, 1);
}

}  // namespace facula::interp

using namespace facula;
using namespace facula::interp;

void facula_value_release(facula_value* value) {
  if (value) release(*value, Strings::Copied);
}

facula_status facula_get(facula_state* S, const char* name, facula_value* out) {
  if (out) *out = {FACULA_NIL, {}};
  return enter(S, "facula_get", [&](Interpreter& I, lua_State* L) {
    expect(out, "facula_get: out is NULL");
    expect(name, "facula_get: the name is NULL");
    push_followed(I, L, LUA_GLOBALSINDEX, name);
    *out = to_host_value(S, L, -1, Strings::Copied);
  });
}

facula_status facula_set(facula_state* S, const char* name, const facula_value* value) {
  return enter(S, "facula_set", [&](Interpreter& I, lua_State* L) {
    expect(value, "facula_set: the value is NULL");
    push_host_value(S, L, *value, "facula_set: the value");
    set_global(I, L, "facula_set", name);
  });
}

facula_status facula_reference_new(facula_state* S, const facula_value* value, facula_reference** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_reference_new", [&](Interpreter&, lua_State* L) {
    expect(out, "facula_reference_new: out is NULL");
    expect(value, "facula_reference_new: the value is NULL");
    push_host_value(S, L, *value, "facula_reference_new: the value");
    *out = new_reference(S, L);
  });
}

facula_status facula_reference_get(facula_state* S, const facula_reference* reference, facula_value* out) {
  if (out) *out = {FACULA_NIL, {}};
  return enter(S, "facula_reference_get", [&](Interpreter&, lua_State* L) {
    expect(out, "facula_reference_get: out is NULL");
    push_reference(S, L, reference, "facula_reference_get: the reference");
    *out = to_host_value(S, L, -1, Strings::Copied);
  });
}

void facula_reference_release(facula_reference* reference) {
  Mark expected = Mark::Reference;
  if (!reference || !reference->mark.compare_exchange_strong(expected, Mark::None)) return;
  outside([&] {
    facula_state* const S = reference->state;
    std::optional<Visit> visit;
    if (reference->value.is_open()) visit.emplace(S, static_cast<const char*>(__builtin_frame_address(0)));
    const bool elsewhere = visit && !visit->interpreter();
    LuaRef value = std::move(reference->value);  // goes before the visit ends
    references().put(reference);
    if (!elsewhere) return;
    const std::lock_guard lock(S->mutex);
    S->dropped.push_back(std::move(value));
  });
}
