// Elements and slices without their repetitions, and membership.
#include <optional>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

// Rows that were brought into order, if they were: row i of `rows` is row order[i] (from 1) of the input.
struct Ordered {
  Tensor rows;   // [n] or [n, m]
  Tensor order;  // [n] int64, undefined for the input's own
};

// Does row i begin a new run?
Tensor begins(const Tensor& rows) {
  const int64_t n = rows.size(0);
  const Tensor first = ops::fill_(empty({std::min<int64_t>(n, 1)}, DType::Bool, rows.device()), true);
  if (n < 2) return first;
  const Tensor differs = ops::ne(ops::narrow(rows, 0, 1, n - 1), ops::narrow(rows, 0, 0, n - 1));
  return ops::cat({first, rows.dim() == 1 ? differs : ops::amax(differs, IntList{1})}, 0);
}

struct Runs {
  Tensor starts;   // positions (from 1) in `rows`
  Tensor inverse;  // for each row of the input, the number of its run, from 1
  Tensor counts;
};
Runs runs_of(const Ordered& o) {
  const Tensor begin = begins(o.rows);
  const int64_t n = o.rows.size(0);
  Runs r;
  r.starts = ops::select(ops::nonzero(begin), 1, 0);
  const Tensor numbers = n ? ops::cumsum(begin, 0) : empty({0}, DType::Int64, o.rows.device());
  r.inverse = o.order.defined() && n ? ops::scatter(ops::zeros_like(numbers), 0, o.order, numbers) : numbers;
  const Tensor end = ops::fill_(empty({1}, DType::Int64, o.rows.device()), n + 1);
  const int64_t count = r.starts.size(0);
  r.counts = ops::narrow(ops::cat({r.starts, end}, 0), 0, count ? 1 : 0, count) - r.starts;
  return r;
}

Results answer(const Tensor& values, const Tensor& inverse, const Tensor& counts, bool with_inverse, bool with_counts) {
  Results results;
  results.push(values);
  if (with_inverse) results.push(inverse);
  if (with_counts) results.push(counts);
  return results;
}

void check_has_data(const char* name, const Tensor& x) {
  check(!x.is_meta(), name, ": the size of the result depends on elements, which a meta tensor does not have");
  check(!is_complex(x.dtype()), name, ": complex numbers have no order");
}

/// Whole numbers from `low` to `low + size - 1`.
struct Span {
  int64_t low, size;
};

/// What the elements span, if counting them takes less than sorting them: there are hardly fewer than places between the least
/// and the largest.
std::optional<Span> countable(const Tensor& x) {
  constexpr uint64_t kPlacesPerElement = 4;
  if (!x.is_cpu() || !is_integral(x.dtype()) || x.numel() == 0) return std::nullopt;
  const auto low = item(ops::amin(x)).to<int64_t>(), high = item(ops::amax(x)).to<int64_t>();
  if (low == INT64_MIN) return std::nullopt;  // places count from low - 1
  const uint64_t reach = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  if (reach / kPlacesPerElement >= static_cast<uint64_t>(x.numel())) return std::nullopt;
  return Span{low, static_cast<int64_t>(reach) + 1};
}

Results unique_counted(const Tensor& x, Span span, bool inverse, bool counts) {
  const Tensor each = ops::reshape(converted(x, DType::Int64), {-1}) - (span.low - 1);  // places, from 1
  // How often every place occurs, or whether it does: one number stands for as many ones as there are elements.
  const Tensor none = ops::zero_(empty({span.size}, counts ? DType::Int64 : DType::Bool));
  const Tensor ones = ops::expand(ops::fill_(empty({1}, none.dtype()), 1), each.sizes());
  const Tensor tally = (counts ? ops::index_add : ops::scatter).in_place(none, 0, each, ones);
  const Tensor places = ops::select(ops::nonzero(tally), 1, 0);
  Tensor numbers, times;
  if (inverse) {
    const Tensor upto = ops::cumsum(ops::ne(tally, 0), 0);
    numbers = ops::reshape(ops::index_select(upto, 0, each), x.sizes());
  }
  if (counts) times = ops::index_select(tally, 0, places);
  return answer(ops::to_dtype(places + (span.low - 1), x.dtype()), numbers, times, inverse, counts);
}

