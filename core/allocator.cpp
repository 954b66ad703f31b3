// A block's class is found from the size alone, so blocks carry no header: 64-byte steps up to 1 KB, then four classes per
// doubling (at most 25 % is wasted). Small classes have thread-local lists in front of the common ones.
#include "core/allocator.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/context.h"
#include "core/error.h"
#include "core/slab.h"

namespace facula {
namespace {

constexpr size_t kSmall = 1024, kStep = 64, kHuge = size_t{2} << 20;
constexpr int kSmallClasses = kSmall / kStep;  // class c holds (c + 1) * 64 bytes
constexpr int kClasses = kSmallClasses + 4 * 54;

int class_of(size_t bytes) {
  if (bytes <= kSmall) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / kStep);
  const int doubling = std::bit_width(bytes - 1) - 11;  // 0 for (1 KB, 2 KB]
  const size_t quarter = size_t{256} << doubling;
  return kSmallClasses + 4 * doubling + static_cast<int>((bytes - 1 - (size_t{1024} << doubling)) / quarter);
}

size_t size_of_class(int c) {
  if (c < kSmallClasses) return static_cast<size_t>(c + 1) * kStep;
  const int doubling = (c - kSmallClasses) / 4, quarter = (c - kSmallClasses) % 4;
  return (size_t{1024} << doubling) + static_cast<size_t>(quarter + 1) * (size_t{256} << doubling);
}

#ifdef FACULA_PLAIN_HEAP
void* system_allocate(size_t bytes) { return std::aligned_alloc(kStep, bytes); }
void system_free(void* p, size_t) { std::free(p); }
#else
// At a multiple of 2 MB: what lies before and after is given back.
void* map_huge(size_t bytes) {
  void* whole = mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) return nullptr;
  auto* start = static_cast<char*>(whole);
  const size_t before = (kHuge - reinterpret_cast<uintptr_t>(start) % kHuge) % kHuge;
  char* p = start + before;
  if (before) munmap(start, before);
  if (before < kHuge) munmap(p + bytes, kHuge - before);
  madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

// Large blocks are mappings of their own: malloc keeps those up to 32 MB in its heap, where aligned blocks leave gaps that are
// never given back. Sizes are those of classes: from 2 MB on whole pages.
void* system_allocate(size_t bytes) { return bytes >= kHuge ? map_huge(bytes) : std::aligned_alloc(kStep, bytes); }
void system_free(void* p, size_t bytes) {
  if (bytes >= kHuge)
    munmap(p, bytes);
  else
    std::free(p);
}
#endif

class CpuRuntime final : public Runtime {
 public:
  static CpuRuntime& instance();

  int count() override { return 1; }
  std::string device_name(int) override { return "cpu"; }

  void* allocate(size_t bytes, int) override {
    const int c = class_of(bytes);
    const size_t size = size_of_class(c);
    if (limited_.load(std::memory_order_relaxed)) [[unlikely]]
      check_limit(bytes, size);
    void* p = take(c, size);
    tally_.allocated += static_cast<int64_t>(size);
    tally_.total += static_cast<int64_t>(size);
    if (tally_.total > kTallyBytes) settle();
    return p;
  }

  void free(void* p, size_t bytes, int) override {
    const int c = class_of(bytes);
    const size_t size = size_of_class(c);
    tally_.allocated -= static_cast<int64_t>(size);
    if (tally_.allocated < -kTallyBytes) settle();
#ifdef FACULA_PLAIN_HEAP
    system_free(p, size);
#else
    if (c < kBatchClasses) {
      if (!pages_[c]) make_will();
      auto* link = static_cast<Link*>(p);
      link->next = pages_[c];
      pages_[c] = link;
      return;
    }
    if (c < kSmallClasses) {
      Local& list = local(c);
      if (list.count < kLocalBlocks) {
        list.blocks[list.count++] = p;
        return;
      }
    }
    std::lock_guard lock(mutex_);
    if (c >= kSmallClasses) make_room(c, size);
    if (c >= kSmallClasses && cached_ + size > cache_cap()) {
      reserved_.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
      system_free(p, size);
      return;
    }
    cached_ += size;
    lists_[c].push_back(p);
    last_use_[c] = ++uses_;
#endif
  }

