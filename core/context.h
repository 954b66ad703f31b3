// What each interpreter has to itself although core uses it: random numbers, defaults, and the flag that stops it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "core/dtype.h"
#include "core/generator.h"
#include "core/print.h"

namespace facula {

struct Context {
  Context() { reset(); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Ref<Generator> generator;
  std::atomic<DType> default_dtype;
  PrintOptions print_options;
  /// Where the running script is, while nodes note it; see `set_anomaly_mode`.
  std::function<std::string()> anomaly_place;
  /// Set from any thread to stop what runs here; see `interrupt_requested`.
  std::atomic<bool> interrupted{false};
  /// Of the call that runs; null: none.
  const Deadline* deadline = nullptr;
  /// Bytes that the process's tensors may use for this one to get more; 0: no limit.
  std::atomic<size_t> memory_limit{0};
  /// Folders whose files may be read and written; null: all.
  std::shared_ptr<const std::vector<std::string>> folders;

  /// As new: a generator seeded from the system, and the defaults.
  void reset();
};

/// The context of the interpreter that this thread works for, and of threads that work for none, one of the process.
Context& context();

/// While it lives, this thread works for the owner of a context.
class ContextGuard {
 public:
  explicit ContextGuard(Context& c);
  ~ContextGuard();
  ContextGuard(const ContextGuard&) = delete;
  ContextGuard& operator=(const ContextGuard&) = delete;

 private:
  Context* outer_;
};

}  // namespace facula
