// torch.autograd.Function: operations whose forward and backward are Lua functions.
//
//     local Square = torch.autograd.Function.extend {
//       forward = function(ctx, x) ctx:save_for_backward(x) return x * x end,
//       backward = function(ctx, g) return 2 * g * ctx:saved_tensors() end,
//     }
//     local y = Square:apply(x)
//
// The node owns the context, a userdata whose fields a script may use; the context knows its node only while forward or
// backward run, so that there is no cycle.
#include <algorithm>

#include "core/saved_tensor.h"
#include "interp/autograd.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

class LuaNode;

/// `ctx`
struct Context {
  LuaNode* node = nullptr;
};

class LuaNode final : public Node {
 public:
  LuaNode(State& S, std::string name) : S_(S), name_(std::move(name)) {}

  std::string name() const override { return name_; }
  Tensors apply(const Tensors& gradients) override;
  void free_saved() override {
    saved_.clear();
    freed_ = true;
  }

  /// Calls forward with the arguments on the stack, and leaves its results there. Pushes nothing else.
  int forward(lua_State* L);

  /// Keeps what forward asked for, once it is known which of `outputs` are among it.
  void save(const Tensors& outputs);
  void push_saved(lua_State* L);
  size_t saved() const { return to_save.empty() ? saved_.size() : to_save.size(); }

  Tensors to_save;            // asked for by forward
  std::vector<bool> needs;    // by argument of forward
  std::vector<int> edge_of;   // by argument: its edge, or -1
  Tensors constant, changed;  // marked by forward: not differentiable, changed in place
  bool materialize = true;    // zeros for gradients that did not arrive
  LuaRef spec, context;       // the table given to extend, and ctx
  Context* seen = nullptr;    // ctx's userdata

 private:
  void check_saved() const {
    check(!freed_, "backward of ", name_,
          ": going through the graph a second time, but what it saved was freed; use retain_graph=true the first time");
  }

  State& S_;
  std::string name_;
  std::vector<SavedTensor> saved_;
  bool freed_ = false;
};

/// The context knows its node while this lives.
class Attached {
 public:
  explicit Attached(LuaNode& node) : context_(*node.seen), outer_(context_.node) { context_.node = &node; }
  ~Attached() { context_.node = outer_; }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Context& context_;
  LuaNode* outer_;
};

// Pushes the function of that name from the table on top, which it replaces.
void replace_by_field(lua_State* L, const std::string& where, const char* field) {
  lua_pushstring(L, field);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  check(lua_isfunction(L, -1), where, ": there is no function '", field, "'");
}

Tensors LuaNode::apply(const Tensors& gradients) {
  check(spec.is_open(), name_, ": its Lua state has been closed");
  check_saved();
  lua_State* L = S_.running;
  const int top = lua_gettop(L);
  check(lua_checkstack(L, static_cast<int>(gradients.size()) + 8), name_, ": the Lua stack is full");
  Attached attached(*this);
  spec.push(L);
  replace_by_field(L, name_, "backward");
  context.push(L);
  for (size_t i = 0; i < gradients.size(); ++i)
    push_tensor(L, S_, gradients[i].defined() || !materialize ? gradients[i] : outputs[i].zeros());
  call_lua(L, S_, static_cast<int>(gradients.size()) + 1, LUA_MULTRET);
  const auto n = static_cast<size_t>(lua_gettop(L) - top);
  check(n == needs.size(), "backward of ", name_, ": returned ", n, n == 1 ? " gradient" : " gradients", " for ",
        needs.size(), needs.size() == 1 ? " argument" : " arguments", " of forward; return nil where there is none");
  Tensors answers(edges.size());
  for (size_t i = 0; i < n; ++i) {
    const int at = top + 1 + static_cast<int>(i);
    const Tensor* g = to_tensor(L, S_, at);
    check(g || lua_isnil(L, at), "backward of ", name_, ": gradient ", i + 1, " is ", describe(L, S_, at),
          ", not a tensor or nil");
    if (g && edge_of[i] >= 0) answers[static_cast<size_t>(edge_of[i])] = *g;
  }
  lua_settop(L, top);
  return answers;
}

int LuaNode::forward(lua_State* L) {
  const int arguments = lua_gettop(L);
  NoGrad guard;
  Attached attached(*this);
  spec.push(L);
  replace_by_field(L, name_, "forward");
  lua_insert(L, 1);
  context.push(L);
  lua_insert(L, 2);
  call_lua(L, S_, arguments + 1, LUA_MULTRET);
  return lua_gettop(L);
}

