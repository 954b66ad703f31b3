// Where a script is, as text.
#pragma once

#include <string>

struct lua_State;

namespace facula::interp {

/// A line `\n\tfile:line: in 'function'` for each frame: the user's, then the library's, none in C; of more than 22, the first
/// and the last 11.
std::string traceback(lua_State* L);

}  // namespace facula::interp
