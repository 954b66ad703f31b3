// What the passes of convolution share.
#pragma once

#include "core/tensor.h"
#include "kernels/cpu/frame.h"

namespace facula::cpu {

/// x [N, G * C, in...], w [G * O, C, kernel...], y [N, G * O, out...].
struct ConvShape {
  int64_t N, G, C, O;
  Space in{1, 1, 1}, kernel{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};

  ConvShape(const Sizes& x, const Sizes& w, const Sizes& y, const IntList& strides, const IntList& paddings,
            const IntList& dilations, int64_t groups);
  int64_t taps() const { return volume(kernel); }
  /// The copy of x that conv reads: output o sees position o * stride + k * dilation at tap k.
  Frame frame() const { return Frame(out, stride, kernel, dilation, padding); }
};

/// dw (contiguous) from g and x.
template <class T>
void conv_weight_adjoint(const ConvShape& s, T* dw, const T* g, const T* x);
/// The same where each group has one channel in and one out.
void depthwise_weight_adjoint(const ConvShape& s, float* dw, const float* g, const float* x);
void depthwise_weight_adjoint(const ConvShape& s, double* dw, const double* g, const double* x);

}  // namespace facula::cpu