  void copy(void* to, Device, const void* from, Device, size_t bytes) override { std::memcpy(to, from, bytes); }

  MemoryStats memory_stats(int) override {
    settle();
    return {allocated_.load(), peak_.load(), std::max(reserved_.load(), allocated_.load()), total_.load()};
  }
  void reset_peak(int) override {
    settle();
    peak_ = allocated_.load();
  }
  void set_memory_limit(size_t bytes, int) override {
    limit_ = bytes;
    if (bytes) limited_ = true;
  }
  void enable_context_limits() { limited_ = true; }

  int64_t total() const { return total_.load(std::memory_order_relaxed); }
  int64_t allocated() {
    settle();
    return allocated_.load(std::memory_order_relaxed);
  }

  void empty_cache() override {
    std::lock_guard lock(mutex_);
    for (int c = kBatchClasses; c < kClasses; ++c) {
      for (void* p : lists_[c]) system_free(p, size_of_class(c));
      reserved_.fetch_sub(static_cast<int64_t>(lists_[c].size() * size_of_class(c)), std::memory_order_relaxed);
      lists_[c] = {};
    }
    cached_ = 0;
  }

 private:
  // What a thread has allocated and freed since it last told the common counters: three locked additions for every small
  // tensor would cost more than its memory. So these lag behind by at most 64 KB for each other thread.
  struct Tally {
    int64_t allocated, total;
  };
  static constexpr int64_t kTallyBytes = 64 << 10;
  void settle() {
    const int64_t now = allocated_.fetch_add(tally_.allocated, std::memory_order_relaxed) + tally_.allocated;
    total_.fetch_add(tally_.total, std::memory_order_relaxed);
    tally_ = {};
    int64_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }

  static constexpr int kLocalBlocks = 64;
  struct Local {
    int count;
    void* blocks[kLocalBlocks];
  };

  void* take([[maybe_unused]] int c, size_t size) {
#ifndef FACULA_PLAIN_HEAP
    if (c < kBatchClasses) {
      if (!pages_[c]) add_page(c, size);
      Link* p = pages_[c];
      pages_[c] = p->next;
      return p;
    }
    if (c < kSmallClasses) {
      Local& list = local(c);
      if (list.count > 0) return list.blocks[--list.count];
    }
    {
      std::lock_guard lock(mutex_);
      if (!lists_[c].empty()) {
        void* p = lists_[c].back();
        lists_[c].pop_back();
        last_use_[c] = ++uses_;
        cached_ -= size;
        return p;
      }
    }
#endif
    return fresh(size);
  }

  // The smallest blocks are cut from pages and never given back: a call of malloc each would cost more than the operator. Freed
  // ones stay with the thread that freed them.
  struct Link {
    Link* next;
  };
  static constexpr int kBatchClasses = 4;

  // Leaves what the thread has to others at its end.
  struct Will {
    ~Will() {
      CpuRuntime& runtime = instance();
      for (int c = 0; c < kBatchClasses; ++c)
        if (pages_[c]) runtime.pages_left_[c].leave(std::exchange(pages_[c], nullptr));
      runtime.settle();
      if (local_) runtime.leave(std::unique_ptr<Local[]>(std::exchange(local_, nullptr)));
    }
  };
  static void make_will() { static thread_local const Will will; }
  void leave(const std::unique_ptr<Local[]>& lists) noexcept try {
    const std::lock_guard lock(mutex_);
    for (int c = kBatchClasses; c < kSmallClasses; ++c) {
      const Local& list = lists[c];
      lists_[c].insert(lists_[c].end(), list.blocks, list.blocks + list.count);
      cached_ += static_cast<size_t>(list.count) * size_of_class(c);
    }
  } catch (const std::bad_alloc&) {  // then nobody has the rest
  }

  static void* block(void* page, size_t size, size_t i) { return static_cast<char*>(page) + i * size; }
  void add_page(int c, size_t size) {
    make_will();
    pages_[c] = pages_left_[c].inherit();
    if (pages_[c]) return;
    void* page = fresh(size * kLocalBlocks);
    for (size_t i = kLocalBlocks; i-- > 0;) {
      auto* link = static_cast<Link*>(block(page, size, i));
      link->next = pages_[c];
      pages_[c] = link;
    }
  }

