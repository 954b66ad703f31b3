// A block's class is found from the size alone, so blocks carry no header: 64-byte steps up to 1 KB, then four classes per
// doubling (at most 25 % is wasted). Small classes have thread-local lists in front of the common ones.
#include "core/allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

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

void* system_allocate(size_t bytes) {
  const bool huge = bytes >= kHuge;
  void* p = std::aligned_alloc(huge ? kHuge : kStep, huge ? (bytes + kHuge - 1) / kHuge * kHuge : bytes);
  if (p && huge) madvise(p, bytes, MADV_HUGEPAGE);
  return p;
}

class CpuRuntime final : public Runtime {
 public:
  int count() override { return 1; }
  std::string device_name(int) override { return "cpu"; }

  void* allocate(size_t bytes, int) override {
    const int c = class_of(bytes);
    const size_t size = size_of_class(c);
    if (const size_t limit = limit_.load(std::memory_order_relaxed); limit != 0) [[unlikely]]
      check_limit(bytes, size, limit);
    void* p = take(c, size);
    const int64_t now = allocated_.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed) +
                        static_cast<int64_t>(size);
    if (now > peak_.load(std::memory_order_relaxed)) peak_.store(now, std::memory_order_relaxed);
    total_.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
    return p;
  }

  void free(void* p, size_t bytes, int) override {
    const int c = class_of(bytes);
    const size_t size = size_of_class(c);
    allocated_.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
#ifdef FACULA_PLAIN_HEAP
    std::free(p);
#else
    if (c < kSmallClasses) {
      Local& list = local_[c];
      if (list.count < kLocalBlocks) {
        list.blocks[list.count++] = p;
        return;
      }
    }
    std::lock_guard lock(mutex_);
    if (c >= kSmallClasses && cached_ + size > cache_cap()) {
      reserved_.fetch_sub(static_cast<int64_t>(size), std::memory_order_relaxed);
      std::free(p);
      return;
    }
    cached_ += size;
    lists_[c].push_back(p);
#endif
  }

  void copy(void* to, Device, const void* from, Device, size_t bytes) override { std::memcpy(to, from, bytes); }

  MemoryStats memory_stats(int) override {
    return {allocated_.load(), peak_.load(), std::max(reserved_.load(), allocated_.load()), total_.load()};
  }
  void reset_peak(int) override { peak_ = allocated_.load(); }
  void set_memory_limit(size_t bytes, int) override { limit_ = bytes; }

  int64_t total() const { return total_.load(std::memory_order_relaxed); }
  int64_t allocated() const { return allocated_.load(std::memory_order_relaxed); }

  void empty_cache() override {
    std::lock_guard lock(mutex_);
    for (int c = kBatchClasses; c < kClasses; ++c) {
      for (void* p : lists_[c]) std::free(p);
      reserved_.fetch_sub(static_cast<int64_t>(lists_[c].size() * size_of_class(c)), std::memory_order_relaxed);
      lists_[c] = {};
    }
    cached_ = 0;
    for (int c = 0; c < kBatchClasses; ++c) cached_ += lists_[c].size() * size_of_class(c);
  }

 private:
  static constexpr int kLocalBlocks = 64;
  struct Local {
    int count;
    void* blocks[kLocalBlocks];
  };

  void* take(int c, size_t size) {
#ifndef FACULA_PLAIN_HEAP
    if (c < kSmallClasses) {
      Local& list = local_[c];
      if (list.count > 0) return list.blocks[--list.count];
      if (c < kBatchClasses) return refill(c, size);
    }
    {
      std::lock_guard lock(mutex_);
      if (!lists_[c].empty()) {
        void* p = lists_[c].back();
        lists_[c].pop_back();
        cached_ -= size;
        return p;
      }
    }
#endif
    return fresh(size);
  }

  // The smallest blocks are cut from pages of 64, which stay: a call of malloc each would cost more than the operator.
  static constexpr int kBatchClasses = 4;
  void* refill(int c, size_t size) {
    Local& list = local_[c];
    {
      std::lock_guard lock(mutex_);
      auto& common = lists_[c];
      while (!common.empty() && list.count < kLocalBlocks / 2) {
        list.blocks[list.count++] = common.back();
        common.pop_back();
        cached_ -= size;
      }
    }
    if (list.count == 0) {
      auto* page = static_cast<char*>(fresh(size * kLocalBlocks));
      for (int i = kLocalBlocks; i-- > 0;) list.blocks[list.count++] = page + static_cast<size_t>(i) * size;
    }
    return list.blocks[--list.count];
  }

  void* fresh(size_t size) {
    void* p = system_allocate(size);
    if (!p) {
      empty_cache();
      p = system_allocate(size);
    }
    if (!p) throw OutOfMemory(text("out of memory: ", size, " bytes cannot be had, ", allocated_.load(), " are in use"));
    reserved_.fetch_add(static_cast<int64_t>(size), std::memory_order_relaxed);
    return p;
  }

  void check_limit(size_t bytes, size_t size, size_t limit) {
    const auto used = static_cast<size_t>(std::max<int64_t>(0, allocated_.load()));
    if (used + size > limit)
      throw OutOfMemory(text("out of memory: ", bytes, " bytes wanted, ", used, " of a limit of ", limit, " are in use"));
  }

  // Enough to turn over a working set, and never more than half of what was needed at the peak beyond 256 MB.
  size_t cache_cap() const {
    return std::max<size_t>(size_t{256} << 20, static_cast<size_t>(std::max<int64_t>(0, peak_.load())) / 2);
  }

  static thread_local Local local_[kSmallClasses];

  std::atomic<int64_t> allocated_{0}, peak_{0}, reserved_{0}, total_{0};
  std::atomic<size_t> limit_{0};
  std::mutex mutex_;
  std::array<std::vector<void*>, kClasses> lists_;
  size_t cached_ = 0;
};

thread_local CpuRuntime::Local CpuRuntime::local_[kSmallClasses] = {};

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
static CpuRuntime& cpu() {
  static auto* r = new CpuRuntime;
  return *r;
}
Runtime& cpu_runtime() { return cpu(); }
int64_t cpu_allocated_total() { return cpu().total(); }
int64_t cpu_allocated_now() { return cpu().allocated(); }
Runtime& meta_runtime() {
  static auto* r = new MetaRuntime;
  return *r;
}

}  // namespace facula
