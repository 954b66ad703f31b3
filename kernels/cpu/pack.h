// Elements on their way between tensors of any strides and dtypes and the dense blocks that kernels work on.
#pragma once

#include <algorithm>

#include "core/tensor.h"

namespace facula::cpu {

/// Elements per block: few enough for several blocks to stay in the first-level cache, enough to hide the cost of a
/// call.
inline constexpr int64_t kBlock = 512;
/// Results from this size on bypass the cache: they would push out what is in it, and be read before they are written.
inline constexpr int64_t kStreamBytes = 8 << 20;

/// A buffer for a block of any dtype.
struct alignas(64) Block {
  char bytes[kBlock * 16];
};

/// Calls f with an unsigned number (or a pair) of `item` bytes.
template <class F>
void with_item(int64_t item, F&& f) {
  switch (item) {
    case 1: return f(uint8_t());
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    case 8: return f(uint64_t());
    default: return f(complex128());
  }
}

/// n elements of `item` bytes from one stride to another; strides count bytes, may be negative, and 0 for `from`.
void copy_row(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t n, int64_t item);
/// memcpy past the cache. `end_stream` makes it visible to other threads.
void stream(char* to, const char* from, int64_t bytes);
void end_stream();

/// Dense rows from one dtype to another, by the rules of slots::copy.
using Convert = void (*)(char* to, const char* from, int64_t n);
Convert converter(DType to, DType from);

/// Calls f(first, count) for the blocks of a row of n elements. Those of a row that is streamed to `streamed` begin at
/// cache lines: lines written in parts, by two blocks, would cost a quarter of the time.
template <class F>
void for_blocks(int64_t n, const char* streamed, int64_t item, const F& f) {
  constexpr uintptr_t kLine = 64;
  int64_t next = kBlock - static_cast<int64_t>(reinterpret_cast<uintptr_t>(streamed) % kLine) / item;
  for (int64_t first = 0; first < n; next = kBlock) {
    const int64_t count = std::min(next, n - first);
    f(first, count);
    first += count;
  }
}

/// How one operand's row becomes a dense block of another dtype, or comes from one.
struct Packing {
  int64_t stride = 0;  // of the operand, in bytes
  int64_t item = 0;
  Convert convert = nullptr;  // null where the dtypes agree

  Packing() = default;
  /// From rows of `type` to blocks of `dense_type`.
  static Packing in(DType type, DType dense_type, int64_t stride);
  /// From blocks of `dense_type` to rows of `type`.
  static Packing out(DType type, DType dense_type, int64_t stride);

  /// The row is such a block already.
  bool direct() const { return !convert && stride == item; }
  /// At most kBlock elements at `from`, where they are or in `block`.
  const char* load(const char* from, int64_t n, Block& block) const;
  /// The elements in `block` to their places.
  void store(char* to, int64_t n, const Block& block) const;
};

}  // namespace facula::cpu
