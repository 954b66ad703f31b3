// Ctrl-C in the program.
//
// Note [What stops]
// The first Ctrl-C asks: kernels see core's flag between two pieces of work, and a hook raises `interrupted` at the next
// instruction of Lua. Compiled loops run no hooks, but LuaJIT's profiler has them look whether it wants to be called; so it is
// kept running, with an interval that never ends, and its signal makes them return to the interpreter, where the hook is. A
// finalizer or the profiler itself may take the hook back: it is set again until something has stopped. What has not stopped
// after a second is a library call; where no prompt waits behind it, the program ends. The second Ctrl-C ends the program.
// A script that holds interrupts (interp/held_interrupt.h) is asked once more before all that.
#pragma once

#include <lua.hpp>

namespace facula::interp {

/// Catches Ctrl-C from now on. Called once, in the thread that runs this state.
void catch_interrupts(lua_State* L);

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
/// The same without forgetting it.
bool is_interrupt_pending();

inline constexpr int kInterruptedExit = 130;

}  // namespace facula::interp
