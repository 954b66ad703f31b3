#include "interp/handle.h"

#include <new>

#include "core/autograd.h"
#include "core/print.h"
#include "interp/memory.h"
#include "interp/register.h"

namespace facula::interp {

void fail_released(const Handle& h) {
  check(h.released != Handle::kCollected, "this tensor was used by a finalizer after it had been collected");
  fail("this tensor was released by torch.scope at ", *reinterpret_cast<const std::string*>(h.released - 1),
       "; return it from the scope to keep it");
}

void push_tensor(lua_State* L, State& S, Tensor t) {
  if (!t.defined()) return lua_pushnil(L);
  if (t.device().is_cuda()) S.collection.devices = true;
  auto* h = static_cast<Handle*>(lua_newuserdata(L, sizeof(Handle)));
  new (&h->tensor) Tensor(std::move(t));
  h->mark = Handle::kMarks;
  S.tensor.push(L);
  lua_setmetatable(L, -2);
  if (!S.scopes.empty()) [[unlikely]] {
    h->mark = Handle::kMarks + 1;
    S.scopes.back().insert(h);
  }
}

void push_tensors(lua_State* L, State& S, const Tensors& list) {
  lua_createtable(L, static_cast<int>(list.size()), 0);
  for (size_t i = 0; i < list.size(); ++i) {
    push_tensor(L, S, list[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
}

Tensors to_tensors(lua_State* L, const State& S, int index, const char* where, const char* what) {
  if (const Tensor* one = to_tensor(L, S, index)) return {*one};
  check(lua_istable(L, index), where, ": ", what, " must be a tensor or a list of tensors, got a ",
        luaL_typename(L, index));
  Tensors list;
  for (int i = 1, n = static_cast<int>(lua_objlen(L, index)); i <= n; ++i) {
    lua_rawgeti(L, index, i);
    const Tensor* t = to_tensor(L, S, -1);
    check(t || !lua_toboolean(L, -1), where, ": item ", i, " of ", what, " is a ", luaL_typename(L, -1),
          ", not a tensor");
    list.push_back(t ? *t : Tensor());
    lua_pop(L, 1);
  }
  return list;
}

// Runs inside the collector: nothing here raises.
static int collect_handle(lua_State* L) {
  auto* h = to_handle(L, 1);
  if (!h || h->is_released()) return 0;
  if (h->is_scoped()) {
    State& S = *running_function(L).state;
    for (auto scope = S.scopes.rbegin(); scope != S.scopes.rend(); ++scope)
      if (scope->erase(h)) break;
  }
  std::destroy_at(&h->tensor);
  h->released = Handle::kCollected;
  return 0;
}

static int equal_handles(lua_State* L, Function& f) {
  const Tensor* a = to_tensor(L, *f.state, 1);
  const Tensor* b = to_tensor(L, *f.state, 2);
  lua_pushboolean(L, a && b && a->is(*b));
  return 1;
}

static int length(lua_State* L, Function& f) {
  const Tensor* x = to_tensor(L, *f.state, 1);
  check(x, "#: expected a tensor");
  check(x->dim() > 0, "#: a tensor without dimensions has no length");
  lua_pushnumber(L, static_cast<lua_Number>(x->size(0)));
  return 1;
}

static int print(lua_State* L, Function& f) {
  const Tensor* x = to_tensor(L, *f.state, 1);
  check(x, "tostring: expected a tensor");
  const std::string s = to_text(*x);
  lua_pushlstring(L, s.data(), s.size());
  return 1;
}

static int concatenation(lua_State*, Function&) {
  fail("..: tensors are joined by torch.cat or torch.stack; as text, use tostring(x)");
}

void open_handles(lua_State* L, State& S) {
  new_metatable(L, S.tensor, "torch.Tensor");
  const Metamethod metamethods[] = {{"__gc", collect_handle},
                                    {"__eq", door<equal_handles>},
                                    {"__len", door<length>},
                                    {"__tostring", door<print>},
                                    {"__concat", door<concatenation>}};
  set_metamethods(L, S, metamethods);
  lua_pop(L, 1);
}

}  // namespace facula::interp
