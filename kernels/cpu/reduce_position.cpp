// Positions of extrema: the first of equals, and of NaN if there is one. A row is folded block by block to its
// extremum, then the one block that had it is searched; columns carry their best and its position from row to row.
#include <memory>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce_position.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/reduce_fold.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

constexpr int64_t kBest = 4096;   // elements of a dense row that are folded at once
constexpr int64_t kTask = 65536;  // elements of a row that are one task

/// Does `b` replace the best so far, `a`, which came before it?
template <class Op, class T>
bool replaces(T a, T b) {
  return !(Op::numbers(a, b) == a) && a == a;
}

/// The first element of a dense row that equals `value`, or is NaN as it is; there is one.
template <class T>
int64_t find(const T* x, int64_t n, T value) {
  int64_t i = 0;
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const auto lanes = static_cast<int64_t>(hn::Lanes(d));
    const auto wanted = hn::Set(d, value);
    for (; i + lanes <= n; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      const auto hit = value == value ? hn::Eq(v, wanted) : hn::IsNaN(v);
      if (!hn::AllFalse(d, hit)) return i + hn::FindFirstTrue(d, hit);
    }
  }
  while (i < n - 1 && !(value == value ? x[i] == value : x[i] != x[i])) ++i;
  return i;
}

template <class T>
struct Best {
  T value;
  int64_t position;  // from 0
};

/// The best of elements [begin, end) of a row at x.
template <class Op, class T>
Best<T> best_of_row(const char* x, const Packing& load, int64_t begin, int64_t end) {
  Block block;
  const int64_t step = load.direct() ? kBest : kBlock;
  const auto values = [&](int64_t i, int64_t n) {
    return reinterpret_cast<const T*>(load.load(x + i * load.stride, n, block));
  };
  int64_t where = begin;
  T best = fold<Op>(values(begin, std::min(step, end - begin)), std::min(step, end - begin));
  for (int64_t i = begin + step; i < end; i += step) {
    const int64_t n = std::min(step, end - i);
    const T b = fold<Op>(values(i, n), n);
    if (replaces<Op>(best, b)) best = b, where = i;
  }
  const int64_t n = std::min(step, end - where);
  return {best, where + find(values(where, n), n, best)};
}

/// Positions (from 1) in n <= kBlock columns.
template <class Op, class T>
void best_of_columns(int64_t* positions, const char* x, const Packing& load, int64_t n, int64_t rows,
                     int64_t row_stride) {
  Block piece, bests;
  auto* __restrict best = reinterpret_cast<T*>(bests.bytes);
  std::copy_n(reinterpret_cast<const T*>(load.load(x, n, piece)), n, best);
  std::fill_n(positions, n, 1);
  for (int64_t r = 1; r < rows; ++r) {
    const auto* v = reinterpret_cast<const T*>(load.load(x + r * row_stride, n, piece));
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) {
      const bool better = replaces<Op>(best[i], v[i]);
      best[i] = better ? v[i] : best[i];
      positions[i] = better ? r + 1 : positions[i];
    }
  }
}

/// One search. `positions` is dense and has size 1 along the reduced dimension; so is and has `values`, which may be
/// undefined.
template <class Op, class T>
class Search {
 public:
  Search(const Tensor& positions, const Tensor& values, const Tensor& x)
      : split_(positions, x),
        kept_(split_.kept),
        rows_(split_.reduced.numel),
        row_stride_(split_.reduced.step()[1]),
        values_(values.defined() ? values.bytes() : nullptr),
        item_(x.item_size()) {
    const bool by_columns = kept_.dims > 0 && (std::abs(kept_.stride[0][1]) < std::abs(row_stride_) ||
                                               (rows_ < 8 && kept_.size[0] >= kBlock));
    load_ = Packing::in(x.dtype(), dtype_of<T>, by_columns ? kept_.stride[0][1] : row_stride_);
    if (by_columns)
      columns();
    else
      rows();
  }

