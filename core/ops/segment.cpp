// Reductions of segments of a dimension.
#include <cmath>
#include <limits>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using slots::Fold;

Op fold_segments;

struct Kind {
  const char* name;
  Fold fold;
  double nothing;
};
constexpr Kind kKinds[] = {{"sum", Fold::Sum, 0},
                           {"mean", Fold::Mean, 0},
                           {"prod", Fold::Prod, 1},
                           {"max", Fold::Max, -std::numeric_limits<double>::infinity()},
                           {"min", Fold::Min, std::numeric_limits<double>::infinity()}};
const Kind& kind_of(const std::string& reduce) {
  for (const Kind& k : kKinds)
    if (reduce == k.name || (reduce == "a" + std::string(k.name) && k.fold >= Fold::Max)) return k;
  fail("segment_reduce: reduce must be 'sum', 'mean', 'prod', 'max' or 'min', got '", reduce, "'");
}

// offsets [outer..., segments + 1] from 0, checked against the n elements they divide.
void check_offsets(const Tensor& offsets, int64_t n, bool whole) {
  if (offsets.is_meta() || offsets.numel() == 0) return;
  NoGrad guard;
  const int64_t last = offsets.size(-1) - 1;
  const auto low = item(ops::amin(offsets)).to<int64_t>(), high = item(ops::amax(offsets)).to<int64_t>();
  check(low >= 0 && high <= n, "segment_reduce: segments reach beyond the ", n, " elements they divide");
  const Tensor steps = ops::narrow(offsets, -1, 1, last) - ops::narrow(offsets, -1, 0, last);
  check(last == 0 || item(ops::amin(steps)).to<int64_t>() >= 0, "segment_reduce: a segment has a negative length");
  const Tensor ends = ops::select(offsets, -1, last);
  check(!whole || item(ops::amin(ends)).to<int64_t>() == n, "segment_reduce: the lengths must add up to ", n);
}

void check_lengths(const Tensor& lengths, int64_t n) {
  if (lengths.is_meta() || lengths.numel() == 0) return;
  NoGrad guard;
  check(item(ops::amin(lengths)).to<int64_t>() >= 0, "segment_reduce: a segment has a negative length");
  check(item(ops::amax(lengths)).to<int64_t>() <= n, "segment_reduce: a segment is longer than the ", n,
        " elements it divides");
}

Tensor forward(Out& out, const Tensor& x, const Tensor& offsets, const std::string& reduce, const OptScalar& initial) {
  const Kind& kind = kind_of(reduce);
  const int64_t dim = offsets.dim() - 1, segments = offsets.size(dim) - 1;
  Sizes sizes = x.sizes();
  sizes[static_cast<size_t>(dim)] = segments;
  const Tensor y = out.make(sizes, x.dtype());
  const Tensor target = dense(y);
  slots::segment_fold(target, dense(x), dense(offsets), kind.fold, initial ? initial->to<double>() : kind.nothing);
  if (!target.is(y)) slots::copy(y, target);
  return y;
}

// ---- derivatives ----

// The number of each element's segment, from 1; 0 before the first and segments + 1 behind the last: [outer..., n].
Tensor segment_numbers(const Tensor& offsets, const Sizes& sizes) {
  const int64_t dim = offsets.dim() - 1;
  Sizes rows(sizes.begin(), sizes.begin() + dim + 1);
  const Tensor places = empty({sizes[static_cast<size_t>(dim)]}, DType::Int64, offsets.device());
  slots::arange(places, 0, 1);
  return ops::searchsorted(offsets, ops::contiguous(ops::expand(places, rows)), false, true) - 1;
}

// What belongs to the segments, for each of their elements; `outside` for elements of none.
Tensor spread(const Tensor& y, const Tensor& offsets, const Sizes& sizes, double outside = 0) {
  const int64_t dim = offsets.dim() - 1;
  Sizes edge = y.sizes(), window = sizes;
  edge[static_cast<size_t>(dim)] = 1;
  for (size_t d = 0; d < sizes.size(); ++d)
    if (static_cast<int64_t>(d) > dim) window[d] = 1;
  const Tensor none = ops::fill_(empty(edge, y.dtype(), y.device()), outside);
  const Tensor numbers = ops::reshape(segment_numbers(offsets, sizes) + 1, window);
  return ops::gather(ops::cat({none, y, none}, dim), dim, ops::expand(numbers, sizes));
}

// How many elements each segment has, like y.
Tensor lengths_of(const Tensor& offsets, const Tensor& y) {
  const int64_t last = offsets.size(-1) - 1;
  const Tensor lengths = ops::narrow(offsets, -1, 1, last) - ops::narrow(offsets, -1, 0, last);
  Sizes sizes = y.sizes();
  for (int64_t d = offsets.dim(); d < y.dim(); ++d) sizes[static_cast<size_t>(d)] = 1;
  return ops::to_dtype(ops::reshape(lengths, sizes), y.dtype());
}

