// Attention, head by head in blocks of rows: a block's scores stay in the cache between their product, their softmax and the
// product with the values. q, k and v are read where they lie. Blocks depend on the sizes alone, so that results do not depend
// on the number of threads.
#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/reduce_fold.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/row_sum.h"
#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

constexpr int64_t kRows = 128;             // of a block
constexpr int64_t kTaskProducts = 100000;  // below this, waking a second thread costs more than it brings

/// The matrix of a head.
template <class T>
Matrix<T> head(const Tensor& x, int64_t i) {
  const int64_t n = i / x.size(1), h = i % x.size(1);
  return {x.data<T>() + n * x.stride(0) + h * x.stride(1), x.size(2), x.size(3), x.stride(2), x.stride(3)};
}
template <class T>
Matrix<T> rows_of(const Matrix<T>& x, int64_t first, int64_t count) {
  return x.block(first, 0, count, x.cols);
}

/// Calls body(head, first row, rows) for all blocks of `length` rows of the heads, of `products` multiplications each.
template <class F>
void for_blocks(const Tensor& x, int64_t length, int64_t products, const F& body) {
  const int64_t blocks = (length + kRows - 1) / kRows, heads = x.size(0) * x.size(1);
  const int64_t grain = (kTaskProducts + products - 1) / std::max<int64_t>(1, products);
  parallel_for(heads * blocks, std::max<int64_t>(1, grain), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % blocks * kRows;
      body(i / blocks, first, std::min(kRows, length - first));
    }
  });
}

/// The softmax of the first `seen` elements; 0 behind them up to `all`. Whole vectors are computed: ends that differ from
/// row to row cost more than elements that do not count.
template <class T>
void softmax_row(T* x, int64_t seen, int64_t all) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  const int64_t n = std::min(all, (seen + lanes - 1) / lanes * lanes);
  std::fill(x + seen, x + n, -std::numeric_limits<T>::infinity());
  const T top = fold<Largest>(x, n);
  const double sum = sum_over<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto e = exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, top)));
    hn::StoreU(e, d, x + i);
    return e;
  });
  const T share = static_cast<T>(1 / sum);
  for_vectors<T>(
      n, [=](auto d, int64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, share)), d, x + i); });
  std::fill(x + n, x + all, T(0));
}

template <class T>
void add_mask(const Matrix<T>& scores, const Matrix<T>& mask) {
  for (int64_t i = 0; i < scores.rows; ++i)
    for (int64_t j = 0; j < scores.cols; ++j)
      scores.at[i * scores.row_stride + j] += mask.at[i * mask.row_stride + j * mask.col_stride];
}

template <class T>
void forward(const Tensor& out, const Tensor& weights, const Tensor& q, const Tensor& k, const Tensor& v,
             const Tensor& mask, double scale, bool causal) {
  const int64_t L = q.size(2), S = k.size(2);
  for_blocks(q, L, std::min(L, kRows) * S * q.size(3), [&](int64_t i, int64_t first, int64_t rows) {
    const Matrix<T> w = rows_of(head<T>(weights, i), first, rows);
    gemm<T>(w, rows_of(head<T>(q, i), first, rows), head<T>(k, i).transposed(), static_cast<T>(scale), T(0));
    if (mask.defined()) add_mask(w, rows_of(head<T>(mask, i), first, rows));
    for (int64_t r = 0; r < rows; ++r) softmax_row(w.at + r * w.row_stride, causal ? std::min(first + r + 1, S) : S, S);
    gemm<T>(rows_of(head<T>(out, i), first, rows), w, head<T>(v, i), T(1), T(0));
  });
}

/// dscores = scale weights (dweights - sum(dweights weights)), in place of dweights.
template <class T>
void through_softmax(T* dweights, const T* weights, int64_t n, T scale) {
  const T sum = static_cast<T>(sum_over<T>(
      n, [=](auto d, int64_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, dweights + i), hn::LoadU(d, weights + i)); }));
  for_vectors<T>(n, [=](auto d, int64_t i) HWY_ATTR {
    const auto above = hn::Sub(hn::LoadU(d, dweights + i), hn::Set(d, sum));
    hn::StoreU(hn::Mul(hn::Mul(hn::LoadU(d, weights + i), above), hn::Set(d, scale)), d, dweights + i);
  });
}

template <class T>
void backward(const Tensor& dq, const Tensor& dk, const Tensor& dv, const Tensor& g, const Tensor& weights,
              const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  const int64_t L = q.size(2), S = k.size(2), E = q.size(3);
  const Tensor dscores = empty(weights.sizes(), weights.dtype());
  for_blocks(q, L, std::min(L, kRows) * S * E, [&](int64_t i, int64_t first, int64_t rows) {
    const Matrix<T> d = rows_of(head<T>(dscores, i), first, rows), w = rows_of(head<T>(weights, i), first, rows);
    gemm<T>(d, rows_of(head<T>(g, i), first, rows), head<T>(v, i).transposed(), T(1), T(0));
    for (int64_t r = 0; r < rows; ++r) through_softmax(d.at + r * S, w.at + r * S, S, static_cast<T>(scale));
    gemm<T>(rows_of(head<T>(dq, i), first, rows), d, head<T>(k, i), T(1), T(0));
  });
  for_blocks(k, S, std::min(S, kRows) * L * E, [&](int64_t i, int64_t first, int64_t rows) {
    const auto columns = [&](const Tensor& x) { return rows_of(head<T>(x, i).transposed(), first, rows); };
    gemm<T>(rows_of(head<T>(dk, i), first, rows), columns(dscores), head<T>(q, i), T(1), T(0));
    gemm<T>(rows_of(head<T>(dv, i), first, rows), columns(weights), head<T>(g, i), T(1), T(0));
  });
}

void attention(const Tensor& out, const Tensor& weights, const Tensor& q, const Tensor& k, const Tensor& v,
               const Tensor& mask, double scale, bool causal) {
  (q.dtype() == DType::Float64 ? forward<double> : forward<float>)(out, weights, q, k, v, mask, scale, causal);
}
void attention_backward(const Tensor& dq, const Tensor& dk, const Tensor& dv, const Tensor& g, const Tensor& weights,
                        const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  (q.dtype() == DType::Float64 ? backward<double> : backward<float>)(dq, dk, dv, g, weights, q, k, v, scale);
}

void fill_attention() {
  slots::attention.fill(DeviceType::CPU, attention);
  slots::attention_backward.fill(DeviceType::CPU, attention_backward);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_attention);
void fill_attention_slots() { HWY_DYNAMIC_DISPATCH(fill_attention)(); }
}  // namespace facula::cpu
#endif
