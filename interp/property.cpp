// x.name and x[key]: methods first, then properties, then positions.
#include <algorithm>

#include "core/autograd.h"
#include "core/ops.h"
#include "interp/autograd.h"
#include "interp/index.h"
#include "interp/method.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

// ---- reading ----

Tensor transposed(const Tensor& x) {  // all dimensions, in reverse order
  IntList dims;
  for (int64_t d = x.dim() - 1; d >= 0; --d) dims.push_back(d);
  return ops::permute(x, dims);
}

Tensor matrix_transposed(const Tensor& x) {
  if (x.dim() == 0) return x;
  check(x.dim() >= 2, "mT: expected at least 2 dimensions, got ", x.sizes());
  return ops::transpose(x, -2, -1);
}

using Get = void (*)(lua_State*, State&, const Tensor&);
struct Property {
  std::string_view name;
  Get get;
};

// Sorted by name.
constexpr Property kProperties[] = {
    {"H", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, ops::conj(transposed(x))); }},
    {"T", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, transposed(x)); }},
    {"_version", [](lua_State* L, State&, const Tensor& x) { lua_pushnumber(L, x.version()); }},
    {"data", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, detach(x)); }},
    {"device", [](lua_State* L, State& S, const Tensor& x) { push_device(L, S, x.device()); }},
    {"dtype", [](lua_State* L, State& S, const Tensor& x) { push_dtype(L, S, x.dtype()); }},
    {"grad", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, grad(x)); }},
    {"grad_fn", [](lua_State* L, State& S, const Tensor& x) { push_node(L, S, grad_fn(x)); }},
    {"is_cpu", [](lua_State* L, State&, const Tensor& x) { lua_pushboolean(L, x.is_cpu()); }},
    {"is_cuda", [](lua_State* L, State&, const Tensor& x) { lua_pushboolean(L, x.device().is_cuda()); }},
    {"is_leaf", [](lua_State* L, State&, const Tensor& x) { lua_pushboolean(L, is_leaf(x)); }},
    {"is_meta", [](lua_State* L, State&, const Tensor& x) { lua_pushboolean(L, x.is_meta()); }},
    {"is_quantized", [](lua_State* L, State&, const Tensor&) { lua_pushboolean(L, false); }},
    {"is_sparse", [](lua_State* L, State&, const Tensor&) { lua_pushboolean(L, false); }},
    {"itemsize", [](lua_State* L, State& S, const Tensor& x) { push_integer(L, S, x.item_size()); }},
    {"layout",
     [](lua_State* L, State& S, const Tensor&) {
       lua_rawgeti(L, LUA_REGISTRYINDEX, S.torch);
       lua_pushliteral(L, "strided");
       lua_rawget(L, -2);
       lua_remove(L, -2);
     }},
    {"mH", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, ops::conj(matrix_transposed(x))); }},
    {"mT", [](lua_State* L, State& S, const Tensor& x) { push_tensor(L, S, matrix_transposed(x)); }},
    {"nbytes", [](lua_State* L, State& S, const Tensor& x) { push_integer(L, S, x.numel() * x.item_size()); }},
    {"ndim", [](lua_State* L, State& S, const Tensor& x) { push_integer(L, S, x.dim()); }},
    {"requires_grad", [](lua_State* L, State&, const Tensor& x) { lua_pushboolean(L, requires_grad(x)); }},
    {"retains_grad",
     [](lua_State* L, State&, const Tensor& x) {
       lua_pushboolean(L, x.impl()->autograd && x.impl()->autograd->retains_grad);
     }},
    {"shape", [](lua_State* L, State& S, const Tensor& x) { push_sizes(L, S, x.sizes()); }},
};

// Pushes the property; false if there is none of that name.
bool push_property(lua_State* L, State& S, const Tensor& x, std::string_view name) {
  const auto* p = std::lower_bound(std::begin(kProperties), std::end(kProperties), name,
                                   [](const Property& a, std::string_view b) { return a.name < b; });
  if (p == std::end(kProperties) || p->name != name) return false;
  p->get(L, S, x);
  return true;
}

int index(lua_State* L, Function& f) {
  State& S = *f.state;
  const Tensor* x = to_tensor(L, S, 1);
  check(x, "index: expected a tensor");
  const bool is_name = lua_type(L, 2) == LUA_TSTRING;
  if (!((is_name && push_property(L, S, *x, to_string(L, 2))) || push_indexed(L, S, *x, 2))) lua_pushnil(L);
  return 1;
}

