#include "interp/sandbox.h"

#include "interp/pattern.h"
#include "interp/register.h"

namespace facula::interp {

void close_sandbox(lua_State* L, State& S, const std::vector<std::string>& folders) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "torch.sandbox");
  call_lua(L, S, 1, 1);
  lua_newtable(L);
  open_patterns(L, S);
  lua_newtable(L);
  for (size_t i = 0; i < folders.size(); ++i) {
    lua_pushlstring(L, folders[i].data(), folders[i].size());
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  call_lua(L, S, 2, 1);
  S.environment = luaL_ref(L, LUA_REGISTRYINDEX);
}

}  // namespace facula::interp
