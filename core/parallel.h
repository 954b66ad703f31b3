// The thread pool. No OpenMP: its spinning costs a scheduler tick per region as soon as anything else runs.
#pragma once

#include <cstdint>
#include <type_traits>

namespace facula {

/// A borrowed callable: two words, no allocation. The callable must outlive it.
template <class Sig>
class FunctionRef;
template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>) FunctionRef(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* o, A... a) -> R { return (*static_cast<std::remove_reference_t<F>*>(o))(a...); }) {}
  R operator()(A... a) const { return call_(object_, a...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

/// Elements per task below which a second thread does not pay: cheap arithmetic and transcendental functions.
inline constexpr int64_t kGrain = 32768;
inline constexpr int64_t kHeavyGrain = 8192;

int num_threads();
/// At least 1; takes effect at the next parallel_for. Results do not depend on it.
void set_num_threads(int n);

/// Calls `body(begin, end)` on pieces of [0, n) that are at least `grain` long, on up to num_threads() threads, and
/// returns when all are done. The first exception is thrown again in the caller. Nested calls run on their own thread.
/// Pieces may differ with the number of threads: bodies that sum must fix their own blocks.
void parallel_for(int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body);

/// True once the host has asked what this thread works for to stop (Ctrl-C, a deadline; see core/context.h); parallel_for
/// polls it between pieces and throws Interrupted.
void request_interrupt();
void clear_interrupt();
bool interrupt_requested();

}  // namespace facula