Tensor extreme_gradient(const Tensor& g, const Tensor& y, const Tensor& x, const Tensor& offsets) {
  const Tensor chosen = ops::to_dtype(ops::eq(x, spread(y, offsets, x.sizes(), NAN)), x.dtype());
  const Tensor counts = fold_segments(chosen, offsets, "sum");
  return spread(g / ops::clamp(counts, 1), offsets, x.sizes()) * chosen;
}

// The product of the others: by division, where one is zero the product of the rest for it, where two are nothing.
Tensor product_gradient(const Tensor& g, const Tensor& x, const Tensor& offsets, const OptScalar& initial) {
  const Tensor zero = ops::eq(x, 0), others = ops::where(zero, 1, x);
  const Tensor product = fold_segments(others, offsets, "prod", initial);
  const Tensor zeros = spread(fold_segments(ops::to_dtype(zero, x.dtype()), offsets, "sum"), offsets, x.sizes());
  const Tensor whole = spread(g * product, offsets, x.sizes()) / others;
  const Tensor counts = ops::logical_or(ops::eq(zeros, 0), ops::logical_and(zero, ops::eq(zeros, 1)));
  return ops::where(counts, whole, 0);
}

Tensor gradient(Tensor g, Result y, Tensor x, Tensor offsets, std::string reduce, OptScalar initial) {
  switch (kind_of(reduce).fold) {
    case Fold::Sum: return spread(g, offsets, x.sizes());
    case Fold::Mean: return spread(g / ops::clamp(lengths_of(offsets, y), 1), offsets, x.sizes());
    case Fold::Prod: return product_gradient(g, x, offsets, initial);
    default: return extreme_gradient(g, y, x, offsets);
  }
}

// ---- torch.segment_reduce ----

Tensor segment_reduce(const Tensor& x, const std::string& reduce, const Tensor& lengths, const Tensor& indices,
                      const Tensor& given, int64_t axis, bool unsafe, const OptScalar& initial) {
  check(!indices.defined(), "segment_reduce: indices are not supported");
  check(lengths.defined() || given.defined(), "segment_reduce: lengths or offsets must be given");
  check(is_floating(x.dtype()), "segment_reduce: expected a floating dtype, got ", x.dtype());
  const Tensor& by = given.defined() ? given : lengths;
  const char* what = given.defined() ? "offsets" : "lengths";
  check(is_integral(by.dtype()), "segment_reduce: ", what, " must be integers, got ", by.dtype());
  bool fits = by.dim() == axis + 1 && axis < x.dim() && (!given.defined() || by.size(axis) > 0);
  for (int64_t d = 0; fits && d < axis; ++d) fits = by.size(d) == x.size(d);
  check(fits, "segment_reduce: ", what, ' ', by.sizes(), " do not divide dimension ", Counting::shown(axis), " of ",
        x.sizes());
  Tensor offsets;
  if (given.defined()) {
    offsets = ops::to_dtype(given, DType::Int64) - 1;
  } else {
    check_lengths(lengths, x.size(axis));
    Sizes edge = lengths.sizes();
    edge.back() = 1;
    const Tensor zero = ops::zero_(empty(edge, DType::Int64, lengths.device()));
    offsets = ops::cat({zero, ops::cumsum(ops::to_dtype(lengths, DType::Int64), axis)}, axis);
  }
  check_offsets(offsets, x.size(axis), lengths.defined() && !given.defined() && !unsafe);
  const Tensor y = fold_segments(x, offsets, reduce, initial);
  if (kind_of(reduce).fold != Fold::Mean || initial) return y;
  return ops::masked_fill(y, ops::eq(lengths_of(offsets, y), 0), NAN);
}

}  // namespace

void define_segment(const Family& define) {
  define(fold_segments, "_segment_fold(Tensor self, IndexTensor offsets, str reduce, Scalar? initial=None) -> Tensor")
      .doc("Folds of the segments that `offsets`, from 0, divide their last dimension of `self` into.")
      .node("SegmentReduceBackward0")
      .forward(forward)
      .grad("self", gradient);
  define(
      "segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, IndexTensor? "
      "offsets=None, Dim axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor")
      .doc(
          "Reduces segments of the dimension `axis` by 'sum', 'mean', 'prod', 'max' or 'min', from `initial` on. "
          "`lengths` [.., segments] says how long each is, or `offsets` [.., segments + 1] where each begins, the last "
          "one where all end. The mean of no element is NaN. Lengths must add up to the size unless `unsafe`.")
      .example(
          "torch.segment_reduce(torch.tensor{1, 2, 3}, 'sum', {lengths=torch.tensor({2, 1}, {dtype=torch.int64})})")
      .compose(segment_reduce);
}

}  // namespace facula
