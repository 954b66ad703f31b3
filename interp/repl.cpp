// Every input is a chunk of its own. An expression is tried first, so that its value can be shown; what ends too early for the
// parser goes on in the next line. Chunks run in the session's environment, see Note [Locals of a session].
#include "interp/repl.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "interp/line_editor.h"
#include "interp/program.h"
#include "interp/repl_complete.h"
#include "interp/repl_help.h"
#include "interp/repl_input.h"
#include "interp/repl_print.h"
#include "interp/report.h"

namespace facula::interp {
namespace {

constexpr const char *kPrompt = "> ", *kContinued = "..> ";
constexpr const char* kChunk = "=stdin";

bool wants_colours(int file) {
  const char* const terminal = std::getenv("TERM");
  const char* const refused = std::getenv("NO_COLOR");
  return isatty(file) && terminal && std::strcmp(terminal, "dumb") != 0 && !(refused && *refused);
}

void say(const std::string& s) {
  std::fwrite(s.data(), 1, s.size(), stdout);
  std::fputc('\n', stdout);
}

// ---- the environment ------------------------------------------------------------------------------------------------------

// environment[name] = value for names that it does not have yet: locals of the session (upvalue 1) stay, others are globals.
int set_new_variable(lua_State* L) {
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  const bool is_local = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (is_local) {
    lua_rawset(L, 1);
  } else {
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    lua_replace(L, 1);
    lua_settable(L, 1);
  }
  return 0;
}

int help(lua_State* L) {
  if (lua_gettop(L) == 0)
    say(prompt_help());
  else if (lua_type(L, 1) == LUA_TSTRING)
    say(help_of_name(lua_tostring(L, 1)));
  else
    say(help_of_value(L, 1));
  return 0;
}

int show_results(lua_State* L) {
  const int n = lua_gettop(L);
  if (n == 1 && lua_isnil(L, 1)) return 0;
  for (int i = 1; i <= n; ++i) say(shown(L, i));
  return 0;
}

// ---- the session ----------------------------------------------------------------------------------------------------------

class Session {
 public:
  explicit Session(lua_State* L);
  void run();

 private:
  enum class Parsed { Yes, Incomplete, No };

  LineEditor::Result read_input(std::string& input);
  Parsed parse(const std::string& source);
  Parsed load(const std::string& code);
  void evaluate(const std::string& input);
  void keep_and_show(int first, bool visible);
  void explain(std::string_view name);
  void complain();

