// Ctrl-C that waits until the script has come to a good place: `torch.core.hold_interrupts(fn)`.
#pragma once

#include <csignal>

namespace facula::interp {

/// While it lives, the program's handler notes Ctrl-C here instead of stopping the script. One that nobody asked for is
/// raised when the outermost is gone.
class HeldInterrupt {
 public:
  HeldInterrupt();
  ~HeldInterrupt();
  HeldInterrupt(const HeldInterrupt&) = delete;
  HeldInterrupt& operator=(const HeldInterrupt&) = delete;

  /// Was Ctrl-C pressed while one lived? Who asks has taken it over.
  static bool ask();

  /// For the handler: notes a press. False if none lives, or if there was one before that is still waiting.
  static bool note();

 private:
  static volatile sig_atomic_t holds_, pressed_, asked_;
};

}  // namespace facula::interp
