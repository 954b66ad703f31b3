#include "interp/autograd.h"

#include "interp/memory.h"
#include "interp/traceback.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- modes ----

// Calls the function at `at` with what stands behind it, and returns its results; the mode is the old one again
// afterwards, whatever happens.
template <class Guard = GradGuard>
int call_in_mode(lua_State* L, Function& f, int at, bool enabled) {
  check(lua_isfunction(L, at), f.name, ": argument 'fn' must be a function, got ", describe(L, *f.state, at));
  const Guard guard(enabled);
  call_lua(L, *f.state, lua_gettop(L) - at, LUA_MULTRET);
  return lua_gettop(L) - at + 1;
}

int no_grad(lua_State* L, Function& f) { return call_in_mode(L, f, 1, false); }
int enable_grad(lua_State* L, Function& f) { return call_in_mode(L, f, 1, true); }

// `inference_mode(fn, ...)` or `inference_mode(mode, fn, ...)`.
int inference_mode(lua_State* L, Function& f) {
  if (!lua_isboolean(L, 1)) return call_in_mode<InferenceGuard>(L, f, 1, true);
  return call_in_mode<InferenceGuard>(L, f, 2, lua_toboolean(L, 1));
}

int is_inference_mode_enabled(Call& c) { return c.returns(InferenceGuard::enabled()); }

class AnomalyGuard {
 public:
  AnomalyGuard(State& S, bool on) : S_(S), outer_(anomaly_mode()) { set(S, on); }
  ~AnomalyGuard() { set(S_, outer_); }
  static void set(State& S, bool on) {
    if (!on) return set_anomaly_mode({});
    set_anomaly_mode([life = S.life] { return life->L ? traceback(life->L) : std::string(" (a closed interpreter)"); });
  }

 private:
  State& S_;
  bool outer_;
};

int set_detect_anomaly(Call& c) {
  AnomalyGuard::set(c.S, c.get<bool>(0));
  return 0;
}

int is_anomaly_enabled(Call& c) { return c.returns(anomaly_mode()); }

