// Running sums and products. Along the last dimension a row is one chain; along others whole rows are added to the row
// before. float32 accumulates in float64, narrower floats in float32.
//
// A long row is cut into pieces of a fixed length: their totals are taken first and run up, then each piece starts from
// the total of those before it. So threads share it out, and the result does not depend on their number.
#include <memory>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/scan.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/reduce_fold.h"
#include "kernels/cpu/register.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

template <class T>
struct Accumulator {
  using type = T;
};
template <>
struct Accumulator<float> {
  using type = double;
};
template <>
struct Accumulator<complex64> {
  using type = complex128;
};
template <>
struct Accumulator<Half> {
  using type = float;
};
template <>
struct Accumulator<BFloat16> {
  using type = float;
};

constexpr int64_t kPiece = 32768;

template <class Op, class T, class A>
A scan_piece(T* y, const T* x, int64_t n, A sum) {
  for (int64_t i = 0; i < n; ++i) {
    sum = Op::numbers(sum, static_cast<A>(x[i]));
    y[i] = static_cast<T>(sum);
  }
  return sum;
}

/// One long row, or several.
template <class Op, class T>
void scan_pieces(T* y, const T* x, int64_t rows, int64_t n) {
  using A = typename Accumulator<T>::type;
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  const auto starts = std::make_unique_for_overwrite<A[]>(static_cast<size_t>(rows * pieces));
  const auto each = [&](const auto& f) {
    parallel_for(rows * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % pieces * kPiece;
        f(task, task / pieces * n + first, std::min(kPiece, n - first));
      }
    });
  };
  each([&](int64_t task, int64_t first, int64_t count) {
    A sum = Op::template nothing<A>();
    for (int64_t i = first; i < first + count; ++i) sum = Op::numbers(sum, static_cast<A>(x[i]));
    starts[task] = sum;
  });
  for (int64_t task = 0; task < rows * pieces; task += pieces) {
    A before = Op::template nothing<A>();
    for (int64_t p = task; p < task + pieces; ++p) before = Op::numbers(before, std::exchange(starts[p], before));
  }
  each([&](int64_t task, int64_t first, int64_t count) { scan_piece<Op>(y + first, x + first, count, starts[task]); });
}

template <class Op, class T>
void scan(T* y, const T* x, const Around& at) {
  using A = typename Accumulator<T>::type;
  if (at.inner == 1 && at.n >= 2 * kPiece) return scan_pieces<Op>(y, x, at.outer, at.n);
  if (at.inner == 1)
    return parallel_for(at.outer, std::max<int64_t>(1, kGrain / at.n), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin * at.n; row < end * at.n; row += at.n)
        scan_piece<Op>(y + row, x + row, at.n, Op::template nothing<A>());
    });
  const int64_t strips = (at.inner + kBlock - 1) / kBlock, width = std::min(at.inner, kBlock);
  parallel_for(at.outer * strips, std::max<int64_t>(1, kGrain / (at.n * width)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % strips * kBlock, count = std::min(kBlock, at.inner - first);
      const int64_t start = task / strips * at.n * at.inner + first;
      A sums[kBlock];
      std::fill_n(sums, count, Op::template nothing<A>());
      for (int64_t i = start; i < start + at.n * at.inner; i += at.inner) {
#pragma GCC ivdep
        for (int64_t c = 0; c < count; ++c) {
          sums[c] = Op::numbers(sums[c], static_cast<A>(x[i + c]));
          y[i + c] = static_cast<T>(sums[c]);
        }
      }
    }
  });
}

template <class Op>
void scan_along(const Tensor& out, const Tensor& x, int64_t dim) {
  if (out.numel() == 0) return;
  const Tensor from = dense(x), to = dense_or_new(out);
  with_type(x.dtype(), [&]<class T>() {
    scan<Op>(reinterpret_cast<T*>(to.bytes()), reinterpret_cast<const T*>(from.bytes()), Around(x.sizes(), dim));
  });
  if (!to.is(out)) slots::copy(out, to);
}

void fill_scans() {
  slots::cumsum.fill(DeviceType::CPU, scan_along<Sum>);
  slots::cumprod.fill(DeviceType::CPU, scan_along<Product>);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_scans);
void fill_scan_slots() { HWY_DYNAMIC_DISPATCH(fill_scans)(); }
}  // namespace facula::cpu
#endif