 private:
  /// Writes n results, from `positions` (from 1), to where the kept element at `at` and its followers along the row
  /// lie.
  void write(const std::array<int64_t, 2>& at, const int64_t* positions, int64_t n) const {
    const auto step = kept_.step();
    for (int64_t i = 0; i < n; ++i) {
      const int64_t to = at[0] + i * step[0];
      *reinterpret_cast<int64_t*>(split_.out + to) = positions[i];
      if (!values_) continue;
      const char* from = split_.x + at[1] + i * step[1] + (positions[i] - 1) * row_stride_;
      copy_row(values_ + to / static_cast<int64_t>(sizeof(int64_t)) * item_, item_, from, item_, 1, item_);
    }
  }

  /// Each row in one task or, if it is long, in several.
  void rows() const {
    const int64_t pieces = (rows_ + kTask - 1) / kTask;
    const auto best = std::make_unique_for_overwrite<Best<T>[]>(kept_.numel * pieces);
    parallel_for(kept_.numel * pieces, std::max<int64_t>(1, kGrain / rows_), [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % pieces * kTask;
        best[task] =
            best_of_row<Op, T>(split_.x + kept_.offset(task / pieces)[1], load_, first, std::min(first + kTask, rows_));
      }
    });
    for (int64_t i = 0; i < kept_.numel; ++i) {
      Best<T> b = best[i * pieces];
      for (int64_t k = 1; k < pieces; ++k)
        if (replaces<Op>(b.value, best[i * pieces + k].value)) b = best[i * pieces + k];
      const int64_t position = b.position + 1;
      write(kept_.offset(i), &position, 1);
    }
  }

  void columns() const {
    const int64_t width = std::min(kept_.size[0], kBlock), strips = (kept_.size[0] + width - 1) / width;
    parallel_for(kept_.numel / kept_.size[0] * strips, std::max<int64_t>(1, kGrain / (width * rows_)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t task = begin; task < end; ++task) {
                     const int64_t first = task % strips * width, n = std::min(width, kept_.size[0] - first);
                     const auto at = kept_.offset(task / strips * kept_.size[0] + first);
                     int64_t positions[kBlock];
                     best_of_columns<Op, T>(positions, split_.x + at[1], load_, n, rows_, row_stride_);
                     write(at, positions, n);
                   }
                 });
  }

  Split split_;
  const Walk& kept_;
  int64_t rows_, row_stride_;
  char* values_;
  int64_t item_;
  Packing load_;
};

/// Along `dim`, which positions and values keep with size 1.
template <class Op>
void search(const Tensor& positions, const Tensor& values, const Tensor& x) {
  if (positions.numel() == 0) return;
  with_type(x.dtype(), [&]<class E>() {
    using T = Computed<E>;
    if constexpr (std::is_arithmetic_v<T>)
      Search<Op, T>(positions, values, x);
    else
      fail("argmax, argmin: complex numbers have no order");
  });
}

template <class Op>
void with_index(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t) {
  const Tensor v = dense_or_new(values), p = dense_or_new(positions);
  search<Op>(p, v, x);
  if (!v.is(values)) slots::copy(values, v);
  if (!p.is(positions)) slots::copy(positions, p);
}

template <class Op>
void position(const Tensor& out, const Tensor& x, int64_t dim) {
  Tensor row = x;
  Sizes kept = x.sizes();
  if (dim < 0) {  // flattened, in row-major order
    row = dense(x);
    row = row.alias({x.numel()}, {1}, row.offset());
    kept = {1};
  } else if (x.dim() > 0) {
    kept[static_cast<size_t>(dim)] = 1;
  }
  const Tensor found = dense_or_new(out);
  search<Op>(found.alias(kept, contiguous_strides(kept), found.offset()), Tensor(), row);
  if (!found.is(out)) slots::copy(out, found);
}

void fill_positions() {
  slots::argmax.fill(DeviceType::CPU, position<Largest>);
  slots::argmin.fill(DeviceType::CPU, position<Smallest>);
  slots::max_with_index.fill(DeviceType::CPU, with_index<Largest>);
  slots::min_with_index.fill(DeviceType::CPU, with_index<Smallest>);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_positions);
void fill_position_slots() { HWY_DYNAMIC_DISPATCH(fill_positions)(); }
}  // namespace facula::cpu
#endif
