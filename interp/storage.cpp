// x:storage(): the run of memory that views share, element by element.
#include "interp/method.h"
#include "interp/number.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

/// A storage seen through the dtype of the tensor it was asked for.
struct TypedStorage {
  Storage storage;
  DType dtype = DType::Float32;

  int64_t size() const { return static_cast<int64_t>(storage->bytes()) / item_size(dtype); }
};

const TypedStorage& to_storage(lua_State* L, const State& S, int index) {
  const auto* s = static_cast<const TypedStorage*>(to_object(L, S.storage, index));
  check(s && s->storage, "storage: expected a storage, got ", describe(L, S, index));
  return *s;
}

// The element at the position at stack index 2.
Tensor element(lua_State* L, const State& S) {
  const TypedStorage& s = to_storage(L, S, 1);
  int64_t i;
  check(to_integer(L, S, 2, i), "storage: expected a position, got ", describe(L, S, 2));
  check(i >= 1 && i <= s.size(), "storage: position ", i, " is outside 1..", s.size());
  return Tensor(make_ref<TensorImpl>(s.storage, s.dtype, Sizes{}, IntList{}, i - 1));
}

int field(lua_State* L, Function& f) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_getmetatable(L, 1);
    lua_getfield(L, -1, "methods");
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
  } else {
    push_scalar(L, *f.state, item(element(L, *f.state)));
  }
  return 1;
}

int set_field(lua_State* L, Function& f) {
  const Tensor place = element(L, *f.state);
  Scalar v;
  check(to_scalar(L, *f.state, 3, v), "storage: expected a number, got ", describe(L, *f.state, 3));
  check(place.is_cpu(), "storage: elements on ", place.device(), " cannot be set one by one");
  with_type(place.dtype(), [&]<class T>() { *place.data<T>() = v.to<T>(); });
  place.storage()->bump_version();
  return 0;
}

int size(lua_State* L, Function& f) {
  push_integer(L, *f.state, to_storage(L, *f.state, 1).size());
  return 1;
}

int nbytes(lua_State* L, Function& f) {
  push_integer(L, *f.state, static_cast<int64_t>(to_storage(L, *f.state, 1).storage->bytes()));
  return 1;
}

int data_ptr(lua_State* L, Function& f) {
  push_integer(L, *f.state,
               static_cast<int64_t>(reinterpret_cast<intptr_t>(to_storage(L, *f.state, 1).storage->data())));
  return 1;
}

int equal(lua_State* L, Function& f) {
  lua_pushboolean(L, to_storage(L, *f.state, 1).storage == to_storage(L, *f.state, 2).storage);
  return 1;
}

int show(lua_State* L, Function& f) {
  const TypedStorage& s = to_storage(L, *f.state, 1);
  const std::string shown = text("torch.Storage of ", s.size(), " x ", s.dtype, " on ", s.storage->device());
  push_string(L, shown);
  return 1;
}

}  // namespace

void push_storage(lua_State* L, State& S, const Tensor& x) {
  push_object(L, S.storage, TypedStorage{x.storage(), x.dtype()});
}

void open_storages(lua_State* L, State& S) {
  new_metatable(L, S.storage, "torch.Storage");
  const Metamethod metamethods[] = {
      {"__index", door<field>},   {"__newindex", door<set_field>},
      {"__len", door<size>},      {"__eq", door<equal>},
      {"__tostring", door<show>}, {"__gc", collect_object<TypedStorage, &State::storage>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  const Variadic methods[] = {{"size", door<size>}, {"nbytes", door<nbytes>}, {"data_ptr", door<data_ptr>}};
  add_variadics(L, S, methods);
  lua_setfield(L, -2, "methods");
  lua_pop(L, 1);
}

}  // namespace facula::interp
