// The loop nest under every pointwise kernel, and the outer loops of reductions: dimensions that can be walked in one
// stride are merged, so that dense tensors of any rank become one long row.
#pragma once

#include <array>
#include <cstdint>

#include "core/parallel.h"
#include "core/tensor.h"

namespace facula {

inline constexpr int kMaxDims = 64;

/// N operands of equal sizes. Dimension 0 is the innermost. Strides are in bytes.
template <int N>
struct LoopNest {
  int dims = 0;  // at least 1 after merging
  int64_t numel = 0;
  std::array<char*, N> base{};         // address of each operand's first element
  std::array<int64_t, kMaxDims> size;  // size[0 .. dims)
  std::array<std::array<int64_t, N>, kMaxDims> stride;

  explicit LoopNest(const std::array<const Tensor*, N>& operands);

  /// All operands dense in the innermost dimension, which is the only one.
  bool is_dense(const std::array<int64_t, N>& item) const { return dims == 1 && stride[0] == item; }

  /// Calls `row(pointers, count)` for pieces of innermost rows of elements [begin, end), in order. `pointers[k]` is operand
  /// k's address of the piece's first element; consecutive elements lie `stride[0][k]` bytes apart.
  template <class Row>
  void rows(int64_t begin, int64_t end, Row&& row) const {
    std::array<int64_t, kMaxDims> at;
    std::array<char*, N> p = base;
    int64_t rest = begin;
    for (int d = 0; d < dims; ++d) {
      at[d] = rest % size[d];
      rest /= size[d];
      for (int k = 0; k < N; ++k) p[k] += at[d] * stride[d][k];
    }
    while (begin < end) {
      const int64_t count = std::min(size[0] - at[0], end - begin);
      row(p, count);
      begin += count;
      at[0] += count;
      for (int k = 0; k < N; ++k) p[k] += count * stride[0][k];
      for (int d = 0; d + 1 < dims && at[d] == size[d]; ++d) {  // carry
        at[d] = 0;
        ++at[d + 1];
        for (int k = 0; k < N; ++k) p[k] += stride[d + 1][k] - size[d] * stride[d][k];
      }
    }
  }

  /// The same over all elements, in parallel pieces of at least `grain` elements.
  template <class Row>
  void parallel_rows(int64_t grain, Row&& row) const {
    if (numel <= grain) {
      if (dims == 1)
        row(base, numel);
      else
        rows(0, numel, row);
      return;
    }
    parallel_for(numel, grain, [&](int64_t begin, int64_t end) { rows(begin, end, row); });
  }
};

template <int N>
LoopNest<N>::LoopNest(const std::array<const Tensor*, N>& operands) {
  const Tensor& first = *operands[0];
  numel = first.numel();
  std::array<int64_t, N> item;
  bool dense = true;
  for (int k = 0; k < N; ++k) {
    base[k] = operands[k]->bytes();
    item[k] = operands[k]->item_size();
    dense = dense && operands[k]->is_contiguous();
  }
  dims = 1;
  size[0] = numel;
  stride[0] = item;
  if (dense || numel == 0) return;

  dims = 0;
  for (int64_t d = 0; d < first.dim(); ++d) {
    if (first.size(d) == 1) continue;
    size[dims] = first.size(d);
    for (int k = 0; k < N; ++k) stride[dims][k] = operands[k]->stride(d) * item[k];
    ++dims;
  }
  if (dims == 0) {
    dims = 1;
    size[0] = 1;
    return;
  }
  // The output's smallest stride goes innermost; among its zeros (reduced dimensions) the inputs decide.
  auto inner = [&](int a, int b) {  // should a lie inside b?
    for (int k = 0; k < N; ++k) {
      const int64_t sa = std::abs(stride[a][k]), sb = std::abs(stride[b][k]);
      if (sa == 0 || sb == 0 || sa == sb) continue;
      return sa < sb;
    }
    return a > b;  // row-major otherwise
  };
  std::array<int, kMaxDims> order;
  for (int d = 0; d < dims; ++d) order[d] = d;
  for (int i = 1; i < dims; ++i)  // insertion sort: few dimensions, and `inner` is no strict order
    for (int j = i; j > 0 && inner(order[j], order[j - 1]); --j) std::swap(order[j], order[j - 1]);
  const auto sizes = size;
  const auto strides = stride;
  int n = 0;
  for (int i = 0; i < dims; ++i) {
    const int64_t s = sizes[order[i]];
    const auto& st = strides[order[i]];
    bool mergeable = n > 0;
    for (int k = 0; k < N && mergeable; ++k) mergeable = st[k] == stride[n - 1][k] * size[n - 1];
    if (mergeable) {
      size[n - 1] *= s;
    } else {
      size[n] = s;
      stride[n] = st;
      ++n;
    }
  }
  dims = n;
}

}  // namespace facula
