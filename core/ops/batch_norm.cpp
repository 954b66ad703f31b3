// Batch normalisation: x [N, C, ...] is seen as [N, C, S] and normalised over N and S.
#include "core/ops/families.h"
#include "core/ops/normalisation.h"
#include "core/slots.h"

namespace facula {
namespace {

Op norm_channels;

using Normalised = std::tuple<Tensor, Tensor, Tensor>;

/// The weight over the deviation, and weights that are missing as ones and zeros.
Tensor slope_of(const Tensor& var, const Tensor& weight, double eps) {
  const Tensor scale = ops::rsqrt(var + eps);
  return weight.defined() ? weight * scale : scale;
}
Tensor or_zeros(const Tensor& t, const Tensor& like) { return t.defined() ? t : ops::zeros_like(like); }

/// S of [N, C, ...] seen as [N, C, S].
int64_t plane_of(const Tensor& x) { return numel_of(Sizes(x.sizes().begin() + 2, x.sizes().end())); }
Tensor planes(const Tensor& x) { return x.dim() == 3 ? x : ops::reshape(x, {x.size(0), x.size(1), plane_of(x)}); }

// tensors: x [N, C, ...], weight [C], bias [C]. The result is no view, so that relu_ on it is recorded as on any tensor.
Normalised norm_channels_forward(Out& out, const Tensors& tensors, double eps) {
  const DType t = wide_dtype(tensors[0].dtype());
  const Tensor x = planes(prepared(tensors[0], t));
  const Tensor mean = out.make(0, {x.size(1)}, t), var = out.make(1, mean.sizes(), t);
  const Tensor y = out.make(2, tensors[0].sizes(), tensors[0].dtype());
  const Tensor wide = y.dtype() == t ? planes(y) : empty(x.sizes(), t, y.device());
  slots::channel_moments(mean, var, x);
  slots::channel_affine(wide, x, mean, dense(slope_of(var, prepared(tensors[1], t), eps)),
                        or_zeros(prepared(tensors[2], t), mean));
  if (y.dtype() != t) slots::copy(planes(y), wide);
  return {mean, var, y};
}

Tensors norm_channels_gradients(const Tensor& given, const Tensor& mean, const Tensor& var, const Tensors& tensors,
                                double eps) {
  const Tensor &x = tensors[0], &w = tensors[1];
  if (GradMode::enabled()) {
    const Tensor weight = w.defined() ? ops::reshape(w, {1, x.size(1), 1}) : w;
    Tensors all = normalised_gradients(planes(given), planes(x), weight, {0, 2}, {0, 2}, eps);
    all[0] = ops::reshape(all[0], x.sizes());
    return all;
  }
  const DType t = mean.dtype();
  const Tensor wide = planes(prepared(x, t)), g = planes(prepared(given, t)), dx = empty(x.sizes(), t, x.device());
  const Tensor sum = empty(mean.sizes(), t, x.device()), product = empty(mean.sizes(), t, x.device());
  slots::channel_sums(sum, product, g, wide, mean);
  // dx = w / deviation * (g - mean(g) - u mean(g u)) with u = (x - mean) / deviation
  const double share = 1.0 / static_cast<double>(std::max<int64_t>(1, x.size(0) * plane_of(x)));
  const Tensor scale = ops::rsqrt(var + eps), a = slope_of(var, prepared(w, t), eps);
  const Tensor b = a * scale * scale * product * -share, c = a * sum * -share;
  slots::channel_affine_backward(planes(dx), g, wide, mean, a, b, c);
  return {dx, product * scale, sum};
}

struct Arguments {
  const char* name;
  Tensor x;  // [N, C, ...]
  Tensor weight, bias, running_mean, running_var;
};

Arguments checked(const char* name, const Tensor& x, const Tensor& weight, const Tensor& bias,
                  const Tensor& running_mean, const Tensor& running_var) {
  check(is_floating(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
  check(x.dim() >= 2, name, ": the input must have at least 2 dimensions, [N, C, ...], got ", x.sizes());
  const int64_t C = x.size(1);
  check_channels(name, "weight", weight, C);
  check_channels(name, "bias", bias, C);
  check_channels(name, "running_mean", running_mean, C);
  check_channels(name, "running_var", running_var, C);
  return {name, x, weight, bias, running_mean, running_var};
}

Normalised train(const Arguments& a, double momentum, double eps) {
  const Results r = norm_channels.all({Value(Tensors{a.x, a.weight, a.bias}), eps});
  const Tensor mean = detach(r.tensor(0)), var = detach(r.tensor(1));
  const double n = static_cast<double>(a.x.size(0) * plane_of(a.x));
  if (a.x.numel() > 0) {
    if (a.running_mean.defined()) update_running(a.running_mean, mean, momentum);
    if (a.running_var.defined()) update_running(a.running_var, var * (n / (n - 1)), momentum);
  }
  NoGrad guard;
  return {r.tensor(2), mean, ops::rsqrt(var + eps)};
}

Tensor evaluate(const Arguments& a, double eps) {
  check(a.running_mean.defined() && a.running_var.defined(), a.name,
        ": running_mean and running_var are needed when not training");
  const DType t = wide_dtype(a.x.dtype());
  const auto grad = [](const Tensor& x) { return x.defined() && requires_grad(x); };
  if (!GradMode::enabled() ||
      !(grad(a.x) || grad(a.weight) || grad(a.bias) || grad(a.running_mean) || grad(a.running_var))) {
    const Tensor mean = prepared(a.running_mean, t), x = prepared(a.x, t), y = empty(x.sizes(), t, x.device());
    const Tensor slope = slope_of(prepared(a.running_var, t), prepared(a.weight, t), eps);
    slots::channel_affine(planes(y), planes(x), mean, dense(slope), or_zeros(prepared(a.bias, t), mean));
    return converted(y, a.x.dtype());
  }
  Sizes sizes(a.x.sizes().size() - 1, 1);
  sizes[0] = a.x.size(1);
  const Tensor slope = ops::reshape(slope_of(a.running_var, a.weight, eps), sizes);
  const Tensor y = (a.x - ops::reshape(a.running_mean, sizes)) * slope;
  return ops::to_dtype(a.bias.defined() ? y + ops::reshape(a.bias, sizes) : y, a.x.dtype());
}

}  // namespace

void update_running(const Tensor& running, const Tensor& value, double momentum) {
  NoGrad guard;
  ops::mul.in_place(running, 1 - momentum);
  ops::add.in_place(running, value * momentum);
}

Tensor batch_norm_of(const char* name, const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                     const Tensor& weight, const Tensor& bias, bool training, double momentum, double eps) {
  if (x.numel() == 0) return ops::clone(x);
  const Arguments a = checked(name, x, weight, bias, running_mean, running_var);
  return training ? std::get<0>(train(a, momentum, eps)) : evaluate(a, eps);
}

void define_batch_norm(const Family& define) {
  define(norm_channels, "_norm_channels(Tensor?[] tensors, float eps) -> (Tensor mean, Tensor var, Tensor output)")
      .doc("x [N, C, ...] normalised over all but C, with weights and biases [C]; the first two results are constants.")
      .node("NativeBatchNormBackward0")
      .forward(norm_channels_forward)
      .grad("tensors", [](Tensor, Tensor, Tensor g, Result mean, Result var, Tensors tensors, double eps) {
        return norm_channels_gradients(g, mean, var, tensors, eps);
      });
  define(
      "nn.functional.batch_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? "
      "weight=None, "
      "Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05) -> Tensor")
      .doc(
          "Normalises each channel of `input` [N, C, ...]: in training over the batch, moving the running statistics "
          "by "
          "`momentum` towards its mean and unbiased variance in place; otherwise by the running statistics (Ioffe and "
          "Szegedy 2015).")
      .example("torch.nn.functional.batch_norm(torch.randn(8, 3), torch.zeros(3), torch.ones(3))")
      .compose([](const Tensor& x, const Tensor& mean, const Tensor& var, const Tensor& w, const Tensor& b,
                  bool training, double momentum, double eps) {
        check(!training || x.dim() < 2 || x.numel() != x.size(1),
              "batch_norm: expected more than 1 element in each channel in training, got input ", x.sizes());
        return batch_norm_of("batch_norm", x, mean, var, w, b, training, momentum, eps);
      });
  define(
      "batch_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, Tensor? running_mean=None, Tensor? "
      "running_var=None, bool "
      "training, "
      "float momentum, float eps, bool cudnn_enabled=True) -> Tensor")
      .doc("nn.functional.batch_norm with another order of parameters.")
      .example("torch.batch_norm(torch.randn(8, 3), nil, nil, nil, nil, true, 0.1, 1e-5)")
      .compose([](const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& mean, const Tensor& var,
                  bool training, double momentum, double eps,
                  bool) { return batch_norm_of("batch_norm", x, mean, var, w, b, training, momentum, eps); });
  define(
      "native_batch_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, Tensor? running_mean=None, Tensor? "
      "running_var=None, "
      "bool training, float momentum, float eps) -> (Tensor output, Tensor save_mean, Tensor save_invstd)")
      .doc(
          "batch_norm with the batch's mean and 1 / deviation, which are constants to derivatives; empty if not "
          "training.")
      .example("torch.native_batch_norm(torch.randn(8, 3), nil, nil, nil, nil, true, 0.1, 1e-5)")
      .compose([](const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& mean, const Tensor& var,
                  bool training, double momentum, double eps) -> Normalised {
        const Arguments a = checked("native_batch_norm", x, w, b, mean, var);
        if (training) return train(a, momentum, eps);
        const Tensor none = empty({0}, wide_dtype(x.dtype()), x.device());
        return {evaluate(a, eps), none, none};
      });
}

}  // namespace facula
