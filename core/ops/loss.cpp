// Losses: distances, and the likelihood of classes.
#include "core/ops/loss.h"

#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {

std::string reduction_of(const std::string& reduction, std::optional<bool> size_average, std::optional<bool> reduce) {
  if (!size_average && !reduce) return reduction;
  if (!reduce.value_or(true)) return "none";
  return size_average.value_or(true) ? "mean" : "sum";
}

Tensor reduced(const char* name, const Tensor& loss, const std::string& reduction) {
  if (reduction == "none") return loss;
  if (reduction == "sum") return ops::sum(loss);
  check(reduction == "mean", name, ": reduction must be 'none', 'mean' or 'sum', got '", reduction, "'");
  return ops::mean(loss);
}

void check_classes(const char* name, const Tensor& target, int64_t classes, int64_t ignore_index) {
  if (target.is_meta() || target.numel() == 0) return;
  NoGrad guard;
  const Tensor wrong =
      ops::logical_and(ops::logical_or(ops::lt(target, 1), ops::gt(target, classes)), ops::ne(target, ignore_index));
  if (!item(ops::any(wrong)).to<bool>()) return;
  const Tensor flat = ops::reshape(wrong, {-1});
  const int64_t at = item(ops::select(ops::nonzero(flat), 0, 0)).to<int64_t>();
  fail(name, ": target ", item(ops::select(ops::reshape(target, {-1}), 0, at - 1)), " at position ",
       at - 1 + Counting::base(), " is outside 1..", classes);
}

namespace {

Tensor mse_loss(const Tensor& x, const Tensor& target, std::optional<bool> average, std::optional<bool> reduce,
                const std::string& reduction) {
  return reduced("mse_loss", ops::square(x - target), reduction_of(reduction, average, reduce));
}
Tensor l1_loss(const Tensor& x, const Tensor& target, std::optional<bool> average, std::optional<bool> reduce,
               const std::string& reduction) {
  return reduced("l1_loss", ops::abs(x - target), reduction_of(reduction, average, reduce));
}

// The dimension of the classes: the second, or the only one without a batch.
int64_t class_dim(const Tensor& x) { return x.dim() == 1 ? 0 : 1; }

Tensor nll_loss_of(const char* name, const Tensor& x, const Tensor& given, const Tensor& weight, int64_t ignore_index,
                   const std::string& reduction) {
  check(x.dim() > 0, name, ": the input needs a dimension of classes");
  const int64_t dim = class_dim(x), classes = x.size(dim);
  check(is_integral(given.dtype()), name, ": the target must be classes (integers), got ", given.dtype());
  Sizes expected = x.sizes();
  expected.erase(static_cast<size_t>(dim));
  check(given.sizes() == expected, name, ": input ", x.sizes(), " expects a target of sizes ", expected, ", got ",
        given.sizes());
  check(!weight.defined() || (weight.dim() == 1 && weight.size(0) == classes), name, ": weight must have ", classes,
        " elements");
  const Tensor target = given.dtype() == DType::Int64 ? given : ops::to_dtype(given, DType::Int64);
  check_classes(name, target, classes, ignore_index);
  const Tensor counted = ops::ne(target, ignore_index),
               safe = ops::where(counted, target, scalar_tensor(1, DType::Int64));
  Tensor loss = -ops::reshape(ops::gather(x, dim, ops::unsqueeze(safe, dim)), expected);
  Tensor weights = ops::to_dtype(counted, x.dtype());
  if (weight.defined())
    weights = weights * ops::reshape(ops::index_select(weight, 0, ops::reshape(safe, {-1})), expected);
  loss = ops::where(counted, loss * weights, 0);
  if (reduction == "mean") return ops::sum(loss) / ops::sum(weights);
  return reduced(name, loss, reduction);
}

Tensor nll_loss(const Tensor& x, const Tensor& target, const Tensor& weight, std::optional<bool> average,
                int64_t ignore_index, std::optional<bool> reduce, const std::string& reduction) {
  return nll_loss_of("nll_loss", x, target, weight, ignore_index, reduction_of(reduction, average, reduce));
}

Tensor weights_along(const Tensor& weight, const Tensor& x, int64_t dim) {
  Sizes sizes(x.sizes().size(), 1);
  sizes[static_cast<size_t>(dim)] = x.size(dim);
  return ops::reshape(weight, sizes);
}

// Targets are probabilities of the classes.
Tensor soft_cross_entropy(const Tensor& log_p, const Tensor& given, const Tensor& weight, const std::string& reduction,
                          double smoothing) {
  const int64_t dim = class_dim(log_p), classes = log_p.size(dim);
  check(given.sizes() == log_p.sizes(), "cross_entropy: input ", log_p.sizes(), " and target probabilities ",
        given.sizes(), " differ in size");
  const Tensor target = smoothing > 0 ? given * (1 - smoothing) + smoothing / static_cast<double>(classes) : given;
  Tensor terms = log_p * target;
  if (weight.defined()) terms = terms * weights_along(weight, log_p, dim);
  const Tensor loss = -ops::sum(terms, {dim});
  if (reduction == "mean") return ops::sum(loss) / static_cast<double>(log_p.numel() / classes);
  return reduced("cross_entropy", loss, reduction);
}

// Label smoothing (Szegedy et al. 2016): a share `smoothing` of the target is spread over all classes.
Tensor smoothed_cross_entropy(const Tensor& log_p, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                              const std::string& reduction, double smoothing) {
  const int64_t dim = class_dim(log_p), classes = log_p.size(dim);
  const Tensor hard = nll_loss_of("cross_entropy", log_p, target, weight, ignore_index, reduction);
  Tensor spread = weight.defined() ? log_p * weights_along(weight, log_p, dim) : log_p;
  spread = ops::masked_fill(-ops::sum(spread, {dim}), ops::eq(target, ignore_index), 0);
  if (reduction == "sum") spread = ops::sum(spread);
  if (reduction == "mean") {
    const Tensor counted = ops::ne(target, ignore_index);
    Tensor total = ops::to_dtype(counted, log_p.dtype());
    if (weight.defined()) {
      const Tensor safe = ops::reshape(ops::where(counted, target, scalar_tensor(1, DType::Int64)), {-1});
      total = total * ops::reshape(ops::index_select(weight, 0, safe), target.sizes());
    }
    spread = ops::sum(spread) / ops::sum(total);
  }
  return hard * (1 - smoothing) + spread * (smoothing / static_cast<double>(classes));
}

Tensor cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight, std::optional<bool> average,
                     int64_t ignore_index, std::optional<bool> reduce, const std::string& reduction,
                     double label_smoothing) {
  check(x.dim() > 0, "cross_entropy: the input needs a dimension of classes");
  check(label_smoothing >= 0 && label_smoothing <= 1, "cross_entropy: label_smoothing must be within 0..1, got ",
        label_smoothing);
  const std::string how = reduction_of(reduction, average, reduce);
  const Tensor log_p = ops::log_softmax(x, class_dim(x));
  if (is_floating(target.dtype())) return soft_cross_entropy(log_p, target, weight, how, label_smoothing);
  if (label_smoothing > 0) return smoothed_cross_entropy(log_p, target, weight, ignore_index, how, label_smoothing);
  return nll_loss_of("cross_entropy", log_p, target, weight, ignore_index, how);
}

}  // namespace

