#include "interp/traceback.h"

#include <cstring>

#include "interp/state.h"

namespace facula::interp {
namespace {

bool is_library(const lua_Debug& frame, const State* S) {
  if (S)
    for (const std::string& prefix : S->library)
      if (std::strncmp(frame.source, prefix.c_str(), prefix.size()) == 0) return true;
  return false;
}

std::string frame_text(const lua_Debug& frame) {
  const std::string out = text("\n\t", frame.short_src, ':', frame.currentline, ':');
  if (*frame.what == 'm') return out + " in main chunk";
  if (frame.name) return out + " in '" + frame.name + "'";
  return out + " in the function of line " + std::to_string(frame.linedefined);
}

}  // namespace

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
    if (*frame.what != 'C') (is_library(frame, S) ? library : users) += frame_text(frame);
  }
  return library.empty() || users.empty() ? users + library : users + "\n   through" + library;
}

}  // namespace facula::interp
