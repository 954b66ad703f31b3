// Slots of several inputs or steps: selections, interpolation, activations and the derivatives that training spends its
// time in.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_fused.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/vector_error.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

// ---- selections -----------------------------------------------------------------------------------------------------
/// Any dtype of T's size.
template <class T>
void where_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  auto* z = reinterpret_cast<T*>(out);
  const auto* condition = reinterpret_cast<const uint8_t*>(in[0]);
  const auto* x = reinterpret_cast<const T*>(in[1]);
  const auto* y = reinterpret_cast<const T*>(in[2]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T a = x[i], b = y[i];
    z[i] = condition[i] ? a : b;
  }
}

void fill_selections() {
  for (int i = 0; i < kDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    with_item(item_size(t), [&]<class T>(T) { add_row<slots::where, 3>(t, where_row<T>); });
  }
  // NaN anywhere stays: comparisons with it are false.
  vectors<slots::clamp, 3>(Floats(), [](auto, auto x, auto low, auto high) {
    const auto raised = hn::IfThenElse(hn::Or(hn::Ge(x, low), hn::IsNaN(x)), x, low);
    return hn::IfThenElse(hn::Or(hn::Le(raised, high), hn::IsNaN(raised)), raised, high);
  });
  numbers<slots::clamp, 3>(Integers(), [](auto x, auto low, auto high) { return std::min(std::max(x, low), high); });
  numbers<slots::clamp, 3>(Types<bool>(), [](bool x, bool low, bool high) { return (x | low) & high; });
}

// ---- linear combinations --------------------------------------------------------------------------------------------
template <class T>
void addcmul_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const T value = params.empty() ? T(1) : params[0].to<T>();
  if constexpr (std::is_floating_point_v<T>)
    each<T, 3>(out, in, n,
               [=](auto d, auto x, auto a, auto b) { return hn::MulAdd(hn::Mul(hn::Set(d, value), a), b, x); });
  else if constexpr (std::is_integral_v<T>)
    each_number<T, T, 3>(out, in, n, [=](T x, T a, T b) {
      return static_cast<uint64_t>(x) +
             static_cast<uint64_t>(value) * static_cast<uint64_t>(a) * static_cast<uint64_t>(b);
    });
  else
    each_number<T, T, 3>(out, in, n, [=](T x, T a, T b) { return x + times(times(value, a), b); });
}
template <class T>
void addcdiv_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const T value = params.empty() ? T(1) : params[0].to<T>();
  if constexpr (std::is_floating_point_v<T>)
    each<T, 3>(out, in, n,
               [=](auto d, auto x, auto a, auto b) { return hn::Add(x, hn::Div(hn::Mul(hn::Set(d, value), a), b)); });
  else
    each_number<T, T, 3>(out, in, n, [=](T x, T a, T b) { return x + quotient(times(value, a), b); });
}
template <class... T>
void fill_addc(Types<T...>) {
  (add_row<slots::addcmul, 3>(dtype_of<T>, addcmul_row<T>), ...);
  if constexpr (!(std::is_integral_v<T> || ...)) (add_row<slots::addcdiv, 3>(dtype_of<T>, addcdiv_row<T>), ...);
}

void fill_combinations() {
  fill_addc(Floats());
  fill_addc(Complexes());
  fill_addc(Integers());
  // From the nearer end, so that weights 0 and 1 give the ends exactly.
  vectors<slots::lerp, 3>(Floats(), [](auto d, auto x, auto end, auto w) {
    const auto step = hn::Sub(end, x);
    return hn::IfThenElse(hn::Lt(hn::Abs(w), constant(d, 0.5)), hn::MulAdd(w, step, x),
                          hn::NegMulAdd(step, hn::Sub(constant(d, 1), w), end));
  });
  numbers<slots::lerp, 3>(Complexes(), []<class C>(C x, C end, C w) {
    return std::abs(w) < 0.5 ? x + times(w, end - x) : end - times(end - x, C(1) - w);
  });
}

