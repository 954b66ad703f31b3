// Counting: how often numbers occur, and in which of given intervals they fall.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor flat(const Tensor& x) { return dense(ops::reshape(x, {-1})); }

// ---- bincount ----

Tensor bincount_forward(const Tensor& x, const Tensor& weights, int64_t minlength) {
  check(x.dim() == 1 && is_integral(x.dtype()), "bincount: expected a vector of integers, got ", x.dtype(), ' ',
        x.sizes());
  check(minlength >= 0, "bincount: minlength must not be negative, got ", minlength);
  check(!weights.defined() || weights.sizes() == x.sizes(), "bincount: weights ",
        weights.defined() ? weights.sizes() : Sizes(), " do not fit ", x.sizes());
  check(!x.is_meta(), "bincount: the size of the result depends on elements, which a meta tensor does not have");
  NoGrad guard;
  int64_t size = minlength;
  if (x.numel() > 0) {
    const auto low = item(ops::amin(x)).to<int64_t>(), high = item(ops::amax(x)).to<int64_t>();
    check(low >= 0, "bincount: expected numbers that are not negative, got ", low);
    check(high < INT64_MAX, "bincount: ", high, " is too large");
    size = std::max(size, high + 1);
  }
  const DType t = !weights.defined()                  ? DType::Int64
                  : weights.dtype() == DType::Float32 ? DType::Float32
                                                      : DType::Float64;
  const Tensor counts = ops::zero_(empty({size}, t, x.device()));
  const Tensor each = weights.defined() ? converted(weights, t) : ops::fill_(empty(x.sizes(), t, x.device()), 1);
  return ops::index_add.in_place(counts, 0, converted(x, DType::Int64) + 1, each);
}

// ---- edges ----

struct Range {
  double low, high;
};

// What was asked for or what x spans; an empty one gets `margin` on both sides.
Range range_of(const char* name, const Tensor& x, bool given, Range r, double margin) {
  if (!given && x.numel() > 0 && !x.is_meta()) {
    NoGrad guard;
    r = {item(ops::amin(x)).to<double>(), item(ops::amax(x)).to<double>()};
  } else if (!given) {
    r = {0, 1};
  }
  check(std::isfinite(r.low) && std::isfinite(r.high), name, ": the range from ", r.low, " to ", r.high,
        " is not finite");
  check(r.low <= r.high, name, ": the range from ", r.low, " to ", r.high, " has no elements");
  if (r.low == r.high) r = {r.low - margin, r.high + margin};
  return r;
}

Tensor histc_forward(Out& out, const Tensor& x, int64_t bins, const Scalar& min, const Scalar& max) {
  check(is_floating(x.dtype()), "histc: expected a floating dtype, got ", x.dtype());
  check(bins > 0, "histc: bins must be positive, got ", bins);
  const Range asked{min.to<double>(), max.to<double>()};
  const Range r = range_of("histc", x, asked.low != asked.high, asked, 1);
  const Tensor counts = out.make({bins}, x.dtype());
  const Tensor target = dense(counts);
  slots::histc(target, flat(x), r.low, r.high);
  if (!target.is(counts)) slots::copy(counts, target);
  return counts;
}

// ---- histograms ----

using Doubles = std::optional<std::vector<double>>;

// bins[i] intervals along column i of x [n, d]; `range` holds low and high for each.
Tensors even_edges(const char* name, const Tensor& x, const IntList& bins, const Doubles& range) {
  const auto dims = static_cast<size_t>(x.size(1));
  check(bins.size() == dims, name, ": expected a number of bins for each of ", dims, " dimensions, got ", bins.size());
  check(!range || range->size() == 2 * dims, name, ": range must have ", 2 * dims, " numbers, got ",
        range ? range->size() : 0);
  Tensors edges;
  for (size_t d = 0; d < dims; ++d) {
    check(bins[d] > 0, name, ": the number of bins must be positive, got ", bins[d]);
    const Tensor column = ops::select(x, 1, static_cast<int64_t>(d));
    const Range asked = range ? Range{(*range)[2 * d], (*range)[2 * d + 1]} : Range{};
    const Range r = range_of(name, column, range.has_value(), asked, 0.5);
    check(bins[d] < INT64_MAX, name, ": too many bins");
    const Tensor edge = empty({bins[d] + 1}, x.dtype(), x.device());
    slots::linspace(edge, r.low, r.high);
    edges.push_back(edge);
  }
  return edges;
}
Tensors checked_edges(const char* name, const Tensor& x, const Tensors& bins) {
  check(static_cast<int64_t>(bins.size()) == x.size(1), name, ": expected edges for each of ", x.size(1),
        " dimensions, got ", bins.size());
  Tensors edges;
  for (const Tensor& b : bins) {
    check(b.dim() == 1 && b.numel() > 1, name, ": edges must be a vector of at least 2 numbers, got ", b.sizes());
    check(b.dtype() == x.dtype(), name, ": dtypes differ, 'self' is ", x.dtype(), ", the edges ", b.dtype());
    edges.push_back(dense(b));
  }
  return edges;
}