  void* fresh(size_t size) {
    void* p = system_allocate(size);
    if (!p) {
      empty_cache();
      p = system_allocate(size);
    }
    if (!p) throw OutOfMemory(text("out of memory: ", size, " bytes cannot be had, ", allocated(), " are in use"));
    reserved_.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
    return p;
  }

  void check_limit(size_t bytes, size_t size) {
    const size_t everywhere = limit_.load(std::memory_order_relaxed), here = context().memory_limit;
    const size_t limit = everywhere && here ? std::min(everywhere, here) : everywhere + here;
    if (limit == 0) return;
    settle();
    const auto used = static_cast<size_t>(std::max<int64_t>(0, allocated_.load()));
    if (used + size > limit)
      throw OutOfMemory(
          text("out of memory: ", bytes, " bytes wanted, ", used, " of a limit of ", limit, " are in use"));
  }

  // Enough to turn over a working set, and never more than half of what was needed at the peak beyond 256 MB.
  size_t cache_cap() const {
    return std::max<size_t>(size_t{256} << 20, static_cast<size_t>(std::max<int64_t>(0, peak_.load())) / 2);
  }

  // For a block of class c: other large ones go, those of the size that has waited longest first, lest blocks of sizes that are
  // not in use any more keep those that are from being cached.
  void make_room(int c, size_t size) {
    while (cached_ + size > cache_cap()) {
      int oldest = -1;
      for (int k = kSmallClasses; k < kClasses; ++k)
        if (k != c && !lists_[k].empty() && (oldest < 0 || last_use_[k] < last_use_[oldest])) oldest = k;
      if (oldest < 0) return;
      system_free(lists_[oldest].back(), size_of_class(oldest));
      lists_[oldest].pop_back();
      cached_ -= size_of_class(oldest);
      reserved_.fetch_sub(static_cast<int64_t>(size_of_class(oldest)), std::memory_order_relaxed);
    }
  }

  static Local& local(int c) {
    if (!local_) [[unlikely]] {
      make_will();
      local_ = new Local[kSmallClasses]();
    }
    return local_[c];
  }

  // Small, so that they fit into what is reserved for libraries that are loaded late.
  static thread_local Local* local_;
  static thread_local Link* pages_[kBatchClasses];
  static thread_local Tally tally_;

  std::atomic<int64_t> allocated_{0}, peak_{0}, reserved_{0}, total_{0};
  std::atomic<size_t> limit_{0};
  std::atomic<bool> limited_{false};  // is, or was, there a limit?
  std::array<Estate<Link>, kBatchClasses> pages_left_;
  std::mutex mutex_;
  std::array<std::vector<void*>, kClasses> lists_;
  std::array<uint64_t, kClasses> last_use_{};  // of the lists, by `uses_`
  uint64_t uses_ = 0;
  size_t cached_ = 0;
};

thread_local CpuRuntime::Local* CpuRuntime::local_ = nullptr;
thread_local CpuRuntime::Link* CpuRuntime::pages_[kBatchClasses] = {};
thread_local CpuRuntime::Tally CpuRuntime::tally_ = {};

class MetaRuntime final : public Runtime {
 public:
  int count() override { return 1; }
  std::string device_name(int) override { return "meta"; }
  void* allocate(size_t, int) override { return nullptr; }
  void free(void*, size_t, int) override {}
  void copy(void*, Device, const void*, Device, size_t) override { fail("copy: a meta tensor has no elements"); }
  MemoryStats memory_stats(int) override { return {}; }
  void reset_peak(int) override {}
  void set_memory_limit(size_t, int) override {}
};

}  // namespace

// Never destroyed: tensors in static objects and in the host outlive every order of destruction.
CpuRuntime& CpuRuntime::instance() {
  static auto* r = [] {
    pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                   [] { instance().mutex_.unlock(); });  // no thread of the child's would release it
    return new CpuRuntime;
  }();
  return *r;
}
Runtime& cpu_runtime() { return CpuRuntime::instance(); }
void enable_context_limits() { CpuRuntime::instance().enable_context_limits(); }
int64_t cpu_allocated_total() { return CpuRuntime::instance().total(); }
int64_t cpu_allocated_now() { return CpuRuntime::instance().allocated(); }
Runtime& meta_runtime() {
  static auto* r = new MetaRuntime;
  return *r;
}

}  // namespace facula
