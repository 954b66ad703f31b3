// Statistics that are told by sums, extremes and moments.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/reduce.h"
#include "core/pointwise.h"

namespace facula {
namespace {

std::tuple<Tensor, Tensor> aminmax_of(const Tensor& x, OptInt dim, bool keepdim) {
  check(!is_complex(x.dtype()), "aminmax: complex numbers have no order");
  check_not_empty("aminmax", x, dims_of(x.sizes(), dim));
  const Value dims = dim ? Value(IntList{*dim}) : Value();
  const Tensor low = ops::amin(x, dims, keepdim), high = ops::amax(x, dims, keepdim);
  if (x.dim() > 0 || !dim || !keepdim) return {low, high};
  return {ops::reshape(low, {1}), ops::reshape(high, {1})};  // as PyTorch has it
}

// ---- sums that leave NaN out ----

Tensor nansum_of(const Tensor& x, const IntList& dim, bool keepdim, OptDType dtype) {
  check(!is_complex(x.dtype()), "nansum: complex numbers are not supported");
  const Tensor numbers = is_floating(x.dtype()) ? ops::masked_fill(x, ops::isnan(x), 0) : x;
  return ops::sum(numbers, dim, keepdim, dtype);
}

Tensor nanmean_of(const Tensor& x, const IntList& dim, bool keepdim, OptDType dtype) {
  check(is_differentiable(x.dtype()), "nanmean: expected a floating or complex dtype, got ", x.dtype());
  const Tensor numbers = ops::logical_not(ops::isnan(x));
  return nansum_of(x, dim, keepdim, dtype) / ops::sum(numbers, dim, keepdim);
}

// ---- variance or deviation, with the mean ----

using Pair = std::tuple<Tensor, Tensor>;
template <bool root>
Pair with_mean(const Tensor& x, const IntList& dim, const OptScalar& correction, bool keepdim) {
  check(is_differentiable(x.dtype()), root ? "std_mean" : "var_mean", ": expected a floating or complex dtype, got ",
        x.dtype());
  return {(root ? ops::deviation : ops::var)(x, dim, correction, keepdim), ops::mean(x, dim, keepdim)};
}
template <bool root>
void define_with_mean(const Family& define) {
  const std::string name = root ? "std_mean" : "var_mean", what = root ? "std" : "var";
  const std::string results = text(") -> (Tensor ", what, ", Tensor mean)");
  define(text(name, "(Tensor self, bool unbiased=True", results))
      .doc(text(root ? "The standard deviation" : "The variance",
                " and the mean, over all dimensions or those in `dim`, as by `", what, "` and `mean`."))
      .example(text("torch.", name, "(torch.tensor{1, 2, 3, 4})"))
      .compose(+[](const Tensor& x, bool unbiased) {
        return with_mean<root>(x, dims_of(x.sizes(), {}), Scalar(unbiased ? 1 : 0), false);
      });
  define(text(name, ":dim(Tensor self, Dim[]? dim, bool unbiased=True, bool keepdim=False", results))
      .compose(+[](const Tensor& x, const IntList& dim, bool unbiased, bool keepdim) {
        return with_mean<root>(x, dim, Scalar(unbiased ? 1 : 0), keepdim);
      });
  define(
      text(name, ":correction(Tensor self, Dim[]? dim=None, *, Scalar? correction=None, bool keepdim=False", results))
      .compose(with_mean<root>);
}

// ---- covariance: observations are columns, variables rows ----

Tensor weights_of(const char* which, const Tensor& w, int64_t n, bool integral) {
  check(w.dim() <= 1 && w.numel() == n, "cov: ", which, " must have one weight for each of ", n,
        " observations, got sizes ", w.sizes());
  check(integral ? is_integral(w.dtype()) : is_floating(w.dtype()), "cov: ", which, " must be ",
        integral ? "integers" : "floating", ", got ", w.dtype());
  check(w.is_meta() || n == 0 || item(ops::amin(w)).to<double>() >= 0, "cov: ", which, " must not be negative");
  return w;
}

Tensor cov_of(const Tensor& given, int64_t correction, const Tensor& fweights, const Tensor& aweights) {
  check(given.dim() <= 2, "cov: expected a vector or a matrix, got ", given.sizes());
  check(given.dtype() != DType::Bool, "cov: bool is not supported");
  const Tensor x = given.dim() == 2 ? given : ops::reshape(given, {1, -1});
  const int64_t n = x.size(1);
  Tensor w;
  if (fweights.defined()) w = weights_of("fweights", fweights, n, true);
  if (aweights.defined()) {
    const Tensor a = weights_of("aweights", aweights, n, false);
    w = w.defined() ? w * a : a;
  }
  const Tensor total = w.defined() ? ops::sum(w) : Tensor();
  check(!w.defined() || w.is_meta() || n == 0 || item(total).to<double>() != 0, "cov: the weights add up to zero");
  const Tensor mean = (w.defined() ? ops::sum(x * w, {1}, true) / total : ops::sum(x, {1}, true) / n);
  Tensor freedom;
  if (!w.defined())
    freedom = number_tensor(static_cast<double>(std::max<int64_t>(0, n - correction)), DType::Float64);
  else if (aweights.defined() && correction != 0)
    freedom = total - ops::sum(w * aweights) / total * correction;
  else
    freedom = total - correction;
  const Tensor centred = x - mean;
  const Tensor weighted = w.defined() ? centred * w : centred;
  const Tensor c = ops::matmul(centred, ops::conj(ops::transpose(ops::to_dtype(weighted, centred.dtype()), 0, 1)));
  return ops::squeeze(c / (w.defined() ? ops::clamp(freedom, 0) : freedom));
}

Tensor corrcoef_of(const Tensor& x) {
  check(x.dim() <= 2, "corrcoef: expected a vector or a matrix, got ", x.sizes());
  const Tensor c = cov_of(x, 1, Tensor(), Tensor());
  if (c.dim() == 0) return c / c;
  const Tensor d = ops::diagonal(c), deviation = ops::sqrt(is_complex(d.dtype()) ? ops::real(d) : d);
  const Tensor r = c / ops::unsqueeze(deviation, 1) / ops::unsqueeze(deviation, 0);
  if (!is_complex(r.dtype())) return ops::clamp(r, -1, 1);
  return ops::view_as_complex(ops::clamp(ops::view_as_real(r), -1, 1));  // each part
}

// ---- norms ----

Tensor dist_of(const Tensor& x, const Tensor& y, const Scalar& p) { return ops::norm(x - y, p); }

Tensor renorm_of(const Tensor& x, const Scalar& p, int64_t dim, const Scalar& maxnorm) {
  check(x.dim() >= 2, "renorm: expected at least 2 dimensions, got ", x.sizes());
  check(is_differentiable(x.dtype()), "renorm: expected a floating or complex dtype, got ", x.dtype());
  check(!p.is_complex() && p.to<double>() > 0, "renorm: p must be positive, got ", p);
  check(!maxnorm.is_complex() && maxnorm.to<double>() >= 0, "renorm: maxnorm must not be negative, got ", maxnorm);
  IntList others;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != dim) others.push_back(d);
  const bool narrow = x.dtype() == DType::Float16 || x.dtype() == DType::BFloat16;
  const Tensor norm = ops::norm(narrow ? ops::to_dtype(x, DType::Float32) : x, p, others, true);
  const Tensor factor = ops::where(ops::gt(norm, maxnorm), ops::reciprocal(norm + 1e-7) * maxnorm, 1);
  return x * ops::to_dtype(factor, real_dtype(x.dtype()));
}

}  // namespace

