// Variances and norms, in float64 whatever the dtype: float32's squares neither overflow there nor lose digits.
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce_moments.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

/// Lanes of float64 from memory of T, float32 or float64.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_double(D d, const T* x) {
  if constexpr (std::is_same_v<T, double>)
    return hn::LoadU(d, x);
  else
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), x));
}

/// The sum of f over n elements: f takes vectors of float64 as (d, v), and the last numbers as (v).
template <class T, class F>
HWY_INLINE double sum_of(const T* x, int64_t n, const F& f) {
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, f(d, load_double(d, x + i)));
    b = hn::Add(b, f(d, load_double(d, x + i + lanes)));
    c = hn::Add(c, f(d, load_double(d, x + i + 2 * lanes)));
    e = hn::Add(e, f(d, load_double(d, x + i + 3 * lanes)));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Add(a, f(d, load_double(d, x + i)));
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < n; ++i) sum += f(static_cast<double>(x[i]));
  return sum;
}

// ---- var -------------------------------------------------------------------------------------------------------------
// Means and sums of squared deviations. Blocks take two passes while they are in the cache, columns go by Welford (1962),
// parts are put together by Chan, Golub and LeVeque (1979).
// ---------------------------------------------------------------
struct Same {
  double operator()(double v) const { return v; }
  template <class D, class V>
  HWY_INLINE V operator()(D, V v) const {
    return v;
  }
};
struct SquaredDeviation {
  double mean;
  double operator()(double v) const { return (v - mean) * (v - mean); }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V v) const {
    const V u = hn::Sub(v, hn::Set(d, mean));
    return hn::Mul(u, u);
  }
};

template <class T>
void fold_deviations(char* state, const char* p, int64_t n, double) {
  const auto* x = reinterpret_cast<const T*>(p);
  auto* s = reinterpret_cast<double*>(state);
  s[0] = sum_of(x, n, Same()) / static_cast<double>(n);
  s[1] = sum_of(x, n, SquaredDeviation{s[0]});
}

template <class T>
void accumulate_deviations(char* state, const char* p, int64_t n, int64_t count, double) {
  auto* __restrict mean = reinterpret_cast<double*>(state);
  auto* __restrict squares = mean + n;
  const auto* __restrict x = reinterpret_cast<const T*>(p);
  const double weight = 1.0 / static_cast<double>(count);
  for (int64_t i = 0; i < n; ++i) {
    const double v = x[i], delta = v - mean[i];
    mean[i] += delta * weight;
    squares[i] += delta * (v - mean[i]);
  }
}

void combine_deviations(char* a, int64_t a_count, const char* b, int64_t b_count, int64_t n) {
  auto* __restrict mean = reinterpret_cast<double*>(a);
  auto* __restrict squares = mean + n;
  const auto* __restrict b_mean = reinterpret_cast<const double*>(b);
  const auto na = static_cast<double>(a_count), nb = static_cast<double>(b_count), weight = nb / (na + nb);
  for (int64_t i = 0; i < n; ++i) {
    const double delta = b_mean[i] - mean[i];
    mean[i] += delta * weight;
    squares[i] += b_mean[n + i] + delta * delta * na * weight;
  }
}

void finish_var(char* result, const char* state, int64_t n, int64_t count, double correction) {
  const auto* squares = reinterpret_cast<const double*>(state) + n;
  auto* y = reinterpret_cast<double*>(result);
  const double divisor = std::max(0.0, static_cast<double>(count) - correction);
  for (int64_t i = 0; i < n; ++i) y[i] = count ? squares[i] / divisor : std::nan("");
}

void clear_doubles(char* state, int64_t n) { std::fill_n(reinterpret_cast<double*>(state), n, 0.0); }
void clear_deviations(char* state, int64_t n) { clear_doubles(state, 2 * n); }

template <class T>
constexpr Reduction kVar = {
    dtype_of<T>,        DType::Float64, 2, 8, clear_deviations, fold_deviations<T>, accumulate_deviations<T>,
    combine_deviations, finish_var};

// ---- norm: sums of |x|^p --------------------------------------------------------------------------------------------
struct Nonzero {
  double operator()(double v) const { return v != 0; }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V v) const {
    return hn::IfThenZeroElse(hn::Eq(v, hn::Zero(d)), hn::Set(d, 1.0));
  }
};
struct Magnitude {
  double operator()(double v) const { return std::abs(v); }
  template <class D, class V>
  HWY_INLINE V operator()(D, V v) const {
    return hn::Abs(v);
  }
};
struct Squared {
  double operator()(double v) const { return v * v; }
  template <class D, class V>
  HWY_INLINE V operator()(D, V v) const {
    return hn::Mul(v, v);
  }
};
struct Power {
  double exponent;
  double operator()(double v) const { return std::pow(std::abs(v), exponent); }
};
template <class F>
F functor(double p) {
  if constexpr (std::is_same_v<F, Power>)
    return {p};
  else
    return {};
}

template <class F, class T>
void fold_powers(char* state, const char* p, int64_t n, double exponent) {
  const auto* x = reinterpret_cast<const T*>(p);
  const auto f = functor<F>(exponent);
  double sum = 0;
  if constexpr (std::is_same_v<F, Power>)
    for (int64_t i = 0; i < n; ++i) sum += f(x[i]);
  else
    sum = sum_of(x, n, f);
  *reinterpret_cast<double*>(state) = sum;
}

