// Softmax, its logarithm, and their derivatives, over dense [outer, n, inner]. With inner = 1 a row is one problem,
// worked on in blocks that stay in the cache between e^x, its sum and its scaling, and a long row's blocks are shared
// out over threads; otherwise strips of columns are carried from row to row. Sums are taken in blocks, so that long rows
// keep their digits. float16 and bfloat16 are converted as a whole.
#include <cmath>
#include <numeric>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/reduce_fold.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

/// y[i] = f(d, x0[i], x1[i], ...) for arrays; `heavy` as in rows.h.
template <bool heavy = false, class T, int N, class F>
HWY_INLINE void map(T* y, int64_t n, const T* const (&x)[N], const F& f) {
  each<T, N, heavy>(reinterpret_cast<char*>(y), reinterpret_cast<const char* const*>(x), n, f);
}

// ---- rows -----------------------------------------------------------------------------------------------------------
/// Rows from here on are cut into pieces.
constexpr int64_t kLong = 2 * kHeavyGrain;

/// Calls f(first, count) on pieces of a row that begin at blocks, on several threads if it is long and not one of many.
template <class F>
void each_piece(int64_t n, const F& f) {
  if (n < kLong) return f(0, n);
  parallel_for((n + kBlock - 1) / kBlock, kHeavyGrain / kBlock,
               [&](int64_t begin, int64_t end) { f(begin * kBlock, std::min(n, end * kBlock) - begin * kBlock); });
}

/// The sum of f(first, count) over blocks of [0, n), in their order: f returns a block's own sum.
template <class F>
double sum_of_blocks(int64_t n, const F& f) {
  double sum = 0;
  if (n < kLong) {
    for (int64_t i = 0; i < n; i += kBlock) sum += static_cast<double>(f(i, std::min(kBlock, n - i)));
    return sum;
  }
  std::vector<double> sums(static_cast<size_t>((n + kBlock - 1) / kBlock));
  each_piece(n, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; i += kBlock)
      sums[static_cast<size_t>(i / kBlock)] = static_cast<double>(f(i, std::min(kBlock, n - i)));
  });
  return std::accumulate(sums.begin(), sums.end(), sum);
}

template <class T>
T largest(const T* x, int64_t n) {
  if (n < kLong) return fold<Largest>(x, n);
  std::vector<T> tops(static_cast<size_t>((n + kBlock - 1) / kBlock), Largest::nothing<T>());
  each_piece(n, [&](int64_t first, int64_t count) {
    tops[static_cast<size_t>(first / kBlock)] = fold<Largest>(x + first, count);
  });
  return fold<Largest>(tops.data(), static_cast<int64_t>(tops.size()));
}

template <bool log, class T>
void softmax_row(T* y, const T* x, int64_t n) {
  const T top = largest(x, n);
  const auto exp_from_top = [top](auto d, auto v) { return exp(d, hn::Sub(v, hn::Set(d, top))); };
  const double sum = sum_of_blocks(n, [&](int64_t i, int64_t count) {
    T block[kBlock];
    T* e = log ? block : y + i;
    map<true>(e, count, {x + i}, exp_from_top);
    return fold<Sum>(e, count);
  });
  const T shift = static_cast<T>(std::log(sum)), scale = static_cast<T>(1 / sum);
  each_piece(n, [&](int64_t i, int64_t count) {
    if constexpr (log)
      map(y + i, count, {x + i},
          [=](auto d, auto v) { return hn::Sub(hn::Sub(v, hn::Set(d, top)), hn::Set(d, shift)); });
    else
      map(y + i, count, {y + i}, [=](auto d, auto v) { return hn::Mul(v, hn::Set(d, scale)); });
  });
}

template <bool log, class T>
void backward_row(T* dx, const T* g, const T* y, int64_t n) {
  const T sum = static_cast<T>(sum_of_blocks(n, [&](int64_t i, int64_t count) {
    if constexpr (log) return fold<Sum>(g + i, count);
    T block[kBlock];
    map(block, count, {g + i, y + i}, [](auto, auto a, auto b) { return hn::Mul(a, b); });
    return fold<Sum>(block, count);
  }));
  each_piece(n, [&](int64_t i, int64_t count) {
    if constexpr (log)
      map<true>(dx + i, count, {g + i, y + i},
                [=](auto d, auto a, auto b) { return hn::NegMulAdd(exp(d, b), hn::Set(d, sum), a); });
    else
      map(dx + i, count, {g + i, y + i},
          [=](auto d, auto a, auto b) { return hn::Mul(b, hn::Sub(a, hn::Set(d, sum))); });
  });
}

// ---- strips of `count` <= kBlock columns, rows `stride` elements apart ----------------------------------------------
/// Adds f(row) to sums, in blocks of rows; f leaves its row in `term`.
template <class T, class F>
void sum_rows(T* sums, int64_t n, int64_t count, const F& f) {
  constexpr int64_t rows = 128;
  const auto add = [](auto, auto a, auto b) { return hn::Add(a, b); };
  T part[kBlock], term[kBlock];
  std::fill_n(sums, count, T(0));
  for (int64_t r = 0; r < n; ++r) {
    if (r % rows == 0) std::fill_n(part, count, T(0));
    map(part, count, {part, f(r, term)}, add);
    if (r % rows == rows - 1 || r == n - 1) map(sums, count, {sums, part}, add);
  }
}

