// Lua functions that decide how tensors are kept for derivatives.
#include "core/saved_tensor.h"
#include "interp/autograd.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// Calls the function behind `function` with the value on top of the stack, which its one result replaces.
void call_with_top(lua_State* L, State& S, const LuaRef& function) {
  check(lua_checkstack(L, 8), "saved_tensors_hooks: the Lua stack is full");
  function.push(L);
  lua_insert(L, -2);
  call_lua(L, S, 1, 1);
}

class LuaPacked final : public Packed {
 public:
  /// Takes the value from the top of the stack.
  LuaPacked(lua_State* L, State& S, std::shared_ptr<LuaRef> unpack) : S_(S), unpack_(std::move(unpack)), value_(L, S) {}

  Tensor unpack() override {
    check(value_.is_open(), "saved_tensors_hooks: the Lua state of the unpack function has been closed");
    lua_State* L = S_.running;
    const int top = lua_gettop(L);
    value_.push(L);
    call_with_top(L, S_, *unpack_);
    const Tensor* t = to_tensor(L, S_, -1);
    check(t, "saved_tensors_hooks: the unpack function must return a tensor, got ", describe(L, S_, -1));
    const Tensor result = *t;
    lua_settop(L, top);
    return result;
  }

 private:
  State& S_;
  std::shared_ptr<LuaRef> unpack_;
  LuaRef value_;
};

class LuaSavedHooks final : public SavedHooks {
 public:
  /// Takes the unpack function, then the pack function, from the top of the stack.
  LuaSavedHooks(lua_State* L, State& S) : S_(S), unpack_(std::make_shared<LuaRef>(L, S)), pack_(L, S) {}

  Ref<Packed> pack(const Tensor& t) override {
    lua_State* L = S_.running;
    push_tensor(L, S_, t);
    call_with_top(L, S_, pack_);
    return make_ref<LuaPacked>(L, S_, unpack_);
  }

 private:
  State& S_;
  std::shared_ptr<LuaRef> unpack_;
  LuaRef pack_;
};

// saved_tensors_hooks(pack, unpack, fn, ...)
int saved_tensors_hooks(lua_State* L, Function& f) {
  constexpr const char* kNames[] = {"pack", "unpack", "fn"};
  for (int i = 1; i <= 3; ++i)
    check(lua_isfunction(L, i), f.name, ": argument '", kNames[i - 1], "' must be a function, got ",
          describe(L, *f.state, i));
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  const SavedHooksGuard guard(make_ref<LuaSavedHooks>(L, *f.state));
  call_lua(L, *f.state, lua_gettop(L) - 3, LUA_MULTRET);
  return lua_gettop(L) - 2;
}

}  // namespace

void open_saved_hooks(lua_State* L, State& S) {
  const Variadic functions[] = {{"autograd.graph.saved_tensors_hooks", door<saved_tensors_hooks>,
                                 "pack, unpack, fn, ...",
                                 "Returns `fn(...)`, in which `pack(tensor)` is kept in the place of each tensor that "
                                 "is saved for derivatives, and `unpack` of it is used.",
                                 "torch.autograd.graph.saved_tensors_hooks(torch.clone, torch.clone, torch.exp, "
                                 "torch.ones(2, {requires_grad=true}))"}};
  add_variadics(L, S, functions);
}

}  // namespace facula::interp