// Methods are found without passing the door: every call of one comes by here.
int find(lua_State* L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(2));
    if (!lua_isnil(L, -1)) return 1;
    lua_pop(L, 1);
  }
  return guarded(L, index, Retry::Yes);
}

// ---- writing ----

void replace_data(const Tensor& x, const Tensor& y) {
  check(!requires_grad(x) || is_differentiable(y.dtype()), "data: a tensor that requires grad cannot become ",
        y.dtype());
  TensorImpl& t = *x.impl();
  t.storage = y.storage();
  t.dtype = y.dtype();
  t.sizes = y.sizes();
  t.strides = y.strides();
  t.offset = y.offset();
  t.refresh();
}

bool set_property(lua_State* L, State& S, const Tensor& x, std::string_view name) {
  const Tensor* value = to_tensor(L, S, 3);
  if (name == "grad") {
    check(value || lua_isnil(L, 3), "grad: expected a tensor or nil, got ", describe(L, S, 3));
    set_grad(x, value ? *value : Tensor());
  } else if (name == "requires_grad") {
    check(lua_isboolean(L, 3), "requires_grad: expected true or false, got ", describe(L, S, 3));
    set_requires_grad(x, lua_toboolean(L, 3));
  } else if (name == "data") {
    check(value, "data: expected a tensor, got ", describe(L, S, 3));
    replace_data(x, *value);
  } else {
    return false;
  }
  return true;
}

int assign(lua_State* L, Function& f) {
  State& S = *f.state;
  const Tensor* x = to_tensor(L, S, 1);
  check(x, "index assignment: expected a tensor");
  if (lua_type(L, 2) == LUA_TSTRING) {
    const std::string_view name = to_string(L, 2);
    if (set_property(L, S, *x, name)) return 0;
    check(is_index_text(name), "a tensor's field '", name, "' cannot be set");
  }
  assign_indexed(L, S, *x, 2, 3);
  return 0;
}

// Lua's operators, by the operators that they are.
constexpr std::pair<const char*, const char*> kArithmetic[] = {
    {"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"}, {"__div", "div"}, {"__mod", "remainder"}, {"__pow", "pow"}};

// Lua hands the operand of a unary minus over twice.
int negate(lua_State* L, Function& f) {
  const Tensor* x = to_tensor(L, *f.state, 1);
  check(x, "-: expected a tensor");
  push_tensor(L, *f.state, -*x);
  return 1;
}

// x:data(): what x.data is, called with x, gives the elements to LuaJIT's FFI.
int call_tensor(lua_State* L, Function& f) {
  const Tensor *x = to_tensor(L, *f.state, 1), *of = to_tensor(L, *f.state, 2);
  check(x && of && lua_gettop(L) == 2 && x->storage() == of->storage(),
        "a tensor cannot be called; elements are read by x[i] and x:item()");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "torch.data_pointer");
  call_lua(L, *f.state, 1, 1);
  lua_insert(L, 1);
  lua_settop(L, 2);
  call_lua(L, *f.state, 1, 1);
  return 1;
}

int properties(Call& c) {
  lua_newtable(c.L);
  int i = 0;
  for (const Property& p : kProperties) {
    push_string(c.L, p.name);
    lua_rawseti(c.L, -2, ++i);
  }
  return 1;
}

constexpr Native kNatives[] = {{"core.properties() -> any", properties}};  // names of x.name that are no methods

}  // namespace

void open_metamethods(lua_State* L, State& S) {
  add_natives(L, S, kNatives);
  S.tensor.push(L);
  push_description(L, S, "index");
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  lua_pushcclosure(L, find, 2);
  lua_setfield(L, -2, "__index");
  const Metamethod metamethods[] = {
      {"__newindex", door<assign, Retry::Yes>}, {"__unm", door<negate, Retry::Yes>}, {"__call", door<call_tensor>}};
  set_metamethods(L, S, metamethods);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.methods);
  for (const auto& [metamethod, name] : kArithmetic) {
    lua_getfield(L, -1, name);
    if (lua_isnil(L, -1))
      lua_pop(L, 1);
    else
      lua_setfield(L, -3, metamethod);
  }
  lua_pop(L, 2);
}

}  // namespace facula::interp
