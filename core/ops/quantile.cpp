// Elements chosen by their rank: k-th values, medians, modes, quantiles.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/reduce.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor chosen_gradient_of(Tensor g, Result, Result positions, Meta x, int64_t dim) {
  return chosen_gradient(g, positions, x, dim);
}

std::tuple<Tensor, Tensor> kthvalue_forward(Out& out, const Tensor& x, int64_t k, int64_t dim, bool keepdim) {
  const int64_t n = x.dim() ? x.size(dim) : 1;
  check(k >= 1 && k <= n, "kthvalue: k = ", k, " is not within 1..", n, ", the size of dimension ",
        Counting::shown(dim));
  return chosen_along(out, "kthvalue", x, dim, keepdim, [&](const Tensor& v, const Tensor& p, const Tensor& from) {
    slots::kthvalue(v, p, from, dim, k - 1);
  });
}

template <bool skip_nan>
std::tuple<Tensor, Tensor> median_forward(Out& out, const Tensor& x, int64_t dim, bool keepdim) {
  return chosen_along(
      out, skip_nan ? "nanmedian" : "median", x, dim, keepdim,
      [&](const Tensor& v, const Tensor& p, const Tensor& from) { slots::median(v, p, from, dim, skip_nan); });
}

std::tuple<Tensor, Tensor> mode_forward(Out& out, const Tensor& x, int64_t dim, bool keepdim) {
  return chosen_along(out, "mode", x, dim, keepdim,
                      [&](const Tensor& v, const Tensor& p, const Tensor& from) { slots::mode(v, p, from, dim); });
}

template <bool skip_nan>
void define_median(const Family& define) {
  static Op along;
  const std::string name = skip_nan ? "nanmedian" : "median";
  define(name + "(Tensor self) -> Tensor")
      .doc(text(
          "The middle element in order, the lower of two, of all elements or along a dimension, where its position "
          "is the second result. ",
          skip_nan ? "NaN is left out." : "NaN if there is one."))
      .example(text("torch.", name, "(torch.tensor{1, ", skip_nan ? "0 / 0" : "9", ", 3, 5})"))
      .compose(+[](const Tensor& x) {
        check(!is_complex(x.dtype()), skip_nan ? "nanmedian" : "median", ": complex numbers have no order");
        if (x.numel() == 0 && is_floating(x.dtype())) return ops::full_like(ops::sum(x), std::nan(""));
        return along.all({ops::reshape(x, {-1}), 0}).tensor(0);
      });
  define(along, name + ":dim(Tensor self, Dim dim, bool keepdim=False) -> (Tensor values, IndexTensor indices)")
      .forward(median_forward<skip_nan>)
      .grad("self", chosen_gradient_of);
}

// ---- quantiles ----

void check_quantile_arguments(const char* name, const Tensor& x, const Tensor& q) {
  check(x.numel() > 0, name, ": the tensor ", x.sizes(), " has no elements");
  check(x.dtype() == DType::Float32 || x.dtype() == DType::Float64, name, ": expected float32 or float64, got ",
        x.dtype());
  check(q.dim() <= 1, name, ": q must be a number or a vector, got ", q.sizes());
  check(q.dtype() == x.dtype(), name, ": dtypes differ, 'self' is ", x.dtype(), ", 'q' ", q.dtype());
  if (q.is_meta() || q.numel() == 0) return;
  const double low = item(ops::amin(q)).to<double>(), high = item(ops::amax(q)).to<double>();
  check(low >= 0 && high <= 1, name, ": q must be within 0..1, got ", low >= 0 ? high : low);
}

enum class Between : uint8_t { Linear, Lower, Higher, Midpoint, Nearest };
Between between(const char* name, const std::string& interpolation) {
  constexpr const char* kNames[] = {"linear", "lower", "higher", "midpoint", "nearest"};
  for (uint8_t i = 0; i < 5; ++i)
    if (interpolation == kNames[i]) return static_cast<Between>(i);
  fail(name, ": interpolation must be 'linear', 'lower', 'higher', 'midpoint' or 'nearest', got '", interpolation, "'");
}

// The ranks, from 0, of quantiles q [k] among the last dimension of `sorted`. NaN comes last in order; one in a row is
// its result, unless they are skipped: then the others alone have ranks.
Tensor ranks_of(const Tensor& sorted, const Tensor& q, bool skip_nan) {
  const Tensor missing = ops::isnan(sorted);
  const auto last = static_cast<double>(sorted.size(-1) - 1);
  if (!skip_nan) return ops::where(ops::amax(missing, IntList{-1}, true), last, q * last);
  const Tensor numbers = ops::sum(ops::logical_not(missing), IntList{-1}, true);
  return ops::clamp((ops::to_dtype(numbers, sorted.dtype()) - 1) * q, 0);
}