template <class F, class T>
void accumulate_powers(char* state, const char* p, int64_t n, int64_t, double exponent) {
  auto* __restrict sum = reinterpret_cast<double*>(state);
  const auto* __restrict x = reinterpret_cast<const T*>(p);
  const auto f = functor<F>(exponent);
  for (int64_t i = 0; i < n; ++i) sum[i] += f(x[i]);
}

void combine_powers(char* a, int64_t, const char* b, int64_t, int64_t n) {
  auto* __restrict sum = reinterpret_cast<double*>(a);
  const auto* __restrict other = reinterpret_cast<const double*>(b);
  for (int64_t i = 0; i < n; ++i) sum[i] += other[i];
}

void finish_norm(char* result, const char* state, int64_t n, int64_t, double p) {
  const auto* sum = reinterpret_cast<const double*>(state);
  auto* y = reinterpret_cast<double*>(result);
  for (int64_t i = 0; i < n; ++i)
    y[i] = p == 2 ? std::sqrt(sum[i]) : p == 0 || p == 1 ? sum[i] : std::pow(sum[i], 1 / p);
}

template <class F, class T>
constexpr Reduction kNorm = {
    dtype_of<T>,    DType::Float64, 1, 8, clear_doubles, fold_powers<F, T>, accumulate_powers<F, T>,
    combine_powers, finish_norm};

template <class T>
const Reduction& norm_of(double p) {
  if (p == 0) return kNorm<Nonzero, T>;
  if (p == 1) return kNorm<Magnitude, T>;
  return p == 2 ? kNorm<Squared, T> : kNorm<Power, T>;
}

const Reduction& var_reduction(DType t) { return t == DType::Float64 ? kVar<double> : kVar<float>; }
const Reduction& norm_reduction(DType t, double p) {
  return t == DType::Float64 ? norm_of<double>(p) : norm_of<float>(p);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(var_reduction);
HWY_EXPORT(norm_reduction);

/// A unary slot's result as a new tensor.
static Tensor applied(const PointwiseSlot& slot, const Tensor& x) {
  Tensor y = empty(x.sizes(), real_dtype(x.dtype()));
  slot(y, TensorSpan(&x, 1), ScalarSpan());
  return y;
}

static void var(const Tensor& out, const Tensor& x, const IntList& dims, double correction) {
  if (!is_complex(x.dtype())) return reduce(HWY_DYNAMIC_DISPATCH(var_reduction)(x.dtype()), out, x, correction);
  // the sum of the parts' variances
  const Tensor imaginary = empty(out.sizes(), out.dtype());
  var(out, applied(slots::real, x), dims, correction);
  var(imaginary, applied(slots::imag, x), dims, correction);
  const Tensor parts[] = {out, imaginary};
  slots::add(out, TensorSpan(parts), ScalarSpan());
}

/// Has a square over- or underflown, perhaps?
static bool is_extreme(const Tensor& norms) {
  bool extreme = false;
  const LoopNest<1> nest({&norms});
  nest.rows(0, nest.numel, [&](const std::array<char*, 1>& p, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      const double v = *reinterpret_cast<const double*>(p[0] + i * nest.stride[0][0]);
      extreme = extreme || v < 1e-146 || v > 1e150;
    }
  });
  return extreme;
}

/// The 2-norm of x / m times m, where m is the largest magnitude, or 1 if that is 0 or infinite.
static void scaled_norm(const Tensor& out, const Tensor& x, const IntList& dims) {
  const Tensor magnitude = applied(slots::abs, x), m = empty(out.sizes(), out.dtype());
  slots::amax(m, magnitude, dims);
  double* p = m.data<double>();
  std::replace_if(
      p, p + m.numel(), [](double v) { return v == 0 || std::isinf(v); }, 1.0);
  const Tensor ratio[] = {magnitude, m.expanded(x.sizes())}, product[] = {out, m};
  slots::div(magnitude, TensorSpan(ratio), ScalarSpan());
  reduce(HWY_DYNAMIC_DISPATCH(norm_reduction)(DType::Float64, 2), out, magnitude, 2);
  slots::mul(out, TensorSpan(product), ScalarSpan());
}

static void norm(const Tensor& out, const Tensor& x, const IntList& dims, double p) {
  if (x.numel() == 0) return slots::fill(out, Scalar(0.0));
  if (is_complex(x.dtype())) return norm(out, applied(slots::abs, x), dims, p);
  if (std::isinf(p)) return (p > 0 ? slots::amax : slots::amin)(out, applied(slots::abs, x), dims);
  reduce(HWY_DYNAMIC_DISPATCH(norm_reduction)(x.dtype(), p), out, x, p);
  if (p == 2 && x.dtype() == DType::Float64 && is_extreme(out)) scaled_norm(out, x, dims);
}

void fill_moment_slots() {
  slots::var.fill(DeviceType::CPU, var);
  slots::norm.fill(DeviceType::CPU, norm);
}

}  // namespace facula::cpu
#endif
