#include "interp/program.h"

#include <cstdio>

#include "interp/state.h"
#include "interp/traceback.h"

namespace facula::interp {
namespace {

// ---- errors ---------------------------------------------------------------------------------------------------------------

/// The error value as text: a string, what __tostring says, or its type.
void push_message(lua_State* L, int value) {
  if (luaL_getmetafield(L, value, "__tostring")) {
    lua_pushvalue(L, value);
    if (lua_pcall(L, 1, 1, 0) == 0 && lua_isstring(L, -1)) return;
  }
  if (lua_isstring(L, value))
    lua_pushvalue(L, value);
  else
    lua_pushfstring(L, "(the error is a %s value)", luaL_typename(L, value));
}

int explain(lua_State* L) {
  Interruptible::disarm(L);  // a kernel may have seen Ctrl-C first; the hook must not raise in here
  lua_settop(L, 1);
  push_message(L, 1);
  const std::string frames = traceback(L);
  lua_pushlstring(L, frames.data(), frames.size());
  lua_concat(L, 2);
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

/// Modules beside the script are found first.
void add_folder(lua_State* L, const std::string& script) {
  const size_t slash = script.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "" : script.substr(0, slash);
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
  return report(L, luaL_loadbuffer(L, code.data(), code.size(), "=(command line)") == 0 &&
                       call_with_traceback(L, 0, 0, Interruptible::IfDeaf::EndProgram));
}

/// `-l a.b`: the module also becomes the global `a.b` if it has no dots in its name and gives back a value.
bool require_module(lua_State* L, const std::string& name) {
  lua_getglobal(L, "require");
  lua_pushlstring(L, name.data(), name.size());
  if (!report(L, call_with_traceback(L, 1, 1, Interruptible::IfDeaf::EndProgram))) return false;
  if (lua_isboolean(L, -1) || name.find('.') != std::string::npos)
    lua_pop(L, 1);
  else
    lua_setglobal(L, name.c_str());
  return true;
}

bool run_script(lua_State* L, const std::string& path, int position, int argc, char** argv) {
  const bool from_stdin = path == "-";
  if (!from_stdin) add_folder(L, path);
  if (!report(L, luaL_loadfile(L, from_stdin ? nullptr : path.c_str()) == 0)) return false;
  const int arguments = argc - position - 1;
  luaL_checkstack(L, arguments, "too many arguments on the command line");
  for (int i = position + 1; i < argc; ++i) lua_pushstring(L, argv[i]);
  return report(L, call_with_traceback(L, arguments, 0, Interruptible::IfDeaf::EndProgram));
}

}  // namespace

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
  return status == 0;
}

int run_program(lua_State* L, const Options& options, int argc, char** argv) {
  set_arg(L, options.script_position, argc, argv);
  bool good = true;
  for (const Options::Step& step : options.steps) {
    good = step.is_module ? require_module(L, step.text) : run_code(L, step.text);
    if (!good) break;
  }
  if (good && options.script) good = run_script(L, *options.script, options.script_position, argc, argv);
  if (good) return 0;
  return Interruptible::requested() ? kInterruptedExit : 1;
}

}  // namespace facula::interp
