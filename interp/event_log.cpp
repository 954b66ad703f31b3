#include "interp/event_log.h"

#include <unistd.h>

#include "core/crc32c.h"
#include "core/file.h"
#include "interp/register.h"

namespace facula::interp {
namespace {

int append(Call& call) {
  append_file(call.get<std::string>(0), call.arguments[1].get<std::string>(), "append_file");
  return 0;
}

int make(Call& call) {
  make_folders(call.get<std::string>(0), "make_folders");
  return 0;
}

int checksum(Call& call) {
  const auto& bytes = call.arguments[0].get<std::string>();
  lua_pushnumber(call.L, crc32c(bytes.data(), bytes.size()));
  return 1;
}

// The machine's name, and the number of this process.
int host(Call& call) {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  lua_pushstring(call.L, name[0] ? name : "localhost");
  lua_pushnumber(call.L, getpid());
  return 2;
}

constexpr Native kNatives[] = {
    {"core.append_file(str path, str bytes)", append},
    {"core.make_folders(str path)", make},
    {"core.host() -> (str name, int process)", host},
    {"core.crc32c(str bytes) -> int", checksum},
};

}  // namespace

void open_event_logs(lua_State* L, State& S) { add_natives(L, S, kNatives); }

}  // namespace facula::interp
