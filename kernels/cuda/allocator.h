// The memory of one cuda device.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "core/device.h"

namespace facula::cuda {

/// Hands out blocks of a few large segments. A block that is freed may be handed out again at once, although kernels
/// that use it still wait in the device's queue: whoever gets it next queues up behind them.
class Allocator {
 public:
  explicit Allocator(int device) : device_(device) {}

  /// Aligned to 512 bytes; throws OutOfMemory.
  void* allocate(size_t bytes);
  void free(void* p);
  /// Returns to the driver what is wholly unused.
  void empty_cache();

  MemoryStats stats();
  void reset_peak();
  void set_limit(size_t bytes);

 private:
  struct Block {
    size_t bytes;
    bool free;
    bool first;  // of its segment: never merged with the block before it
    bool small;  // of a segment for small blocks
  };
  using Blocks = std::map<char*, Block>;  // by address, so that neighbours in a segment are neighbours here

  char* best_fit(size_t bytes, bool small);
  char* new_segment(size_t bytes, bool small);
  void split(Blocks::iterator block, size_t bytes);
  Blocks::iterator merge(Blocks::iterator left, Blocks::iterator right);
  void release_unused();
  [[noreturn]] void out_of_memory(size_t bytes) const;
  auto& free_of(bool small) { return free_[small ? 1 : 0]; }

  const int device_;
  std::mutex mutex_;
  Blocks blocks_;
  std::set<std::pair<size_t, char*>> free_[2];  // of large and small segments, by size
  MemoryStats stats_;
  size_t limit_ = 0;
};

}  // namespace facula::cuda
