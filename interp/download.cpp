#include "interp/download.h"

#include "core/digest.h"
#include "core/download.h"
#include "core/file.h"
#include "interp/register.h"

namespace facula::interp {
namespace {

// Adds to a file what is at an address; `progress(done, total)` is called on the way, `total` nil where it is not known.
int download(Call& call) {
  const int callback = call.source(2);
  facula::download(call.get<std::string>(0), call.get<std::string>(1), [&](int64_t done, int64_t total) {
    if (callback == 0) return;
    lua_pushvalue(call.L, callback);
    lua_pushnumber(call.L, static_cast<lua_Number>(done));
    total < 0 ? lua_pushnil(call.L) : lua_pushnumber(call.L, static_cast<lua_Number>(total));
    call_lua(call.L, call.S, 2, 0);
  });
  return 0;
}

int digest(Call& call) {
  const std::string digits = file_digest(call.get<std::string>(0), call.get<std::string>(1), "digest");
  lua_pushlstring(call.L, digits.data(), digits.size());
  return 1;
}

// A list of names in order; those of folders end in a slash.
int list_folder(Call& call) {
  const auto entries = facula::list_folder(call.get<std::string>(0), call.get<std::string>(1));
  lua_createtable(call.L, static_cast<int>(entries.size()), 0);
  int i = 0;
  for (const std::string& name : entries) {
    lua_pushlstring(call.L, name.data(), name.size());
    lua_rawseti(call.L, -2, ++i);
  }
  return 1;
}

constexpr Native kNatives[] = {
    {"core.download(str url, str path, any progress=None)", download},
    {"core.digest(str path, str algorithm) -> str", digest},
    {"core.list_folder(str path, str operation) -> any", list_folder},
};

}  // namespace

void open_downloads(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
