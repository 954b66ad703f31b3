// Elements combined at positions, by sum, product, mean, maximum or minimum. index_reduce is scatter_reduce with the same
// positions for all elements of a slice.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using slots::Fold;

Op scatter_reduce, index_reduce;

// How many elements meet at each place: those of src, and self's where it takes part.
Tensor meetings(const Sizes& self, int64_t dim, const Tensor& index, bool include_self, DType dtype) {
  const Tensor count = ops::zero_(empty(self, dtype, index.device()));
  if (include_self) slots::fill(count, 1);
  const Tensor one = scalar_tensor(1, dtype).expanded(index.sizes());
  return ops::scatter_add(count, dim, index, moved(one, index.device()));
}

void divide_by_meetings(const Tensor& y, int64_t dim, const Tensor& index, bool include_self) {
  const Tensor count = ops::clamp(meetings(y.sizes(), dim, index, include_self, DType::Int64), 1);
  if (is_integral(y.dtype(), true))
    slots::copy(y, ops::div(y, count, "floor"));
  else
    slots::copy(y, y / count);
}

Fold fold_of(const char* name, const std::string& reduce, bool takes_sum) {
  if (reduce == "sum" && takes_sum) return Fold::Sum;
  if (reduce == "mean") return Fold::Sum;
  if (reduce == "prod") return Fold::Prod;
  if (reduce == "amax") return Fold::Max;
  if (reduce == "amin") return Fold::Min;
  fail(name, ": reduce must be ", takes_sum ? "'sum', " : "", "'prod', 'mean', 'amax' or 'amin', got '", reduce, "'");
}

// y with src folded in. Where self takes no part, places that are met begin anew: maxima with any element that they meet.
void fold_into(const Tensor& y, const char* name, int64_t dim, const Tensor& index, const Tensor& src, Fold fold,
               bool include_self) {
  if (!include_self && (fold == Fold::Max || fold == Fold::Min))
    slots::scatter(y, dim, index, src);
  else if (!include_self)
    slots::scatter(y, dim, index,
                   moved(scalar_tensor(fold == Fold::Prod ? 1 : 0, y.dtype()), y.device()).expanded(index.sizes()));
  slots::scatter_reduce(y, dim, index, src, fold, name);
}

// index has src's sizes, or less of them.
Tensor reduced_at(Out& out, const char* name, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& src,
                  Fold fold, bool mean, bool include_self) {
  check(!is_complex(self.dtype()), name, ": complex numbers are not supported");
  NoGrad guard;
  const Tensor y = start_from(out, self);
  if (given.numel() == 0) return y;
  const Tensor index = at_least_1d(apart(given, y)), from = at_least_1d(apart(src, y));
  // A mean of half precision is rounded once.
  const bool widens = mean && (y.dtype() == DType::Float16 || y.dtype() == DType::BFloat16);
  const Tensor to = at_least_1d(widens ? converted(y, DType::Float32) : y);
  fold_into(to, name, dim, index, converted(from, to.dtype()), fold, include_self);
  if (mean) divide_by_meetings(to, dim, index, include_self);
  if (widens) slots::copy(at_least_1d(y), to);
  return y;
}

Tensor scatter_reduce_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& src,
                              const std::string& reduce, bool include_self) {
  const Fold fold = fold_of("scatter_reduce", reduce, true);
  const Tensor index = exact_positions("scatter_reduce", given);
  check_window("scatter_reduce", self, dim, index, index.numel() > 0);
  if (index.numel() > 0) check_source("scatter_reduce", self, index, src);
  return reduced_at(out, "scatter_reduce", self, dim, index, src, fold, reduce == "mean", include_self);
}

// One position for each slice, as one for each element.
Tensor stretched(const Tensor& index, const Sizes& sizes, int64_t dim) {
  if (sizes.empty()) return ops::reshape(index, Sizes());
  IntList strides(sizes.size());
  strides[static_cast<size_t>(dim)] = at_least_1d(index).stride(0);
  return index.alias(sizes, strides, index.offset());
}

Tensor index_reduce_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& source,
                            const std::string& reduce, bool include_self) {
  const Fold fold = fold_of("index_reduce", reduce, false);
  const Tensor index = at_least_1d(positions_of("index_reduce", given));
  check_slices("index_reduce", self, dim, index, source);
  return reduced_at(out, "index_reduce", self, dim, stretched(index, source.sizes(), dim), source, fold,
                    reduce == "mean", include_self);
}

// ---- derivatives ----

struct Reduction {
  Tensor y, x;
  int64_t dim;
  Tensor index, src;
  std::string reduce;
  bool include_self;

  Tensor at_positions(const Tensor& t) const { return ops::gather(t, dim, index); }
  Tensor summed(const Tensor& t) const { return ops::scatter_add(zeros(), dim, index, t); }
  Tensor zeros() const { return ops::zeros_like(y); }
  Tensor product(const Tensor& from, const Tensor& factors) const {
    return scatter_reduce(from, dim, index, factors, "prod", include_self);
  }
  /// The part of src that was used.
  Tensor used() const {
    Tensor part = src;
    for (int64_t d = 0; d < std::min(src.dim(), index.dim()); ++d) part = ops::narrow(part, d, 0, index.size(d));
    return part;
  }
  /// Zero where self took no part.
  Tensor for_self(const Tensor& g) const { return include_self ? g : ops::scatter(g, dim, index, 0); }

