// What a script may use of time, instructions and memory.
//
// Note [Limits that hold]
// Lua code meets a hook every few thousand instructions (limited states compile nothing, for compiled loops run no hooks), and
// kernels see the context's flag between two pieces of work; those functions of Lua's that may run for long on their own are
// replaced (sandbox.h). A thread sets the flag when the time is up. From then on the hook raises at every instruction, so
// that neither pcall nor a coroutine nor a message handler keeps the script going. Memory is refused piece by piece: a
// script may catch that error, but gets no more than its share.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/context.h"
#include "interp/state.h"

namespace facula::interp {

/// Lets Lua code be stopped by the context's flag, from now on. The error is `interrupted` or names the limit.
void poll_interrupts(lua_State* L);

/// Once a limit is hit: stops Lua code at its next instruction, and whatever catches the error of that likewise.
void stop_now(lua_State* L);

/// For Heap::watch: garbage is collected at the next instruction.
void collect_soon(lua_State* L);

inline constexpr int kLimitExit = 3;

/// Why a script that was interrupted is: a limit, or somebody's wish.
std::string interruption(const State& S);

/// Did the script stop, or fail, for a limit's sake in its last outermost call?
bool limit_hit(const State& S);

/// One outermost call of a state with limits of time or instructions: while it lives, they are watched.
class LimitedCall {
 public:
  /// Does nothing in a state without such limits, or within another call of the state.
  explicit LimitedCall(State& S);
  ~LimitedCall();
  LimitedCall(const LimitedCall&) = delete;
  LimitedCall& operator=(const LimitedCall&) = delete;

 private:
  void watch();

  State* S_ = nullptr;
  Deadline deadline_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread watchdog_;
};

}  // namespace facula::interp
