#include "interp/traceback.h"

#include "interp/state.h"

namespace facula::interp {
namespace {

enum class Owner { User, Library, Prompt };

Owner owner(const lua_Debug& frame, const State* S) {
  const std::string_view source = frame.source;
  if (S)
    for (const std::string& prefix : S->library) {
      if (!source.starts_with(prefix)) continue;
      const std::string_view file = source.substr(prefix.size());
      return file.starts_with("repl/") || file == "repl.lua" ? Owner::Prompt : Owner::Library;
    }
  return Owner::User;
}

std::string place(const lua_Debug& frame) { return text(frame.short_src, ':', frame.currentline); }

std::string frame_text(const lua_Debug& frame) {
  const std::string out = "\n\t" + place(frame) + ':';
  if (*frame.what == 'm') return out + " in main chunk";
  if (frame.name) return out + " in '" + frame.name + "'";
  return out + " in the function of line " + std::to_string(frame.linedefined);
}

}  // namespace

std::string error_message(lua_State* L, int index) {
  if (luaL_getmetafield(L, index, "__tostring")) {
    lua_pushvalue(L, index);
    const bool good = lua_pcall(L, 1, 1, 0) == 0 && lua_isstring(L, -1);
    const std::string shown = good ? lua_tostring(L, -1) : "";
    lua_pop(L, 1);
    if (good) return shown;
  }
  size_t length = 0;
  if (lua_isstring(L, index)) {
    const char* const message = lua_tolstring(L, index, &length);
    return {message, length};
  }
  return text("(the error is a ", luaL_typename(L, index), " value)");
}

std::string traceback(lua_State* L) {
  constexpr int kEdge = 11;
  std::string users, library;
  int depth = 0;
  lua_Debug frame;
  while (lua_getstack(L, depth, &frame)) ++depth;
  const State* const S = find_state(L);
  for (int level = 1; level < depth; ++level) {
    if (level == kEdge + 1 && depth > 2 * kEdge + 1) {
      users += "\n\t...";
      level = depth - kEdge;
    }
    lua_getstack(L, level, &frame);
    lua_getinfo(L, "Snl", &frame);
    if (*frame.what == 'C') continue;
    const Owner whose = owner(frame, S);
    if (whose == Owner::User) users += frame_text(frame);
    if (whose == Owner::Library) library += (library.empty() ? "" : ", ") + place(frame);
  }
  return library.empty() || users.empty() ? users : users + "\n   through " + library;
}

}  // namespace facula::interp
