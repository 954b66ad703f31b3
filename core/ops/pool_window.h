// Arithmetic on the sizes of sliding windows, where scripts may pass any number.
#pragma once

#include <limits>
#include <optional>

#include "core/ops.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {

/// Products and sums of sizes, strides and paddings that stay at the end of the range instead of wrapping.
inline int64_t saturated_product(int64_t a, int64_t b) {
  int64_t result;
  if (!__builtin_mul_overflow(a, b, &result)) return result;
  return (a < 0) == (b < 0) ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}
inline int64_t saturated_sum(int64_t a, int64_t b) {
  int64_t result;
  if (!__builtin_add_overflow(a, b, &result)) return result;
  return a > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

/// Positions that a kernel spans.
inline int64_t reach_of(int64_t kernel, int64_t dilation) {
  return saturated_sum(saturated_product(dilation, kernel - 1), 1);
}
/// How many windows fit: (size + 2 padding - reach) / stride + 1, rounded up with ceil_mode as long as the last window
/// begins inside. 0 where none does.
int64_t windows_along(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode);

/// Fails unless there are as many dimensions as `spatial` and one or two more, all but the batch not empty.
void check_planes(const std::string& op, const Tensor& x, int64_t spatial);
/// Checks kernel, stride, padding and dilation of a pooling over x's last dimensions; the sizes of what comes out.
Sizes pooled_sizes(const std::string& op, const Sizes& x, const IntList& kernel, const IntList& stride,
                   const IntList& padding, const IntList& dilation, bool ceil_mode);

/// Checks the numbers of a convolution: in a range in which no product of theirs with a real size overflows.
void check_strides(const std::string& op, const IntList& stride, const IntList& padding, const IntList& dilation);

/// Lua that makes random planes for an example: `torch.randn(1, 2, 6, 6)` of two dimensions of size 6.
std::string random_planes(int batch, int channels, int spatial, int size);

/// x's sizes with others at the end.
inline Sizes with_last(const Sizes& x, const IntList& last) {
  Sizes sizes = x;
  std::copy(last.begin(), last.end(), sizes.end() - static_cast<ptrdiff_t>(last.size()));
  return sizes;
}

/// The result of mapping x along its last `spatial` dimensions; make_taps(d) gives the map of the d-th of them and is
/// only called where there are elements to compute.
template <class Make>
Tensor resampled(Out& out, const Tensor& x, const Sizes& sizes, size_t spatial, Make&& make_taps) {
  const Tensor y = out.make(sizes, x.dtype());
  if (y.is_meta() || y.numel() == 0) return y;
  if (x.numel() == 0) {
    slots::fill(y, 0);
    return y;
  }
  std::vector<Taps> taps;
  for (size_t d = 0; d < spatial; ++d) taps.push_back(make_taps(d));
  slots::resample(y, dense(x), taps);
  return y;
}

}  // namespace facula