// The count, or the sum of the weights, of each cell; as a density, over the total and the cell's volume.
Tensor counted(const char* name, const Tensor& x, const Tensors& edges, const Tensor& given, bool density) {
  Sizes sizes;
  for (const Tensor& e : edges) sizes.push_back(e.numel() - 1);
  Tensor weights;
  if (given.defined()) {
    check(given.dtype() == x.dtype() && given.numel() == x.size(0), name, ": expected a weight of dtype ", x.dtype(),
          " for each of ", x.size(0), " points, got ", given.dtype(), ' ', given.sizes());
    weights = flat(given);
  }
  Tensor hist = empty(sizes, x.dtype(), x.device());
  slots::histogram(hist, x, edges, weights);
  if (!density) return hist;
  hist = hist / ops::sum(hist);
  for (size_t d = 0; d < edges.size(); ++d) {
    Sizes along(edges.size(), 1);
    along[d] = sizes[d];
    const Tensor width = ops::narrow(edges[d], 0, 1, sizes[d]) - ops::narrow(edges[d], 0, 0, sizes[d]);
    hist = hist / ops::reshape(width, along);
  }
  return hist;
}

Tensor points(const char* name, const Tensor& x, bool several) {
  check(is_floating(x.dtype()), name, ": expected a floating dtype, got ", x.dtype());
  if (!several) return dense(ops::reshape(x, {x.numel(), 1}));
  check(x.dim() >= 2 && x.size(-1) > 0, name, ": expected points [.., dimensions], got ", x.sizes());
  return dense(ops::reshape(x, {x.numel() / x.size(-1), x.size(-1)}));
}

std::tuple<Tensor, Tensor> histogram_even(const Tensor& x, int64_t bins, const Doubles& range, const Tensor& weight,
                                          bool density) {
  NoGrad guard;
  const Tensor p = points("histogram", x, false);
  const Tensors edges = even_edges("histogram", p, {bins}, range);
  return {counted("histogram", p, edges, weight, density), edges[0]};
}
std::tuple<Tensor, Tensor> histogram_edges(const Tensor& x, const Tensor& bins, const Tensor& weight, bool density) {
  NoGrad guard;
  const Tensor p = points("histogram", x, false);
  const Tensors edges = checked_edges("histogram", p, {bins});
  return {counted("histogram", p, edges, weight, density), edges[0]};
}
std::tuple<Tensor, Tensors> histogramdd_even(const Tensor& x, IntList bins, const Doubles& range, const Tensor& weight,
                                             bool density) {
  NoGrad guard;
  const Tensor p = points("histogramdd", x, true);
  if (bins.size() == 1) bins = IntList(static_cast<size_t>(p.size(1)), bins[0]);
  Tensors edges = even_edges("histogramdd", p, bins, range);
  return {counted("histogramdd", p, edges, weight, density), edges};
}
std::tuple<Tensor, Tensors> histogramdd_edges(const Tensor& x, const Tensors& bins, const Doubles&,
                                              const Tensor& weight, bool density) {
  NoGrad guard;
  const Tensor p = points("histogramdd", x, true);
  Tensors edges = checked_edges("histogramdd", p, bins);
  return {counted("histogramdd", p, edges, weight, density), edges};
}

// ---- places in sorted rows ----

// A number takes part in the promotion as numbers do; tensors must agree.
DType common_dtype(const char* name, const Tensor& sorted, const Tensor& x) {
  check(!is_complex(sorted.dtype()) && !is_complex(x.dtype()), name, ": complex numbers have no order");
  if (!x.impl()->is_number) {
    check(x.dtype() == sorted.dtype(), name, ": dtypes differ, the sorted sequence is ", sorted.dtype(), ", the input ",
          x.dtype());
    return x.dtype();
  }
  const Tensor both[] = {sorted, x};
  return result_type(both);
}