void LuaNode::save(const Tensors& results) {
  for (const Tensor& t : std::exchange(to_save, {})) {
    int output = -1;
    for (size_t i = 0; i < results.size(); ++i)
      if (results[i].defined() && t.defined() && results[i].is(t)) output = static_cast<int>(i);
    saved_.emplace_back(t, output);
  }
}

void LuaNode::push_saved(lua_State* L) {
  check_saved();
  for (const Tensor& t : to_save) push_tensor(L, S_, t);
  for (size_t i = 0; i < saved_.size(); ++i) {
    const SavedTensor& s = saved_[i];
    check(!s.is_stale(), "backward of ", name_, ": saved tensor ", i + 1, ' ', s.meta().sizes(),
          " was changed in place after it was saved; save a copy");
    push_tensor(L, S_, s.defined() ? s.unpack(*this) : Tensor());
  }
}

// ---- ctx ----

Context& to_context(lua_State* L, const State& S, int index) {
  auto* c = static_cast<Context*>(to_object(L, S.context, index));
  check(c, "ctx: expected the context of an autograd.Function, got ", describe(L, S, index));
  return *c;
}

LuaNode& to_node(lua_State* L, const State& S, const char* method) {
  const Context& c = to_context(L, S, 1);
  check(c.node, "ctx:", method, " works only while forward or backward run");
  return *c.node;
}

template <class F>
void each_tensor(lua_State* L, const State& S, const char* method, F&& f) {
  for (int i = 2, n = lua_gettop(L); i <= n; ++i) {
    const Tensor* t = to_tensor(L, S, i);
    check(t || lua_isnil(L, i), "ctx:", method, ": argument ", i - 1, " is ", describe(L, S, i), ", not a tensor");
    f(t ? *t : Tensor());
  }
}

int save_for_backward(lua_State* L, Function& f) {
  LuaNode& node = to_node(L, *f.state, "save_for_backward");
  node.to_save.clear();
  each_tensor(L, *f.state, "save_for_backward", [&](const Tensor& t) { node.to_save.push_back(t); });
  return 0;
}

int saved_tensors(lua_State* L, Function& f) {
  LuaNode& node = to_node(L, *f.state, "saved_tensors");
  const auto n = static_cast<int>(node.saved());
  check(lua_checkstack(L, n), "ctx:saved_tensors: too many tensors");
  node.push_saved(L);
  return n;
}

int mark_non_differentiable(lua_State* L, Function& f) {
  LuaNode& node = to_node(L, *f.state, "mark_non_differentiable");
  each_tensor(L, *f.state, "mark_non_differentiable", [&](const Tensor& t) { node.constant.push_back(t); });
  return 0;
}

int mark_dirty(lua_State* L, Function& f) {
  LuaNode& node = to_node(L, *f.state, "mark_dirty");
  each_tensor(L, *f.state, "mark_dirty", [&](const Tensor& t) { node.changed.push_back(t); });
  return 0;
}

int set_materialize_grads(lua_State* L, Function& f) {
  to_node(L, *f.state, "set_materialize_grads").materialize = lua_toboolean(L, 2);
  return 0;
}

