#include "core/ops/pool_window.h"

namespace facula {

int64_t windows_along(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t padded = saturated_sum(size, saturated_product(2, padding));
  const int64_t room = saturated_sum(padded, -reach_of(kernel, dilation));
  if (room < 0 && (!ceil_mode || saturated_sum(room, stride - 1) < 0)) return 0;
  if (room < 0) return 1;  // the only window begins at the padding's edge
  int64_t n = room / stride + 1;
  if (ceil_mode && room % stride > 0 && saturated_product(n, stride) < saturated_sum(size, padding)) ++n;
  return n;
}

void check_planes(const std::string& op, const Tensor& x, int64_t spatial) {
  const bool batch = x.dim() == spatial + 2;
  check(batch || x.dim() == spatial + 1, op, ": expected ", spatial + 2, " dimensions, or ", spatial + 1,
        " without a batch, got ", x.sizes());
  for (int64_t d = batch ? 1 : 0; d < x.dim(); ++d)
    check(x.size(d) > 0, op, ": only the batch may be empty, got ", x.sizes());
}

Sizes pooled_sizes(const std::string& op, const Sizes& x, const IntList& kernel, const IntList& stride,
                   const IntList& padding, const IntList& dilation, bool ceil_mode) {
  const size_t spatial = kernel.size();
  check(x.size() >= spatial && stride.size() == spatial && padding.size() == spatial && dilation.size() == spatial, op,
        ": expected ", spatial, " numbers for each of stride, padding and dilation, got ", stride, ", ", padding,
        " and ", dilation);
  Sizes sizes = x;
  for (size_t i = 0; i < spatial; ++i) {
    const size_t d = x.size() - spatial + i;
    check(kernel[i] > 0 && stride[i] > 0 && dilation[i] > 0, op, ": kernel, stride and dilation must be positive, got ",
          kernel, ", ", stride, " and ", dilation);
    check(padding[i] >= 0 && padding[i] <= kernel[i] / 2, op, ": padding must be within 0 and half of the kernel, got ",
          padding, " for ", kernel);
    sizes[d] = windows_along(x[d], kernel[i], stride[i], padding[i], dilation[i], ceil_mode);
    check(sizes[d] > 0 && x[d] > 0, op, ": the kernel ", kernel, " does not fit into ", x);
  }
  return sizes;
}

void check_strides(const std::string& op, const IntList& stride, const IntList& padding, const IntList& dilation) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  auto within = [](const IntList& list, int64_t least) {
    return std::all_of(list.begin(), list.end(), [&](int64_t n) { return least <= n && n <= kMost; });
  };
  check(within(stride, 1) && within(dilation, 1), op, ": stride and dilation must be positive and below 2^31, got ",
        stride, " and ", dilation);
  check(within(padding, 0), op, ": padding must not be negative and below 2^31, got ", padding);
}

std::string random_planes(int batch, int channels, int spatial, int size) {
  std::string sizes;
  for (int d = 0; d < spatial; ++d) sizes += text(", ", size);
  return text("torch.randn(", batch, ", ", channels, sizes, ')');
}

}  // namespace facula
