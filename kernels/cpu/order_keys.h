// Rows of the keys of order.h, searched by vectors.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace facula::cpu {

/// Functions on rows of one dtype's keys.
struct KeyRow {
  /// The keys of n elements `stride` elements apart, complemented where the order is descending.
  void (*keys)(void* keys, const void* x, int64_t stride, int64_t n, bool descending);
  /// The lowest key of each of `groups` groups of n keys; key i belongs to group i % groups. No group is empty.
  void (*tops)(void* tops, int64_t groups, const void* keys, int64_t n);
  /// The places of keys up to `bar`, in order; how many there are.
  int64_t (*up_to)(int32_t* places, const void* keys, int64_t n, uint64_t bar);
};

/// Of any real dtype.
KeyRow key_row_of(DType t);

}  // namespace facula::cpu