Results unique_elements(const char* name, const Tensor& x, bool in_order, bool inverse, bool counts) {
  check_has_data(name, x);
  NoGrad guard;
  if (in_order)
    if (const auto span = countable(x)) return unique_counted(x, *span, inverse, counts);
  Ordered o{dense(ops::reshape(x, {-1})), Tensor()};
  if (in_order) {
    const Results sorted = ops::sort.all({o.rows, 0});
    o = {sorted.tensor(0), sorted.tensor(1)};
  }
  const Runs r = runs_of(o);
  return answer(ops::index_select(o.rows, 0, r.starts), ops::reshape(r.inverse, x.sizes()), r.counts, inverse, counts);
}

Results unique_slices(const char* name, const Tensor& x, int64_t dim, bool in_order, bool inverse, bool counts) {
  check_has_data(name, x);
  if (x.dim() == 0) return unique_elements(name, x, in_order, inverse, counts);
  const int64_t n = x.size(dim);
  check(n == 0 || x.numel() > 0, name, ": slices of ", x.sizes(), " along dimension ", Counting::shown(dim),
        " have no elements to compare");
  NoGrad guard;
  const Tensor first = ops::transpose(x, dim, 0);
  Ordered o{dense(ops::reshape(first, {n, n ? x.numel() / n : 1})), Tensor()};
  if (in_order) {
    const Tensor order = empty({n}, DType::Int64, x.device());
    slots::sort_rows(order, o.rows);
    o.order = order + 1;
    o.rows = ops::index_select(o.rows, 0, o.order);
  }
  const Runs r = runs_of(o);
  const Tensor chosen = o.order.defined() ? ops::index_select(o.order, 0, r.starts) : r.starts;
  return answer(ops::index_select(x, dim, chosen), r.inverse, r.counts, inverse, counts);
}

Results unique_forward(const Tensor& x, bool, bool inverse, bool counts, OptInt dim) {
  if (dim) return unique_slices("unique", x, *dim, true, inverse, counts);
  return unique_elements("unique", x, true, inverse, counts);
}
Results consecutive_forward(const Tensor& x, bool inverse, bool counts, OptInt dim) {
  if (dim) return unique_slices("unique_consecutive", x, *dim, false, inverse, counts);
  return unique_elements("unique_consecutive", x, false, inverse, counts);
}

// ---- membership ----

Tensor isin_forward(Out& out, const Tensor& elements, const Tensor& test, bool, bool invert) {
  const Tensor both[] = {elements, test};
  const DType t = result_type(both);
  check(!is_complex(t), "isin: complex numbers have no order");
  NoGrad guard;
  const Tensor y = out.make(elements.sizes(), DType::Bool);
  if (test.numel() == 0) {
    slots::fill(y, invert);
    return y;
  }
  const Tensor known = ops::sort.all({ops::reshape(converted(moved(test, y.device()), t), {-1}), 0}).tensor(0);
  const Tensor x = ops::reshape(converted(moved(elements, y.device()), t), {-1});
  const Tensor places = ops::clamp(ops::searchsorted(known, x), {}, known.numel());
  const Tensor found = ops::reshape(ops::eq(ops::index_select(known, 0, places), x), y.sizes());
  slots::copy(y, invert ? ops::logical_not(found) : found);
  return y;
}

}  // namespace

void define_unique(const Family& define) {
  const std::string results = ") -> (Tensor output, IndexTensor inverse_indices, Tensor counts)";
  define(
      text("unique(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, Dim? dim=None",
           results))
      .doc(
          "The distinct elements in order, or the distinct slices along a dimension in lexicographic order. "
          "`return_inverse` adds the position of each element or slice of `self` among them, `return_counts` how often "
          "they occur.")
      .example("local values, counts = torch.tensor{3, 1, 3}:unique{return_counts=true}")
      .forward(unique_forward);
  define(text("unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, Dim? dim=None",
              results))
      .doc(
          "The elements, or slices along a dimension, without those that equal the one before. `return_inverse` and "
          "`return_counts` as in `unique`.")
      .example("torch.tensor{1, 1, 2, 1}:unique_consecutive{return_counts=true}")
      .forward(consecutive_forward);
  define("isin(Operand elements, Operand test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor")
      .doc("Is each element among `test_elements`? With `invert`, is it not?")
      .example("torch.isin(torch.tensor{1, 2, 3}, torch.tensor{2, 3, 5})")
      .forward(isin_forward);
}

}  // namespace facula