void define_loss(const Family& define) {
  define("nn.functional.mse_loss(Tensor input, Tensor target, " FACULA_REDUCTION)
      .doc("The mean of the squared differences.")
      .example("torch.nn.functional.mse_loss(torch.tensor{1, 5}, torch.tensor{2, 3})")
      .compose(mse_loss);
  define("nn.functional.l1_loss(Tensor input, Tensor target, " FACULA_REDUCTION)
      .doc("The mean of the absolute differences.")
      .example("torch.nn.functional.l1_loss(torch.tensor{1, 5}, torch.tensor{2, 3})")
      .compose(l1_loss);
  define(ops::nll_loss,
         "nn.functional.nll_loss(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, "
         "int ignore_index=-100, bool? reduce=None, str reduction='mean') -> Tensor")
      .doc("The negative log likelihood of the classes in `target` (1..C), from log probabilities [N, C, ...].")
      .example("torch.nn.functional.nll_loss(torch.randn(2, 3):log_softmax(2), torch.tensor{3, 1}:long())")
      .compose(nll_loss);
  define(
      "nn.functional.cross_entropy(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None, "
      "int ignore_index=-100, bool? reduce=None, str reduction='mean', float label_smoothing=0.0) -> Tensor")
      .doc(
          "The cross entropy of scores [N, C, ...] against classes (1..C), or against probabilities of the input's "
          "sizes.")
      .example(
          "torch.nn.functional.cross_entropy(torch.randn(4, 10), torch.tensor({1, 10, 3, 5}, {dtype=torch.int64}))")
      .compose(cross_entropy);
}

}  // namespace facula
