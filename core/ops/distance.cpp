// Distances between vectors in the p-norm.
#include <cmath>

#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op cdist_batched;
}

namespace {

constexpr int64_t kProductRows = 25;  // from here on |x|^2 + |y|^2 - 2 x y is faster than the differences

Tensor squares(const Tensor& x) { return ops::sum(ops::square(x), IntList{-1}, true); }

Tensor cdist_forward(Out& out, const Tensor& x1, const Tensor& x2, double p, bool by_product) {
  const Tensor y = out.make(joined(batch_sizes(x1.sizes()), {x1.size(-2), x2.size(-2)}), x1.dtype());
  if (!by_product || x1.size(-1) == 0) {
    slots::cdist(result_batch(y), as_batch(x1), as_batch(x2), p);
    return y;
  }
  const Tensor products = ops::matmul(x1, ops::transpose(x2, -2, -1));
  const Tensor d = squares(x1) + ops::transpose(squares(x2), -2, -1) - products * 2;
  slots::copy(y, ops::sqrt(ops::clamp(d, 0)));
  return y;
}

// By the rows of both at once, or for Euclid's distance and large sizes by products: w = g / d gives sum_j w_ij (x_i - y_j).
Tensor cdist_gradient(const Tensor& g, const Tensor& d, const Tensor& x, const Tensor& y, double p) {
  constexpr int64_t kLarge = int64_t{1} << 20;
  if (p == 0) return ops::zeros_like(x);
  const bool large = d.numel() > kLarge / std::max<int64_t>(x.size(-1), 1);
  if (p == 2 && large) {
    const Tensor w = ops::masked_fill(g / ops::masked_fill(d, ops::eq(d, 0), 1), ops::eq(d, 0), 0);
    return x * ops::sum(w, IntList{-1}, true) - ops::matmul(w, y);
  }
  const Tensor difference = ops::unsqueeze(x, -2) - ops::unsqueeze(y, -3);
  const Tensor size = ops::abs(difference), distance = ops::unsqueeze(d, -1);
  Tensor slope = ops::sgn(difference);
  if (std::isinf(p)) {
    slope = slope * ops::to_dtype(ops::eq(size, distance), x.dtype());
  } else if (p != 1) {
    // p < 1 has no slope at a difference of 0; in its place stands 0, as for the distance 0.
    const Tensor flat = p < 2 ? ops::eq(size, 0) : ops::eq(distance, 0);
    const Tensor ratio = ops::masked_fill(size, flat, 1) / ops::masked_fill(distance, ops::eq(distance, 0), 1);
    slope = ops::masked_fill(slope * ops::pow(ratio, p - 1), flat, 0);
  }
  return ops::sum(slope * ops::unsqueeze(g, -1), IntList{-2});
}

Tensor cdist_of(const Tensor& x1, const Tensor& x2, double p, const OptString& given_mode) {
  check_matrix("cdist", x1);
  check_matrix("cdist", x2);
  check_same_dtype("cdist", x1, x2);
  check(x1.dtype() == DType::Float32 || x1.dtype() == DType::Float64, "cdist: expected float32 or float64, got ",
        x1.dtype());
  check(x1.size(-1) == x2.size(-1), "cdist: ", x1.sizes(), " and ", x2.sizes(), " have rows of different length, ",
        x1.size(-1), " and ", x2.size(-1));
  check(p >= 0, "cdist: p must not be negative, got ", p);
  const std::string mode = given_mode.value_or("use_mm_for_euclid_dist_if_necessary");
  const bool always = mode == "use_mm_for_euclid_dist", never = mode == "donot_use_mm_for_euclid_dist";
  check(always || never || mode == "use_mm_for_euclid_dist_if_necessary",
        "cdist: compute_mode must be 'use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist' or "
        "'donot_use_mm_for_euclid_dist', got '",
        mode, "'");
  const auto [a, b] = broadcast_batches("cdist", x1, x2);
  const bool large = x1.size(-2) > kProductRows || x2.size(-2) > kProductRows;
  return ops::cdist_batched(a, b, p, p == 2 && !never && (always || large));
}

// Pairs i < j, in the order (1, 2), (1, 3) ... (2, 3) ...
Tensor pdist_of(const Tensor& x, double p) {
  check(x.dim() == 2, "pdist: expected a matrix, got ", x.sizes());
  check(x.dtype() == DType::Float32 || x.dtype() == DType::Float64, "pdist: expected float32 or float64, got ",
        x.dtype());
  check(p >= 0, "pdist: p must not be negative, got ", p);
  const int64_t n = x.size(0), pairs = n < 2 ? 0 : numel_of({n, n - 1}) / 2;
  const Tensor first = empty({pairs}, DType::Int64), second = empty({pairs}, DType::Int64);
  for (int64_t i = 0, at = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j, ++at) first.data<int64_t>()[at] = i + 1, second.data<int64_t>()[at] = j + 1;
  auto chosen = [&](const Tensor& rows) { return ops::index_select(x, 0, ops::to_device(rows, x.device())); };
  const Tensor difference = chosen(first) - chosen(second);
  return x.size(1) == 0 ? ops::sum(difference, IntList{1}) : ops::norm(difference, p, IntList{1});
}

Tensor pairwise_distance_of(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
  const Tensor difference = x1 - x2 + eps;
  return ops::norm(difference, p, IntList{-1}, keepdim);
}

}  // namespace

void define_distance(const Family& define) {
  define(ops::cdist_batched, "_cdist(Tensor x1, Tensor x2, float p, bool by_product) -> Tensor")
      .doc("cdist of matrices with one batch.")
      .node("CdistBackward0")
      .forward(cdist_forward)
      .grad("x1", [](Tensor g, Result d, Tensor x1, Tensor x2, double p) { return cdist_gradient(g, d, x1, x2, p); })
      .grad("x2", [](Tensor g, Result d, Tensor x1, Tensor x2, double p) {
        return cdist_gradient(ops::transpose(g, -2, -1), ops::transpose(d, -2, -1), x2, x1, p);
      });
  define("cdist(Tensor x1, Tensor x2, float p=2, str? compute_mode=None) -> Tensor")
      .doc(
          "The p-norm distances [..., P, R] of all rows of x1 [..., P, M] from all rows of x2 [..., R, M]. Euclid's "
          "distance "
          "of more than 25 rows is found by products of matrices, which is fast and less accurate for rows that are "
          "close; "
          "compute_mode='donot_use_mm_for_euclid_dist' never does.")
      .example("torch.cdist(torch.tensor{{0, 0}, {3, 0}}, torch.tensor{{0, 4}})")
      .compose(cdist_of);
  define("pdist(Tensor self, float p=2) -> Tensor")
      .doc(
          "The p-norm distances of all pairs of rows: [N, M] to [N (N - 1) / 2], the pairs in the order (1, 2), (1, 3) "
          "... "
          "(2, 3) ...")
      .example("torch.pdist(torch.tensor{{0, 0}, {3, 4}, {0, 1}})")
      .alias("nn.functional.pdist")
      .compose(pdist_of);
  define("pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-6, bool keepdim=False) -> Tensor")
      .doc("The p-norm of `x1 - x2 + eps` over the last dimension.")
      .example("torch.pairwise_distance(torch.tensor{{0, 0}, {1, 1}}, torch.tensor{{3, 4}, {1, 2}})")
      .alias("nn.functional.pairwise_distance")
      .compose(pairwise_distance_of);
}

}  // namespace facula
