// Sliding windows as columns of a matrix, and back. The two are each other's adjoints.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using L = IntList;

Op im2col, col2im;

SlidingWindows windows_of(const std::string& op, const IntList& image, const IntList& kernel, const IntList& dilation,
                          const IntList& padding, const IntList& stride) {
  check_strides(op, stride, padding, dilation);
  SlidingWindows w{kernel, dilation, padding, stride, {}};
  for (size_t d = 0; d < 2; ++d) {
    check(kernel[d] > 0, op, ": the kernel must be positive, got ", kernel);
    w.out.push_back(windows_along(image[d], kernel[d], stride[d], padding[d], dilation[d], false));
    check(w.out[d] > 0, op, ": the kernel ", kernel, " with dilation ", dilation, " and padding ", padding,
          " does not fit into ", image);
  }
  return w;
}

Tensor im2col_forward(Out& out, const Tensor& x, const IntList& kernel, const IntList& dilation, const IntList& padding,
                      const IntList& stride) {
  const SlidingWindows w = windows_of("unfold", {x.size(2), x.size(3)}, kernel, dilation, padding, stride);
  const int64_t taps = saturated_product(kernel[0], kernel[1]);
  const Tensor y =
      out.make({x.size(0), saturated_product(x.size(1), taps), saturated_product(w.out[0], w.out[1])}, x.dtype());
  slots::im2col(y, dense(x), w);
  return y;
}

Tensor col2im_forward(Out& out, const Tensor& columns, const IntList& size, const IntList& kernel,
                      const IntList& dilation, const IntList& padding, const IntList& stride) {
  const SlidingWindows w = windows_of("fold", size, kernel, dilation, padding, stride);
  const int64_t taps = saturated_product(kernel[0], kernel[1]), places = saturated_product(w.out[0], w.out[1]);
  check(columns.size(1) % taps == 0, "fold: ", columns.size(1), " rows of columns ", columns.sizes(),
        " do not divide into kernels of ", taps);
  check(columns.size(2) == places, "fold: an image of ", size, " has ", places, " windows, the columns ",
        columns.sizes(), " have ", columns.size(2));
  const Tensor x = out.make({columns.size(0), columns.size(1) / taps, size[0], size[1]}, columns.dtype());
  slots::col2im(x, dense(columns), w);
  return x;
}

Tensor unfold_of(const Tensor& x, const IntList& kernel, const IntList& dilation, const IntList& padding,
                 const IntList& stride) {
  check_planes("unfold", x, 2);
  if (x.dim() == 4) return im2col(x, kernel, dilation, padding, stride);
  return ops::select(im2col(ops::unsqueeze(x, 0), kernel, dilation, padding, stride), 0, 0);
}
Tensor fold_of(const Tensor& x, const IntList& size, const IntList& kernel, const IntList& dilation,
               const IntList& padding, const IntList& stride) {
  check_planes("fold", x, 1);
  check(x.dtype() != DType::Bool, "fold: bool tensors have no sums");
  if (x.dim() == 3) return col2im(x, size, kernel, dilation, padding, stride);
  return ops::select(col2im(ops::unsqueeze(x, 0), size, kernel, dilation, padding, stride), 0, 0);
}

#define WINDOWS "int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor"

}  // namespace

void define_fold(const Family& define) {
  define(im2col, "_im2col(Tensor input, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor")
      .doc("Windows of images [N, C, H, W] as columns [N, C * kH * kW, windows].")
      .forward(im2col_forward)
      .grad("input", [](Tensor g, Meta x, L kernel, L dilation, L padding, L stride) {
        return col2im(g, L{x.size(2), x.size(3)}, kernel, dilation, padding, stride);
      });
  define(
      col2im,
      "_col2im(Tensor input, int[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) "
      "-> Tensor")
      .doc("Columns [N, C * kH * kW, windows] added up to images [N, C, H, W].")
      .forward(col2im_forward)
      .grad("input", [](Tensor g, Meta, L, L kernel, L dilation, L padding, L stride) {
        return im2col(g, kernel, dilation, padding, stride);
      });
  define("nn.functional.unfold(Tensor input, " WINDOWS)
      .doc("The windows of images [N, C, H, W] as columns [N, C * kH * kW, number of windows].")
      .example("torch.nn.functional.unfold(torch.ones(1, 1, 3, 3), 2)")
      .compose(unfold_of);
  define("nn.functional.fold(Tensor input, int[2] output_size, " WINDOWS)
      .doc(
          "Columns [N, C * kH * kW, number of windows] added up to images [N, C, output_size]: the adjoint of "
          "`unfold`.")
      .example("torch.nn.functional.fold(torch.ones(1, 4, 4), {3, 3}, 2)")
      .compose(fold_of);
}

}  // namespace facula
