// The geometry that convolution's passes share.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/tensor.h"

namespace facula::cpu {

/// One convolution: x [N, G * C, in...], w [G * O, C, kernel...], y [N, G * O, out...], in three spatial dimensions, of which
/// the leading ones may be of size 1. A line is a row of output pixels along the last dimension.
struct ConvShape {
  using Space = std::array<int64_t, 3>;
  int64_t N, G, C, O;
  Space in, kernel, out, stride, padding, dilation;
  int64_t in_plane, taps, out_plane, lines, width;  // products; out_plane = lines * width

  ConvShape(const Sizes& x, const Sizes& w, const Sizes& y, const IntList& strides, const IntList& paddings,
            const IntList& dilations, int64_t groups);

  /// Is every input pixel its own column, so that x can be multiplied as it lies?
  bool is_pointwise() const {
    return taps == 1 && stride == Space{1, 1, 1} && padding == Space{0, 0, 0};
  }

  /// Calls visit(row, line, offset, low, high): row = c * taps + tap counts the rows of the column matrix for channels
  /// c0 .. c1, `line` the lines first .. last; pixels low .. high of that line read the input, pixel i at element
  /// offset + i * stride[2] from channel c0's first one; the other pixels read padding.
  template <class Visit>
  void for_lines(int64_t channels, int64_t first, int64_t last, Visit&& visit) const;
};

template <class Visit>
void ConvShape::for_lines(int64_t channels, int64_t first, int64_t last, Visit&& visit) const {
  auto ceil_div = [](int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : 0; };
  int64_t row = 0;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t kz = 0; kz < kernel[0]; ++kz)
      for (int64_t ky = 0; ky < kernel[1]; ++ky)
        for (int64_t kx = 0; kx < kernel[2]; ++kx, ++row) {
          const int64_t x0 = kx * dilation[2] - padding[2];  // where pixel 0 reads
          const int64_t low = std::min(width, ceil_div(-x0, stride[2]));
          const int64_t high = std::max(low, std::min(width, ceil_div(in[2] - x0, stride[2])));
          for (int64_t line = first; line < last; ++line) {
            const int64_t z = line / out[1] * stride[0] + kz * dilation[0] - padding[0];
            const int64_t y = line % out[1] * stride[1] + ky * dilation[1] - padding[1];
            const bool inside = 0 <= z && z < in[0] && 0 <= y && y < in[1];
            visit(row, line, c * in_plane + (z * in[1] + y) * in[2] + x0, inside ? low : width, inside ? high : width);
          }
        }
}

/// The three passes with one input channel per group, by loops over lines. Parallel over planes.
template <class T>
void depthwise(const ConvShape& s, T* y, const T* x, const T* w);
template <class T>
void depthwise_input(const ConvShape& s, T* dx, const T* g, const T* w);
template <class T>
void depthwise_weight(const ConvShape& s, T* dw, const T* g, const T* x);

}  // namespace facula::cpu
