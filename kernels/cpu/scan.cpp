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
  using type = Computed<T>;
};
template <>
struct Accumulator<float> {
  using type = double;
};
template <>
struct Accumulator<complex64> {
  using type = complex128;
};
constexpr int64_t kPiece = 8192;

/// Runs on from `sum` over n elements; writes what it comes by if wanted.
template <class Op, bool write, class T, class A>
A run(T* y, const T* x, int64_t n, A sum) {
  for (int64_t i = 0; i < n; ++i) {
    sum = Op::numbers(sum, static_cast<A>(x[i]));
    if constexpr (write) y[i] = static_cast<T>(sum);
  }
  return sum;
}

/// Four neighbouring runs of n elements at once, since each addition waits for the one before it.
template <class Op, bool write, class T, class A>
void run_four(T* y, const T* x, int64_t n, A* sums) {
  A a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int64_t i = 0; i < n; ++i) {
    a = Op::numbers(a, static_cast<A>(x[i]));
    b = Op::numbers(b, static_cast<A>(x[i + n]));
    c = Op::numbers(c, static_cast<A>(x[i + 2 * n]));
    d = Op::numbers(d, static_cast<A>(x[i + 3 * n]));
    if constexpr (write) {
      y[i] = static_cast<T>(a);
      y[i + n] = static_cast<T>(b);
      y[i + 2 * n] = static_cast<T>(c);
      y[i + 3 * n] = static_cast<T>(d);
    }
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

/// Every piece of a row from its own sum, which becomes the one at its end.
template <class Op, bool write, class T, class A>
void run_pieces(T* y, const T* x, int64_t n, A* sums) {
  parallel_for((n + 4 * kPiece - 1) / (4 * kPiece), 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = 4 * begin; p < 4 * end && p * kPiece < n;) {
      const int64_t first = p * kPiece;
      if (!std::is_integral_v<A> && p % 4 == 0 && first + 4 * kPiece <= n) {
        run_four<Op, write>(y + first, x + first, kPiece, sums + p);
        p += 4;
      } else {
        sums[p] = run<Op, write>(y + first, x + first, std::min(kPiece, n - first), sums[p]);
        ++p;
      }
    }
  });
}

template <class Op, class T>
void scan_long_row(T* y, const T* x, int64_t n) {
  using A = typename Accumulator<T>::type;
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  const auto sums = std::make_unique_for_overwrite<A[]>(static_cast<size_t>(pieces));
  std::fill_n(sums.get(), pieces, Op::template nothing<A>());
  run_pieces<Op, false>(y, x, n, sums.get());
  A before = Op::template nothing<A>();
  for (int64_t p = 0; p < pieces; ++p) before = Op::numbers(before, std::exchange(sums[p], before));
  run_pieces<Op, true>(y, x, n, sums.get());
}

/// Rows [begin, end) of n elements, too short to be cut.
template <class Op, class T>
void scan_rows(T* y, const T* x, int64_t n, int64_t begin, int64_t end) {
  using A = typename Accumulator<T>::type;
  for (int64_t r = begin; r < end;) {
    A sums[4];
    std::fill_n(sums, 4, Op::template nothing<A>());
    const bool four = !std::is_integral_v<A> && r + 4 <= end;
    if (four)
      run_four<Op, true>(y + r * n, x + r * n, n, sums);
    else
      run<Op, true>(y + r * n, x + r * n, n, sums[0]);
    r += four ? 4 : 1;
  }
}

template <class Op, class T>
void scan(T* y, const T* x, const Around& at) {
  using A = typename Accumulator<T>::type;
  if (at.inner == 1)
    return parallel_for(at.outer, std::max<int64_t>(1, kGrain / at.n), [&](int64_t begin, int64_t end) {
      if (at.n < 4 * kPiece) return scan_rows<Op>(y, x, at.n, begin, end);
      for (int64_t row = begin * at.n; row < end * at.n; row += at.n) scan_long_row<Op>(y + row, x + row, at.n);
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
