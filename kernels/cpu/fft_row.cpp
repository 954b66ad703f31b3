// One long sequence. x as a matrix [n1, n2] takes three steps: transforms of its columns, kLanes at a time; twiddle
// factors exp(-2 pi i k c / n); transforms of its rows, kLanes at a time, whose results lie n1 apart. Both halves are
// shared out over threads, and each bundle stays in the cache.
#include <memory>

#include "core/parallel.h"
#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/fft_plan.h"

namespace facula::cpu {
namespace {

template <class T>
std::unique_ptr<T[]> buffer(int64_t n) {
  return std::make_unique_for_overwrite<T[]>(static_cast<size_t>(n));
}

// Lanes `first` and following of one row taken as a matrix: elements of a lane lie `apart` elements of the row apart.
template <class T>
LaneView<T> neighbours(const LaneView<T>& row, int64_t first, int64_t count, int64_t apart) {
  LaneView<T> v = row;
  v.lanes = std::min(kLanes<std::remove_const_t<T>>, count - first);
  for (int64_t l = 0; l < v.lanes; ++l) v.lane[l] = row.lane[0] + (first + l) * row.step;
  v.step = row.step * apart;
  return v;
}

// Calls body(block, work) for blocks of kLanes lanes out of `count`; `work` has room for two bundles of length n.
template <class T, class Body>
void for_blocks(int64_t count, int64_t n, Body body) {
  const int64_t blocks = (count + kLanes<T> - 1) / kLanes<T>;
  parallel_for(blocks, std::max<int64_t>(1, kHeavyGrain / (n * kLanes<T>)), [&](int64_t begin, int64_t end) {
    const auto work = buffer<T>(4 * n * kLanes<T>);
    for (int64_t b = begin; b < end; ++b) body(b, work.get());
  });
}

// The transformed columns of x [n1, n2], times twiddle factors: real parts in plane[n1][stride], imaginary ones behind.
template <class T>
void transform_columns(const RowPlan<T>& plan, const LaneView<const T>& from, T* plane, int64_t stride) {
  const int64_t n1 = plan.columns->n, n2 = plan.rows->n;
  const LaneKernels<T>& k = lane_kernels<T>();
  for_blocks<T>(n2, n1, [&](int64_t b, T* work) {
    const int64_t first = b * kLanes<T>;
    k.load(work, n1, neighbours(from, first, n2, n2));
    const T* y = k.transform(*plan.columns, work, work + 2 * n1 * kLanes<T>);
    k.twist(plane + first, stride, n1 * stride, y, n1, plan.lane_twist.data(), plan.block_twist.data() + 2 * b * n1);
  });
}

template <class T>
void transform_rows(const RowPlan<T>& plan, const T* plane, int64_t stride, const LaneView<T>& to, T scale) {
  const int64_t n1 = plan.columns->n, n2 = plan.rows->n;
  const LaneKernels<T>& k = lane_kernels<T>();
  for_blocks<T>(n1, n2, [&](int64_t b, T* work) {
    const int64_t first = b * kLanes<T>;
    LaneView<const T> rows{};
    rows.lane[0] = plane, rows.step = stride, rows.imag = n1 * stride;
    rows = neighbours(rows, first, n1, 1);
    rows.step = 1;
    k.load(work, n2, rows);
    k.store(neighbours(to, first, n1, n1), k.transform(*plan.rows, work, work + 2 * n2 * kLanes<T>), n2, scale);
  });
}

template <class T>
void transform_matrix(const RowPlan<T>& plan, const LaneView<const T>& from, const LaneView<T>& to, T scale) {
  const int64_t n1 = plan.columns->n, n2 = plan.rows->n;
  int64_t stride = (n2 + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
  if (stride % 512 == 0) stride += kLanes<T>;  // rows a multiple of 4 KB apart would share a few lines of the cache
  const auto plane = buffer<T>(2 * n1 * stride);
  transform_columns(plan, from, plane.get(), stride);
  transform_rows(plan, plane.get(), stride, to, scale);
}

template <class T>
void transform_single(const LanePlan<T>& plan, const LaneView<const T>& from, const LaneView<T>& to, T scale) {
  const auto work = buffer<T>(4 * plan.n * kLanes<T>);
  const LaneKernels<T>& k = lane_kernels<T>();
  k.load(work.get(), plan.n, from);
  k.store(to, k.transform(plan, work.get(), work.get() + 2 * plan.n * kLanes<T>), plan.n, scale);
}

template <class T>
LaneView<T> dense_row(T* numbers) {
  LaneView<T> v{};
  v.lane[0] = numbers;
  v.lanes = 1, v.step = 2, v.imag = 1;
  return v;
}

// j k = (j^2 + k^2 - (k - j)^2) / 2 makes a transform of any length a convolution, which a longer one computes.
template <class T>
void transform_chirp(const RowPlan<T>& plan, const LaneView<const T>& from, const LaneView<T>& to, T scale) {
  using C = std::complex<T>;
  const int64_t n = plan.n, m = plan.convolution->n;
  const auto* chirp = reinterpret_cast<const C*>(plan.chirp.data());
  const auto* spectrum = reinterpret_cast<const C*>(plan.spectrum.data());
  const auto work = buffer<T>(2 * m);
  auto* a = reinterpret_cast<C*>(work.get());
  for (int64_t j = 0; j < n; ++j) {
    const T* x = from.lane[0] + j * from.step;
    a[j] = times(C(x[0], x[from.imag]), chirp[j]);
  }
  std::fill(a + n, a + m, C());
  const LaneView<T> row = dense_row(work.get());
  const LaneView<const T> same = dense_row<const T>(work.get());
  transform_row(*plan.convolution, same, row, T(1));
  for (int64_t k = 0; k < m; ++k) a[k] = times(a[k], spectrum[k]);
  transform_row(*plan.convolution, same.swapped(), row.swapped(), T(1));
  for (int64_t k = 0; k < n; ++k) {
    const C y = times(a[k], chirp[k]);
    T* at = to.lane[0] + k * to.step;
    at[0] = scale * y.real();
    at[to.imag] = scale * y.imag();
  }
}

}  // namespace

template <class T>
void transform_row(const RowPlan<T>& plan, const LaneView<const T>& from, const LaneView<T>& to, T scale) {
  if (plan.convolution)
    transform_chirp(plan, from, to, scale);
  else if (plan.rows)
    transform_matrix(plan, from, to, scale);
  else
    transform_single(*plan.columns, from, to, scale);
}

template void transform_row(const RowPlan<float>&, const LaneView<const float>&, const LaneView<float>&, float);
template void transform_row(const RowPlan<double>&, const LaneView<const double>&, const LaneView<double>&, double);

}  // namespace facula::cpu
