// What is typed at the prompt, as Lua that the session can run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace facula::interp {

/// Note [Locals of a session]
/// A local of Lua ends with its chunk, and every input is one. At the prompt, `local x = 1` outside of blocks means a variable
/// of the session: the word `local` is taken out, and the session keeps the names in a table of its own, so that `local type
/// = 1` hides `type` from the prompt but not from the modules. `local function f` and `local a, b` go the same way.
struct SessionCode {
  std::string code;                // as long in lines as the source
  std::vector<std::string> names;  // of locals that become the session's
};
SessionCode without_locals(std::string_view source);

/// The line without a prompt that was copied along with it.
std::string_view without_prompt(std::string_view line);
/// Without spaces at either end.
std::string_view trimmed(std::string_view s);

}  // namespace facula::interp