void define_statistics(const Family& define) {
  define("aminmax(Tensor self, *, Dim? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)")
      .doc("The smallest and the largest element, over all dimensions or along one. Equal ones share the gradient.")
      .example("torch.tensor{3, 1, 4}:aminmax()")
      .compose(aminmax_of);
  define("count_nonzero(Tensor self, Dim[]? dim=None) -> Tensor")
      .doc("How many elements are not zero, over all dimensions or over those in `dim`.")
      .example("torch.tensor{{1, 0, 2}, {0, 0, 3}}:count_nonzero(2)")
      .compose([](const Tensor& x, const IntList& dim) { return ops::sum(ops::ne(x, 0), dim); });
  define("nansum(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc("Sum of the elements that are not NaN, over all dimensions or over those in `dim`.")
      .example("torch.nansum(torch.tensor{1, 0 / 0, 3})")
      .compose(nansum_of);
  define("nanmean(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc("Mean of the elements that are not NaN, over all dimensions or over those in `dim`; NaN if there are none.")
      .example("torch.nanmean(torch.tensor{1, 0 / 0, 3})")
      .compose(nanmean_of);
  define_with_mean<true>(define);
  define_with_mean<false>(define);
  define("cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor")
      .doc(
          "The covariances of the rows of a matrix [variables, observations], divided by the number of observations "
          "less `correction`. `fweights` says how often each observation counts, `aweights` how much.")
      .example("torch.cov(torch.tensor{{0, 1, 2}, {2, 1, 0}})")
      .compose(cov_of);
  define("corrcoef(Tensor self) -> Tensor")
      .doc(
          "The correlations of the rows of a matrix [variables, observations]: covariances over the product of the "
          "standard deviations, within -1..1.")
      .example("torch.corrcoef(torch.tensor{{0, 1, 2}, {2, 1, 0}})")
      .compose(corrcoef_of);
  define("dist(Tensor self, Tensor other, Scalar p=2) -> Tensor")
      .doc("The p-norm of `self - other`.")
      .example("torch.dist(torch.tensor{0, 0}, torch.tensor{3, 4})")
      .compose(dist_of);
  define("renorm(Tensor self, Scalar p, Dim dim, Scalar maxnorm) -> Tensor")
      .doc("Scales those slices along `dim` whose p-norm is larger than `maxnorm` down to it.")
      .example("torch.tensor{{3, 4}, {0.3, 0.4}}:renorm(2, 1, 1)")
      .compose(renorm_of);
}

}  // namespace facula