  /// g, shared out evenly among all elements that are the largest (smallest) at their place.
  Tensor shared(const Tensor& g) const {
    const Tensor mine = for_self(ops::to_dtype(ops::eq(x, y), y.dtype()));
    const Tensor others = ops::to_dtype(ops::eq(used(), at_positions(y)), y.dtype());
    return g / ops::clamp(mine + summed(others), 1);
  }
  Tensor mean_share(const Tensor& g) const {
    return g / ops::clamp(meetings(y.sizes(), dim, index, include_self, y.dtype()), 1);
  }

  Tensor self_gradient(const Tensor& g) const {
    if (index.numel() == 0) return g;
    if (reduce == "sum") return for_self(g);
    if (reduce == "mean") return for_self(mean_share(g));
    if (reduce == "amax" || reduce == "amin") return for_self(ops::where(ops::eq(x, y), shared(g), 0));
    // The product of the others, also where x is zero.
    return for_self(g * product(ops::ones_like(x), used()));
  }
  Tensor src_gradient(const Tensor& g) const {
    if (index.numel() == 0) return ops::zeros_like(src);
    if (reduce == "sum") return at_positions(g);
    if (reduce == "mean") return at_positions(mean_share(g));
    if (reduce == "amax" || reduce == "amin")
      return ops::where(ops::eq(used(), at_positions(y)), at_positions(shared(g)), 0);
    return prod_gradient(g);
  }
  // y / src, but where src is the only zero at its place, the product of the others; nothing where there are more.
  Tensor prod_gradient(const Tensor& g) const {
    const Tensor s = used(), zero = ops::eq(s, 0);
    const Tensor alone = ops::logical_and(zero, ops::eq(at_positions(summed(ops::to_dtype(zero, y.dtype()))), 1));
    const Tensor others = at_positions(g * product(x, ops::masked_fill(s, alone, 1)));
    return ops::where(alone, others, at_positions(g * product(x, s)) / ops::masked_fill(s, zero, 1));
  }
};

Tensor scatter_reduce_self_gradient(Tensor g, Result y, Tensor x, int64_t dim, Tensor index, Tensor src,
                                    std::string reduce, bool include_self) {
  return Reduction{y, x, dim, index, src, reduce, include_self}.self_gradient(g);
}
Tensor scatter_reduce_src_gradient(Tensor g, Result y, Tensor x, int64_t dim, Tensor index, Tensor src,
                                   std::string reduce, bool include_self) {
  const Tensor used = Reduction{y, x, dim, index, src, reduce, include_self}.src_gradient(g);
  return padded_to(used, Meta(src));
}
Tensor index_reduce_self_gradient(Tensor g, Result y, Tensor x, int64_t dim, Tensor index, Tensor source,
                                  std::string reduce, bool include_self) {
  return Reduction{y, x, dim, stretched(index, source.sizes(), dim), source, reduce, include_self}.self_gradient(g);
}
Tensor index_reduce_source_gradient(Tensor g, Result y, Tensor x, int64_t dim, Tensor index, Tensor source,
                                    std::string reduce, bool include_self) {
  return Reduction{y, x, dim, stretched(index, source.sizes(), dim), source, reduce, include_self}.src_gradient(g);
}

}  // namespace

void define_scatter_reduce(const Family& define) {
  define(scatter_reduce,
         "scatter_reduce(Tensor self, Dim dim, IndexTensor index, Tensor src, str reduce, *, bool include_self=True) "
         "-> Tensor")
      .doc(
          "`self` with elements of `src` combined at the positions in `index` along `dim`: 'sum', 'prod', 'mean', "
          "'amax' or 'amin'.\nWithout `include_self` what `self` had where something arrives does not count.")
      .example("torch.ones(3):scatter_reduce(1, torch.tensor{1, 3, 3}:long(), torch.tensor{2, 3, 4}, 'prod')")
      .elementwise(scatter_reduce_forward)
      .grad("self", scatter_reduce_self_gradient)
      .grad("src", scatter_reduce_src_gradient);
  define(index_reduce,
         "index_reduce(Tensor self, Dim dim, IndexTensor index, Tensor source, str reduce, *, bool include_self=True) "
         "-> Tensor")
      .doc(
          "`self` with slices of `source` combined at the positions in `index` along `dim`: 'prod', 'mean', 'amax' or "
          "'amin'.\nWithout `include_self` what `self` had where something arrives does not count.")
      .example("torch.ones(3):index_reduce(1, {1, 3, 3}, torch.tensor{2, 3, 4}, 'prod')")
      .elementwise(index_reduce_forward)
      .grad("self", index_reduce_self_gradient)
      .grad("source", index_reduce_source_gradient);
}

}  // namespace facula
