// Best fit with splitting and merging. Blocks up to 1 MB come from segments of 2 MB, larger ones from segments of 20 MB
// or of their own size, so that small, long-lived blocks do not break up the room of large ones.
#include "kernels/cuda/allocator.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "kernels/cuda/queue.h"

namespace facula::cuda {
namespace {

constexpr size_t kGranule = 512, kMega = size_t{1} << 20;
constexpr size_t kSmall = kMega, kSmallSegment = 2 * kMega, kLargeSegment = 20 * kMega, kOwnSegment = 10 * kMega;

size_t rounded(size_t bytes, size_t granule) { return (bytes + granule - 1) / granule * granule; }

size_t segment_bytes(size_t bytes, bool small) {
  if (small) return kSmallSegment;
  return bytes < kOwnSegment ? kLargeSegment : rounded(bytes, 2 * kMega);
}

}  // namespace

void* Allocator::allocate(size_t bytes) {
  const size_t size = rounded(bytes, kGranule);
  const bool small = size <= kSmall;
  std::lock_guard lock(mutex_);
  if (limit_ != 0 && static_cast<size_t>(stats_.allocated) + size > limit_)
    throw OutOfMemory(text("out of memory: ", bytes, " bytes wanted on cuda:", device_, ", ", stats_.allocated,
                           " of a limit of ", limit_, " are in use"));
  char* p = best_fit(size, small);
  if (!p) p = new_segment(size, small);
  const auto block = blocks_.find(p);
  free_of(small).erase({block->second.bytes, p});
  split(block, size);
  block->second.free = false;
  const auto used = static_cast<int64_t>(block->second.bytes);
  stats_.allocated += used;
  stats_.total += used;
  stats_.peak = std::max(stats_.peak, stats_.allocated);
  return p;
}

void Allocator::free(void* p) {
  std::lock_guard lock(mutex_);
  auto block = blocks_.find(static_cast<char*>(p));
  stats_.allocated -= static_cast<int64_t>(block->second.bytes);
  block->second.free = true;
  if (const auto next = std::next(block); next != blocks_.end() && next->second.free && !next->second.first)
    block = merge(block, next);
  if (!block->second.first && std::prev(block)->second.free) block = merge(std::prev(block), block);
  free_of(block->second.small).emplace(block->second.bytes, block->first);
}

char* Allocator::best_fit(size_t bytes, bool small) {
  const auto& free = free_of(small);
  const auto fit = free.lower_bound({bytes, nullptr});
  return fit == free.end() ? nullptr : fit->second;
}

char* Allocator::new_segment(size_t bytes, bool small) {
  size_t size = segment_bytes(bytes, small);
  void* p = nullptr;
  cudaSetDevice(device_);
  cudaError_t error = cudaMalloc(&p, size);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // not sticky
    release_unused();
    size = small ? kSmallSegment : rounded(bytes, 2 * kMega);
    error = cudaMalloc(&p, size);
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    out_of_memory(bytes);
  }
  check_cuda(error, "allocate");
  stats_.reserved += static_cast<int64_t>(size);
  auto* address = static_cast<char*>(p);
  blocks_[address] = {size, true, true, small};
  free_of(small).emplace(size, address);
  return address;
}

// The rest of the block stays free, unless it is too small to be worth it. The block itself must not be in the free
// list.
void Allocator::split(Blocks::iterator block, size_t bytes) {
  const size_t rest = block->second.bytes - bytes;
  const bool small = block->second.small;
  if (rest < (small ? kGranule : kSmall)) return;
  block->second.bytes = bytes;
  char* address = block->first + bytes;
  blocks_[address] = {rest, true, false, small};
  free_of(small).emplace(rest, address);
}

// Either may be in the free list; the merged block is not.
Allocator::Blocks::iterator Allocator::merge(Blocks::iterator left, Blocks::iterator right) {
  auto& free = free_of(left->second.small);
  free.erase({left->second.bytes, left->first});
  free.erase({right->second.bytes, right->first});
  left->second.bytes += right->second.bytes;
  blocks_.erase(right);
  return left;
}

// cudaFree waits for the device, hence for kernels that may still use the memory.
void Allocator::release_unused() {
  for (auto block = blocks_.begin(); block != blocks_.end();) {
    const auto next = std::next(block);
    const bool whole = block->second.first && (next == blocks_.end() || next->second.first);
    if (whole && block->second.free) {
      check_cuda(cudaFree(block->first), "empty_cache");
      stats_.reserved -= static_cast<int64_t>(block->second.bytes);
      free_of(block->second.small).erase({block->second.bytes, block->first});
      blocks_.erase(block);
    }
    block = next;
  }
}

void Allocator::empty_cache() {
  std::lock_guard lock(mutex_);
  cudaSetDevice(device_);
  release_unused();
}

void Allocator::out_of_memory(size_t bytes) const {
  size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  throw OutOfMemory(text("out of memory: ", bytes, " bytes wanted on cuda:", device_, ", ", stats_.allocated,
                         " are in use, ", stats_.reserved - stats_.allocated, " cached and ", free, " of ", total,
                         " left on the device"));
}

MemoryStats Allocator::stats() {
  std::lock_guard lock(mutex_);
  return stats_;
}

void Allocator::reset_peak() {
  std::lock_guard lock(mutex_);
  stats_.peak = stats_.allocated;
}

void Allocator::set_limit(size_t bytes) {
  std::lock_guard lock(mutex_);
  limit_ = bytes;
}

}  // namespace facula::cuda