Tensor places(Out& out, const char* name, const Tensor& sorted, const Tensor& x, bool out_int32, bool right,
              const Tensor& sorter) {
  check(sorted.dim() > 0, name, ": the sorted sequence must have at least one dimension");
  bool fits = sorted.dim() == 1 || sorted.dim() == x.dim();
  for (int64_t d = 0; fits && sorted.dim() > 1 && d + 1 < x.dim(); ++d) fits = x.size(d) == sorted.size(d);
  check(fits, name, ": the sorted sequence ", sorted.sizes(), " must be a vector or have the rows of the input ",
        x.sizes());
  if (sorter.defined()) {
    check(sorter.sizes() == sorted.sizes() && sorter.dtype() == DType::Int64, name, ": expected an int64 sorter ",
          sorted.sizes(), ", got ", sorter.dtype(), ' ', sorter.sizes());
  }
  check(!out_int32 || sorted.size(-1) < INT32_MAX, name, ": ", sorted.size(-1), " positions do not fit int32");
  const DType t = common_dtype(name, sorted, x);
  const Tensor y = out.make(x.sizes(), out_int32 ? DType::Int32 : DType::Int64, sorted.device());
  const Tensor found = y.dtype() == DType::Int64 && y.is_contiguous() ? y : empty(x.sizes(), DType::Int64, y.device());
  slots::searchsorted(found, dense(converted(sorted, t)), dense(converted(moved(x, sorted.device()), t)),
                      sorter.defined() ? dense(sorter) : sorter, right);
  if (!found.is(y)) slots::copy(y, found);
  return y;
}

Tensor searchsorted_forward(Out& out, const Tensor& sorted, const Tensor& x, bool out_int32, bool right,
                            const OptString& side, const Tensor& sorter) {
  check(!side || *side == "left" || *side == "right", "searchsorted: side must be 'left' or 'right', got '",
        side.value_or(""), "'");
  check(!(side && *side == "left" && right), "searchsorted: side='left' and right=true contradict each other");
  return places(out, "searchsorted", sorted, x, out_int32, right || (side && *side == "right"), sorter);
}
Tensor bucketize_forward(Out& out, const Tensor& x, const Tensor& boundaries, bool out_int32, bool right) {
  check(boundaries.dim() == 1, "bucketize: boundaries must be a vector, got ", boundaries.sizes());
  return places(out, "bucketize", boundaries, x, out_int32, right, Tensor());
}

}  // namespace

void define_histogram(const Family& define) {
  define("bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor")
      .doc(
          "How often each of 0, 1, 2 .. occurs in a vector of integers, or the sums of their weights; at least "
          "`minlength` counts.")
      .example("torch.bincount(torch.tensor{0, 2, 2, 3}:long())")
      .forward(bincount_forward);
  define("histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor")
      .doc(
          "Counts of the elements in `bins` intervals of equal length from `min` to `max`, or over all elements if "
          "these "
          "are equal. Elements outside are left out; the last interval holds its end.")
      .example("torch.histc(torch.tensor{1, 2, 2, 4}, 4, 1, 5)")
      .forward(histc_forward);

  const std::string rest = "Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor";
  define(text("histogram(Tensor self, int bins=100, *, float[]? range=None, ", rest, " bin_edges)"))
      .doc(
          "Counts of the elements, or sums of their weights, in intervals and the intervals' edges. `bins` is the "
          "number "
          "of equal ones from `range[1]` to `range[2]`, by default over all elements, or a vector of edges. With "
          "`density` the integral is 1.")
      .example("torch.histogram(torch.tensor{1, 2, 2, 4}, 4, {range={1, 5}})")
      .forward(histogram_even);
  define(text("histogram:edges(Tensor self, Tensor bins, *, ", rest, " bin_edges)")).forward(histogram_edges);
  define(text("histogramdd(Tensor self, Tensor[] bins, float[]? range=None, ", rest, "[] bin_edges)"))
      .doc(
          "The histogram of points [.., d] in d dimensions and the edges along each. `bins` are vectors of edges, or "
          "numbers of equal intervals over `range`, which has two numbers for each dimension.")
      .example("torch.histogramdd(torch.rand(100, 2), {2, 3})")
      .forward(histogramdd_edges);
  define(text("histogramdd:even(Tensor self, int[] bins, float[]? range=None, ", rest, "[] bin_edges)"))
      .forward(histogramdd_even);

  define(ops::searchsorted,
         "searchsorted(Tensor sorted_sequence, Operand self, *, bool out_int32=False, bool right=False, str? "
         "side=None, IndexTensor? sorter=None) -> IndexTensor")
      .doc(
          "For each element, the position in the sorted row (the last dimension, or a vector for all) before which it "
          "belongs: of equal ones the first, or behind the last with `right`. n + 1 is behind all. `sorter` holds the "
          "positions that sort an unsorted row.")
      .example("torch.searchsorted(torch.tensor{1, 3, 5}, torch.tensor{3, 6})")
      .forward(searchsorted_forward);
  define("bucketize(Operand self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> IndexTensor")
      .doc(
          "The number of the interval between sorted `boundaries` that each element falls in, from 1; as "
          "`searchsorted`.")
      .example("torch.bucketize(torch.tensor{0.5, 3, 7}, torch.tensor{1, 3, 5})")
      .forward(bucketize_forward);
}

}  // namespace facula