int detect_anomaly(lua_State* L, Function& f) {
  check(lua_isfunction(L, 1), f.name, ": argument 'fn' must be a function, got ", describe(L, *f.state, 1));
  const AnomalyGuard guard(*f.state, true);
  call_lua(L, *f.state, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

int set_grad_enabled(lua_State* L, Function& f) {
  check(lua_isboolean(L, 1), "set_grad_enabled: argument 'mode' must be true or false, got ", describe(L, *f.state, 1));
  const bool enabled = lua_toboolean(L, 1);
  if (!lua_isnoneornil(L, 2)) return call_in_mode(L, f, 2, enabled);
  GradMode::set_enabled(enabled);
  return 0;
}

int is_grad_enabled(Call& c) {
  lua_pushboolean(c.L, GradMode::enabled());
  return 1;
}

// ---- backward ----

int backward_from(Call& c, const Tensors& roots, const Tensors& seeds, int options) {
  const bool create_graph = c.get<bool>(options + 1);
  const bool retain_graph = c.given(options) ? c.get<bool>(options) : create_graph;
  const Tensors inputs = c.given(options + 2) ? c.get<Tensors>(options + 2) : Tensors();
  collect_before_backward(c.L, c.S);
  facula::backward(roots, seeds, retain_graph, create_graph, inputs);
  return 0;
}

int tensor_backward(Call& c) { return backward_from(c, {c.tensor()}, {c.get<Tensor>(1)}, 2); }

Tensors list_at(Call& c, int i, const char* name) {
  return c.source(i) ? to_tensors(c.L, c.S, c.source(i), c.function.schema->name.c_str(), name) : Tensors();
}

// A list that ends in nil is shorter; what is missing counts as not given.
Tensors seeds_at(Call& c, int i, const char* name, size_t n) {
  Tensors seeds = list_at(c, i, name);
  check(seeds.size() <= n, c.function.schema->name, ": ", seeds.size(), " gradients for ", n, " tensors");
  seeds.resize(n);
  return seeds;
}

int autograd_backward(Call& c) {
  const Tensors roots = list_at(c, 0, "'tensors'");
  return backward_from(c, roots, seeds_at(c, 1, "'grad_tensors'", roots.size()), 2);
}

int autograd_grad(Call& c) {
  const Tensors outputs = list_at(c, 0, "'outputs'"), inputs = list_at(c, 1, "'inputs'");
  const Tensors seeds = seeds_at(c, 2, "'grad_outputs'", outputs.size());
  const bool create_graph = c.get<bool>(4);
  const bool retain_graph = c.given(3) ? c.get<bool>(3) : create_graph;
  collect_before_backward(c.L, c.S);
  const Tensors found = facula::gradients(outputs, seeds, inputs, retain_graph, create_graph, c.get<bool>(5));
  push_tensors(c.L, c.S, found);
  lua_pushinteger(c.L, static_cast<lua_Integer>(found.size()));
  lua_setfield(c.L, -2, "n");
  return 1;
}

// ---- tensors ----

int requires_grad_(Call& c) {
  set_requires_grad(c.tensor(), c.get<bool>(1));
  return c.returns_argument();
}

int detach_of(Call& c) {
  push_tensor(c.L, c.S, detach(c.tensor()));
  return 1;
}

int detach_(Call& c) {
  const Tensor& x = c.tensor();
  check(!x.impl()->autograd || !x.impl()->autograd->base.defined(),
        "detach_: a view cannot be detached in place; use detach");
  x.impl()->autograd.reset();
  x.impl()->requires_grad = false;
  return c.returns_argument();
}

int retain(Call& c) {
  retain_grad(c.tensor());
  return 0;
}

int parameter(Call& c) {
  const Tensor t = detach(c.tensor());
  autograd_meta(t).is_parameter = true;
  set_requires_grad(t, c.get<bool>(1));
  push_tensor(c.L, c.S, t);
  return 1;
}

// Takes any value, as is_tensor does.
int is_parameter(lua_State* L, Function& f) {
  const Tensor* t = lua_gettop(L) > 0 ? to_tensor(L, *f.state, 1) : nullptr;
  lua_pushboolean(L, t && t->impl()->autograd && t->impl()->autograd->is_parameter);
  return 1;
}

constexpr Variadic kModes[] = {
    {"no_grad", door<no_grad>, "fn, ...", "Returns `fn(...)`, in which nothing is recorded for gradients.",
     "torch.no_grad(function() return torch.ones(2, {requires_grad=true}) * 2 end).requires_grad"},
    {"enable_grad", door<enable_grad>, "fn, ...", "Returns `fn(...)`, in which operations are recorded for gradients.",
     "torch.no_grad(torch.enable_grad, torch.is_grad_enabled)"},
    {"inference_mode", door<inference_mode>, "[mode,] fn, ...",
     "Returns `fn(...)`, in which nothing is recorded and what is made cannot be used in recorded operations later; "
     "`mode` false lifts that.",
     "torch.inference_mode(function() return torch.ones(2) end):is_inference()"},
    {"autograd.detect_anomaly", door<detect_anomaly>, "fn, ...",
     "Returns `fn(...)`, in which a backward pass that makes NaN fails with the place of its operation. Slow.",
     "torch.autograd.detect_anomaly(torch.is_anomaly_enabled)"},
    {"set_grad_enabled", door<set_grad_enabled>, "mode, [fn, ...]",
     "Says whether operations are recorded for gradients, from now on or while `fn(...)` runs, which it returns.",
     "torch.set_grad_enabled(false, torch.is_grad_enabled)"},
    {"core.is_parameter", door<is_parameter>},
};
#define WALK "bool? retain_graph=None, bool create_graph=False"
constexpr Native kFunctions[] = {
    {"is_grad_enabled() -> bool", is_grad_enabled, "Are operations recorded for gradients?", "torch.is_grad_enabled()"},
    {"is_inference_mode_enabled() -> bool", is_inference_mode_enabled, "Is `torch.inference_mode` on?",
     "torch.inference_mode(torch.is_inference_mode_enabled)"},
    {"autograd.set_detect_anomaly(bool mode)", set_detect_anomaly,
     "While on, operations remember where they were called, and a backward pass that makes NaN fails with that place. "
     "Slow.",
     "torch.autograd.set_detect_anomaly(false)"},
    {"is_anomaly_enabled() -> bool", is_anomaly_enabled, "Is anomaly detection on?", "torch.is_anomaly_enabled()"},
    {"autograd.backward(any tensors, any grad_tensors=None, " WALK ", Tensor[]? inputs=None)", autograd_backward,
     "Walks back from `tensors` and adds the gradients up in the `.grad` of the leaves, or of `inputs` alone. "
     "`grad_tensors` are the gradients to begin with; scalars may do without.",
     "local x = torch.tensor({3}, {requires_grad=true}) torch.autograd.backward(x * x, torch.ones(1)) print(x.grad)"},
    {"autograd.grad(any outputs, any inputs, any grad_outputs=None, " WALK ", bool allow_unused=False) -> Tensor[]",
     autograd_grad,
     "The gradients of `outputs` with respect to `inputs`, as a list; `.grad` stays as it is. Errors: an input that "
     "was not used, unless `allow_unused`.",
     "local x = torch.tensor({3}, {requires_grad=true}) print(torch.autograd.grad((x * x):sum(), x)[1])"},
    {"core.parameter(Tensor data, bool requires_grad=True) -> Tensor", parameter},
};
constexpr Native kMethods[] = {
    {"backward(Tensor self, Tensor? gradient=None, " WALK ", Tensor[]? inputs=None)", tensor_backward,
     "Computes the gradients of the leaves of the graph and adds them up in their `.grad`. `gradient` is needed where "
     "the tensor is no scalar; `retain_graph` keeps what was saved for another walk; `create_graph` records the walk "
     "itself.",
     "local x = torch.tensor({3}, {requires_grad=true}) x:pow(2):sum():backward() print(x.grad)"},
    {"requires_grad_(Tensor self, bool requires_grad=True) -> Tensor", requires_grad_,
     "Says whether gradients are wanted for this leaf; returns it.", "torch.ones(2):requires_grad_().requires_grad"},
    {"detach(Tensor self) -> Tensor", detach_of, "The same elements without their history.",
     "torch.ones(2, {requires_grad=true}):exp():detach()"},
    {"detach_(Tensor self) -> Tensor", detach_, "Forgets the history; returns the tensor.",
     "torch.ones(2, {requires_grad=true}):exp():detach_()"},
    {"retain_grad(Tensor self)", retain, "Keeps the gradient of a tensor that is no leaf in its `.grad`.",
     "local x = torch.ones(2, {requires_grad=true}) local y = x * 2 y:retain_grad() y:sum():backward() print(y.grad)"},
};
#undef WALK

}  // namespace

void open_autograd(lua_State* L, State& S) {
  add_variadics(L, S, kModes);
  add_natives(L, S, kFunctions);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  add_natives(L, S, kMethods);
  lua_pop(L, 1);
  open_graph(L, S);
  open_saved_hooks(L, S);
  open_custom_functions(L, S);
}

}  // namespace facula::interp
