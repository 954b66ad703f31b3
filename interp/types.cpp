#include "interp/types.h"

#include "interp/number.h"
#include "interp/register.h"

namespace facula::interp {

Tensor position_tensor(const IntList& positions) {
  Tensor t = empty({static_cast<int64_t>(positions.size())}, DType::Int64);
  std::copy(positions.begin(), positions.end(), t.data<int64_t>());
  return t;
}

const char* to_symbol(lua_State* L, const State& S, int index) {
  auto* p = static_cast<const char**>(to_object(L, S.symbol, index));
  return p ? *p : nullptr;
}

void push_dtype(lua_State* L, const State& S, DType t) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, S.dtypes);
  lua_rawgeti(L, -1, static_cast<int>(t) + 1);
  lua_remove(L, -2);
}

void push_device(lua_State* L, const State& S, Device d) { push_object(L, S.device, d); }

template <class List>
static void push_numbers(lua_State* L, const State& S, const List& list) {
  lua_createtable(L, static_cast<int>(list.size()), 0);
  int i = 0;
  for (const auto v : list) {
    push_scalar(L, S, Scalar(v));
    lua_rawseti(L, -2, ++i);
  }
}

void push_sizes(lua_State* L, const State& S, const IntList& sizes) {
  push_numbers(L, S, sizes);
  S.size.push(L);
  lua_setmetatable(L, -2);
}

void push_value(lua_State* L, State& S, const Value& v) {
  if (v.is<Tensor>()) {
    push_tensor(L, S, v.get<Tensor>());
  } else if (v.is<Scalar>()) {
    push_scalar(L, S, v.get<Scalar>());
  } else if (v.is<Tensors>()) {
    push_tensors(L, S, v.get<Tensors>());
  } else if (v.is<IntList>()) {
    push_sizes(L, S, v.get<IntList>());
  } else if (v.is<DType>()) {
    push_dtype(L, S, v.get<DType>());
  } else if (v.is<Device>()) {
    push_device(L, S, v.get<Device>());
  } else if (v.is<Ref<Generator>>()) {
    push_object(L, S.generator, v.get<Ref<Generator>>());
  } else if (v.is<std::string>()) {
    push_string(L, v.get<std::string>());
  } else if (v.is<std::vector<double>>()) {
    push_numbers(L, S, v.get<std::vector<double>>());
  } else {
    lua_pushnil(L);
  }
}

