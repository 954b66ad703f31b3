#include "interp/safetensors.h"

#include <optional>

#include "core/safetensors.h"
#include "interp/memory.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr size_t kMany = 10'000;

int read(Call& call) {
  lua_State* L = call.L;
  const Safetensors file = read_safetensors(call.get<std::string>(0), call.get<bool>(1));
  std::optional<CollectorRest> rest;
  if (file.names.size() >= kMany) rest.emplace(L);
  const int n = static_cast<int>(file.names.size());
  lua_createtable(L, n, 0);
  lua_createtable(L, 0, n);
  for (int i = 0; i < n; ++i) {
    push_string(L, file.names[static_cast<size_t>(i)]);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -4, i + 1);
    push_tensor(L, call.S, file.tensors[static_cast<size_t>(i)]);
    lua_rawset(L, -3);
  }
  lua_newtable(L);
  int count = 0;
  for (const size_t i : file.unsigned_) {
    push_string(L, file.names[i]);
    lua_rawseti(L, -2, ++count);
  }
  lua_newtable(L);
  for (const auto& [name, text] : file.metadata) {
    push_string(L, name);
    push_string(L, text);
    lua_rawset(L, -3);
  }
  return 4;
}

int format(Call& call) {
  lua_State* L = call.L;
  lua_newtable(L);
  for (int i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    const std::string_view name = safetensors_name(dtype);
    if (name.empty()) continue;
    push_dtype(L, call.S, dtype);
    push_string(L, name);
    lua_rawset(L, -3);
  }
  lua_pushnumber(L, static_cast<lua_Number>(kLongestSafetensorsHeader));
  return 2;
}

constexpr Native kNatives[] = {
    {"core.read_safetensors(str path, bool mmap)", read,
     "The names in the order of the file, the tensors by name, the names of those that hold unsigned elements as "
     "signed ones, "
     "and the metadata."},
    {"core.safetensors_format()", format, "The format's names by dtypes, and the most bytes that a header has."},
};

}  // namespace

void open_safetensors(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
