// Losses that ask for a margin: between a number and a bound, two rankings, two distances, or the scores of classes.
#include "core/ops/families.h"
#include "core/ops/loss.h"

namespace facula {
namespace {

using OptBool = std::optional<bool>;

Tensor positive_part(const Tensor& x) { return ops::clamp(x, 0); }

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, double margin, OptBool average, OptBool reduce,
                            const std::string& reduction) {
  const Tensor apart = ops::where(ops::ne(target, 1), positive_part(-(x - margin)), 0);
  const Tensor together = ops::where(ops::ne(target, -1), x, 0);
  return reduced("hinge_embedding_loss", apart + together, reduction_of(reduction, average, reduce));
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin, OptBool average,
                           OptBool reduce, const std::string& reduction) {
  check(a.dim() == b.dim() && a.dim() == target.dim(),
        "margin_ranking_loss: the tensors must have as many dimensions as each other, got ", a.sizes(), ", ", b.sizes(),
        " and ", target.sizes());
  return reduced("margin_ranking_loss", positive_part(-target * (a - b) + margin),
                 reduction_of(reduction, average, reduce));
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin, OptBool average,
                             OptBool reduce, const std::string& reduction) {
  check(target.dim() <= 1, "cosine_embedding_loss: the target must have at most 1 dimension, got ", target.sizes());
  const int64_t rank = target.dim() + 1;
  check(a.dim() == rank && b.dim() == rank, "cosine_embedding_loss: a target of sizes ", target.sizes(), " expects ",
        rank, "-dimensional inputs, got ", a.sizes(), " and ", b.sizes());
  const auto dot = [](const Tensor& x, const Tensor& y) { return ops::sum(x * y, {-1}); };
  constexpr double eps = 1e-12;
  const Tensor cosine = dot(a, b) / ops::sqrt((dot(a, a) + eps) * (dot(b, b) + eps));
  const Tensor loss = ops::where(ops::eq(target, 1), ops::sub(1, cosine), 0) +
                      ops::where(ops::eq(target, -1), positive_part(cosine - margin), 0);
  return reduced("cosine_embedding_loss", loss, reduction_of(reduction, average, reduce));
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin,
                           double p, double eps, bool swap, OptBool average, OptBool reduce,
                           const std::string& reduction) {
  check(anchor.dim() == positive.dim() && anchor.dim() == negative.dim(),
        "triplet_margin_loss: anchor, positive and negative must have as many dimensions as each other, got ",
        anchor.sizes(), ", ", positive.sizes(), " and ", negative.sizes());
  check(anchor.dim() > 0, "triplet_margin_loss: the tensors need a dimension to measure distances along");
  const auto distance = [&](const Tensor& a, const Tensor& b) { return ops::norm(a - b + eps, p, {-1}); };
  Tensor far = distance(anchor, negative);
  if (swap) far = ops::minimum(far, distance(positive, negative));
  return reduced("triplet_margin_loss", positive_part(distance(anchor, positive) - far + margin),
                 reduction_of(reduction, average, reduce));
}

// ---- scores of classes: one sample [C] or a batch [N, C] ------------------------------------------------------------
/// Scores [N, C] or [C]; a single number is the score of one class.
Tensor scores(const char* name, const Tensor& given) {
  const Tensor x = given.dim() == 0 ? ops::reshape(given, {1}) : given;
  check(is_floating(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
  check((x.dim() == 1 || x.dim() == 2) && x.size(-1) > 0, name, ": the input must be [C] or [N, C], got ", x.sizes());
  return x;
}

/// 1 to C.
Tensor all_classes(const Tensor& x) { return ops::arange(x.size(-1), DType::Int64, x.device()) + 1; }

Tensor positions(const char* name, const Tensor& target) {
  check(is_integral(target.dtype()), name, ": the target must be classes (integers), got ", target.dtype());
  return target.dtype() == DType::Int64 ? target : ops::to_dtype(target, DType::Int64);
}

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, int64_t p, double margin, const Tensor& weight,
                         OptBool average, OptBool reduce, const std::string& reduction) {
  constexpr const char* name = "multi_margin_loss";
  const Tensor x = scores(name, input);
  check(p == 1 || p == 2, name, ": p must be 1 or 2, got ", p);
  const int64_t C = x.size(-1);
  const Sizes batch(x.sizes().begin(), x.sizes().end() - 1);
  check(target.numel() == numel_of(batch) && target.dim() <= 1, name, ": input ", x.sizes(),
        " expects a class for each row, got ", target.sizes());
  check(!weight.defined() || (weight.dim() == 1 && weight.size(0) == C), name, ": weight must have ", C, " elements");
  const Tensor classes = ops::reshape(positions(name, target), batch);
  check_classes(name, classes, C, 1);
  const Tensor index = ops::unsqueeze(classes, -1);
  Tensor terms = positive_part(x - ops::gather(x, -1, index) + margin);
  if (p == 2) terms = ops::square(terms);
  if (weight.defined())
    terms = terms * ops::unsqueeze(ops::reshape(ops::index_select(weight, 0, ops::reshape(classes, {-1})), batch), -1);
  const Tensor own = ops::eq(all_classes(x), index);
  return reduced(name, ops::sum(ops::masked_fill(terms, own, 0), {-1}) / static_cast<double>(C),
                 reduction_of(reduction, average, reduce));
}

// Each row of targets lists classes and ends at the first 0. Over pairs of a listed class j and another one i:
// max(0, 1 - (x[j] - x[i])) / C.
Tensor multilabel_margin_loss(const Tensor& input, const Tensor& given, OptBool average, OptBool reduce,
                              const std::string& reduction) {
  constexpr const char* name = "multilabel_margin_loss";
  const Tensor x = scores(name, input);
  check(given.sizes() == input.sizes(), name, ": input ", input.sizes(), " and target ", given.sizes(),
        " differ in size");
  const Tensor target = ops::reshape(given, x.sizes());
  const int64_t C = x.size(-1);
  const Tensor classes = positions(name, target);
  check_classes(name, classes, C, 0);
  const Tensor listed = ops::gt(ops::cumprod(ops::ne(classes, 0), -1), 0);
  const Tensor index = ops::where(listed, classes, 1);
  const Tensor of_class =
      ops::logical_and(ops::eq(ops::unsqueeze(index, -1), all_classes(x)), ops::unsqueeze(listed, -1));
  const Tensor other = ops::eq(ops::sum(of_class, {-2}, true), 0);  // [..., 1, C]
  const Tensor pairs = ops::logical_and(ops::unsqueeze(listed, -1), other);
  const Tensor terms = positive_part(ops::unsqueeze(x, -2) - ops::unsqueeze(ops::gather(x, -1, index), -1) + 1);
  return reduced(name, ops::sum(ops::where(pairs, terms, 0), {-2, -1}) / static_cast<double>(C),
                 reduction_of(reduction, average, reduce));
}

}  // namespace

void define_margin_loss(const Family& define) {
  define("nn.functional.hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0, " FACULA_REDUCTION)
      .doc("`input` where `target` is 1, `max(0, margin - input)` where it is -1.")
      .example("torch.nn.functional.hinge_embedding_loss(torch.tensor{0.5, 0.2}, torch.tensor{1, -1})")
      .compose(hinge_embedding_loss);
  define(
      "nn.functional.margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float "
      "margin=0, " FACULA_REDUCTION)
      .doc("`max(0, margin - target * (input1 - input2))` with targets 1 and -1.")
      .example("torch.nn.functional.margin_ranking_loss(torch.tensor{3, 1}, torch.tensor{2, 2}, torch.tensor{1, 1})")
      .compose(margin_ranking_loss);
  define(
      "nn.functional.cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float "
      "margin=0, " FACULA_REDUCTION)
      .doc("`1 - cos` of rows [N, D] with target 1, `max(0, cos - margin)` with target -1.")
      .example(
          "torch.nn.functional.cosine_embedding_loss(torch.randn(4, 3), torch.randn(4, 3), torch.tensor{1, -1, 1, 1})")
      .compose(cosine_embedding_loss);
  define(
      "nn.functional.triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, "
      "float p=2, float eps=1e-06, bool swap=False, " FACULA_REDUCTION)
      .doc(
          "`max(0, d(anchor, positive) - d(anchor, negative) + margin)` with distances by the p-norm over the last "
          "dimension; `swap` takes the smaller of the negative's distances to anchor and positive.")
      .example("torch.nn.functional.triplet_margin_loss(torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 3))")
      .compose(triplet_margin_loss);
  define(
      "nn.functional.multi_margin_loss(Tensor input, IndexTensor target, int p=1, float margin=1.0, "
      "Tensor? weight=None, " FACULA_REDUCTION)
      .doc(
          "The mean over classes i other than the target y of `max(0, margin - input[y] + input[i])^p`, times "
          "`weight[y]`; input [N, C] or [C], classes 1..C.")
      .example("torch.nn.functional.multi_margin_loss(torch.tensor{{0.1, 0.2, 0.9}}, {3})")
      .compose(multi_margin_loss);
  define("nn.functional.multilabel_margin_loss(Tensor input, IndexTensor target, " FACULA_REDUCTION)
      .doc(
          "The sum over the classes j listed in a row of `target` (1..C, up to the first 0) and the classes i not "
          "listed "
          "of `max(0, 1 - (input[j] - input[i]))`, divided by C; both [N, C] or [C].")
      .example(
          "torch.nn.functional.multilabel_margin_loss(torch.tensor{0.1, 0.2, 0.4, 0.8}, torch.tensor{4, 1, 0, "
          "0}:long())")
      .compose(multilabel_margin_loss);
}

}  // namespace facula