// Methods, then `needs_input_grad` and the script's own fields, which are kept in the userdata's environment.
int context_field(lua_State* L, Function& f) {
  to_context(L, *f.state, 1);
  lua_getmetatable(L, 1);
  lua_getfield(L, -1, "methods");
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  if (!lua_isnil(L, -1)) return 1;
  lua_getfenv(L, 1);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

int set_context_field(lua_State* L, Function& f) {
  to_context(L, *f.state, 1);
  check(!lua_isnil(L, 2), "ctx: a field's name is nil");
  lua_getfenv(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  return 0;
}

void push_context(lua_State* L, State& S, LuaNode& node) {
  push_object(L, S.context, Context{});
  node.seen = static_cast<Context*>(lua_touserdata(L, -1));
  lua_newtable(L);
  lua_createtable(L, static_cast<int>(node.needs.size()), 0);
  for (size_t i = 0; i < node.needs.size(); ++i) {
    lua_pushboolean(L, node.needs[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  lua_setfield(L, -2, "needs_input_grad");
  lua_setfenv(L, -2);
  node.context = LuaRef(L, S);
}

// ---- apply ----

bool contains(const Tensors& list, const Tensor& t) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor& x) { return x.is(t); });
}

// Reads the arguments of forward, which are on the stack. Returns whether a gradient is wanted.
bool read_inputs(lua_State* L, const State& S, LuaNode& node, Tensors& inputs) {
  bool any = false;
  for (int i = 1, n = lua_gettop(L); i <= n; ++i) {
    const Tensor* t = to_tensor(L, S, i);
    const bool wanted = t && GradMode::enabled() && requires_grad(*t);
    any = any || wanted;
    node.needs.push_back(wanted);
    node.edge_of.push_back(t ? static_cast<int>(node.edges.size()) : -1);
    if (t) {
      node.edges.push_back(wanted ? gradient_edge(*t) : Edge{});
      inputs.push_back(*t);
    }
  }
  return any;
}

// Results become outputs of the node, in their order. What forward returned as it came in gets a handle of its own.
void connect(lua_State* L, State& S, const Ref<LuaNode>& node, const Tensors& inputs, bool wanted) {
  Tensors results;
  for (int i = 1, n = lua_gettop(L); i <= n; ++i) {
    const Tensor* found = to_tensor(L, S, i);
    if (!found) continue;
    Tensor t = *found;
    const bool in_place = contains(node->changed, t);
    const bool constant = !wanted || contains(node->constant, t) || !is_differentiable(t.dtype());
    if (!in_place && (contains(inputs, t) || (!constant && requires_grad(t)))) {
      t = detach(t);
      push_tensor(L, S, t);
      lua_replace(L, i);
    }
    if (in_place) t.storage()->bump_version();
    if (constant)
      node->add_output(t);
    else if (in_place)
      rebase_history(t, node);
    else
      set_history(t, node);
    results.push_back(constant ? Tensor() : t);
  }
  if (wanted) node->save(results);
  node->to_save.clear();
  node->changed = node->constant = {};  // results among them would hold the node that they hold
}

// Spec:apply(...)
int apply(lua_State* L, Function& f) {
  State& S = *f.state;
  check(lua_istable(L, 1), "Function.apply: call it as F:apply(...), with what Function.extend returned");
  lua_getfield(L, 1, "name");
  const std::string name = lua_type(L, -1) == LUA_TSTRING ? std::string(to_string(L, -1)) : "Lua";
  lua_pop(L, 1);
  check(lua_checkstack(L, 8), "Function.apply: the Lua stack is full");
  const Ref<LuaNode> node = make_ref<LuaNode>(S, name + (name == "Lua" ? "FunctionBackward" : "Backward"));
  lua_pushvalue(L, 1);
  node->spec = LuaRef(L, S);
  lua_remove(L, 1);
  Tensors inputs;
  const bool wanted = read_inputs(L, S, *node, inputs);
  push_context(L, S, *node);
  node->number();
  const int results = node->forward(L);
  connect(L, S, node, inputs, wanted);
  if (!wanted) node->free_saved();
  return results;
}

// Function.extend{forward=, backward=}; the second upvalue is `apply`.
int extend(lua_State* L, Function& f) {
  check(lua_istable(L, 1), "Function.extend: expected a table with 'forward' and 'backward', got ",
        describe(L, *f.state, 1));
  for (const char* field : {"forward", "backward"}) {
    lua_getfield(L, 1, field);
    check(lua_isfunction(L, -1), "Function.extend: '", field, "' must be a function, got ", describe(L, *f.state, -1));
    lua_pop(L, 1);
  }
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, 1) != 0) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setfield(L, -2, "apply");
  return 1;
}

}  // namespace

void open_custom_functions(lua_State* L, State& S) {
  new_metatable(L, S.context, "torch.autograd.Context");
  const Metamethod metamethods[] = {{"__index", door<context_field>}, {"__newindex", door<set_context_field>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  const Variadic methods[] = {{"save_for_backward", door<save_for_backward>},
                              {"saved_tensors", door<saved_tensors>},
                              {"mark_non_differentiable", door<mark_non_differentiable>},
                              {"mark_dirty", door<mark_dirty>},
                              {"set_materialize_grads", door<set_materialize_grads>}};
  add_variadics(L, S, methods);
  lua_setfield(L, -2, "methods");
  lua_pop(L, 1);
  Function& f = push_description(L, S, "autograd.Function.extend");
  f.arguments = "{forward=, backward=}";
  f.doc =
      "A function with a derivative of its own: `forward(ctx, ...)` gives the results and `backward(ctx, ...)`, of "
      "their gradients, those of the arguments. `:apply(...)` calls it.";
  f.example =
      "torch.autograd.Function.extend{forward=function(ctx, x) return 2 * x end, backward=function(ctx, g) return 2 * "
      "g end}:apply(torch.ones(2))";
  push_function(L, S, "autograd.Function.apply", door<apply>);
  lua_pushcclosure(L, door<extend>, 2);
  set_path(L, "autograd.Function.extend");
}

}  // namespace facula::interp
