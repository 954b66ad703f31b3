// Workers sleep on a futex (std::atomic::wait) and the caller works along. Who waits spins for 50 us first: to wake a thread
// takes about as long, and a step of training has hundreds of regions. The caller waits for those workers only that joined
// in before it had done all itself, so that one that gets no core holds nobody up.
#include "core/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
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

/// Waits for `done` without sleeping for a while: not where `other`, the core of who is waited for, is this thread's own.
/// Was it seen?
template <class Done>
bool spin_until(int other, Done done) {
  if (done()) return true;
  if (other == sched_getcpu()) return false;
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      __builtin_ia32_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// One region at a time. Each thread begins with its own share of the pieces, since that is likely to be in its cache from
// the region before, and helps the others afterwards. A second caller that finds the pool taken runs its pieces alone.
class Pool {
 public:
  void run(int64_t n, int64_t pieces, FunctionRef<void(int64_t, int64_t)> body, int helpers) {
    grow(helpers);
    body_ = &body;
    context_ = &context();
    n_ = n;
    pieces_ = pieces;
    share_out(pieces, helpers + 1);
    error_ = nullptr;
    left_.store(0, std::memory_order_relaxed);
    core_.store(sched_getcpu(), std::memory_order_relaxed);
    const int region = static_cast<int>(static_cast<uint32_t>(region_.load(std::memory_order_relaxed)) + 1);  // wraps
    gate_.store(gate_of(region, helpers, 0), std::memory_order_release);
    region_.store(region, std::memory_order_release);
    region_.notify_all();
    work(0);
    const int joined = joined_of(gate_.exchange(gate_of(region, 0, 0), std::memory_order_acq_rel));
    const auto all_left = [&] { return left_.load(std::memory_order_acquire) == joined; };
    if (!spin_until(helper_core_.load(std::memory_order_relaxed), all_left))
      for (int left; (left = left_.load(std::memory_order_acquire)) != joined;) left_.wait(left);
    if (error_) std::rethrow_exception(error_);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  // Who may still join in a region, and how many did: one word, so that nobody joins a region that is over.
  static uint64_t gate_of(int region, int open, int joined) {
    return uint64_t{static_cast<uint32_t>(region)} << 32 | static_cast<uint64_t>(open) << 16 |
           static_cast<uint64_t>(joined);
  }
  static int open_of(uint64_t gate) { return static_cast<int>(gate >> 16 & 0xffff); }
  static int joined_of(uint64_t gate) { return static_cast<int>(gate & 0xffff); }

  bool join() {
    uint64_t gate = gate_.load(std::memory_order_acquire);
    while (open_of(gate) > 0)
      if (gate_.compare_exchange_weak(gate, gate - (uint64_t{1} << 16) + 1, std::memory_order_acq_rel)) return true;
    return false;
  }

  void grow(int helpers) {
    while (static_cast<int>(workers_.size()) < helpers) {
      const size_t share = workers_.size() + 1;
      workers_.emplace_back([this, share, seen = region_.load(std::memory_order_relaxed)] { serve(share, seen); });
      workers_.back().detach();  // they sleep until the process ends; joining at exit could hang a host
    }
  }

  void serve(size_t share, int seen) {
    in_parallel = true;
    for (;;) {
      if (!spin_until(core_.load(std::memory_order_relaxed),
                      [&] { return region_.load(std::memory_order_acquire) != seen; }))
        region_.wait(seen, std::memory_order_acquire);
      seen = region_.load(std::memory_order_acquire);
      if (!join()) continue;
      helper_core_.store(sched_getcpu(), std::memory_order_relaxed);
      {
        const ContextGuard guard(*context_);
        work(share);
      }
      left_.fetch_add(1, std::memory_order_acq_rel);
      left_.notify_one();
    }
  }

  struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };

  void share_out(int64_t pieces, int parties) {
    if (shares_.size() != static_cast<size_t>(parties)) shares_ = std::vector<Share>(static_cast<size_t>(parties));
    for (int k = 0; k < parties; ++k) {
      shares_[static_cast<size_t>(k)].next.store(pieces * k / parties, std::memory_order_relaxed);
      shares_[static_cast<size_t>(k)].end = pieces * (k + 1) / parties;
    }
  }

  void work(size_t own) {
    const bool outer = in_parallel;
    in_parallel = true;
    for (size_t k = 0; k < shares_.size(); ++k) {
      Share& share = shares_[(own + k) % shares_.size()];
      for (int64_t piece; (piece = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) run_piece(piece);
    }
    in_parallel = outer;
  }

  void run_piece(int64_t piece) {
    const int64_t begin = n_ / pieces_ * piece + std::min(piece, n_ % pieces_);
    const int64_t end = begin + n_ / pieces_ + (piece < n_ % pieces_);
    try {
      if (interrupt_requested()) throw Interrupted();
      (*body_)(begin, end);
    } catch (...) {
      std::lock_guard lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
      for (Share& share : shares_) share.next.store(pieces_, std::memory_order_relaxed);
    }
  }

  std::mutex mutex_, error_mutex_;
  std::vector<std::thread> workers_;
  std::atomic<uint64_t> gate_{0};
  std::atomic<int> region_{0};  // counts them; workers sleep on it
  std::atomic<int> left_{0};    // how many of those who joined are through
  std::atomic<int> core_{-1}, helper_core_{-1};
  const FunctionRef<void(int64_t, int64_t)>* body_ = nullptr;
  Context* context_ = nullptr;
  int64_t n_ = 0, pieces_ = 0;
  std::vector<Share> shares_;
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
