// Sums, extremes and moments over dimensions.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/reduce.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor reduce(Out& out, const ReduceSlot& slot, const Tensor& x, const IntList& dims, bool keepdim, DType dtype) {
  const Tensor y = out.make(reduced(x.sizes(), dims, keepdim), dtype);
  slot(with_kept(y, x.sizes(), dims), x, dims);
  return y;
}

int64_t count(const Sizes& sizes, const IntList& dims) {
  int64_t n = 1;
  for (const int64_t d : dims) n *= sizes[static_cast<size_t>(d)];
  return n;
}

DType sum_dtype(const Tensor& x, OptDType dtype) {
  return dtype.value_or(is_integral(x.dtype(), true) ? DType::Int64 : x.dtype());
}

// x as slots::sum and slots::prod take it for a result of dtype t.
Tensor terms(const Tensor& x, DType t) {
  return t == DType::Int64 && is_integral(x.dtype(), true) ? x : converted(x, t);
}

Tensor sum_forward(Out& out, const Tensor& x, const IntList& dim, bool keepdim, OptDType dtype) {
  const DType t = sum_dtype(x, dtype);
  if (t == DType::Bool) return reduce(out, slots::any, x, dim, keepdim, t);
  return reduce(out, slots::sum, terms(x, t), dim, keepdim, t);
}

Tensor mean_forward(Out& out, const Tensor& x, const IntList& dim, bool keepdim, OptDType dtype) {
  const DType t = dtype.value_or(x.dtype());
  check(is_differentiable(t), "mean: expected a floating or complex dtype, got ", t, "; give a dtype");
  const Tensor y = reduce(out, slots::sum, terms(x, t), dim, keepdim, t);
  const Tensor n = moved(scalar_tensor(static_cast<double>(count(x.sizes(), dim)), t), y.device());
  const Tensor inputs[] = {y, n.expanded(y.sizes())};
  slots::div(y, inputs, ScalarSpan());
  return y;
}

// ---- products ----

// d prod / dx_i is the product of the others; by division where no element is 0, else from both sides.
Tensor prod_gradient(Tensor g, Result y, Tensor x, IntList dims) {
  const Tensor whole = restored(g, x.sizes(), dims);
  const bool zeros = x.numel() > 0 && !x.is_meta() && item(ops::any(ops::eq(x, 0))).to<bool>();
  if (!zeros) return whole * ops::conj(restored(y, x.sizes(), dims) / x);
  const Tensor line = dims.size() == 1 ? x : ops::reshape(x, {-1});
  const int64_t dim = dims.size() == 1 ? dims[0] : 0, n = line.size(dim);
  const Tensor one = ops::ones_like(ops::narrow(line, dim, 0, 1));
  const Tensor before = ops::cumprod(ops::cat({one, ops::narrow(line, dim, 0, n - 1)}, dim), dim);
  const Tensor after = ops::flip(
      ops::cumprod(ops::flip(ops::cat({ops::narrow(line, dim, 1, n - 1), one}, dim), IntList{dim}), dim), IntList{dim});
  return whole * ops::conj(ops::reshape(before * after, x.sizes()));
}

Tensor prod_forward(Out& out, const Tensor& x, const IntList& dims, bool keepdim, OptDType dtype) {
  const DType t = sum_dtype(x, dtype);
  if (t == DType::Bool) return reduce(out, slots::all, x, dims, keepdim, t);
  return reduce(out, slots::prod, terms(x, t), dims, keepdim, t);
}

// ---- extremes ----

// Equal extremes share the gradient.
Tensor shared_gradient(const Tensor& g, const Tensor& y, const Tensor& x, const IntList& dims) {
  const Tensor chosen = ops::to_dtype(ops::eq(x, restored(y, x.sizes(), dims)), x.dtype());
  return restored(g, x.sizes(), dims) * chosen / restored(ops::sum(chosen, dims), x.sizes(), dims);
}

template <bool kLargest>
Tensor extreme(Out& out, const Tensor& x, const IntList& dims, bool keepdim) {
  const char* name = kLargest ? "amax" : "amin";
  check(!is_complex(x.dtype()), name, ": complex numbers have no order");
  check_not_empty(name, x, dims);
  return reduce(out, kLargest ? slots::amax : slots::amin, x, dims, keepdim, x.dtype());
}

