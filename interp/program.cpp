#include "interp/program.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "interp/limited_call.h"
#include "interp/state.h"
#include "interp/traceback.h"

namespace facula::interp {
namespace {

constexpr auto kEnd = Interruptible::IfDeaf::EndProgram;

// ---- errors ---------------------------------------------------------------------------------------------------------------

int explain(lua_State* L) {
  lua_concat(L, describe_error(L));
  return 1;
}

bool report(lua_State* L, bool good) {
  if (good) return true;
  std::fflush(stdout);
  size_t n = 0;
  const char* const message = lua_tolstring(L, -1, &n);
  std::fputs("facula: ", stderr);
  std::fwrite(message, 1, n, stderr);
  std::fputc('\n', stderr);
  lua_pop(L, 1);
  return false;
}

// ---- the parts of a command line ------------------------------------------------------------------------------------------

void set_arg(lua_State* L, int script, int argc, char** argv) {
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; ++i) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

bool in_sandbox(lua_State* L) { return find_state(L)->environment != LUA_NOREF; }

std::string folder_of(const std::string& script) {
  const size_t slash = script.rfind('/');
  return slash == std::string::npos ? "." : script.substr(0, slash);
}

/// Modules in the folder are found first.
void add_folder(lua_State* L, const std::string& folder) {
  if (in_sandbox(L)) return;
  if (folder.find(';') != std::string::npos || folder.find('?') != std::string::npos)
    return;  // means something else there
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  const char* const path = lua_tostring(L, -1);
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder.c_str(), folder.c_str(), path ? path : "");
  lua_setfield(L, -3, "path");
  lua_pop(L, 2);
}

bool run_code(lua_State* L, const std::string& code) {
  return report(
      L, luaL_loadbuffer(L, code.data(), code.size(), "=(command line)") == 0 && call_with_traceback(L, 0, 0, kEnd));
}

/// `-l a.b`: the module also becomes the global `a.b` if it has no dots in its name and gives back a value.
bool require_module(lua_State* L, const std::string& name) {
  push_require(L, name.c_str());
  if (!report(L, call_with_traceback(L, 1, 1, kEnd))) return false;
  if (lua_isboolean(L, -1) || name.find('.') != std::string::npos)
    lua_pop(L, 1);
  else
    lua_setglobal(L, name.c_str());
  return true;
}

/// Calls a function of stdlib/program.lua with a value, which it pops.
bool configure(lua_State* L, const char* function) {
  push_require(L, "torch.program");
  if (!report(L, call_with_traceback(L, 1, 1, kEnd))) return false;
  lua_getfield(L, -1, function);
  lua_replace(L, -2);
  lua_insert(L, -2);
  return report(L, call_with_traceback(L, 1, 0, kEnd));
}

bool run_step(lua_State* L, const Options::Step& step) {
  switch (step.kind) {
    case Options::Step::Kind::Code: return run_code(L, step.text);
    case Options::Step::Kind::Module: return require_module(L, step.text);
    case Options::Step::Kind::Jit: lua_pushstring(L, step.text.c_str()); return configure(L, "jit");
  }
  return false;
}

bool is_word(const std::string& s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

/// Pushes the script's chunk, or the parser's message and returns false. `info`, `check` and other files of stdlib/command
/// are scripts, too, where no file has that name.
bool load_script(lua_State* L, const std::string& path) {
  struct stat ignored;
  if (is_word(path) && !in_sandbox(L) && stat(path.c_str(), &ignored) != 0) {
    push_require(L, "torch.program");
    if (!call_with_traceback(L, 1, 1, kEnd)) return false;
    lua_getfield(L, -1, "command");
    lua_pushstring(L, path.c_str());
    if (!call_with_traceback(L, 1, 1, kEnd)) return false;
    if (lua_isfunction(L, -1)) return true;
    lua_settop(L, 0);
  }
  if (path != "-") add_folder(L, folder_of(path));
  const char* const file = path == "-" ? nullptr : path.c_str();
  return luaL_loadfilex(L, file, in_sandbox(L) ? "t" : nullptr) == 0;
}

bool run_script(lua_State* L, const std::string& path, int position, int argc, char** argv) {
  if (!report(L, load_script(L, path))) return false;
  const int arguments = argc - position - 1;
  luaL_checkstack(L, arguments, "too many arguments on the command line");
  for (int i = position + 1; i < argc; ++i) lua_pushstring(L, argv[i]);
  return report(L, call_with_traceback(L, arguments, 0, kEnd));
}

bool prepare(lua_State* L, const Options& options) {
  if (const char* const folder = std::getenv("FACULA_PATH"); folder && *folder) add_folder(L, folder);
  if (options.strictness > 0) {
    lua_pushinteger(L, options.strictness);
    if (!configure(L, "strict")) return false;
  }
  if (options.device.empty()) return true;
  lua_pushstring(L, options.device.c_str());
  return configure(L, "device");
}

bool run_all(lua_State* L, const Options& options, int argc, char** argv) {
  if (!prepare(L, options)) return false;
  for (const Options::Step& step : options.steps)
    if (!run_step(L, step)) return false;
  return !options.script || run_script(L, *options.script, options.script_position, argc, argv);
}

bool run_profiled(lua_State* L, const Options& options, int argc, char** argv) {
  if (!options.profile) return run_all(L, options, argc, argv);
  lua_pushnil(L);
  if (!configure(L, "start_profile")) return false;
  const bool good = run_all(L, options, argc, argv);
  lua_pushstring(L, options.profile->c_str());
  return configure(L, "stop_profile") && good;
}

}  // namespace

void push_require(lua_State* L, const char* module) {
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
}

int describe_error(lua_State* L) {
  Interruptible::disarm(L);  // a kernel may have seen Ctrl-C first; the hook must not raise in here
  lua_settop(L, 1);
  for (const std::string& part : {error_message(L, 1), traceback(L)}) lua_pushlstring(L, part.data(), part.size());
  return 2;
}

bool call_with_traceback(lua_State* L, int arguments, int results, Interruptible::IfDeaf deaf) {
  const int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, explain);
  lua_insert(L, base);
  int status;
  {
    const Interruptible interruptible(L, deaf);
    status = lua_pcall(L, arguments, results, base);
  }
  lua_remove(L, base);
  State& S = *find_state(L);
  if (status == LUA_ERRMEM && S.max_memory) S.memory_refused = true;
  return status == 0;
}

int run_program(lua_State* L, const Options& options, int argc, char** argv) {
  set_arg(L, options.script_position, argc, argv);
  const LimitedCall limited(*find_state(L));
  if (run_profiled(L, options, argc, argv)) return 0;
  if (limit_hit(*find_state(L))) return kLimitExit;
  return Interruptible::requested() ? kInterruptedExit : 1;
}

}  // namespace facula::interp
