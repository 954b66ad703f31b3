#include "interp/repl.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "interp/line_editor.h"
#include "interp/program.h"
#include "interp/repl_host.h"

namespace facula::interp {
namespace {

constexpr const char *kPrompt = "> ", *kContinued = "..> ";

/// An object of the standard library whose methods are called here. What they raise is shown, and ends nothing.
class Session {
 public:
  /// `module(host)` makes it.
  Session(lua_State* L, const char* module, const Options& options) : L_(L) {
    push_require(L, module);
    if (!call(1, 1)) return;
    push_host(L, options);
    if (!call(1, 1)) return;
    object_ = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  ~Session() { luaL_unref(L_, LUA_REGISTRYINDEX, object_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool is_open() const { return object_ != LUA_NOREF; }

  void run(const char* method, const std::string& text) {
    if (!call_method(method, text, 0)) lua_settop(L_, 0);
  }
  bool is_incomplete(const std::string& text) {
    const bool incomplete = call_method("is_incomplete", text, 1) && lua_toboolean(L_, -1);
    lua_settop(L_, 0);
    return incomplete;
  }
  std::string without_prompts(const std::string& text) {
    std::string out = text;
    size_t n = 0;
    if (call_method("without_prompts", text, 1)) {
      const char* const s = lua_tolstring(L_, -1, &n);
      out.assign(s, n);
    }
    lua_settop(L_, 0);
    return out;
  }
  Completions complete(const std::string& text, size_t line_start) {
    Completions found;
    if (call_method("complete", text, 2) && lua_istable(L_, -1)) {
      found.start = text.size() - static_cast<size_t>(lua_tointeger(L_, -2)) - line_start;
      for (int i = 1, n = static_cast<int>(lua_objlen(L_, -1)); i <= n; ++i) {
        lua_rawgeti(L_, -1, i);
        found.words.emplace_back(lua_tostring(L_, -1));
        lua_pop(L_, 1);
      }
    }
    lua_settop(L_, 0);
    return found;
  }
  bool is_over() {
    lua_rawgeti(L_, LUA_REGISTRYINDEX, object_);
    lua_getfield(L_, -1, "over");
    const bool over = lua_toboolean(L_, -1);
    lua_settop(L_, 0);
    return over;
  }

 private:
  bool call(int arguments, int results) {
    if (call_with_traceback(L_, arguments, results, Interruptible::IfDeaf::Wait)) return true;
    std::fprintf(stderr, "%s\n", lua_tostring(L_, -1));
    return false;
  }
  bool call_method(const char* name, const std::string& text, int results) {
    lua_settop(L_, 0);
    lua_rawgeti(L_, LUA_REGISTRYINDEX, object_);
    lua_getfield(L_, -1, name);
    lua_insert(L_, -2);
    lua_pushlstring(L_, text.data(), text.size());
    return call(2, results);
  }

  lua_State* L_;
  int object_ = LUA_NOREF;
};

/// Lines until they are a whole input.
LineEditor::Result read_input(LineEditor& editor, Session& session, std::string& input) {
  input.clear();
  for (std::string line;;) {
    const auto result = editor.read(input.empty() ? kPrompt : kContinued, line);
    if (result == LineEditor::Result::End && !input.empty())
      return LineEditor::Result::Line;  // the parser says what is missing
    if (result != LineEditor::Result::Line) return result;
    if (!input.empty()) input += '\n';
    input += session.without_prompts(line);
    if (session.is_incomplete(input)) continue;
    editor.remember(input);
    return result;
  }
}

void prompt(Session& session, const Options& options) {
  if (!options.quiet) session.run("greet", "");
  if (options.start_up) session.run("start_up", "");
  std::string input;
  const auto editor = open_line_editor([&](std::string_view before) {
    const size_t line_start = input.empty() ? 0 : input.size() + 1;
    return session.complete((input.empty() ? "" : input + '\n') + std::string(before), line_start);
  });
  while (!session.is_over()) {
    const auto result = read_input(*editor, session, input);
    if (result == LineEditor::Result::End) return;
    if (result == LineEditor::Result::Line) session.run("run", input);
    input.clear();
    std::fflush(stdout);
  }
}

void serve(Session& session) {
  const auto requests = open_plain_reader();
  for (std::string line; !session.is_over() && requests->read("", line) != LineEditor::Result::End;)
    session.run("answer", line);
}

}  // namespace

void run_repl(lua_State* L, const Options& options) {
  Session session(L, options.json ? "torch.repl.json" : "torch.repl", options);
  if (!session.is_open()) return;
  options.json ? serve(session) : prompt(session, options);
}

}  // namespace facula::interp