template <bool kLargest>
Tensor extreme_of_all(Out& out, const Tensor& x) {
  check(x.numel() > 0, kLargest ? "max" : "min", ": the tensor ", x.sizes(), " has no elements to choose from");
  return extreme<kLargest>(out, x, dims_of(x.sizes(), {}), false);
}

template <bool kLargest>
std::tuple<Tensor, Tensor> extreme_along(Out& out, const Tensor& x, int64_t dim, bool keepdim) {
  return chosen_along(out, kLargest ? "max" : "min", x, dim, keepdim,
                      [dim](const Tensor& values, const Tensor& positions, const Tensor& from) {
                        (kLargest ? slots::max_with_index : slots::min_with_index)(values, positions, from, dim);
                      });
}

template <bool kLargest>
Tensor position(Out& out, const Tensor& x, OptInt dim, bool keepdim) {
  const char* name = kLargest ? "argmax" : "argmin";
  check(!is_complex(x.dtype()), name, ": complex numbers have no order");
  check(dim || x.numel() > 0, name, ": the tensor ", x.sizes(), " has no elements to choose from");
  const IntList dims = dims_of(x.sizes(), dim);
  check_not_empty(name, x, dims);
  const Tensor y = out.make(reduced(x.sizes(), dims, keepdim), DType::Int64);
  const int64_t along = dim && x.dim() > 0 ? *dim : -1;
  (kLargest ? slots::argmax : slots::argmin)(with_kept(y, x.sizes(), dims), x, along);
  return y;
}

// ---- moments and norms ----

Tensor var_forward(Out& out, const Tensor& x, const IntList& dims, const OptScalar& correction, bool keepdim) {
  check(is_differentiable(x.dtype()), "var: expected a floating or complex dtype, got ", x.dtype());
  const Tensor y = out.make(reduced(x.sizes(), dims, keepdim), real_dtype(x.dtype()));
  slots::var(with_kept(y, x.sizes(), dims), x, dims, correction.value_or(Scalar(1)).to<double>());
  return y;
}
Tensor var_gradient(Tensor g, Tensor x, IntList dims, OptScalar correction) {
  const double freedom = static_cast<double>(count(x.sizes(), dims)) - correction.value_or(Scalar(1)).to<double>();
  return restored(g, x.sizes(), dims) * (2 / freedom) * (x - ops::mean(x, dims, true));
}
Tensor deviation_forward(Out& out, const Tensor& x, const IntList& dims, const OptScalar& correction, bool keepdim) {
  const Tensor y = var_forward(out, x, dims, correction, keepdim);
  slots::sqrt(y, TensorSpan(&y, 1), ScalarSpan());
  return y;
}
// 0 where all elements are equal.
Tensor deviation_gradient(Tensor g, Result y, Tensor x, IntList dims, OptScalar correction) {
  return var_gradient(ops::masked_fill(g / (y * 2), ops::eq(y, 0), 0), x, dims, correction);
}
OptScalar bessel(bool unbiased) { return Scalar(unbiased ? 1 : 0); }

// PyTorch's sum of the powers of float16 is a float16, too: from p = 3 on it overflows soon.
Tensor narrow_norm(Out& out, const Tensor& wide, double p) {
  const Tensor sums = converted(ops::pow(wide, p), DType::Float16);
  const Tensor y = out.make(wide.sizes(), DType::Float16);
  slots::copy(y, ops::pow(converted(sums, DType::Float32), 1 / p));
  return y;
}

