// Products of pairs of vectors: cosines, normalised vectors, bilinear forms.
#include "core/ops.h"
#include "core/ops/families.h"

namespace facula {
namespace {

// As in PyTorch, each norm is at least eps, which is no part of the derivative.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps) {
  const DType t = promote(a.dtype(), b.dtype());
  check(is_floating(t), "cosine_similarity: expected floating numbers, got ", t);
  const Sizes sizes = broadcast(a.sizes(), b.sizes(), "cosine_similarity");
  const auto rank = static_cast<int64_t>(sizes.size()), n = std::max<int64_t>(rank, 1);
  check(dim >= -n && dim < n, "cosine_similarity: dim ", Counting::shown(dim), " is out of range for ", rank,
        " dimensions");
  const auto normalised = [&](const Tensor& given) {
    const Tensor x = ops::expand(ops::to_dtype(given, t), sizes);
    const Tensor squares = ops::sum(ops::square(x), {dim}, true);
    const Tensor raised = detach(ops::clamp(squares, eps * eps) - squares);
    return x / ops::sqrt(squares + raised);
  };
  return ops::sum(normalised(a) * normalised(b), {dim});
}

Tensor normalize(const Tensor& x, const Scalar& p, int64_t dim, double eps) {
  return x / ops::clamp(ops::norm(x, p, {dim}, true), eps);
}

// y[n, o] = sum of a[n, i] w[o, i, j] b[n, j] over i and j.
Tensor bilinear(const Tensor& a, const Tensor& b, const Tensor& w, const Tensor& bias) {
  check(a.dim() > 0 && a.dim() == b.dim(), "bilinear: the inputs must have as many dimensions as each other, got ",
        a.sizes(), " and ", b.sizes());
  const Sizes batch(a.sizes().begin(), a.sizes().end() - 1);
  check(std::equal(batch.begin(), batch.end(), b.sizes().begin()), "bilinear: inputs ", a.sizes(), " and ", b.sizes(),
        " differ in more than their last dimension");
  check(w.dim() == 3 && w.size(1) == a.size(-1) && w.size(2) == b.size(-1), "bilinear: inputs ", a.sizes(), " and ",
        b.sizes(), " expect a weight of sizes (O, ", a.size(-1), ", ", b.size(-1), "), got ", w.sizes());
  const int64_t N = numel_of(batch), O = w.size(0), I = w.size(1), J = w.size(2);
  check(!bias.defined() || (bias.dim() == 1 && bias.size(0) == O), "bilinear: bias must have ", O, " elements");
  const Tensor left = ops::mm(ops::reshape(a, {N, I}), ops::reshape(ops::transpose(w, 0, 1), {I, O * J}));  // [N, O J]
  Tensor y = ops::bmm(ops::reshape(left, {N, O, J}), ops::reshape(b, {N, J, 1}));
  Sizes sizes = batch;
  sizes.push_back(O);
  y = ops::reshape(y, sizes);
  return bias.defined() ? y + bias : y;
}

}  // namespace

void define_similarity(const Family& define) {
  define("cosine_similarity(Tensor x1, Tensor x2, Index dim=1, float eps=1e-08) -> Tensor")
      .doc(
          "`sum(x1 * x2) / (|x1| |x2|)` along `dim` of the tensors broadcast to each other, norms being at least "
          "`eps`.")
      .example("torch.cosine_similarity(torch.tensor{{1, 0}, {1, 1}}, torch.tensor{{0, 2}, {3, 3}})")
      .alias("nn.functional.cosine_similarity")
      .compose(cosine_similarity);
  define("nn.functional.normalize(Tensor input, Scalar p=2, Dim dim=1, float eps=1e-12) -> Tensor")
      .doc("`input` divided by its p-norm along `dim`, or by `eps` if that is larger.")
      .example("torch.nn.functional.normalize(torch.tensor{{3, 4}, {0, 2}})")
      .compose(normalize);
  define("bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor")
      .doc(
          "`input1^T weight[o] input2 + bias[o]` for each o: inputs [*, I] and [*, J], weight [O, I, J], result [*, "
          "O].")
      .example("torch.bilinear(torch.randn(4, 2), torch.randn(4, 3), torch.randn(5, 2, 3))")
      .alias("nn.functional.bilinear")
      .compose(bilinear);
}

}  // namespace facula
