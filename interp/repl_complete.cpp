#include "interp/repl_complete.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "interp/handle.h"
#include "interp/types.h"

namespace facula::interp {
namespace {

constexpr std::string_view kWords[] = {"and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
                                       "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
                                       "repeat",   "return", "then", "true", "until",  "while"};

bool is_name_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// `f(a.b:c` ends in the path {a, b} and the word `c` behind a colon.
struct Place {
  std::vector<std::string> path;
  std::string word;
  size_t start;  // of the word
  bool method = false;

  explicit Place(std::string_view text) {
    start = text.size();
    while (start > 0 && is_name_part(text[start - 1])) --start;
    word = text.substr(start);
    for (size_t end = start; end > 0 && (text[end - 1] == '.' || text[end - 1] == ':');) {
      method = method || (end == start && text[end - 1] == ':');
      size_t begin = --end;
      while (begin > 0 && is_name_part(text[begin - 1])) --begin;
      path.insert(path.begin(), std::string(text.substr(begin, end - begin)));  // empty behind `f().`
      end = begin;
    }
  }
};

/// Names in a table and in the tables that its metatable leads to: `__index`, and what stdlib/lazy.lua has not loaded yet.
void add_fields(lua_State* L, int index, const Place& place, std::set<std::string>& words, int depth = 0) {
  if (depth > 8 || lua_type(L, index) != LUA_TTABLE) return;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || (place.method && !lua_isfunction(L, -1))) continue;
    const std::string_view name = to_string(L, -2);
    const bool whole = std::all_of(name.begin(), name.end(), is_name_part);
    if (whole && name.starts_with(place.word) && (name[0] != '_' || place.word.starts_with('_'))) words.emplace(name);
  }
  for (const char* const more : {"__index", "homes"})
    if (luaL_getmetafield(L, index, more)) {
      add_fields(L, lua_gettop(L), place, words, depth + 1);
      lua_pop(L, 1);
    }
}

struct Request {
  int environment;
  const Place* place;
  std::set<std::string>* words;
};

// Protected: fields may be computed, and libraries load when they are asked for.
int collect_names(lua_State* L) {
  const auto& request = *static_cast<const Request*>(lua_touserdata(L, 1));
  const Place& place = *request.place;
  lua_rawgeti(L, LUA_REGISTRYINDEX, request.environment);
  for (const std::string& name : place.path) {
    if (lua_type(L, -1) != LUA_TTABLE) return 0;
    lua_getfield(L, -1, name.c_str());
  }
  const State* const S = find_state(L);
  const int top = lua_gettop(L);
  if (S && to_handle(L, top)) lua_rawgeti(L, LUA_REGISTRYINDEX, S->methods);
  if (lua_type(L, top) == LUA_TSTRING && luaL_getmetafield(L, top, "__index")) lua_remove(L, top);
  if (lua_type(L, -1) == LUA_TTABLE && !place.word.empty()) {
    lua_getfield(L, -1, place.word.c_str());  // brings in what is loaded at its first use
    lua_pop(L, 1);
  }
  add_fields(L, lua_gettop(L), place, *request.words);
  return 0;
}

}  // namespace

Completions complete_name(lua_State* L, int environment, std::string_view text_before_cursor) {
  const Place place(text_before_cursor);
  std::set<std::string> words;
  Request request{environment, &place, &words};
  if (lua_cpcall(L, collect_names, &request) != 0) lua_pop(L, 1);
  if (place.path.empty())
    for (const std::string_view w : kWords)
      if (w.starts_with(place.word)) words.emplace(w);
  return {place.start, {words.begin(), words.end()}};
}

}  // namespace facula::interp
