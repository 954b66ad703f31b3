#include "interp/safetensors.h"

#include "core/safetensors.h"
#include "interp/handle.h"

namespace facula::interp {
namespace {

void push_string(lua_State* L, const std::string& s) { lua_pushlstring(L, s.data(), s.size()); }

int read(Call& call) {
  lua_State* L = call.L;
  const Safetensors file = read_safetensors(call.get<std::string>(0), call.get<bool>(1));
  lua_createtable(L, static_cast<int>(file.names.size()), 0);
  for (size_t i = 0; i < file.names.size(); ++i) {
    push_string(L, file.names[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  push_tensors(L, call.S, file.tensors);
  lua_newtable(L);
  int count = 0;
  for (const size_t i : file.unsigned_) {
    lua_pushnumber(L, static_cast<lua_Number>(i + 1));
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

constexpr Native kNatives[] = {{"core.read_safetensors(str path, bool mmap)", read}};

}  // namespace

void open_safetensors(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
