// Tensors as dense [outer, n, inner] around one dimension, which is how scans and softmax see them.
#pragma once

#include "core/slots.h"

namespace facula::cpu {

/// x itself if it is dense, else an uninitialised dense tensor of its kind.
inline Tensor dense_or_new(const Tensor& x) { return x.is_contiguous() ? x : empty(x.sizes(), x.dtype()); }

/// x with its elements in row-major order: itself or a copy.
inline Tensor dense(const Tensor& x) {
  const Tensor y = dense_or_new(x);
  if (!y.is(x)) slots::copy(y, x);
  return y;
}

/// Sizes before, along and after a dimension; a 0-dim tensor has one element along any.
struct Around {
  int64_t outer = 1, n = 1, inner = 1;
  Around(const Sizes& sizes, int64_t dim) {
    for (int64_t d = 0; d < static_cast<int64_t>(sizes.size()); ++d)
      (d < dim ? outer : d == dim ? n : inner) *= sizes[static_cast<size_t>(d)];
  }
};

}  // namespace facula::cpu
