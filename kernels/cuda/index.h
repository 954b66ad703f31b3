// What reading and writing at positions have in common.
#pragma once

#include "kernels/cuda/launch.h"

namespace facula::cuda {

/// Where index tensors lead: element p of the index stands for address base + (p - first) * bytes.
struct Step {
  int64_t first, bytes;
  __device__ int64_t distance(const char* p) const { return (*reinterpret_cast<const int64_t*>(p) - first) * bytes; }
};
/// Positions from 1 along a dimension of x.
inline Step step_along(const Tensor& x, int64_t dim) { return {1, x.stride(dim) * x.item_size()}; }
/// What `offsets` gives.
inline constexpr Step kOffsets{0, 1};

/// Fails unless all elements of `index` lie in 1..n, n being x's size along dim: "gather: position 7 is outside 1..5 in
/// dimension 1 of (5, 3)". Waits for the device, so that the error is raised here and nothing is read or written
/// outside.
void check_positions(const Queue& queue, const Tensor& index, const Tensor& x, int64_t dim);

/// Positions as distances from x's first element, in bytes, for an index tensor per leading dimension of x; those
/// positions may be negative and then count from the end. Checked. Dense, of the index tensors' common sizes.
Tensor offsets(const Queue& queue, const Tensor& x, TensorSpan indices);

/// A 0-dim tensor as one with a dimension of size 1.
inline Tensor at_least_1d(const Tensor& x) { return x.dim() > 0 ? x : x.alias({1}, {1}, x.offset()); }
/// x with other sizes, standing still along `dim`.
inline Tensor standing(const Tensor& x, const Sizes& sizes, int64_t dim) {
  IntList strides = x.strides();
  strides[dim] = 0;
  return x.alias(sizes, strides, x.offset());
}
/// A 1-dim index tensor stretched to `sizes`, of which it is dimension `dim`.
inline Tensor along(const Tensor& index, const Sizes& sizes, int64_t dim) {
  IntList strides(sizes.size());
  strides[dim] = index.stride(0);
  return index.alias(sizes, strides, index.offset());
}
/// x [n1, ..., nk, rest...] as `sizes` [m..., rest...], standing still along m...
inline Tensor without_leading(const Tensor& x, size_t k, const Sizes& sizes) {
  const size_t rest = x.sizes().size() - k;
  IntList strides(sizes.size());
  std::copy(x.strides().begin() + k, x.strides().end(), strides.end() - rest);
  return x.alias(sizes, strides, x.offset());
}
/// A dense tensor [m...] as `sizes` [m..., rest...], standing still along rest...
inline Tensor without_trailing(const Tensor& m, const Sizes& sizes) {
  IntList strides(sizes.size());
  std::copy(m.strides().begin(), m.strides().end(), strides.begin());
  return m.alias(sizes, strides, m.offset());
}

// gather.cu
void gather(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index);
void index_select(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index);
void index(const Tensor& out, const Tensor& x, TensorSpan indices);
// scatter.cu
void scatter(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void scatter_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src);
void index_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha);
void index_put(const Tensor& x, TensorSpan indices, const Tensor& values, bool accumulate);
// nonzero.cu
void nonzero(const Tensor& out, const Tensor& x);

}  // namespace facula::cuda
