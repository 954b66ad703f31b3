// Losses that compare numbers with numbers, or probabilities with probabilities: all are compositions, element by element
// and then reduced.
#include <cmath>
#include <numbers>

#include "core/ops/activation.h"
#include "core/ops/families.h"
#include "core/ops/loss.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using OptBool = std::optional<bool>;

Op bce_kernel, huber_kernel;

void check_floating(const char* name, const Tensor& x) {
  check(is_floating(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
}
void check_same_sizes(const char* name, const Tensor& x, const Tensor& target) {
  check(x.sizes() == target.sizes(), name, ": input ", x.sizes(), " and target ", target.sizes(), " differ in size");
}

Tensor huber_slope(const Tensor& x, const Tensor& target, double width, double scale) {
  return ops::clamp(x - target, -width, width) * scale;
}

Tensor huber_loss(const Tensor& x, const Tensor& target, const std::string& reduction, double delta) {
  check_floating("huber_loss", x);
  check(delta > 0, "huber_loss: delta must be positive, got ", delta);
  return reduced("huber_loss", huber_kernel(x, target, delta, 1.0), reduction);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, OptBool average, OptBool reduce,
                      const std::string& reduction, double beta) {
  check_floating("smooth_l1_loss", x);
  check(beta >= 0, "smooth_l1_loss: beta must not be negative, got ", beta);
  const Tensor loss = beta == 0 ? ops::abs(x - target) : huber_kernel(x, target, beta, 1 / beta);
  return reduced("smooth_l1_loss", loss, reduction_of(reduction, average, reduce));
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& target, OptBool average, OptBool reduce,
                        const std::string& reduction) {
  check_floating("soft_margin_loss", x);
  return reduced("soft_margin_loss", -ops::log_sigmoid(x * target), reduction_of(reduction, average, reduce));
}

Tensor kl_div(const Tensor& x, const Tensor& target, OptBool average, OptBool reduce, const std::string& reduction,
              bool log_target) {
  check(is_differentiable(x.dtype()) && is_differentiable(target.dtype()), "kl_div: expected floating numbers, got ",
        x.dtype(), " and ", target.dtype());
  const Tensor entropy = log_target ? Tensor() : ops::where(ops::eq(target, 0), 0, target * ops::log(target));
  const Tensor loss = log_target ? ops::exp(target) * (target - x) : entropy - target * x;
  const std::string how = reduction_of(reduction, average, reduce);
  if (how != "batchmean") return reduced("kl_div", loss, how);
  return x.dim() == 0 ? ops::sum(loss) : ops::sum(loss) / static_cast<double>(x.size(0));
}

Tensor poisson_nll_loss(const Tensor& x, const Tensor& target, bool log_input, bool full, OptBool average, double eps,
                        OptBool reduce, const std::string& reduction) {
  Tensor loss = log_input ? ops::exp(x) - target * x : x - target * ops::log(x + eps);
  if (full) {  // Stirling's approximation of log(t!) for t > 1
    const Tensor t = ops::clamp(target, 1);
    const Tensor stirling = t * ops::log(t) - t + ops::log(t * (2 * std::numbers::pi)) * 0.5;
    loss = loss + ops::where(ops::gt(target, 1), stirling, 0);
  }
  return reduced("poisson_nll_loss", loss, reduction_of(reduction, average, reduce));
}

// One variance for each element, or for each row.
Tensor fitting_variance(const Tensor& x, const Tensor& var) {
  if (var.sizes() == x.sizes()) return var;
  const Sizes rows(x.sizes().begin(), x.sizes().end() - (x.dim() > 0));
  if (var.sizes() == rows) return ops::unsqueeze(var, -1);
  check(x.dim() > 0 && var.dim() == x.dim() && var.size(-1) == 1 &&
            std::equal(rows.begin(), rows.end(), var.sizes().begin()),
        "gaussian_nll_loss: var must have input's sizes ", x.sizes(), ", or those but for the last, got ", var.sizes());
  return var;
}

Tensor gaussian_nll_loss(const Tensor& x, const Tensor& target, const Tensor& given, bool full, double eps,
                         const std::string& reduction) {
  const Tensor var = fitting_variance(x, given);
  Tensor bounded;  // the bound is no part of the derivative
  {
    NoGrad guard;
    if (!var.is_meta() && var.numel() > 0)
      check(!item(ops::any(ops::lt(var, 0))).to<bool>(), "gaussian_nll_loss: var has negative elements");
    bounded = ops::clamp(var, eps) - var;
  }
  const Tensor v = var + bounded;
  Tensor loss = (ops::log(v) + ops::square(x - target) / v) * 0.5;
  if (full) loss = loss + 0.5 * std::log(2 * std::numbers::pi);
  return reduced("gaussian_nll_loss", loss, reduction);
}

// ---- binary cross entropy -------------------------------------------------------------------------------------------
// Logarithms are held above -100, as in PyTorch; the derivative's denominator above 1e-12.
Tensor bce_forward(const Tensor& x, const Tensor& target) {
  const Tensor hit = ops::clamp(ops::log(x), -100), miss = ops::clamp(ops::log(ops::sub(1, x)), -100);
  return (target - 1) * miss - target * hit;
}

void check_probabilities(const char* name, const Tensor& x) {
  if (x.is_meta() || x.numel() == 0) return;
  NoGrad guard;
  check(item(ops::amin(x)).to<double>() >= 0 && item(ops::amax(x)).to<double>() <= 1, name,
        ": the elements of input must be within 0..1");
}

Tensor weighted(const char* name, const Tensor& loss, const Tensor& weight, const std::string& reduction) {
  return reduced(name, weight.defined() ? loss * weight : loss, reduction);
}

Tensor binary_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight, OptBool average,
                            OptBool reduce, const std::string& reduction) {
  check_floating("binary_cross_entropy", x);
  check_same_sizes("binary_cross_entropy", x, target);
  check_probabilities("binary_cross_entropy", x);
  return weighted("binary_cross_entropy", bce_kernel(x, target), weight, reduction_of(reduction, average, reduce));
}

// (1 - t) x - (1 + (p - 1) t) log(sigmoid(x)), p being pos_weight.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight, OptBool average,
                                        OptBool reduce, const std::string& reduction, const Tensor& pos_weight) {
  constexpr const char* name = "binary_cross_entropy_with_logits";
  check_floating(name, x);
  check_same_sizes(name, x, target);
  Tensor log_p = ops::log_sigmoid(x);
  if (pos_weight.defined()) log_p = log_p * (target * (pos_weight - 1) + 1);
  return weighted(name, ops::sub(1, target) * x - log_p, weight, reduction_of(reduction, average, reduce));
}

Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& target, const Tensor& weight, OptBool average,
                                   OptBool reduce, const std::string& reduction) {
  check(x.dim() > 0, "multilabel_soft_margin_loss: the input needs a dimension of classes");
  Tensor loss = -(target * ops::log_sigmoid(x) + ops::sub(1, target) * ops::log_sigmoid(-x));
  if (weight.defined()) loss = loss * weight;
  return reduced("multilabel_soft_margin_loss", ops::mean(loss, {-1}), reduction_of(reduction, average, reduce));
}

}  // namespace

