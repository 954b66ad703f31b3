// Where a script is, as text.
#pragma once

#include <string>

struct lua_State;

namespace facula::interp {

/// A line `\n\tfile:line: in 'function'` for each frame of the user's, none in C; of more than 22 frames, the first and the last
/// 11. The library's follow in one line, `\n   through torch/nn/module.lua:90, ...`; the prompt's own are left out. Empty
/// without a function of the user's.
std::string traceback(lua_State* L);

/// The error value at `index` as text: a string, what its __tostring says, or its type. May call Lua.
std::string error_message(lua_State* L, int index);

}  // namespace facula::interp
