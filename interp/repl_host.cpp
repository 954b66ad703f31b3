#include "interp/repl_host.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "interp/interrupt.h"
#include "interp/program.h"
#include "interp/report.h"

namespace facula::interp {
namespace {

bool wants_colours(Options::Colour when, int file) {
  if (when != Options::Colour::Auto) return when == Options::Colour::Always;
  const char* const terminal = std::getenv("TERM");
  const char* const refused = std::getenv("NO_COLOR");
  return isatty(file) && terminal && std::strcmp(terminal, "dumb") != 0 && !(refused && *refused);
}

bool is_folder(const std::string& path) {
  struct stat about;
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

int list_folder(lua_State* L) {
  const std::string path = luaL_checkstring(L, 1);
  lua_newtable(L);
  DIR* const folder = opendir(path.c_str());
  if (!folder) return 1;
  int n = 0;
  while (const dirent* const entry = readdir(folder)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    lua_pushstring(L, (is_folder(path + '/' + name) ? name + '/' : name).c_str());
    lua_rawseti(L, -2, ++n);
  }
  closedir(folder);
  return 1;
}

int folder(lua_State* L) {
  char path[PATH_MAX];
  lua_pushstring(L, getcwd(path, sizeof path) ? path : "?");
  return 1;
}

int change_folder(lua_State* L) {
  const char* const path = luaL_checkstring(L, 1);
  if (chdir(path) != 0) return luaL_error(L, "cannot change to %s: %s", path, std::strerror(errno));
  return 0;
}

int report(lua_State* L) {
  lua_pushstring(L, environment_report().c_str());
  return 1;
}

int summary(lua_State* L) {
  lua_pushstring(L, build_summary().c_str());
  return 1;
}

int catch_again(lua_State* L) {
  catch_interrupts(L);
  return 0;
}

// What is printed must not come between the replies: these get the standard output for themselves, and file 1 is stderr from
// here on.
int take_output(lua_State* L) {
  std::fflush(stdout);
  FILE* const replies = fdopen(dup(STDOUT_FILENO), "w");
  dup2(STDERR_FILENO, STDOUT_FILENO);
  lua_pushlightuserdata(L, replies);
  lua_pushcclosure(
      L,
      [](lua_State* L_) {
        auto* const file = static_cast<FILE*>(lua_touserdata(L_, lua_upvalueindex(1)));
        size_t n = 0;
        const char* const line = luaL_checklstring(L_, 1, &n);
        std::fwrite(line, 1, n, file);
        std::fputc('\n', file);
        std::fflush(file);
        return 0;
      },
      1);
  return 1;
}

constexpr luaL_Reg kFunctions[] = {{"list_folder", list_folder},
                                   {"folder", folder},
                                   {"change_folder", change_folder},
                                   {"report", report},
                                   {"summary", summary},
                                   {"describe_error", describe_error},
                                   {"catch_interrupts", catch_again},
                                   {"take_output", take_output}};

void set_flag(lua_State* L, const char* name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

}  // namespace

void push_host(lua_State* L, const Options& options) {
  lua_newtable(L);
  for (const auto& [name, function] : kFunctions) {
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, name);
  }
  set_flag(L, "terminal", !options.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
  set_flag(L, "coloured", !options.json && wants_colours(options.colour, STDOUT_FILENO));
  set_flag(L, "coloured_errors", !options.json && wants_colours(options.colour, STDERR_FILENO));
}

}  // namespace facula::interp