template <bool log, class T>
void softmax_strip(T* y, const T* x, int64_t n, int64_t stride, int64_t count) {
  T top[kBlock], sum[kBlock];
  std::copy_n(x, count, top);
  for (int64_t r = 1; r < n; ++r)
    map(top, count, {top, x + r * stride}, [](auto, auto a, auto b) { return Largest::vectors(a, b); });
  sum_rows(sum, n, count, [&](int64_t r, T* term) {
    T* e = log ? term : y + r * stride;
    map<true>(e, count, {x + r * stride, top}, [](auto d, auto v, auto t) { return exp(d, hn::Sub(v, t)); });
    return e;
  });
  if constexpr (log) {
    map<true>(sum, count, {sum}, [](auto d, auto s) { return cpu::HWY_NAMESPACE::log(d, s); });
    for (int64_t r = 0; r < n; ++r)
      map(y + r * stride, count, {x + r * stride, top, sum},
          [](auto, auto v, auto t, auto s) { return hn::Sub(hn::Sub(v, t), s); });
  } else {
    for (int64_t r = 0; r < n; ++r)
      map(y + r * stride, count, {y + r * stride, sum}, [](auto, auto e, auto s) { return hn::Div(e, s); });
  }
}

template <bool log, class T>
void backward_strip(T* dx, const T* g, const T* y, int64_t n, int64_t stride, int64_t count) {
  T sum[kBlock];
  sum_rows(sum, n, count, [&](int64_t r, T* term) -> const T* {
    if constexpr (log) return g + r * stride;
    map(term, count, {g + r * stride, y + r * stride}, [](auto, auto a, auto b) { return hn::Mul(a, b); });
    return term;
  });
  for (int64_t r = 0; r < n; ++r) {
    const int64_t at = r * stride;
    if constexpr (log)
      map<true>(dx + at, count, {g + at, y + at, sum},
                [](auto d, auto a, auto b, auto s) { return hn::NegMulAdd(exp(d, b), s, a); });
    else
      map(dx + at, count, {g + at, y + at, sum},
          [](auto, auto a, auto b, auto s) { return hn::Mul(b, hn::Sub(a, s)); });
  }
}

// ---- tensors --------------------------------------------------------------------------------------------------------
/// Calls row(first element) for each row, or strip(first element, columns) for each strip.
template <class Row, class Strip>
void for_each_row(const Around& at, const Row& row, const Strip& strip) {
  const int64_t strips = (at.inner + kBlock - 1) / kBlock, width = std::min(at.inner, kBlock);
  parallel_for(at.outer * strips, std::max<int64_t>(1, kHeavyGrain / (at.n * width)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % strips * kBlock, start = task / strips * at.n * at.inner + first;
      if (at.inner == 1)
        row(start);
      else
        strip(start, std::min(kBlock, at.inner - first));
    }
  });
}

template <bool log, class T>
void forward(const Tensor& out, const Tensor& in, int64_t dim) {
  const Around at(in.sizes(), dim);
  T* y = out.data<T>();
  const T* x = in.data<T>();
  for_each_row(
      at, [&](int64_t i) { softmax_row<log>(y + i, x + i, at.n); },
      [&](int64_t i, int64_t count) { softmax_strip<log>(y + i, x + i, at.n, at.inner, count); });
}

template <bool log, class T>
void backward(const Tensor& out, const Tensor& gradient, const Tensor& result, int64_t dim) {
  const Around at(out.sizes(), dim);
  T* dx = out.data<T>();
  const T *g = gradient.data<T>(), *y = result.data<T>();
  for_each_row(
      at, [&](int64_t i) { backward_row<log>(dx + i, g + i, y + i, at.n); },
      [&](int64_t i, int64_t count) { backward_strip<log>(dx + i, g + i, y + i, at.n, at.inner, count); });
}

/// A dense tensor of x's elements in the dtype that is computed in.
Tensor prepared(const Tensor& x, DType t) {
  if (x.dtype() == t) return dense(x);
  const Tensor y = empty(x.sizes(), t);
  slots::copy(y, x);
  return y;
}

/// Calls f(result, inputs...) on dense tensors of float32 or float64 and moves the result to `out`.
template <class F, class... X>
void with_dense(const Tensor& out, const F& f, const X&... x) {
  if (out.numel() == 0) return;
  const DType t = out.dtype() == DType::Float64 ? DType::Float64 : DType::Float32;
  const Tensor y = out.dtype() == t ? dense_or_new(out) : empty(out.sizes(), t);
  f(y, prepared(x, t)...);
  if (!y.is(out)) slots::copy(out, y);
}

template <bool log>
void softmax(const Tensor& out, const Tensor& x, int64_t dim) {
  with_dense(
      out,
      [dim](const Tensor& y, const Tensor& v) {
        y.dtype() == DType::Float64 ? forward<log, double>(y, v, dim) : forward<log, float>(y, v, dim);
      },
      x);
}

template <bool log>
void softmax_backward(const Tensor& dx, const Tensor& g, const Tensor& y, int64_t dim) {
  with_dense(
      dx,
      [dim](const Tensor& out, const Tensor& a, const Tensor& b) {
        out.dtype() == DType::Float64 ? backward<log, double>(out, a, b, dim) : backward<log, float>(out, a, b, dim);
      },
      g, y);
}

void fill_softmax() {
  slots::softmax.fill(DeviceType::CPU, softmax<false>);
  slots::log_softmax.fill(DeviceType::CPU, softmax<true>);
  slots::softmax_backward.fill(DeviceType::CPU, softmax_backward<false>);
  slots::log_softmax_backward.fill(DeviceType::CPU, softmax_backward<true>);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_softmax);
void fill_softmax_slots() { HWY_DYNAMIC_DISPATCH(fill_softmax)(); }
}  // namespace facula::cpu
#endif
