// Nodes of the graph as Lua values, and Lua functions as hooks on them.
#include "interp/autograd.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- x.grad_fn ----

Node& to_node(lua_State* L, const State& S, int index) {
  const Ref<Node>* node = to_ref<Node>(L, S.node, index);
  check(node, "grad_fn: expected a node, got ", describe(L, S, index));
  return **node;
}

int node_name(lua_State* L, Function& f) {
  push_string(L, to_node(L, *f.state, 1).name());
  return 1;
}

int show_node(lua_State* L, Function& f) {
  push_string(L, '<' + to_node(L, *f.state, 1).name() + '>');
  return 1;
}

int equal_nodes(lua_State* L, Function& f) {
  lua_pushboolean(L, &to_node(L, *f.state, 1) == &to_node(L, *f.state, 2));
  return 1;
}

// A list of {node, number of its output}; called as a method, it returns itself.
void push_next_functions(lua_State* L, State& S, const Node& node) {
  lua_createtable(L, static_cast<int>(node.edges.size()), 0);
  int i = 0;
  for (const Edge& edge : node.edges) {
    lua_createtable(L, 2, 0);
    push_node(L, S, edge.node);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, edge.nr + 1);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, ++i);
  }
  lua_newtable(L);
  lua_pushcfunction(L, [](lua_State* l) {
    lua_settop(l, 1);
    return 1;
  });
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
}

int node_field(lua_State* L, Function& f) {
  const Node& node = to_node(L, *f.state, 1);
  if (lua_type(L, 2) == LUA_TSTRING && to_string(L, 2) == "next_functions") {
    push_next_functions(L, *f.state, node);
  } else if (lua_type(L, 2) == LUA_TSTRING && to_string(L, 2) == "name") {
    lua_getmetatable(L, 1);
    lua_getfield(L, -1, "name");
  } else {
    lua_pushnil(L);
  }
  return 1;
}

// ---- hooks ----

class LuaHook final : public Hook {
 public:
  /// Takes the function from the top of the stack.
  LuaHook(lua_State* L, State& S) : S_(S), function_(L, S) {}

  Tensor call(const Tensor& g) override {
    check(function_.is_open(), "hook: its Lua state has been closed");
    lua_State* L = S_.running;
    const int top = lua_gettop(L);
    check(lua_checkstack(L, 8), "hook: the Lua stack is full");
    function_.push(L);
    push_tensor(L, S_, g);
    call_lua(L, S_, 1, 1);
    const Tensor* other = to_tensor(L, S_, -1);
    check(other || lua_isnil(L, -1), "hook: expected a tensor or nil from the function, got ", describe(L, S_, -1));
    Tensor result = other ? *other : Tensor();
    lua_settop(L, top);
    if (result.defined())
      check(result.sizes() == g.sizes(), "hook: the function returned sizes ", result.sizes(), " for a gradient of ",
            g.sizes());
    return result;
  }

 private:
  State& S_;
  LuaRef function_;
};

/// What register_hook returns.
struct HookHandle {
  Tensor tensor;
  Ref<Hook> hook;
};

Ref<Hook> hook_of(Call& c, int function) {
  check(lua_isfunction(c.L, c.source(function)), c.function.name, ": argument 'hook' must be a function, got ",
        describe(c.L, c.S, c.source(function)));
  lua_pushvalue(c.L, c.source(function));
  return make_ref<LuaHook>(c.L, c.S);
}

int register_hook(Call& c) {
  const Ref<Hook> hook = hook_of(c, 1);
  add_hook(c.tensor(), hook);
  push_object(c.L, c.S.hook, HookHandle{c.tensor(), hook});
  return 1;
}

int register_after(Call& c) {
  const Tensor& x = c.tensor();
  check(is_leaf(x) && requires_grad(x), c.function.name, ": expected a leaf tensor that requires grad");
  const Ref<Hook> hook = hook_of(c, 1);
  autograd_meta(x).make_extras().after_accumulate.push_back(hook);
  push_object(c.L, c.S.hook, HookHandle{x, hook});
  return 1;
}

int remove(lua_State* L, Function& f) {
  auto* h = static_cast<HookHandle*>(to_object(L, f.state->hook, 1));
  check(h, "remove: expected what register_hook returned, got ", describe(L, *f.state, 1));
  if (!h->hook) return 0;
  remove_hook(h->tensor, h->hook.get());
  const AutogradMeta* meta = h->tensor.impl()->autograd.get();
  if (meta && meta->extras) std::erase(meta->extras->after_accumulate, h->hook);
  *h = {};
  return 0;
}

constexpr Native kMethods[] = {
    {"register_hook(Tensor self, any hook) -> any", register_hook,
     "Calls `hook(grad)` whenever this tensor's gradient is computed; what it returns replaces the gradient. Returns a "
     "handle with `remove`.",
     "local x = torch.ones(2, {requires_grad=true}) x:register_hook(print) x:sum():backward()"},
    {"register_post_accumulate_grad_hook(Tensor self, any hook) -> any", register_after,
     "Calls `hook(tensor)` after this leaf's `.grad` was added to. Returns a handle with `remove`.",
     "local x = torch.ones(2, {requires_grad=true}) x:register_post_accumulate_grad_hook(print) x:sum():backward()"},
};

}  // namespace

void push_node(lua_State* L, State& S, const Ref<Node>& node) {
  if (node)
    push_object(L, S.node, node);
  else
    lua_pushnil(L);
}

void open_graph(lua_State* L, State& S) {
  new_metatable(L, S.node, "torch.autograd.Node");
  const Metamethod of_node[] = {{"__index", door<node_field>},
                                {"__eq", door<equal_nodes>},
                                {"__tostring", door<show_node>},
                                {"name", door<node_name>},
                                {"__gc", collect_object<Ref<Node>, &State::node>}};
  set_metamethods(L, S, of_node);
  lua_pop(L, 1);

  new_metatable(L, S.hook, "torch.autograd.Hook");
  const Metamethod of_hook[] = {{"remove", door<remove>}, {"__gc", collect_object<HookHandle, &State::hook>}};
  set_metamethods(L, S, of_hook);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);

  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  add_natives(L, S, kMethods);
  lua_pop(L, 1);
}

}  // namespace facula::interp
