// Convolutions in one to three dimensions. Convolution is linear in input and in weight, and its two adjoints are so again;
// three slots close the family under differentiation of any order.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

void check_conv(const Tensor& x, const Tensor& w, const Tensor& bias, const IntList& stride, const IntList& padding,
                const IntList& dilation, int64_t groups) {
  const int64_t spatial = w.dim() - 2;
  const std::string op = text("conv", spatial, "d");
  check(x.dim() == w.dim(), op, ": expected an input with ", w.dim(), " dimensions, or ", w.dim() - 1,
        " without a batch, got ", x.sizes());
  check(x.dtype() == w.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op, ": dtypes differ, input is ",
        x.dtype(), ", weight ", w.dtype(), bias.defined() ? ", bias " : "", bias.defined() ? name(bias.dtype()) : "");
  check(groups > 0, op, ": groups must be positive, got ", groups);
  const int64_t channels = saturated_product(w.size(1), groups);
  check(x.size(1) == channels, op, ": input ", x.sizes(), " has ", x.size(1), x.size(1) == 1 ? " channel" : " channels",
        ", weight ", w.sizes(), groups == 1 ? "" : text(" in ", groups, " groups"), " expects ", channels);
  check(w.size(0) % groups == 0, op, ": ", w.size(0), " output channels do not divide into ", groups, " groups");
  check(!bias.defined() || (bias.dim() == 1 && bias.size(0) == w.size(0)), op, ": bias must have ", w.size(0),
        " elements");
  check_strides(op, stride, padding, dilation);
  for (int64_t d = 0; d < spatial; ++d) {
    const int64_t reach = reach_of(w.size(d + 2), dilation[d]), padded = saturated_sum(x.size(d + 2), 2 * padding[d]);
    check(w.size(d + 2) > 0 && padded >= reach, op, ": the kernel reaches over ", reach, " positions at dimension ",
          Counting::shown(d + 2), ", the padded input ", x.sizes(), " has ", padded);
  }
}

Tensor conv_forward(Out& out, const Tensor& x, const Tensor& w, const Tensor& bias, const IntList& stride,
                    const IntList& padding, const IntList& dilation, int64_t groups) {
  check_conv(x, w, bias, stride, padding, dilation, groups);
  Sizes sizes{x.size(0), w.size(0)};
  for (int64_t d = 2; d < x.dim(); ++d)
    sizes.push_back(windows_along(x.size(d), w.size(d), stride[d - 2], padding[d - 2], dilation[d - 2], false));
  const Tensor y = out.make(sizes, x.dtype());
  slots::conv(y, dense(x), dense(w), stride, padding, dilation, groups);
  if (bias.defined()) {
    Sizes one(sizes.size(), 1);
    IntList strides(sizes.size(), 0);
    one[1] = bias.size(0), strides[1] = bias.stride(0);
    const Tensor inputs[] = {y, bias.alias(one, strides, bias.offset()).expanded(sizes)};
    const Scalar alpha = 1;
    slots::add(y, inputs, {&alpha, 1});
  }
  return y;
}

Tensor conv_input_forward(Out& out, const Tensor& g, const Tensor& w, const IntList& sizes, const IntList& stride,
                          const IntList& padding, const IntList& dilation, int64_t groups) {
  const Tensor dx = out.make(sizes, g.dtype());
  slots::conv_input(dx, dense(g), dense(w), stride, padding, dilation, groups);
  return dx;
}
Tensor conv_weight_forward(Out& out, const Tensor& g, const Tensor& x, const IntList& sizes, const IntList& stride,
                           const IntList& padding, const IntList& dilation, int64_t groups) {
  const Tensor dw = out.make(sizes, g.dtype());
  slots::conv_weight(dw, dense(g), dense(x), stride, padding, dilation, groups);
  return dw;
}

// Where output_padding is as large as the stride, convolution finds more windows than a transposed one came from.
Tensor cut_to(Tensor y, const Sizes& sizes) {
  for (int64_t d = 0; d < y.dim(); ++d)
    if (y.size(d) != sizes[d]) y = ops::narrow(y, d, 0, sizes[d]);
  return y;
}

// An input without a batch gets one for the call.
template <int kSpatial>
Tensor conv_of(const Tensor& x, const Tensor& w, const Tensor& bias, const IntList& stride, const IntList& padding,
               const IntList& dilation, int64_t groups) {
  check(w.dim() == kSpatial + 2, "conv", kSpatial, "d: the weight must have ", kSpatial + 2, " dimensions, got ",
        w.sizes());
  if (x.dim() != kSpatial + 1) return ops::conv(x, w, bias, stride, padding, dilation, groups);
  return ops::select(ops::conv(ops::unsqueeze(x, 0), w, bias, stride, padding, dilation, groups), 0, 0);
}

