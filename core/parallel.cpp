// Workers sleep on a futex (std::atomic::wait) and the caller works along; waiting threads spin at most about 5 us, because
// a spinning thread that shares its core with another process costs a scheduler tick.
#include "core/parallel.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/context.h"
#include "core/error.h"

namespace facula {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kAlone = 32;  // pieces of a long region in one thread
thread_local bool in_parallel = false;

int default_threads() {
  for (const char* variable : {"FACULA_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const char* value = std::getenv(variable)) {
      const int n = std::atoi(value);
      if (n > 0) return std::min(n, kMaxThreads);
    }
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
}
std::atomic<int> threads{0};  // 0: not asked yet

template <class Done>
bool spin_until(Done done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(5);
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      __builtin_ia32_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// One region at a time: `pieces` pieces of the range are handed out by a counter. A second caller that finds the pool
// taken runs its pieces alone.
class Pool {
 public:
  void run(int64_t n, int64_t pieces, FunctionRef<void(int64_t, int64_t)> body, int helpers) {
    grow(helpers);
    body_ = &body;
    context_ = &context();
    n_ = n;
    pieces_ = pieces;
    next_.store(0, std::memory_order_relaxed);
    error_ = nullptr;
    pending_.store(helpers, std::memory_order_relaxed);
    const uint32_t last = region_.load(std::memory_order_relaxed);
    region_.store(((last >> kHelperBits) + 1) << kHelperBits | static_cast<uint32_t>(helpers),
                  std::memory_order_release);
    region_.notify_all();
    work();
    if (!spin_until([&] { return pending_.load(std::memory_order_acquire) == 0; }))
      for (int left; (left = pending_.load(std::memory_order_acquire)) != 0;) pending_.wait(left);
    if (error_) std::rethrow_exception(error_);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  void grow(int helpers) {
    while (static_cast<int>(workers_.size()) < helpers) {
      const int index = static_cast<int>(workers_.size());
      const uint32_t seen = region_.load(std::memory_order_relaxed);
      workers_.emplace_back([this, index, seen] { serve(index, seen); });
      workers_.back().detach();  // they sleep until the process ends; joining at exit could hang a host
    }
  }

  void serve(int index, uint32_t seen) {
    in_parallel = true;
    for (;;) {
      if (!spin_until([&] { return region_.load(std::memory_order_acquire) != seen; }))
        region_.wait(seen, std::memory_order_acquire);
      const uint32_t now = region_.load(std::memory_order_acquire);
      if (now == seen) continue;
      seen = now;
      if (index >= static_cast<int>(now & ((1u << kHelperBits) - 1))) continue;
      work_for(*context_);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
    }
  }

  void work_for(Context& owner) {
    const ContextGuard guard(owner);
    work();
  }

  void work() {
    const bool outer = in_parallel;
    in_parallel = true;
    for (int64_t piece; (piece = next_.fetch_add(1, std::memory_order_relaxed)) < pieces_;) {
      const int64_t begin = n_ / pieces_ * piece + std::min(piece, n_ % pieces_);
      const int64_t end = begin + n_ / pieces_ + (piece < n_ % pieces_);
      try {
        if (interrupt_requested()) throw Interrupted();
        (*body_)(begin, end);
      } catch (...) {
        std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
        next_.store(pieces_, std::memory_order_relaxed);
      }
    }
    in_parallel = outer;
  }

  std::mutex mutex_, error_mutex_;
  std::vector<std::thread> workers_;
  // Number of the region above, helpers wanted below: read in one piece, so that nobody joins a region twice.
  static constexpr int kHelperBits = 10;
  std::atomic<uint32_t> region_{0};
  std::atomic<int> pending_{0};
  const FunctionRef<void(int64_t, int64_t)>* body_ = nullptr;
  Context* context_ = nullptr;
  int64_t n_ = 0, pieces_ = 0;
  std::atomic<int64_t> next_{0};
  std::exception_ptr error_;
};

Pool* pool = nullptr;
std::once_flag pool_made;

// A forked child has no workers: it starts with a new pool and one thread.
void make_pool() {
  pool = new Pool;
  pthread_atfork(nullptr, nullptr, [] {
    pool = new Pool;
    threads = 1;
  });
}

}  // namespace

int num_threads() {
  int n = threads.load(std::memory_order_relaxed);
  if (n == 0) {
    n = default_threads();
    threads = n;
  }
  return n;
}

void set_num_threads(int n) {
  check(n >= 1 && n <= kMaxThreads, "set_num_threads: expected a number from 1 to ", kMaxThreads, ", got ", n);
  threads = n;
}

// On this thread. Long ones give an interrupt its chances too.
static void run_alone(int64_t n, int64_t most, FunctionRef<void(int64_t, int64_t)> body) {
  const int64_t piece = most <= kAlone ? n : n / kAlone + 1;
  for (int64_t begin = 0; begin < n; begin += piece) {
    if (interrupt_requested()) [[unlikely]]
      throw Interrupted();
    body(begin, std::min(n, begin + piece));
  }
}

void parallel_for(int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (n <= 0) return;
  const int available = in_parallel ? 1 : num_threads();
  const int64_t most = n / std::max<int64_t>(1, grain);
  if (available <= 1 || most <= 1) return run_alone(n, most, body);
  std::call_once(pool_made, make_pool);
  std::unique_lock lock(pool->mutex(), std::try_to_lock);
  if (!lock.owns_lock()) return run_alone(n, most, body);
  // A few pieces per thread even out their speeds, and give an interrupt its chances.
  const int helpers = static_cast<int>(std::min<int64_t>(available, most)) - 1;
  const int64_t pieces = std::min<int64_t>(most, int64_t{4} * (helpers + 1));
  pool->run(n, pieces, body, helpers);
}

void request_interrupt() { context().interrupted = true; }
void clear_interrupt() { context().interrupted = false; }
bool interrupt_requested() { return context().interrupted.load(std::memory_order_relaxed); }

}  // namespace facula
