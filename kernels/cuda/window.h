// The geometry that convolution and pooling share: a window that steps over a space of three dimensions, of which the
// leading ones may be of size 1.
#pragma once

#include "core/tensor.h"

namespace facula::cuda {

struct Window {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};
  int64_t in_plane = 1, out_plane = 1, taps = 1;

  /// x and y end with their spatial sizes; the lists have one entry per spatial dimension.
  Window(const Tensor& x, const Tensor& y, const IntList& kernels, const IntList& strides, const IntList& paddings,
         const IntList& dilations) {
    const size_t space = kernels.size(), lead = 3 - space;
    for (size_t d = 0; d < space; ++d) {
      const auto from_end = static_cast<int64_t>(d) - static_cast<int64_t>(space);
      in[lead + d] = x.size(from_end);
      out[lead + d] = y.size(from_end);
      kernel[lead + d] = kernels[d];
      stride[lead + d] = strides[d];
      padding[lead + d] = paddings[d];
      dilation[lead + d] = dilations[d];
    }
    for (int d = 0; d < 3; ++d) in_plane *= in[d], out_plane *= out[d], taps *= kernel[d];
  }

#ifdef __CUDACC__
  /// Coordinates of a place in a plane.
  static __device__ void coordinates(int64_t place, const int64_t (&size)[3], int64_t (&at)[3]) {
    at[2] = place % size[2];
    at[1] = place / size[2] % size[1];
    at[0] = place / (size[1] * size[2]);
  }
  /// Where tap k of the window of output o reads along dimension d; outside the input it reads padding.
  __device__ int64_t source(int d, int64_t o, int64_t k) const { return o * stride[d] + k * dilation[d] - padding[d]; }
  __device__ bool is_inside(int d, int64_t i) const { return 0 <= i && i < in[d]; }
#endif
};

}  // namespace facula::cuda
