// Core's merged loop nest as a kernel's argument: from the number of an element to its addresses.
#pragma once

#include "core/error.h"
#include "core/iterator.h"

namespace facula::cuda {

/// Dimensions that a kernel can walk after merging.
inline constexpr int kWalkDims = 16;
inline constexpr int64_t kNarrow = int64_t{1} << 31;

/// n / divisor by a multiplication for 0 <= n < 2^31: Granlund and Montgomery 1994.
struct Division {
  int64_t divisor = 1;
  uint32_t magic = 1, shift = 0;

  Division() = default;
  explicit Division(int64_t d) : divisor(d) {
    if (d < 1 || d >= kNarrow) return;  // nothing to walk, or the quotient is 0, or the walk is wide
    while ((int64_t{1} << shift) < d) ++shift;
    magic = static_cast<uint32_t>(
        ((uint64_t{1} << 32) * ((uint64_t{1} << shift) - static_cast<uint64_t>(d))) / static_cast<uint64_t>(d) + 1);
  }
#ifdef __CUDACC__
  __device__ uint32_t narrow(uint32_t n) const { return (__umulhi(n, magic) + n) >> shift; }
  /// Out of line: rare, and a hundred instructions.
  static __device__ __noinline__ int64_t wide(int64_t n, int64_t d) { return n / d; }
#endif
};

template <int N>
struct Walk {
  int dims;
  int64_t numel;
  char* base[N];
  Division size[kWalkDims];      // dimension 0 is the innermost
  int64_t stride[kWalkDims][N];  // bytes

  Walk(const LoopNest<N>& nest, const char* slot) : dims(nest.dims), numel(nest.numel) {
    check(dims <= kWalkDims, slot, ": the tensors have ", dims, " dimensions that cannot be merged, cuda kernels walk ",
          kWalkDims);
    for (int k = 0; k < N; ++k) base[k] = nest.base[k];
    for (int d = 0; d < dims; ++d) {
      size[d] = Division(nest.size[d]);
      for (int k = 0; k < N; ++k) stride[d][k] = nest.stride[d][k];
    }
  }

#ifdef __CUDACC__
  /// Distances of element i from the bases, in bytes.
  __device__ void offsets(int64_t i, int64_t (&offset)[N]) const {
#pragma unroll
    for (int k = 0; k < N; ++k) offset[k] = 0;
#pragma unroll 1
    for (int d = 0; d + 1 < dims; ++d) {
      const int64_t q = numel < kNarrow ? size[d].narrow(static_cast<uint32_t>(i)) : Division::wide(i, size[d].divisor);
      const int64_t at = i - q * size[d].divisor;
#pragma unroll
      for (int k = 0; k < N; ++k) offset[k] += at * stride[d][k];
      i = q;
    }
#pragma unroll
    for (int k = 0; k < N; ++k) offset[k] += i * stride[dims - 1][k];
  }

  __device__ void locate(int64_t i, char* (&p)[N]) const {
    int64_t offset[N];
    offsets(i, offset);
#pragma unroll
    for (int k = 0; k < N; ++k) p[k] = base[k] + offset[k];
  }
#endif
};

}  // namespace facula::cuda
