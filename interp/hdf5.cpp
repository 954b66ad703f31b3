#include "interp/hdf5.h"

#include "core/hdf5_client.h"
#include "interp/memory.h"
#include "interp/register.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

using hdf5::Client;
using hdf5::Value;

// Files that nobody closes go with the garbage before there are many processes.
constexpr int64_t kProcessBytes = int64_t{8} << 20;

Client& file(Call& c) {
  const auto* p = static_cast<std::shared_ptr<Client>*>(to_object(c.L, c.S.hdf5, c.source(0)));
  check(p && *p, "hdf5: expected an open file, got ", describe(c.L, c.S, c.source(0)));
  return **p;
}

int open(Call& c) {
  const auto mode = c.get<std::string>(1);
  check(mode == "r" || mode == "w" || mode == "a", "hdf5.open: the mode is 'r', 'w' or 'a', got '", mode, "'");
  const hdf5::Mode kind = mode == "r" ? hdf5::Mode::Read : mode == "w" ? hdf5::Mode::Write : hdf5::Mode::Append;
  note_foreign_memory(c.S, kProcessBytes);
  collect_if_due(c.L, c.S);
  push_object(c.L, c.S.hdf5, std::make_shared<Client>(c.get<std::string>(0), kind));
  return 1;
}

int close(Call& c) {
  file(c).close();
  return 0;
}

// ---- values ----

// A tensor, a text, or a list of texts with its sizes beside it.
int push(Call& c, const Value& value) {
  if (value.numbers.defined()) {
    push_tensor(c.L, c.S, value.numbers);
    return 1;
  }
  if (value.sizes.empty()) {
    push_string(c.L, value.texts[0]);
    return 1;
  }
  lua_createtable(c.L, static_cast<int>(value.texts.size()), 0);
  int i = 0;
  for (const std::string& s : value.texts) {
    push_string(c.L, s);
    lua_rawseti(c.L, -2, ++i);
  }
  return 1;
}

int push_names(Call& c, const std::vector<std::string>& names) {
  Value list;
  list.texts = names;
  list.sizes = {static_cast<int64_t>(names.size())};
  return push(c, list);
}

Value value_at(Call& c, int i, const char* operation) {
  const int index = c.source(i);
  Value value;
  if (const Tensor* x = to_tensor(c.L, c.S, index)) {
    check(!x->is_meta(), operation, ": a meta tensor has no elements");
    value.numbers = *x;
    return value;
  }
  if (lua_type(c.L, index) == LUA_TSTRING) {
    value.texts.emplace_back(to_string(c.L, index));
    return value;
  }
  check(lua_istable(c.L, index), operation, ": expected a tensor, a string or a list of strings, got ",
        describe(c.L, c.S, index));
  const int count = static_cast<int>(lua_objlen(c.L, index));
  for (int k = 1; k <= count; ++k) {
    lua_rawgeti(c.L, index, k);
    check(lua_type(c.L, -1) == LUA_TSTRING, operation, ": item ", k, " of the list is ", describe(c.L, c.S, -1),
          ", not a string");
    value.texts.emplace_back(to_string(c.L, -1));
    lua_pop(c.L, 1);
  }
  value.sizes = {count};
  return value;
}

// ---- methods ----

// "group", or "dataset" with its sizes and dtype; nil for the dtype of texts.
int about(Call& c) {
  const hdf5::About found = file(c).about(c.get<std::string>(1), c.get<std::string>(2));
  lua_pushstring(c.L, found.is_group ? "group" : "dataset");
  if (found.is_group) return 1;
  push_sizes(c.L, c.S, found.sizes);
  if (!found.dtype) return 2;
  push_dtype(c.L, c.S, *found.dtype);
  return 3;
}

int exists(Call& c) {
  lua_pushboolean(c.L, file(c).exists(c.get<std::string>(1)));
  return 1;
}

int keys(Call& c) { return push_names(c, file(c).keys(c.get<std::string>(1))); }

int make_group(Call& c) {
  file(c).make_group(c.get<std::string>(1));
  return 0;
}

int remove(Call& c) {
  file(c).remove(c.get<std::string>(1));
  return 0;
}

// `ranges` has start, count and step for one dimension after the other, which Lua has checked.
int read(Call& c) {
  const auto name = c.get<std::string>(1);
  const IntList list = c.get<IntList>(2);
  std::vector<hdf5::Range> ranges;
  for (size_t i = 0; i + 2 < list.size(); i += 3) ranges.push_back({list[i], list[i + 1], list[i + 2]});
  const size_t dims = ranges.empty() ? 0 : file(c).about(name).sizes.size();
  check(ranges.size() == dims, "hdf5.read: ", ranges.size(), " ranges for ", dims, " dimensions");
  return push(c, file(c).read(name, ranges));
}

int write(Call& c) {
  hdf5::Storage storage{c.get<IntList>(3), static_cast<int>(c.get<int64_t>(4))};
  file(c).write(c.get<std::string>(1), value_at(c, 2, "hdf5.write"), storage);
  return 0;
}

int attributes(Call& c) { return push_names(c, file(c).attributes(c.get<std::string>(1))); }

int attribute(Call& c) {
  const auto value = file(c).attribute(c.get<std::string>(1), c.get<std::string>(2));
  return value ? push(c, *value) : 0;
}

int set_attribute(Call& c) {
  file(c).set_attribute(c.get<std::string>(1), c.get<std::string>(2), value_at(c, 3, "hdf5.set_attribute"));
  return 0;
}

constexpr Native kFunctions[] = {{"core.open_hdf5(str path, str mode) -> any", open}};
constexpr Native kMethods[] = {
    {"close(any self)", close},
    {"about(any self, str name, str operation='info') -> any", about},
    {"exists(any self, str name) -> bool", exists},
    {"keys(any self, str group) -> any", keys},
    {"make_group(any self, str name)", make_group},
    {"remove(any self, str name)", remove},
    {"read(any self, str name, int[] ranges=[]) -> any", read},
    {"write(any self, str name, any value, int[] chunks=[], int compression=0)", write},
    {"attributes(any self, str name) -> any", attributes},
    {"attribute(any self, str name, str key) -> any", attribute},
    {"set_attribute(any self, str name, str key, any value)", set_attribute},
};

}  // namespace

void open_hdf5(lua_State* L, State& S) {
  add_natives(L, S, kFunctions);
  new_metatable(L, S.hdf5, "torch.HDF5");
  const Metamethod metamethods[] = {{"__gc", collect_object<std::shared_ptr<Client>, &State::hdf5>}};
  set_metamethods(L, S, metamethods);
  lua_newtable(L);
  add_natives(L, S, kMethods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

}  // namespace facula::interp