Tensor norm_forward(Out& out, const Tensor& given, const OptScalar& p, const IntList& dims, bool keepdim,
                    OptDType dtype) {
  check(is_differentiable(given.dtype()), "norm: expected a floating or complex dtype, got ", given.dtype());
  const Tensor x = converted(given, dtype.value_or(given.dtype()));
  const double order = p.value_or(Scalar(2)).to<double>();
  const bool narrow = x.dtype() == DType::Float16 && order != 0 && order != 1 && order != 2 && !std::isinf(order);
  const Sizes sizes = reduced(x.sizes(), dims, keepdim);
  const Tensor y = narrow ? empty(sizes, DType::Float32, x.device()) : out.make(sizes, real_dtype(x.dtype()));
  slots::norm(with_kept(y, x.sizes(), dims), x, dims, order);
  return narrow ? narrow_norm(out, y, order) : y;
}
Tensor norm_gradient(Tensor g, Result y, Tensor x, OptScalar power, IntList dims) {
  const double p = power.value_or(Scalar(2)).to<double>();
  const Tensor whole = restored(g, x.sizes(), dims), n = restored(y, x.sizes(), dims);
  if (p == 0) return ops::zeros_like(x);
  if (p == 1) return whole * ops::sgn(x);
  if (p == 2) return ops::masked_fill(x * (whole / n), ops::eq(n, 0), 0);
  if (std::isinf(p)) {
    const Tensor size = ops::abs(x), chosen = ops::to_dtype(ops::eq(size, n), size.dtype());
    return ops::sgn(x) * (whole * chosen / restored(ops::sum(chosen, dims), x.sizes(), dims));
  }
  const Tensor size = ops::abs(x);
  const Tensor slope = ops::sgn(x) * ops::pow(size, p - 1) * (whole / ops::pow(n, p - 1));
  return ops::masked_fill(slope, p < 2 ? ops::logical_or(ops::eq(n, 0), ops::eq(size, 0)) : ops::eq(n, 0), 0);
}

Tensor logsumexp_forward(const Tensor& given, const IntList& dims, bool keepdim) {
  const Tensor x = is_integral(given.dtype(), true) ? converted(given, default_dtype()) : given;
  if (x.numel() == 0) return ops::log(ops::sum(ops::exp(x), dims, keepdim));
  const Tensor top = ops::amax(x, dims, true);
  const Tensor shift = ops::masked_fill(top, ops::eq(ops::abs(top), std::numeric_limits<double>::infinity()), 0);
  const Tensor y = ops::log(ops::sum(ops::exp(x - shift), dims, true)) + shift;
  return ops::reshape(y, reduced(x.sizes(), dims, keepdim));
}

Tensor truth(Out& out, const ReduceSlot& slot, const Tensor& x, const IntList& dims, bool keepdim) {
  // PyTorch keeps uint8 for uint8, its bool of old.
  const DType t = x.dtype() == DType::UInt8 ? DType::UInt8 : DType::Bool;
  if (t == DType::Bool) return reduce(out, slot, x, dims, keepdim, t);
  const Tensor y = empty(reduced(x.sizes(), dims, keepdim), DType::Bool, x.device());
  slot(with_kept(y, x.sizes(), dims), x, dims);
  return converted(y, t);
}

// ---- running ----

template <auto& kSlot>
Tensor scan(Out& out, const Tensor& x, int64_t dim, OptDType dtype) {
  const DType t = sum_dtype(x, dtype);
  const Tensor from = converted(x, t), y = out.make(x.sizes(), t);
  if (x.dim() == 0)
    slots::copy(y, from);
  else
    kSlot(y, from, dim);
  return y;
}
Tensor reversed_cumsum(const Tensor& g, int64_t dim) {
  return g.dim() == 0 ? g : ops::flip(ops::cumsum(ops::flip(g, IntList{dim}), dim), IntList{dim});
}
// d y_j / d x_k is the product of the others up to j; by division where no element is 0, else position by position.
Tensor cumprod_gradient(Tensor g, Result y, Tensor x, int64_t dim) {
  if (x.dim() == 0 || x.numel() == 0) return g;
  const bool zeros = !x.is_meta() && item(ops::any(ops::eq(x, 0))).to<bool>();
  if (!zeros) return reversed_cumsum(g * ops::conj(y), dim) / ops::conj(x);
  const int64_t n = x.size(dim);
  const Tensor one = ops::ones_like(ops::narrow(x, dim, 0, 1));
  Tensors slopes;
  for (int64_t k = 0; k < n; ++k) {
    const Tensor others = ops::cat({one, ops::narrow(x, dim, k + 1, n - k - 1)}, dim);
    const Tensor before = k == 0 ? one : ops::prod.all({ops::narrow(x, dim, 0, k), IntList{dim}, true}).tensor();
    slopes.push_back(
        ops::sum(ops::narrow(g, dim, k, n - k) * ops::conj(ops::cumprod(others, dim) * before), {dim}, true));
  }
  return ops::cat(slopes, dim);
}

}  // namespace

