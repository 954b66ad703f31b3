// Transposed convolution, the adjoint of convolution in its input, and `convolution`, which is either.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using L = IntList;

void check_conv_transpose(const std::string& op, const Tensor& x, const Tensor& w, const Tensor& bias,
                          const IntList& stride, const IntList& padding, const IntList& output_padding, int64_t groups,
                          const IntList& dilation) {
  check(x.dtype() == w.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op, ": dtypes differ, input is ",
        x.dtype(), ", weight ", w.dtype(), bias.defined() ? ", bias " : "", bias.defined() ? name(bias.dtype()) : "");
  check(groups > 0, op, ": groups must be positive, got ", groups);
  check(x.size(1) == w.size(0), op, ": input ", x.sizes(), " has ", x.size(1),
        x.size(1) == 1 ? " channel" : " channels", ", weight ", w.sizes(), " expects ", w.size(0));
  check(w.size(0) % groups == 0, op, ": ", w.size(0), " input channels do not divide into ", groups, " groups");
  check(!bias.defined() || (bias.dim() == 1 && bias.size(0) == saturated_product(w.size(1), groups)), op,
        ": bias must have ", saturated_product(w.size(1), groups), " elements");
  check_strides(op, stride, padding, dilation);
  for (size_t i = 0; i < stride.size(); ++i)
    check(output_padding[i] >= 0 && (output_padding[i] < stride[i] || output_padding[i] < dilation[i]), op,
          ": output_padding must be smaller than stride or dilation, got ", output_padding, ", ", stride, " and ",
          dilation);
}

// (n - 1) * stride - 2 padding + reach + output_padding
Sizes transposed_sizes(const std::string& op, const Tensor& x, const Tensor& w, const IntList& stride,
                       const IntList& padding, const IntList& output_padding, int64_t groups, const IntList& dilation) {
  Sizes sizes{x.size(0), saturated_product(w.size(1), groups)};
  for (size_t i = 0; i < stride.size(); ++i) {
    const int64_t in = x.sizes()[i + 2], kernel = w.sizes()[i + 2];
    const int64_t full = saturated_sum(saturated_product(in - 1, stride[i]), reach_of(kernel, dilation[i]));
    const int64_t n = saturated_sum(full, output_padding[i] - 2 * padding[i]);
    check(in > 0 && kernel > 0 && n > 0, op, ": input ", x.sizes(), " and weight ", w.sizes(), " with padding ",
          padding, " leave nothing at dimension ", Counting::shown(static_cast<int64_t>(i) + 2));
    sizes.push_back(n);
  }
  return sizes;
}

template <int kSpatial>
Tensor conv_transpose_of(const Tensor& given, const Tensor& w, const Tensor& bias, const IntList& stride,
                         const IntList& padding, const IntList& output_padding, int64_t groups,
                         const IntList& dilation) {
  const std::string op = text("conv_transpose", kSpatial, "d");
  check(w.dim() == kSpatial + 2, op, ": the weight must have ", kSpatial + 2, " dimensions, got ", w.sizes());
  const bool batch = given.dim() == w.dim();
  check(batch || given.dim() == w.dim() - 1, op, ": expected an input with ", w.dim(), " dimensions, or ", w.dim() - 1,
        " without a batch, got ", given.sizes());
  const Tensor x = batch ? given : ops::unsqueeze(given, 0);
  check_conv_transpose(op, x, w, bias, stride, padding, output_padding, groups, dilation);
  const Sizes sizes = transposed_sizes(op, x, w, stride, padding, output_padding, groups, dilation);
  Tensor y = ops::conv_input(x, w, sizes, stride, padding, dilation, groups);
  if (bias.defined()) {
    Sizes channels(sizes.size() - 1, 1);
    channels[0] = sizes[1];
    y = y + ops::reshape(bias, channels);
  }
  return batch ? y : ops::select(y, 0, 0);
}

IntList one_for_each(const char* what, const IntList& list, size_t spatial) {
  check(list.size() == spatial || list.size() == 1, "convolution: expected ", spatial, " numbers in ", what, ", got ",
        list);
  return list.size() == spatial ? list : IntList(spatial, list[0]);
}

Tensor convolution_of(const Tensor& x, const Tensor& w, const Tensor& bias, const IntList& stride,
                      const IntList& padding, const IntList& dilation, bool transposed, const IntList& output_padding,
                      int64_t groups) {
  check(w.dim() >= 3 && w.dim() <= 5, "convolution: the weight must have 3 to 5 dimensions, got ", w.sizes());
  const auto spatial = w.sizes().size() - 2;
  const IntList s = one_for_each("stride", stride, spatial), p = one_for_each("padding", padding, spatial),
                d = one_for_each("dilation", dilation, spatial),
                o = one_for_each("output_padding", output_padding, spatial);
  if (!transposed) return ops::conv(x, w, bias, s, p, d, groups);
  return (spatial == 1   ? conv_transpose_of<1>
          : spatial == 2 ? conv_transpose_of<2>
                         : conv_transpose_of<3>)(x, w, bias, s, p, o, groups, d);
}

template <int kSpatial>
void define_conv_transpose_of(const Family& define) {
  const std::string name = text("conv_transpose", kSpatial, "d"), n = text("int[", kSpatial, "] ");
  define(text(name, "(Tensor input, Tensor weight, Tensor? bias=None, ", n, "stride=1, ", n, "padding=0, ", n,
              "output_padding=0, int groups=1, ", n, "dilation=1) -> Tensor"))
      .doc(text("The adjoint of `conv", kSpatial, "d` in its input: `input` [N, C, ", kSpatial,
                " sizes], `weight` [C, "
                "O / groups, ",
                kSpatial,
                " sizes]. Along each dimension n positions become `(n - 1) * stride - 2 * "
                "padding + dilation * (kernel - 1) + output_padding + 1`."))
      .example(text("torch.nn.functional.", name, "(", random_planes(1, 2, kSpatial, 6), ", ",
                    random_planes(2, 3, kSpatial, 3), ", nil, {stride=2}).shape"))
      .alias("nn.functional." + name)
      .compose(conv_transpose_of<kSpatial>);
}

}  // namespace

void define_conv_transpose(const Family& define) {
  define_conv_transpose_of<1>(define);
  define_conv_transpose_of<2>(define);
  define_conv_transpose_of<3>(define);
  define(
      "convolution(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, int[] dilation=1, "
      "bool transposed=False, int[] output_padding=0, int groups=1) -> Tensor")
      .doc("Convolution, or transposed convolution, in as many dimensions as the weight has behind its channels.")
      .example("torch.convolution(torch.randn(1, 3, 8, 8), torch.randn(6, 3, 3, 3), nil, {1, 1}, {1, 1}).shape")
      .compose(convolution_of);
}

}  // namespace facula
