// Normalisation over parts of each sample: layer_norm, group_norm, instance_norm. All are one kernel on [N, G, D, S] that
// normalises over D and S, with weights of G and D.
#include "core/ops/families.h"
#include "core/ops/normalisation.h"
#include "core/slots.h"

namespace facula {

Tensors normalised_gradients(const Tensor& g, const Tensor& x, const Tensor& w, const IntList& dims,
                             const IntList& shared, double eps) {
  const Tensor centred = x - ops::mean(x, dims, true);
  const Tensor scale = ops::rsqrt(ops::mean(ops::square(centred), dims, true) + eps);
  const Tensor u = centred * scale, h = w.defined() ? g * w : g;
  const Tensor dx = scale * (h - ops::mean(h, dims, true) - u * ops::mean(h * u, dims, true));
  return {dx, ops::sum(g * u, shared), ops::sum(g, shared)};
}

void check_channels(const char* name, const char* what, const Tensor& t, int64_t n) {
  check(!t.defined() || (t.dim() == 1 && t.numel() == n), name, ": ", what, " must have ", n, " elements, got ",
        t.defined() ? t.sizes() : Sizes());
}

namespace {

Op norm_rows;

using Normalised = std::tuple<Tensor, Tensor, Tensor>;

// tensors: x, seen as `parts` [N, G, D, S], weight and bias with G * D elements. The result is no view, so that relu_ on it
// is recorded as on any tensor.
Normalised norm_rows_forward(Out& out, const Tensors& tensors, const IntList& parts, double eps) {
  const Tensor& x = tensors[0];
  const DType t = wide_dtype(x.dtype());
  const Tensor mean = out.make(0, {parts[0], parts[1]}, t), scale = out.make(1, mean.sizes(), t);
  const Tensor y = out.make(2, x.sizes(), x.dtype()), wide = y.dtype() == t ? y : empty(y.sizes(), t, y.device());
  slots::norm_rows(wide, mean, scale, ops::reshape(prepared(x, t), parts), prepared(tensors[1], t),
                   prepared(tensors[2], t), eps);
  if (!wide.is(y)) slots::copy(y, wide);
  return {mean, scale, y};
}

// The same, to be differentiated again.
Tensors norm_rows_composed(const Tensor& given, const Tensors& tensors, const IntList& parts, double eps) {
  const auto seen = [](const Tensor& t, const IntList& sizes) { return t.defined() ? ops::reshape(t, sizes) : t; };
  Tensors gradients = normalised_gradients(seen(given, parts), seen(tensors[0], parts),
                                           seen(tensors[1], {1, parts[1], parts[2], 1}), {2, 3}, {0, 3}, eps);
  for (size_t i = 0; i < 3; ++i)
    if (tensors[i].defined()) gradients[i] = ops::reshape(gradients[i], tensors[i].sizes());
  return gradients;
}

Tensors norm_rows_gradients(const Tensor& given, const Tensor& mean, const Tensor& scale, const Tensors& tensors,
                            const IntList& parts, double eps) {
  if (GradMode::enabled()) return norm_rows_composed(given, tensors, parts, eps);
  const Tensor &x = tensors[0], &w = tensors[1];
  const DType t = wide_dtype(x.dtype());
  const Tensor dx = empty(x.sizes(), t, x.device());
  const auto sums = [&](const Tensor& of) { return of.defined() ? empty(of.sizes(), t, x.device()) : Tensor(); };
  const Tensor dweight = sums(w), dbias = sums(tensors[2]);
  slots::norm_rows_backward(dx, dweight, dbias, prepared(given, t), ops::reshape(prepared(x, t), parts), mean, scale,
                            prepared(w, t));
  return {dx, dweight, dbias};
}

/// Output in x's sizes, mean and 1 / deviation [N, G], of x seen as `parts` [N, G, D, S].
Normalised normalised(const Tensor& x, const IntList& parts, const Tensor& weight, const Tensor& bias, double eps) {
  const Results r = norm_rows.all({Value(Tensors{x, weight, bias}), parts, eps});
  return {r.tensor(2), detach(r.tensor(0)), detach(r.tensor(1))};
}

void check_floating(const char* name, const Tensor& x) {
  check(is_floating(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
}

Normalised native_layer_norm(const Tensor& x, const IntList& shape, const Tensor& weight, const Tensor& bias,
                             double eps) {
  check_floating("layer_norm", x);
  const auto rank = static_cast<int64_t>(shape.size());
  check(rank > 0, "layer_norm: normalized_shape needs at least one size");
  const int64_t outer = x.dim() - rank;
  check(outer >= 0 && std::equal(shape.begin(), shape.end(), x.sizes().begin() + outer), "layer_norm: input ",
        x.sizes(), " does not end in normalized_shape ", shape);
  for (const auto& [name, t] : {std::pair{"weight", weight}, std::pair{"bias", bias}})
    check(!t.defined() || t.sizes() == shape, "layer_norm: ", name, " must have sizes ", shape, ", got ",
          t.defined() ? t.sizes() : Sizes());
  const Sizes before(x.sizes().begin(), x.sizes().begin() + outer);
  const auto [y, mean, scale] = normalised(x, {numel_of(before), 1, numel_of(shape), 1}, weight, bias, eps);
  Sizes moments(x.sizes().size(), 1);
  std::copy(before.begin(), before.end(), moments.begin());
  return {y, ops::reshape(mean, moments), ops::reshape(scale, moments)};
}

Normalised native_group_norm(const char* name, const Tensor& x, const Tensor& weight, const Tensor& bias,
                             int64_t groups, double eps) {
  check_floating(name, x);
  check(x.dim() >= 2, name, ": the input must have at least 2 dimensions, [N, C, ...], got ", x.sizes());
  const int64_t C = x.size(1);
  check(groups > 0 && C % groups == 0, name, ": ", C, " channels cannot be divided into ", groups, " groups");
  check_channels(name, "weight", weight, C);
  check_channels(name, "bias", bias, C);
  const int64_t inner = numel_of(Sizes(x.sizes().begin() + 2, x.sizes().end()));
  return normalised(x, {x.size(0), groups, C / groups, inner}, weight, bias, eps);
}

Tensor instance_norm_of(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                        const Tensor& bias, bool use_input_stats, double momentum, double eps) {
  if (!use_input_stats)
    return batch_norm_of("instance_norm", x, running_mean, running_var, weight, bias, false, momentum, eps);
  check(x.dim() >= 2, "instance_norm: the input must have at least 2 dimensions, [N, C, ...], got ", x.sizes());
  check_channels("instance_norm", "running_mean", running_mean, x.size(1));
  check_channels("instance_norm", "running_var", running_var, x.size(1));
  const Tensor y = std::get<0>(native_group_norm("instance_norm", x, weight, bias, x.size(1), eps));
  if (running_mean.defined() || running_var.defined()) {
    NoGrad guard;
    const Tensor rows = ops::flatten(x.dim() > 2 ? x : ops::unsqueeze(x, 2), 2);
    if (running_mean.defined()) update_running(running_mean, ops::mean(rows, {0, 2}), momentum);
    if (running_var.defined()) update_running(running_var, ops::mean(ops::var(rows, {2}), {0}), momentum);
  }
  return y;
}

Tensor checked_instance_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                             const Tensor& weight, const Tensor& bias, bool use_input_stats, double momentum,
                             double eps) {
  const int64_t inner = x.dim() < 2 ? 1 : numel_of(Sizes(x.sizes().begin() + 2, x.sizes().end()));
  check(!use_input_stats || inner != 1, "instance_norm: expected more than 1 element in each channel, got input ",
        x.sizes());
  return instance_norm_of(x, running_mean, running_var, weight, bias, use_input_stats, momentum, eps);
}

}  // namespace

void define_layer_norm(const Family& define) {
  define(norm_rows,
         "_norm_rows(Tensor?[] tensors, int[] parts, float eps) -> (Tensor mean, Tensor scale, Tensor output)")
      .doc(
          "x, seen as `parts` [N, G, D, S], normalised over D and S, with weights and biases of G and D; the first two "
          "results are constants.")
      .node("NativeLayerNormBackward0")
      .forward(norm_rows_forward)
      .grad("tensors", [](Tensor, Tensor, Tensor g, Result mean, Result scale, Tensors tensors, IntList parts,
                          double eps) { return norm_rows_gradients(g, mean, scale, tensors, parts, eps); });
  define(
      "nn.functional.layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float "
      "eps=1e-05, "
      "bool cudnn_enable=True) -> Tensor")
      .doc(
          "`(input - mean) / sqrt(var + eps) * weight + bias` with the moments over the last dimensions, which have "
          "the "
          "sizes `normalized_shape`, as `weight` and `bias` have (Ba et al. 2016).")
      .example("torch.nn.functional.layer_norm(torch.tensor{{1, 2, 3}, {4, 8, 6}}, {3})")
      .alias("layer_norm")
      .compose([](const Tensor& x, const IntList& shape, const Tensor& w, const Tensor& b, double eps, bool) {
        return std::get<0>(native_layer_norm(x, shape, w, b, eps));
      });
  define(
      "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps) -> "
      "(Tensor output, Tensor mean, Tensor rstd)")
      .doc("layer_norm with its mean and 1 / deviation, which are constants to derivatives.")
      .example("torch.native_layer_norm(torch.randn(2, 5), {5}, nil, nil, 1e-5)")
      .compose(native_layer_norm);

  define(
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, "
      "bool cudnn_enabled=True) -> Tensor")
      .doc(
          "Normalises `input` [N, C, ...] over each of `num_groups` groups of channels of each sample; `weight` and "
          "`bias` are [C] (Wu and He 2018).")
      .example("torch.group_norm(torch.randn(2, 6, 5), 3).shape")
      .compose([](const Tensor& x, int64_t groups, const Tensor& w, const Tensor& b, double eps, bool) {
        return std::get<0>(native_group_norm("group_norm", x, w, b, groups, eps));
      });
  define(
      "nn.functional.group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) "
      "-> Tensor")
      .doc("torch.group_norm, which refuses groups of a single element in the whole batch.")
      .example("torch.nn.functional.group_norm(torch.randn(2, 6, 5), 3).shape")
      .compose([](const Tensor& x, int64_t groups, const Tensor& w, const Tensor& b, double eps) {
        check(groups == 0 || x.dim() < 2 || x.numel() != groups,
              "group_norm: expected more than 1 element in each group, got input ", x.sizes());
        return std::get<0>(native_group_norm("group_norm", x, w, b, groups, eps));
      });
  define(
      "native_group_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, int N, int C, int HxW, int group, float "
      "eps) -> "
      "(Tensor output, Tensor mean, Tensor rstd)")
      .doc("group_norm with its mean and 1 / deviation [N, group], which are constants to derivatives.")
      .example("torch.native_group_norm(torch.randn(2, 6, 5), nil, nil, 2, 6, 5, 3, 1e-5)")
      .compose([](const Tensor& x, const Tensor& w, const Tensor& b, int64_t N, int64_t C, int64_t inner,
                  int64_t groups, double eps) {
        check(N >= 0 && C >= 0 && inner >= 0 && x.numel() == numel_of({N, C, inner}), "native_group_norm: input ",
              x.sizes(), " does not have ", N, " * ", C, " * ", inner, " elements");
        return native_group_norm("native_group_norm", x, w, b, groups, eps);
      });

  define(
      "nn.functional.instance_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, "
      "Tensor? weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, float eps=1e-05) -> "
      "Tensor")
      .doc(
          "Normalises each channel of each sample of `input` [N, C, ...] (Ulyanov et al. 2016). Running statistics are "
          "updated with the batch's means, or used if `use_input_stats` is false.")
      .example("torch.nn.functional.instance_norm(torch.randn(2, 3, 5)).shape")
      .compose(checked_instance_norm);
  define(
      "instance_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, Tensor? running_mean=None, Tensor? "
      "running_var=None, "
      "bool use_input_stats, float momentum, float eps, bool cudnn_enabled=True) -> Tensor")
      .doc("nn.functional.instance_norm with another order of parameters.")
      .example("torch.instance_norm(torch.randn(2, 3, 5), nil, nil, nil, nil, true, 0.1, 1e-5).shape")
      .compose([](const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& mean, const Tensor& var, bool own,
                  double momentum, double eps,
                  bool) { return instance_norm_of(x, mean, var, w, b, own, momentum, eps); });
}

}  // namespace facula