  lua_State* L_;
  int environment_, locals_;  // in the registry
  std::unique_ptr<LineEditor> editor_;
  bool coloured_ = wants_colours(STDERR_FILENO);
};

Session::Session(lua_State* L) : L_(L) {
  lua_newtable(L);
  lua_newtable(L);  // its metatable
  lua_pushvalue(L, LUA_GLOBALSINDEX);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  lua_pushvalue(L, -1);
  locals_ = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushcclosure(L, set_new_variable, 1);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  lua_pushcfunction(L, help);
  lua_setfield(L, LUA_GLOBALSINDEX, "help");
  environment_ = luaL_ref(L, LUA_REGISTRYINDEX);
  editor_ = open_line_editor([this](std::string_view before) { return complete_name(L_, environment_, before); });
}

/// Lines until they are a whole input.
LineEditor::Result Session::read_input(std::string& input) {
  input.clear();
  for (std::string line;;) {
    const auto result = editor_->read(input.empty() ? kPrompt : kContinued, line);
    if (result == LineEditor::Result::End && !input.empty())
      return LineEditor::Result::Line;  // the parser says what is missing
    if (result != LineEditor::Result::Line) return result;
    editor_->remember(line);
    if (!input.empty()) input += '\n';
    input += without_prompt(line);
    if (input.starts_with('?')) return result;
    const Parsed parsed = parse(input);
    lua_settop(L_, 0);
    if (parsed != Parsed::Incomplete) return result;
  }
}

/// Leaves a function, or the parser's message, on the stack.
Session::Parsed Session::load(const std::string& code) {
  if (luaL_loadbuffer(L_, code.data(), code.size(), kChunk) == 0) return Parsed::Yes;
  const std::string_view message = lua_tostring(L_, -1);
  return message.ends_with("near '<eof>'") ? Parsed::Incomplete : Parsed::No;
}

/// As an expression or as statements.
Session::Parsed Session::parse(const std::string& source) {
  const Parsed expression = load("return " + source);
  if (expression == Parsed::Yes) return expression;
  lua_pop(L_, 1);
  const Parsed statements = load(source);
  return statements == Parsed::No ? expression == Parsed::Incomplete ? expression : statements : statements;
}

void Session::evaluate(const std::string& input) {
  std::string_view source = trimmed(input);
  if (source.empty()) return;
  const bool hidden = source.back() == ';';
  if (hidden) source = trimmed(source.substr(0, source.size() - 1));
  if (source.starts_with('=')) source = trimmed(source.substr(1));

  if (load("return " + std::string(source)) != Parsed::Yes) {
    lua_settop(L_, 0);
    if (load(input) != Parsed::Yes) return complain();
    lua_settop(L_, 0);
    const SessionCode session = without_locals(input);
    lua_rawgeti(L_, LUA_REGISTRYINDEX, locals_);
    for (const std::string& name : session.names) {
      lua_pushboolean(L_, 1);
      lua_setfield(L_, -2, name.c_str());
    }
    lua_settop(L_, 0);
    if (load(session.code) != Parsed::Yes) return complain();
  }
  lua_rawgeti(L_, LUA_REGISTRYINDEX, environment_);
  lua_setfenv(L_, -2);
  if (!call_with_traceback(L_, 0, LUA_MULTRET, Interruptible::IfDeaf::Wait)) return complain();
  keep_and_show(1, !hidden);
}

/// Results from stack position `first` on: the first is `_` from now on.
void Session::keep_and_show(int first, bool visible) {
  const int n = lua_gettop(L_) - first + 1;
  if (n == 0) return;
  if (!lua_isnil(L_, first)) {
    lua_rawgeti(L_, LUA_REGISTRYINDEX, environment_);
    lua_pushliteral(L_, "_");
    lua_pushvalue(L_, first);
    lua_rawset(L_, -3);
    lua_pop(L_, 1);
  }
  if (!visible) return;
  lua_pushcfunction(L_, show_results);
  lua_insert(L_, first);
  if (!call_with_traceback(L_, n, 0, Interruptible::IfDeaf::Wait)) complain();
}

/// `?`, `?name`, `?expression` and `??word`.
void Session::explain(std::string_view name) {
  if (name.empty()) return say(prompt_help());
  if (name[0] == '?') return say(search_operators(trimmed(name.substr(1))));
  lua_pushcfunction(L_, help);
  std::string path(name);
  if (const size_t colon = path.rfind(':'); colon != std::string::npos) path[colon] = '.';
  bool found = load("return " + path) == Parsed::Yes;
  if (found) {
    lua_rawgeti(L_, LUA_REGISTRYINDEX, environment_);
    lua_setfenv(L_, -2);
    found = call_with_traceback(L_, 0, 1, Interruptible::IfDeaf::Wait) && !lua_isnil(L_, -1);
  }
  if (!found) {
    lua_pop(L_, 1);
    lua_pushlstring(L_, name.data(), name.size());
  }
  if (!call_with_traceback(L_, 1, 0, Interruptible::IfDeaf::Wait)) complain();
}

/// Prints the message on top of the stack.
void Session::complain() {
  std::fflush(stdout);
  size_t n = 0;
  const char* const message = lua_tolstring(L_, -1, &n);
  std::string_view shown_part(message, n);
  constexpr std::string_view trivial = "\n\tstdin:1: in main chunk";
  if (shown_part.ends_with(trivial)) shown_part.remove_suffix(trivial.size());
  if (coloured_) std::fputs("\33[31m", stderr);
  std::fwrite(shown_part.data(), 1, shown_part.size(), stderr);
  std::fputs(coloured_ ? "\33[0m\n" : "\n", stderr);
}

void Session::run() {
  for (std::string input;;) {
    lua_settop(L_, 0);
    switch (read_input(input)) {
      case LineEditor::Result::End: return;
      case LineEditor::Result::Interrupted: continue;
      case LineEditor::Result::Line: break;
    }
    if (input.starts_with('?'))
      explain(trimmed(std::string_view(input).substr(1)));
    else
      evaluate(input);
    std::fflush(stdout);
  }
}

}  // namespace

void run_repl(lua_State* L, bool banner) {
  if (banner) say("facula " FACULA_VERSION " (" + build_summary() + ") ? for help");
  Session(L).run();
}

}  // namespace facula::interp