void define_reduce(const Family& define) {
  define("sum(Tensor self, *, DType? dtype=None) -> Tensor")
      .doc("Sum of the elements, over all dimensions or over those in `dim`. Integers and bool add up in int64.")
      .example("torch.ones(2, 3):sum(1)")
      .forward(
          +[](Out& out, const Tensor& x, OptDType t) { return sum_forward(out, x, dims_of(x.sizes(), {}), false, t); })
      .grad("self", [](Tensor g, Meta x) { return ops::expand(g, x.sizes()); });
  define(ops::sum, "sum:dim(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .node("SumBackward1")
      .forward(sum_forward)
      .grad("self", [](Tensor g, Meta x, IntList dim) { return restored(g, x.sizes(), dim); });
  define("mean(Tensor self, *, DType? dtype=None) -> Tensor")
      .doc("Mean of the elements, over all dimensions or over those in `dim`.")
      .example("torch.tensor{{1, 2}, {3, 4}}:mean(1)")
      .forward(
          +[](Out& out, const Tensor& x, OptDType t) { return mean_forward(out, x, dims_of(x.sizes(), {}), false, t); })
      .grad("self",
            [](Tensor g, Meta x) { return ops::expand(g / static_cast<double>(numel_of(x.sizes())), x.sizes()); });
  define(ops::mean, "mean:dim(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .node("MeanBackward1")
      .forward(mean_forward)
      .grad("self", [](Tensor g, Meta x, IntList dim) {
        return restored(g / static_cast<double>(count(x.sizes(), dim)), x.sizes(), dim);
      });
  define(ops::prod, "_prod(Tensor self, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc("Product of the elements, over all dimensions or over one.")
      .node("ProdBackward0")
      .forward(prod_forward)
      .grad("self", prod_gradient);
  define("prod(Tensor self, *, DType? dtype=None) -> Tensor")
      .doc("Product of the elements, over all dimensions or over one.")
      .example("torch.tensor{{1, 2}, {3, 4}}:prod(1)")
      .compose([](const Tensor& x, OptDType t) { return ops::prod(x, {}, {}, t); });
  define("prod:dim(Tensor self, Dim dim, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .compose([](const Tensor& x, int64_t dim, bool keepdim, OptDType t) { return ops::prod(x, {dim}, keepdim, t); });
  define(ops::sum_to_size, "sum_to_size(Tensor self, int[]... size) -> Tensor")
      .doc("Sums over the dimensions along which `size` would be stretched to `self`'s sizes.")
      .example("torch.ones(2, 3):sum_to_size(1, 3)")
      .compose([](const Tensor& x, const IntList& size) {
        if (size.empty()) return ops::sum(x);
        check(size.size() <= x.sizes().size(), "sum_to_size: ", size, " has more dimensions than ", x.sizes());
        const auto lead = static_cast<int64_t>(x.sizes().size() - size.size());
        IntList dims;
        for (int64_t d = 0; d < x.dim(); ++d) {
          const int64_t wanted = d < lead ? 1 : size[static_cast<size_t>(d - lead)];
          check(wanted == x.size(d) || wanted == 1, "sum_to_size: ", size, " does not stretch to ", x.sizes());
          if (d < lead || (wanted == 1 && x.size(d) != 1)) dims.push_back(d);
        }
        return dims.empty() ? x : ops::reshape(ops::sum(x, dims, true), size);
      });

  define(ops::amax, "amax(Tensor self, Dim[]? dim=None, bool keepdim=False) -> Tensor")
      .doc("The largest element, over all dimensions or over those in `dim`. Equal ones share the gradient.")
      .example("torch.tensor{{1, 5}, {4, 2}}:amax(2)")
      .forward(extreme<true>)
      .grad("self", [](Tensor g, Result y, Tensor x, IntList dim) { return shared_gradient(g, y, x, dim); });
  define(ops::amin, "amin(Tensor self, Dim[]? dim=None, bool keepdim=False) -> Tensor")
      .doc("The smallest element, over all dimensions or over those in `dim`. Equal ones share the gradient.")
      .example("torch.tensor{{1, 5}, {4, 2}}:amin(2)")
      .forward(extreme<false>)
      .grad("self", [](Tensor g, Result y, Tensor x, IntList dim) { return shared_gradient(g, y, x, dim); });
  define("max(Tensor self) -> Tensor")
      .doc("The largest element; along a dimension also its position; of two tensors the larger, element by element.")
      .example("local value, position = torch.tensor{3, 5, 4}:max(1)")
      .node("MaxBackward1")
      .forward(extreme_of_all<true>)
      .grad("self", [](Tensor g, Result y, Tensor x) { return shared_gradient(g, y, x, dims_of(x.sizes(), {})); });
  define("max:dim(Tensor self, Dim dim, bool keepdim=False) -> (Tensor values, IndexTensor indices)")
      .forward(extreme_along<true>)
      .grad("self", [](Tensor g, Result, Result i, Meta x, int64_t dim) { return chosen_gradient(g, i, x, dim); });
  define("max:other(Tensor self, Tensor other) -> Tensor").compose([](const Tensor& x, const Tensor& y) {
    return ops::maximum(x, y);
  });
  define("min(Tensor self) -> Tensor")
      .doc("The smallest element; along a dimension also its position; of two tensors the smaller, element by element.")
      .example("torch.tensor{3, 5, 4}:min(1)")
      .node("MinBackward1")
      .forward(extreme_of_all<false>)
      .grad("self", [](Tensor g, Result y, Tensor x) { return shared_gradient(g, y, x, dims_of(x.sizes(), {})); });
  define("min:dim(Tensor self, Dim dim, bool keepdim=False) -> (Tensor values, IndexTensor indices)")
      .forward(extreme_along<false>)
      .grad("self", [](Tensor g, Result, Result i, Meta x, int64_t dim) { return chosen_gradient(g, i, x, dim); });
  define("min:other(Tensor self, Tensor other) -> Tensor").compose([](const Tensor& x, const Tensor& y) {
    return ops::minimum(x, y);
  });
  define(ops::argmax, "argmax(Tensor self, Dim? dim=None, bool keepdim=False) -> IndexTensor")
      .doc("Position of the largest element in the flattened tensor, or along a dimension; the first of equal ones.")
      .example("torch.tensor{3, 5, 4}:argmax()")
      .forward(position<true>);
  define(ops::argmin, "argmin(Tensor self, Dim? dim=None, bool keepdim=False) -> IndexTensor")
      .doc("Position of the smallest element in the flattened tensor, or along a dimension; the first of equal ones.")
      .example("torch.tensor{3, 5, 4}:argmin()")
      .forward(position<false>);

  define(ops::all, "all(Tensor self) -> Tensor")
      .doc("Are all elements not zero?")
      .example("torch.tensor{{1, 0}, {1, 1}}:all(2)")
      .forward(+[](Out& out, const Tensor& x) { return truth(out, slots::all, x, dims_of(x.sizes(), {}), false); });
  define("all:dim(Tensor self, Dim dim, bool keepdim=False) -> Tensor")
      .forward(+[](Out& out, const Tensor& x, int64_t dim, bool keepdim) {
        return truth(out, slots::all, x, dims_of(x.sizes(), dim), keepdim);
      });
  define(ops::any, "any(Tensor self) -> Tensor")
      .doc("Is any element not zero?")
      .example("torch.tensor{{0, 0}, {1, 0}}:any(2)")
      .forward(+[](Out& out, const Tensor& x) { return truth(out, slots::any, x, dims_of(x.sizes(), {}), false); });
  define("any:dim(Tensor self, Dim dim, bool keepdim=False) -> Tensor")
      .forward(+[](Out& out, const Tensor& x, int64_t dim, bool keepdim) {
        return truth(out, slots::any, x, dims_of(x.sizes(), dim), keepdim);
      });

  define(ops::var, "_var(Tensor self, Dim[]? dim=None, Scalar? correction=None, bool keepdim=False) -> Tensor")
      .doc("The variance: the sum of squared distances from the mean, divided by the count less `correction` (1).")
      .node("VarBackward0")
      .forward(var_forward)
      .grad("self", var_gradient);
  define("var(Tensor self, bool unbiased=True) -> Tensor")
      .doc(
          "The variance over all dimensions or those in `dim`: squared distances from the mean over count - correction "
          "(1).")
      .example("torch.tensor{1, 2, 3, 4}:var()")
      .compose([](const Tensor& x, bool unbiased) { return ops::var(x, {}, bessel(unbiased)); });
  define("var:dim(Tensor self, Dim[]? dim, bool unbiased=True, bool keepdim=False) -> Tensor")
      .compose([](const Tensor& x, const IntList& dim, bool unbiased, bool keepdim) {
        return ops::var(x, dim, bessel(unbiased), keepdim);
      });
  define("var:correction(Tensor self, Dim[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor")
      .compose([](const Tensor& x, const IntList& dim, const OptScalar& c, bool keepdim) {
        return ops::var(x, dim, c, keepdim);
      });
  define(ops::deviation, "_std(Tensor self, Dim[]? dim=None, Scalar? correction=None, bool keepdim=False) -> Tensor")
      .doc("The standard deviation: the square root of the variance.")
      .node("StdBackward0")
      .forward(deviation_forward)
      .grad("self", deviation_gradient);
  define("std(Tensor self, bool unbiased=True) -> Tensor")
      .doc("The standard deviation over all dimensions or those in `dim`: the square root of the variance.")
      .example("torch.tensor{1, 2, 3, 4}:std()")
      .compose([](const Tensor& x, bool unbiased) { return ops::deviation(x, {}, bessel(unbiased)); });
  define("std:dim(Tensor self, Dim[]? dim, bool unbiased=True, bool keepdim=False) -> Tensor")
      .compose([](const Tensor& x, const IntList& dim, bool unbiased, bool keepdim) {
        return ops::deviation(x, dim, bessel(unbiased), keepdim);
      });
  define("std:correction(Tensor self, Dim[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor")
      .compose([](const Tensor& x, const IntList& dim, const OptScalar& c, bool keepdim) {
        return ops::deviation(x, dim, c, keepdim);
      });
  define(ops::norm,
         "norm(Tensor self, Scalar? p=2, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc("The p-norm `(sum |x|^p)^(1/p)`, over all dimensions or over those in `dim`.")
      .example("torch.tensor{3, 4}:norm()")
      .node("LinalgVectorNormBackward0")
      .forward(norm_forward)
      .grad("self", norm_gradient);
  define("norm:name(Tensor self, str p, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .compose([](const Tensor& x, const std::string& p, const IntList& dim, bool keepdim, OptDType t) {
        if (p == "nuc") return ops::nuclear_norm(t ? ops::to_dtype(x, *t) : x, dim, keepdim);
        check(p == "fro", "norm: p must be a number, 'fro' or 'nuc', got '", p, "'");
        return ops::norm(x, 2, dim, keepdim, t);
      });
  define(ops::logsumexp, "logsumexp(Tensor self, Dim[] dim, bool keepdim=False) -> Tensor")
      .doc("`log(sum(exp(self)))` over the dimensions in `dim`, without overflow.")
      .example("torch.logsumexp(torch.tensor{1000, 1000}, 1)")
      .alias("special.logsumexp")
      .forward(logsumexp_forward)
      .grad("self", [](Tensor g, Result y, Tensor x, IntList dim) {
        return restored(g, x.sizes(), dim) * ops::exp(x - restored(y, x.sizes(), dim));
      });

  define(ops::cumsum, "cumsum(Tensor self, Dim dim, *, DType? dtype=None) -> Tensor")
      .doc("Running sums along a dimension.")
      .example("torch.tensor{1, 2, 3, 4}:cumsum(1)")
      .forward(scan<slots::cumsum>)
      .grad("self", [](Tensor g, Meta, int64_t dim) { return reversed_cumsum(g, dim); });
  define(ops::cumprod, "cumprod(Tensor self, Dim dim, *, DType? dtype=None) -> Tensor")
      .doc("Running products along a dimension.")
      .example("torch.tensor{1, 2, 3, 4}:cumprod(1)")
      .forward(scan<slots::cumprod>)
      .grad("self", cumprod_gradient);
}

}  // namespace facula
