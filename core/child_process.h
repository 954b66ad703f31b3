// Processes that live no longer than their parent.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/parallel.h"

namespace facula {

/// A child. It is killed when its object goes, and when the process that made it ends before.
class ChildProcess {
 public:
  /// Forks. `body` runs in the child, which has one thread, no Ctrl-C, and ends with the exit code that it returns: neither
  /// destructors nor handlers of the parent's run there. Errors: no process can be had.
  ChildProcess(const char* operation, FunctionRef<int()> body);
  /// Starts a program, found on the PATH, in which `descriptors` are 3, 4 ...; it calls `attach_to_parent` itself.
  ChildProcess(const char* operation, const std::vector<std::string>& command, const std::vector<int>& descriptors);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t id() const { return id_; }
  /// Waits for its end, for `seconds` at most, then kills it.
  void end(double seconds);
  /// How it ended, after at most two seconds: `was killed by signal 9 (Killed)`, `ended with exit code 1`.
  std::string fate();

  /// In a child that is a program of its own: ends it with its parent, and leaves Ctrl-C to that.
  static void attach_to_parent(pid_t parent);

 private:
  bool has_ended(int flags);

  pid_t id_ = -1, parent_;
  bool ended_ = false;
  int status_ = -1;  // as waitpid has it; -1: nobody knows
};

}  // namespace facula