void define_regression_loss(const Family& define) {
  define("nn.functional.huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0) -> Tensor")
      .doc("`d^2 / 2` for differences d below `delta`, `delta * (d - delta / 2)` beyond.")
      .example("torch.nn.functional.huber_loss(torch.tensor{1, 5}, torch.tensor{1.5, 1})")
      .compose(huber_loss);
  define(
      "nn.functional.smooth_l1_loss(Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, "
      "str reduction='mean', float beta=1.0) -> Tensor")
      .doc("`d^2 / (2 beta)` for differences d below `beta`, `d - beta / 2` beyond.")
      .example("torch.nn.functional.smooth_l1_loss(torch.tensor{1, 5}, torch.tensor{1.5, 1})")
      .compose(smooth_l1_loss);
  define("nn.functional.soft_margin_loss(Tensor input, Tensor target, " FACULA_REDUCTION)
      .doc("`log(1 + exp(-target * input))` with targets 1 and -1.")
      .example("torch.nn.functional.soft_margin_loss(torch.tensor{2, -1}, torch.tensor{1, -1})")
      .compose(soft_margin_loss);
  define(
      "nn.functional.kl_div(Tensor input, Tensor target, bool? size_average=None, bool? reduce=None, "
      "str reduction='mean', bool log_target=False) -> Tensor")
      .doc(
          "`target * (log(target) - input)`, the divergence of Kullback and Leibler from log probabilities `input`. "
          "With "
          "`log_target` the targets are logarithms too; reduction 'batchmean' divides the sum by the size of the "
          "batch.")
      .example(
          "torch.nn.functional.kl_div(torch.tensor{{0.4, 0.6}}:log(), torch.tensor{{0.5, 0.5}}, "
          "{reduction='batchmean'})")
      .compose(kl_div);
  define(
      "nn.functional.poisson_nll_loss(Tensor input, Tensor target, bool log_input=True, bool full=False, "
      "bool? size_average=None, float eps=1e-08, bool? reduce=None, str reduction='mean') -> Tensor")
      .doc(
          "`exp(input) - target * input`, or `input - target * log(input + eps)` without `log_input`; with `full` "
          "Stirling's term is added where target > 1.")
      .example("torch.nn.functional.poisson_nll_loss(torch.tensor{0, 1}, torch.tensor{1, 3})")
      .compose(poisson_nll_loss);
  define(
      "nn.functional.gaussian_nll_loss(Tensor input, Tensor target, Tensor var, bool full=False, float eps=1e-06, "
      "str reduction='mean') -> Tensor")
      .doc("`(log(var) + (input - target)^2 / var) / 2` with `var` at least `eps`; with `full` plus `log(2 pi) / 2`.")
      .example("torch.nn.functional.gaussian_nll_loss(torch.tensor{1, 2}, torch.tensor{1, 3}, torch.tensor{1, 4})")
      .compose(gaussian_nll_loss);

  define(huber_kernel, "_huber(Tensor input, Tensor target, float width, float scale) -> Tensor")
      .doc("`scale * d^2 / 2` of differences d below `width`, `scale * width * (d - width / 2)` beyond.")
      .pointwise(slots::huber, kFloating)
      .grad("input",
            [](Tensor g, Tensor x, Tensor t, double w, double scale) { return g * huber_slope(x, t, w, scale); })
      .grad("target",
            [](Tensor g, Tensor x, Tensor t, double w, double scale) { return -(g * huber_slope(x, t, w, scale)); });

  define(bce_kernel, "_binary_cross_entropy(Tensor input, Tensor target) -> Tensor")
      .doc("binary_cross_entropy of each element.")
      .forward(bce_forward)
      .grad("input", [](Tensor g, Tensor x, Tensor t) { return g * (x - t) / ops::clamp(x * ops::sub(1, x), 1e-12); })
      .grad("target", [](Tensor g, Tensor x) { return g * (ops::log(ops::sub(1, x)) - ops::log(x)); });
  define("nn.functional.binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, " FACULA_REDUCTION)
      .doc(
          "`-(target * log(input) + (1 - target) * log(1 - input))` of probabilities, with logarithms of at least "
          "-100.")
      .example("torch.nn.functional.binary_cross_entropy(torch.tensor{0.9, 0.2}, torch.tensor{1, 0})")
      .compose(binary_cross_entropy);
  define(
      "nn.functional.binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None, "
      "bool? size_average=None, bool? reduce=None, str reduction='mean', Tensor? pos_weight=None) -> Tensor")
      .doc("binary_cross_entropy of sigmoid(input), without overflow; `pos_weight` multiplies the terms of target 1.")
      .example("torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor{2, -1}, torch.tensor{1, 0})")
      .compose(binary_cross_entropy_with_logits);
  define(
      "nn.functional.multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight=None, " FACULA_REDUCTION)
      .doc("The mean over the classes (the last dimension) of binary_cross_entropy_with_logits.")
      .example("torch.nn.functional.multilabel_soft_margin_loss(torch.tensor{{2, -1}}, torch.tensor{{1, 0}})")
      .compose(multilabel_soft_margin_loss);
}

}  // namespace facula
