// Chosen dimensions of two tensors, walked together.
#pragma once

#include <algorithm>
#include <array>

#include "core/iterator.h"

namespace facula::cpu {

/// Some dimensions of a pair of tensors, innermost first. Strides count bytes.
struct Walk {
  int dims = 0;
  int64_t numel = 1;
  std::array<int64_t, kMaxDims> size;
  std::array<std::array<int64_t, 2>, kMaxDims> stride;

  void add(int64_t n, const std::array<int64_t, 2>& strides) {
    size[dims] = n;
    stride[dims++] = strides;
    numel *= n;
  }
  /// Where element i lies in both tensors.
  std::array<int64_t, 2> offset(int64_t i) const {
    std::array<int64_t, 2> at{};
    for (int d = 0; d < dims; ++d) {
      const int64_t k = i % size[d];
      i /= size[d];
      at[0] += k * stride[d][0], at[1] += k * stride[d][1];
    }
    return at;
  }
  /// Calls `row(offset, count)` for pieces of innermost rows of elements [begin, end), in order.
  template <class Row>
  void rows(int64_t begin, int64_t end, Row&& row) const {
    const int64_t length = dims ? size[0] : 1;
    while (begin < end) {
      const int64_t count = std::min(length - begin % length, end - begin);
      row(offset(begin), count);
      begin += count;
    }
  }
  std::array<int64_t, 2> step() const { return dims ? stride[0] : std::array<int64_t, 2>{}; }
};

}  // namespace facula::cpu