// 'same' keeps the sizes; where the padding is odd, the right side gets one more.
template <int kSpatial>
Tensor conv_padded(const Tensor& x, const Tensor& w, const Tensor& bias, const IntList& stride,
                   const std::string& padding, const IntList& dilation, int64_t groups) {
  const std::string op = text("conv", kSpatial, "d");
  check(padding == "same" || padding == "valid", op, ": padding must be numbers, 'same' or 'valid', got '", padding,
        "'");
  check(w.dim() == kSpatial + 2, op, ": the weight must have ", kSpatial + 2, " dimensions, got ", w.sizes());
  IntList sides(kSpatial, 0), more(2 * kSpatial, 0);
  if (padding == "valid") return conv_of<kSpatial>(x, w, bias, stride, sides, dilation, groups);
  check_strides(op, stride, sides, dilation);
  bool uneven = false;
  for (int d = 0; d < kSpatial; ++d) {
    check(stride[d] == 1, op, ": padding='same' needs stride 1, got ", stride);
    const int64_t total = saturated_product(dilation[d], w.size(d + 2) - 1);
    sides[d] = std::max<int64_t>(total / 2, 0);
    more[2 * (kSpatial - 1 - d) + 1] = total % 2;
    uneven = uneven || total % 2 > 0;
  }
  const bool fits = x.dim() > kSpatial;
  return conv_of<kSpatial>(uneven && fits ? ops::constant_pad_nd(x, more) : x, w, bias, stride, sides, dilation,
                           groups);
}

template <int kSpatial>
void define_conv_of(const Family& define) {
  const std::string name = text("conv", kSpatial, "d"), n = text('[', kSpatial, ']');
  const std::string rest = text("int", n, " dilation=1, int groups=1) -> Tensor");
  define(
      text(name, "(Tensor input, Tensor weight, Tensor? bias=None, int", n, " stride=1, int", n, " padding=0, ", rest))
      .doc(text("Cross-correlation of `input` [N, C, ", kSpatial, " sizes] with `weight` [O, C / groups, ", kSpatial,
                " sizes]; padding may also be 'same' or 'valid'."))
      .example(text("torch.nn.functional.", name, "(", random_planes(1, 2, kSpatial, 6), ", ",
                    random_planes(3, 2, kSpatial, 3), ", nil, {padding=1}).shape"))
      .alias("nn.functional." + name)
      .compose(conv_of<kSpatial>);
  define(text(name, ":padding(Tensor input, Tensor weight, Tensor? bias=None, int", n,
              " stride=1, str padding='valid', ", rest))
      .alias("nn.functional." + name)
      .compose(conv_padded<kSpatial>);
}

using L = IntList;

}  // namespace

void define_conv(const Family& define) {
  define(ops::conv,
         "_conv(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups) -> "
         "Tensor")
      .doc("Cross-correlation in as many dimensions as the weight has behind its channels.")
      .node("ConvolutionBackward0")
      .forward(conv_forward)
      .grad("input", [](Tensor g, Meta x, Tensor w, Meta, L s, L p, L d,
                        int64_t n) { return ops::conv_input(g, ops::conj(w), x.sizes(), s, p, d, n); })
      .grad("weight", [](Tensor g, Tensor x, Meta w, Meta, L s, L p, L d,
                         int64_t n) { return ops::conv_weight(g, ops::conj(x), w.sizes(), s, p, d, n); })
      .grad("bias", [](Tensor g) {
        L dims{0};
        for (int64_t d = 2; d < g.dim(); ++d) dims.push_back(d);
        return ops::sum(g, dims);
      });
  define(ops::conv_input,
         "_conv_input(Tensor grad_output, Tensor weight, int[] input_size, int[] stride, int[] padding, int[] "
         "dilation, int groups) -> Tensor")
      .doc("The adjoint of convolution in its input.")
      .forward(conv_input_forward)
      .grad("grad_output", [](Tensor g, Meta first, Tensor w, L, L s, L p, L d,
                              int64_t n) { return cut_to(ops::conv(g, ops::conj(w), {}, s, p, d, n), first.sizes()); })
      .grad("weight", [](Tensor g, Tensor first, Meta w, L, L s, L p, L d, int64_t n) {
        return ops::conv_weight(ops::conj(first), g, w.sizes(), s, p, d, n);
      });
  define(ops::conv_weight,
         "_conv_weight(Tensor grad_output, Tensor input, int[] weight_size, int[] stride, int[] padding, int[] "
         "dilation, int groups) -> Tensor")
      .doc("The adjoint of convolution in its weight.")
      .forward(conv_weight_forward)
      .grad("grad_output", [](Tensor g, Meta first, Tensor x, L, L s, L p, L d,
                              int64_t n) { return cut_to(ops::conv(ops::conj(x), g, {}, s, p, d, n), first.sizes()); })
      .grad("input", [](Tensor g, Tensor first, Meta x, L, L s, L p, L d, int64_t n) {
        return ops::conv_input(ops::conj(first), g, x.sizes(), s, p, d, n);
      });
  define_conv_of<1>(define);
  define_conv_of<2>(define);
  define_conv_of<3>(define);
}

}  // namespace facula
