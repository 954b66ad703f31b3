// Results of the prompt as text.
#pragma once

#include <lua.hpp>
#include <string>

namespace facula::interp {

/// As `tostring` has it; tables without `__tostring` show what they hold, on one line where it fits, to a limited depth and
/// length. Raises what `__tostring` raises.
std::string shown(lua_State* L, int index);

}  // namespace facula::interp
