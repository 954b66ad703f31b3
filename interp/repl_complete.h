// Completion of names at the prompt.
#pragma once

#include <lua.hpp>
#include <string_view>

#include "interp/line_editor.h"

namespace facula::interp {

/// Candidates for the last word: fields of what stands before its dot, methods before a colon (also those of tensors),
/// globals and Lua's words otherwise. `environment` is the session's table, a reference in the registry.
Completions complete_name(lua_State* L, int environment, std::string_view text_before_cursor);

}  // namespace facula::interp
