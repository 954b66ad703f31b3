// Running code for the program: scripts, -e, -l, and each input of the prompt.
#pragma once

#include <lua.hpp>
#include <string>

#include "interp/interrupt.h"
#include "interp/options.h"

namespace facula::interp {

/// Pushes `require` and its argument.
void push_require(lua_State* L, const char* module);

/// For a message handler: pushes the message of the error value at stack position 1, and a traceback that starts with the
/// user's functions. Returns 2.
int describe_error(lua_State* L);

/// Calls the function below its `arguments` values. On an error returns false, with the message and the traceback in one
/// text on the stack.
bool call_with_traceback(lua_State* L, int arguments, int results, Interruptible::IfDeaf deaf);

/// Sets `arg`, runs the steps and the script. Errors are printed on stderr; returns the exit code.
int run_program(lua_State* L, const Options& options, int argc, char** argv);

}  // namespace facula::interp
