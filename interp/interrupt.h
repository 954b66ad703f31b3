// Ctrl-C in the program.
//
// Note [What stops]
// The first Ctrl-C asks: kernels see core's flag between two pieces of work, and a hook raises `interrupted` at the next
// instruction of Lua. A loop that LuaJIT has compiled sees neither, and a library call may take long; so where no prompt
// waits behind it, code that has not stopped after a second ends with the program. The second Ctrl-C ends the program.
// A script that holds interrupts (interp/held_interrupt.h) is asked once more before all that.
#pragma once

#include <lua.hpp>

namespace facula::interp {

/// Catches Ctrl-C from now on. Called once, in the thread that runs Lua.
void catch_interrupts();

/// While it lives, Lua code runs that Ctrl-C stops.
class Interruptible {
 public:
  enum class IfDeaf { Wait, EndProgram };

  Interruptible(lua_State* L, IfDeaf deaf);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// Was Ctrl-C pressed?
  static bool requested();
  /// What it was to stop has stopped: takes the hook and core's flag back.
  static void disarm(lua_State* L);
};

/// Was Ctrl-C pressed while no code ran, since the last call?
bool interrupted_while_idle();

inline constexpr int kInterruptedExit = 130;

}  // namespace facula::interp
