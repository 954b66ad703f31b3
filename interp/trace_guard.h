// LuaJIT 2.1 of September 2021 to April 2022, Debian 12's among them, compiles some `next` and `pairs` wrongly for x64: when
// the two results have to change places, the pointer among them loses its upper half and the program crashes
// (https://github.com/LuaJIT/LuaJIT/issues/829). Which traces are struck depends on how registers happen to be taken.
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string_view>

namespace facula::interp {

/// Does a trace, of machine code `code` at `address`, hold such a swap behind a call into LuaJIT?
bool truncates_pointer(std::string_view code, intptr_t address);

}  // namespace facula::interp