namespace {

// ---- dtypes ----

int show_dtype(lua_State* L, Function& f) {
  const DType* t = to_dtype(L, *f.state, 1);
  check(t, "tostring: expected a dtype");
  push_string(L, text("torch.", *t));
  return 1;
}

int dtype_field(lua_State* L, Function& f) {
  const DType* t = to_dtype(L, *f.state, 1);
  check(t, "expected a dtype");
  const std::string_view field = lua_type(L, 2) == LUA_TSTRING ? to_string(L, 2) : "";
  if (field == "itemsize") {
    lua_pushinteger(L, item_size(*t));
  } else if (field == "is_floating_point") {
    lua_pushboolean(L, is_floating(*t));
  } else if (field == "is_complex") {
    lua_pushboolean(L, is_complex(*t));
  } else if (field == "is_signed") {
    lua_pushboolean(L, *t != DType::Bool && *t != DType::UInt8);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

constexpr std::pair<const char*, DType> kDTypeAliases[] = {
    {"half", DType::Float16}, {"float", DType::Float32}, {"double", DType::Float64},   {"short", DType::Int16},
    {"int", DType::Int32},    {"long", DType::Int64},    {"cfloat", DType::Complex64}, {"cdouble", DType::Complex128}};

void open_dtypes(lua_State* L, State& S) {
  new_metatable(L, S.dtype, "torch.dtype");
  const Metamethod metamethods[] = {{"__tostring", door<show_dtype>}, {"__index", door<dtype_field>}};
  set_metamethods(L, S, metamethods);
  lua_pop(L, 1);

  lua_createtable(L, kDTypes, 0);
  for (int i = 0; i < kDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    push_object(L, S.dtype, t);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, name(t));
    lua_rawseti(L, -2, i + 1);
  }
  S.dtypes = luaL_ref(L, LUA_REGISTRYINDEX);
  for (const auto& [alias, t] : kDTypeAliases) {
    push_dtype(L, S, t);
    lua_setfield(L, -2, alias);
  }
}

// ---- devices ----

int show_device(lua_State* L, Function& f) {
  const Device* d = to_device(L, *f.state, 1);
  check(d, "tostring: expected a device");
  push_string(L, text(*d));
  return 1;
}

int equal_devices(lua_State* L, Function& f) {
  const Device *a = to_device(L, *f.state, 1), *b = to_device(L, *f.state, 2);
  lua_pushboolean(L, a && b && *a == *b);
  return 1;
}

int device_field(lua_State* L, Function& f) {
  const Device* d = to_device(L, *f.state, 1);
  check(d, "expected a device");
  const std::string_view field = lua_type(L, 2) == LUA_TSTRING ? to_string(L, 2) : "";
  if (field == "type") {
    const std::string shown = text(*d);
    push_string(L, shown.substr(0, shown.find(':')));
  } else if (field == "index" && d->is_cuda()) {
    lua_pushinteger(L, d->index);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

int device(Call& c) {
  Device d = c.get<Device>(0);
  if (c.given(1)) {
    check(d.is_cuda(), "device: only cuda devices have an index, got one for ", d);
    d = parse_device(text("cuda:", c.get<int64_t>(1)));
  }
  push_device(c.L, c.S, d);
  return 1;
}

void open_devices(lua_State* L, State& S) {
  new_metatable(L, S.device, "torch.device");
  const Metamethod metamethods[] = {
      {"__tostring", door<show_device>}, {"__eq", door<equal_devices>}, {"__index", door<device_field>}};
  set_metamethods(L, S, metamethods);
  lua_pop(L, 1);
  const Native natives[] = {{"device(Device type, int? index=None) -> Device", device,
                             "A device by name, 'cpu', 'meta' or 'cuda', and number.", "torch.device('meta')"}};
  add_natives(L, S, natives);
}

// ---- torch.Size ----

IntList sizes_at(lua_State* L, int index) {
  IntList list;
  if (lua_istable(L, index)) {
    for (int i = 1, n = static_cast<int>(lua_objlen(L, index)); i <= n; ++i) {
      lua_rawgeti(L, index, i);
      list.push_back(static_cast<int64_t>(lua_tonumber(L, -1)));
      lua_pop(L, 1);
    }
  }
  return list;
}

int show_sizes(lua_State* L, Function&) {
  const IntList sizes = sizes_at(L, 1);
  std::string s = "torch.Size([";
  for (size_t i = 0; i < sizes.size(); ++i) s += (i ? ", " : "") + std::to_string(sizes[i]);
  push_string(L, s + "])");
  return 1;
}

int equal_sizes(lua_State* L, Function&) {
  lua_pushboolean(L, lua_istable(L, 1) && lua_istable(L, 2) && sizes_at(L, 1) == sizes_at(L, 2));
  return 1;
}

int new_sizes(Call& c) {
  push_sizes(c.L, c.S, c.get<IntList>(0));
  return 1;
}

int sizes_numel(Call& c) {
  push_integer(c.L, c.S, numel_of(c.get<IntList>(0)));
  return 1;
}

int sizes_table(Call& c) {
  push_numbers(c.L, c.S, c.get<IntList>(0));
  return 1;
}

void open_sizes(lua_State* L, State& S) {
  new_metatable(L, S.size, "torch.Size");
  const Metamethod metamethods[] = {{"__tostring", door<show_sizes>}, {"__eq", door<equal_sizes>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  const Native methods[] = {
      {"numel(int[] self) -> int", sizes_numel, "The product of the sizes.", "torch.ones(2, 3):size():numel()"},
      {"totable(int[] self) -> any", sizes_table, "The sizes as a plain table.", "torch.ones(2, 3):size():totable()"},
      {"tolist(int[] self) -> any", sizes_table, "The sizes as a plain table.", "torch.ones(2, 3):size():tolist()"}};
  add_natives(L, S, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  const Native natives[] = {{"Size(int[]... sizes) -> any", new_sizes, "A list of sizes.", "torch.Size(2, 3):numel()"}};
  add_natives(L, S, natives);
}

// ---- symbols ----

int show_symbol(lua_State* L, Function& f) {
  const char* s = to_symbol(L, *f.state, 1);
  check(s, "tostring: expected a symbol");
  lua_pushstring(L, s);
  return 1;
}

void open_symbols(lua_State* L, State& S) {
  new_metatable(L, S.symbol, "torch.symbol");
  const Metamethod metamethods[] = {{"__tostring", door<show_symbol>}};
  set_metamethods(L, S, metamethods);
  lua_pop(L, 1);
  for (const char* name : {"torch.newaxis", "torch.strided", "torch.contiguous_format", "torch.preserve_format",
                           "torch.channels_last", "torch.channels_last_3d"}) {
    push_object(L, S.symbol, name);
    set_path(L, std::string_view(name).substr(6));
  }
}

}  // namespace

void open_types(lua_State* L, State& S) {
  open_dtypes(L, S);
  open_devices(L, S);
  open_sizes(L, S);
  open_symbols(L, S);
}

}  // namespace facula::interp
