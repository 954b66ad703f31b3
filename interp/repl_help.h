// What the prompt knows about names and values.
#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>

namespace facula::interp {

/// How to use the prompt.
std::string prompt_help();
/// Signatures and docs of a function of the binding; what is known of any other value.
std::string help_of_value(lua_State* L, int index);
/// The same of operators of that name, also without its prefix `nn.functional.`; names that are near, if there is none.
std::string help_of_name(std::string_view name);
/// Operators whose name or doc has the text in it.
std::string search_operators(std::string_view wanted);

}  // namespace facula::interp
