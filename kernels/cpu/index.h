// What reading and writing at positions have in common.
#pragma once

#include <cstdint>

#include "core/slots.h"

namespace facula::cpu {

/// Fails unless all elements of `index` lie in 1..n, n being x's size along dim: "gather: position 7 is outside 1..5 in
/// dimension 1 of (5, 3)".
void check_positions(const char* where, const Tensor& index, const Tensor& x, int64_t dim);

/// Positions as distances from x's first element, in bytes, for an index tensor per leading dimension of x; those
/// positions may be negative and then count from the end. Checked. Dense, of the index tensors' common sizes.
Tensor offsets(const char* where, const Tensor& x, std::span<const Tensor> indices);

/// Where index tensors lead: element p of the index stands for address base + (p - first) * step.
struct Step {
  int64_t first, bytes;
};
/// Positions from 1 along a dimension of x.
inline Step step_along(const Tensor& x, int64_t dim) { return {1, x.stride(dim) * x.item_size()}; }
/// What `offsets` gives.
inline constexpr Step kOffsets{0, 1};

/// A 0-dim tensor as one with a dimension of size 1.
inline Tensor at_least_1d(const Tensor& x) { return x.dim() > 0 ? x : x.alias({1}, {1}, x.offset()); }
/// x with other sizes, standing still along the dimensions from `first` up to `last`.
inline Tensor standing(const Tensor& x, const Sizes& sizes, int64_t first, int64_t last) {
  IntList strides = x.strides();
  for (int64_t d = first; d < last; ++d) strides[d] = 0;
  return x.alias(sizes, strides, x.offset());
}
/// A 1-dim index tensor stretched to `sizes`, of which it is dimension `dim`.
inline Tensor along(const Tensor& index, const Sizes& sizes, int64_t dim) {
  IntList strides(sizes.size());
  strides[dim] = index.stride(0);
  return index.alias(sizes, strides, index.offset());
}

/// Elements that are only moved: by size, whatever their dtype.
struct Bytes16 {
  uint64_t low, high;
};
template <class F>
void with_item(int64_t size, F&& f) {
  switch (size) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    case 8: return f.template operator()<uint64_t>();
    default: return f.template operator()<Bytes16>();
  }
}

// gather.cpp
void gather(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index);
void index_select(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index);
void index(const Tensor& out, const Tensor& x, std::span<const Tensor> indices);
// scatter.cpp
void scatter(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void scatter_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void scatter_multiply(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void scatter_reduce(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, slots::Fold fold,
                    const char* where);
void index_copy(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void index_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
void index_put(const Tensor& x, std::span<const Tensor> indices, const Tensor& values, bool accumulate);
// nonzero.cpp
void nonzero(const Tensor& out, const Tensor& x);

}  // namespace facula::cpu