// ---- derivatives ----------------------------------------------------------------------------------------------------
void fill_derivatives() {
  vectors<slots::sigmoid_backward, 2>(
      Floats(), [](auto d, auto g, auto y) { return hn::Mul(g, hn::Mul(hn::Sub(constant(d, 1), y), y)); });
  numbers<slots::sigmoid_backward, 2>(Complexes(),
                                      []<class C>(C g, C y) { return times(g, std::conj(times(C(1) - y, y))); });
  vectors<slots::tanh_backward, 2>(
      Floats(), [](auto d, auto g, auto y) { return hn::Mul(g, hn::NegMulAdd(y, y, constant(d, 1))); });
  numbers<slots::tanh_backward, 2>(Complexes(),
                                   []<class C>(C g, C y) { return times(g, std::conj(C(1) - times(y, y))); });
}

/// g where x > t, and where x is NaN
template <class T>
void threshold_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const T t = params.empty() ? T(0) : params[0].to<T>();
  if constexpr (std::is_floating_point_v<T>)
    each<T, 2>(out, in, n, [=](auto d, auto g, auto x) { return hn::IfThenZeroElse(hn::Le(x, hn::Set(d, t)), g); });
  else
    each_number<T, T, 2>(out, in, n, [=](T g, T x) { return x > t ? g : T(0); });
}
template <class... T>
void fill_threshold(Types<T...>) {
  (add_row<slots::threshold_backward, 2>(dtype_of<T>, threshold_row<T>), ...);
}

// ---- gelu -----------------------------------------------------------------------------------------------------------
// x Phi(x) with Phi(x) = (1 + erf(x / sqrt 2)) / 2, or 0.5 x (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3).
constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kSqrt2OverPi = 0.79788456080286535588;
constexpr double kCubic = 0.044715;

template <class D, class V>
HWY_INLINE V gelu_tanh(D d, V x) {
  const V inner = hn::MulAdd(hn::Mul(constant(d, kCubic), hn::Mul(x, x)), x, x);
  return tanh(d, hn::Mul(constant(d, kSqrt2OverPi), inner));
}

template <class T>
void gelu_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  if (params[0].to<bool>())
    each<T, 1, true>(out, in, n, [](auto d, auto x) {
      const auto half = hn::Mul(constant(d, 0.5), x);
      return hn::MulAdd(half, gelu_tanh(d, x), half);
    });
  else
    each<T, 1, true>(out, in, n, [](auto d, auto x) { return gelu(d, x); });
}

// d/dx: Phi(x) + x phi(x), or (1 + t) / 2 + x (1 - t^2) u' / 2 with t = tanh(u).
template <class T>
void gelu_backward_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  if (params[0].to<bool>())
    each<T, 2, true>(out, in, n, [](auto d, auto g, auto x) {
      const auto half = constant(d, 0.5), one = constant(d, 1), t = gelu_tanh(d, x);
      const auto slope = hn::MulAdd(constant(d, 3 * kCubic * kSqrt2OverPi), hn::Mul(x, x), constant(d, kSqrt2OverPi));
      const auto inner = hn::Mul(hn::Mul(x, hn::NegMulAdd(t, t, one)), slope);
      return hn::Mul(g, hn::Mul(half, hn::Add(hn::Add(one, t), inner)));
    });
  else
    each<T, 2, true>(out, in, n, [](auto d, auto g, auto x) {
      const auto half = constant(d, 0.5);
      const auto cdf = hn::MulAdd(half, erf(d, hn::Mul(x, constant(d, kSqrtHalf))), half);
      const auto pdf = hn::Mul(constant(d, 0.5 * kSqrt2OverPi), exp(d, hn::Mul(hn::Neg(half), hn::Mul(x, x))));
      return hn::Mul(g, hn::MulAdd(x, pdf, cdf));
    });
}

template <class... T>
void fill_gelu(Types<T...>) {
  (add_row<slots::gelu, 1>(dtype_of<T>, gelu_row<T>, kHeavyGrain), ...);
  (add_row<slots::gelu_backward, 2>(dtype_of<T>, gelu_backward_row<T>, kHeavyGrain), ...);
}

void fill_fused() {
  fill_selections();
  fill_combinations();
  fill_derivatives();
  fill_threshold(Floats());
  fill_threshold(Integers());
  fill_gelu(Floats());
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_fused);
void fill_fused_rows() { HWY_DYNAMIC_DISPATCH(fill_fused)(); }
}  // namespace facula::cpu
#endif