Tensor whole(const PointwiseSlot& slot, const Tensor& x) {
  const Tensor y = empty(x.sizes(), x.dtype(), x.device());
  slot(y, TensorSpan(&x, 1), ScalarSpan());
  return y;
}
Tensor at_ranks(const Tensor& sorted, const Tensor& ranks) {
  return ops::gather(sorted, -1, ops::to_dtype(ranks, DType::Int64) + 1);
}

// Of elements in order along the last dimension, at ranks of the same sizes but for the last dimension.
Tensor interpolated(const Tensor& sorted, const Tensor& ranks, Between way) {
  if (way == Between::Nearest) return at_ranks(sorted, whole(slots::round, ranks));
  if (way == Between::Higher) return at_ranks(sorted, whole(slots::ceil, ranks));
  const Tensor below = whole(slots::floor, ranks);
  if (way == Between::Lower) return at_ranks(sorted, below);
  const Tensor weight = way == Between::Midpoint ? ops::full_like(ranks, 0.5) : ranks - below;
  return ops::lerp(at_ranks(sorted, below), at_ranks(sorted, whole(slots::ceil, ranks)), weight);
}

// The quantiles are the first dimension of the result if q is a vector.
template <bool skip_nan>
Tensor quantile_of(const Tensor& x, const Tensor& q, OptInt dim, bool keepdim, const std::string& interpolation) {
  const char* name = skip_nan ? "nanquantile" : "quantile";
  check_quantile_arguments(name, x, q);
  const Between way = between(name, interpolation);
  const bool along = dim && x.dim() > 0;
  const Tensor rows = along ? ops::transpose(ops::unsqueeze(x, -1), *dim, -1) : ops::reshape(x, {-1});
  const Tensor sorted = ops::sort.all({rows, -1}).tensor(0);
  const Tensor ranks = ranks_of(sorted, ops::reshape(q, {-1}), skip_nan);
  const Tensor y = interpolated(sorted, ranks, way);  // [kept sizes..., quantiles]
  Sizes sizes = reduced(x.sizes(), dims_of(x.sizes(), dim), keepdim);
  if (q.dim() == 0) return ops::reshape(y, sizes);
  sizes.insert(0, q.size(0));
  IntList order{y.dim() - 1};
  for (int64_t d = 0; d + 1 < y.dim(); ++d) order.push_back(d);
  return ops::reshape(ops::permute(y, order), sizes);
}

template <bool skip_nan>
void define_quantile_of(const Family& define) {
  const std::string name = skip_nan ? "nanquantile" : "quantile";
  const std::string rest = ", Dim? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor";
  define(text(name, "(Tensor self, Tensor q", rest))
      .doc(text(
          "The elements at rank `q (n - 1)` of n in order, over all elements or along a dimension, for a number or a "
          "vector of numbers within 0..1, whose results then lie along a new first dimension. Between two ranks "
          "`interpolation` is 'linear', 'lower', 'higher', 'midpoint' or 'nearest'. ",
          skip_nan ? "NaN is left out." : "NaN if there is one."))
      .example(text("torch.", name, "(torch.tensor{1, 2, ", skip_nan ? "0 / 0" : "3", ", 4}, 0.25)"))
      .compose(quantile_of<skip_nan>);
  define(text(name, ":number(Tensor self, float q", rest))
      .compose(+[](const Tensor& x, double q, OptInt dim, bool keepdim, const std::string& interpolation) {
        return quantile_of<skip_nan>(x, moved(scalar_tensor(q, x.dtype()), x.device()), dim, keepdim, interpolation);
      });
}

}  // namespace

void define_quantile(const Family& define) {
  define("kthvalue(Tensor self, int k, Dim dim=-1, bool keepdim=False) -> (Tensor values, IndexTensor indices)")
      .doc("The `k`-th smallest element along a dimension, and its position. NaN is the largest.")
      .example("torch.tensor{3, 1, 2}:kthvalue(2)")
      .forward(kthvalue_forward)
      .grad("self",
            [](Tensor g, Result, Result i, Meta x, int64_t, int64_t dim) { return chosen_gradient(g, i, x, dim); });
  define("mode(Tensor self, Dim dim=-1, bool keepdim=False) -> (Tensor values, IndexTensor indices)")
      .doc(
          "The most frequent element along a dimension, the smallest of several, and the position where it stands "
          "last.")
      .example("torch.tensor{3, 1, 3, 2}:mode()")
      .forward(mode_forward)
      .grad("self", chosen_gradient_of);
  define_median<false>(define);
  define_median<true>(define);
  define_quantile_of<false>(define);
  define_quantile_of<true>(define);
}

}  // namespace facula
