// Sums, products, extrema, roundings: what a vector unit does in an instruction or two.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_arithmetic.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

/// 1 in every lane.
template <class D>
HWY_INLINE hn::Vec<D> one(D d) {
  return hn::Set(d, hn::TFromD<D>(1));
}

template <class T>
using Wrapping = std::common_type_t<std::make_unsigned_t<T>, unsigned>;
/// An integer whose overflow wraps, at least as wide as unsigned int: narrower ones are promoted to int, which does
/// not.
template <class T>
constexpr Wrapping<T> wrapping(T x) {
  return static_cast<Wrapping<T>>(x);
}

// ---- add, sub: x + alpha * y, x - alpha * y -------------------------------------------------------------------------
template <class T, bool subtract>
void sum_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  using A = Computed<T>;
  const A alpha = params.empty() ? A(1) : params[0].to<A>();
  if constexpr (std::is_integral_v<T>) {
    const auto factor = subtract ? 0 - wrapping(alpha) : wrapping(alpha);
    each_number<T, T, 2>(out, in, n, [=](T x, T y) { return wrapping(x) + factor * wrapping(y); });
  } else if (alpha == 1) {
    each<T, 2>(out, in, n, [](auto, auto x, auto y) { return subtract ? hn::Sub(x, y) : hn::Add(x, y); });
  } else {
    const A factor = subtract ? -alpha : alpha;
    each<T, 2>(out, in, n, [=](auto d, auto x, auto y) { return hn::MulAdd(hn::Set(d, factor), y, x); });
  }
}

void bool_sum_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const bool counts = params.empty() || params[0].to<bool>();
  each_number<bool, bool, 2>(out, in, n, [=](bool x, bool y) { return x | (y & counts); });
}

template <PointwiseSlot& slot, bool subtract, class... T>
void sums(Types<T...>) {
  (add_row<slot, 2>(dtype_of<T>, sum_row<T, subtract>), ...);
}

void fill_sums() {
  sums<slots::add, false>(AllFloats());
  sums<slots::add, false>(Integers());
  sums<slots::sub, true>(AllFloats());
  sums<slots::sub, true>(Integers());
  add_row<slots::add, 2>(DType::Bool, bool_sum_row);
}

// ---- products and quotients -----------------------------------------------------------------------------------------
void fill_products() {
  vectors<slots::mul, 2>(AllFloats(), [](auto, auto x, auto y) { return hn::Mul(x, y); });
  numbers<slots::mul, 2>(Integers(), [](auto x, auto y) { return wrapping(x) * wrapping(y); });
  numbers<slots::mul, 2>(Types<bool>(), [](bool x, bool y) { return x & y; });
  vectors<slots::div, 2>(AllFloats(), [](auto, auto x, auto y) { return hn::Div(x, y); });
  vectors<slots::square, 1>(AllFloats(), [](auto, auto x) { return hn::Mul(x, x); });
  numbers<slots::square, 1>(Integers(), [](auto x) { return wrapping(x) * wrapping(x); });
  vectors<slots::reciprocal, 1>(AllFloats(), [](auto d, auto x) { return hn::Div(one(d), x); });
  vectors<slots::sqrt, 1>(AllFloats(), [](auto, auto x) { return hn::Sqrt(x); });
  vectors<slots::rsqrt, 1>(AllFloats(), [](auto d, auto x) { return hn::Div(one(d), hn::Sqrt(x)); });
}

// ---- signs ----------------------------------------------------------------------------------------------------------
void fill_signs() {
  vectors<slots::neg, 1>(AllFloats(), [](auto, auto x) { return hn::Neg(x); });
  numbers<slots::neg, 1>(Integers(), [](auto x) { return 0 - wrapping(x); });
  vectors<slots::abs, 1>(AllFloats(), [](auto, auto x) { return hn::Abs(x); });
  numbers<slots::abs, 1>(Integers(), [](auto x) { return x < 0 ? 0 - wrapping(x) : wrapping(x); });
  vectors<slots::sgn, 1>(AllFloats(), [](auto d, auto x) {  // 0 for NaN
    const auto zero = hn::Zero(d);
    return hn::IfThenElse(hn::Gt(x, zero), one(d), hn::IfThenElseZero(hn::Lt(x, zero), hn::Neg(one(d))));
  });
  numbers<slots::sgn, 1>(Integers(), [](auto x) { return (x > 0) - (x < 0); });
  numbers<slots::abs, 1>(Types<bool>(), [](bool x) { return x; });
  numbers<slots::sgn, 1>(Types<bool>(), [](bool x) { return x; });
  vectors<slots::copysign, 2>(AllFloats(), [](auto, auto x, auto y) { return hn::CopySign(x, y); });
  vectors<slots::relu, 1>(AllFloats(), [](auto d, auto x) {  // NaN and -0 stay
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x);
  });
  numbers<slots::relu, 1>(Integers(), [](auto x) { return x < 0 ? decltype(x)(0) : x; });
}

// ---- extrema --------------------------------------------------------------------------------------------------------
// Comparisons with NaN are false; a second test sends it where it belongs. Of equal zeros the first stays.
void fill_extrema() {
  vectors<slots::maximum, 2>(
      AllFloats(), [](auto, auto x, auto y) { return hn::IfThenElse(hn::Or(hn::Ge(x, y), hn::IsNaN(x)), x, y); });
  vectors<slots::minimum, 2>(
      AllFloats(), [](auto, auto x, auto y) { return hn::IfThenElse(hn::Or(hn::Le(x, y), hn::IsNaN(x)), x, y); });
  vectors<slots::fmax, 2>(
      AllFloats(), [](auto, auto x, auto y) { return hn::IfThenElse(hn::Or(hn::Ge(x, y), hn::IsNaN(y)), x, y); });
  vectors<slots::fmin, 2>(
      AllFloats(), [](auto, auto x, auto y) { return hn::IfThenElse(hn::Or(hn::Le(x, y), hn::IsNaN(y)), x, y); });
  const auto larger = [](auto x, auto y) { return std::max(x, y); };
  const auto smaller = [](auto x, auto y) { return std::min(x, y); };
  using Ordered = Types<bool, uint8_t, int8_t, int16_t, int32_t, int64_t>;
  numbers<slots::maximum, 2>(Ordered(), larger);
  numbers<slots::minimum, 2>(Ordered(), smaller);
  numbers<slots::fmax, 2>(Ordered(), larger);
  numbers<slots::fmin, 2>(Ordered(), smaller);
}

// ---- rounding -------------------------------------------------------------------------------------------------------
void fill_roundings() {
  // Highway's portable forms lose the sign of zeros.
  vectors<slots::ceil, 1>(AllFloats(), [](auto, auto x) { return hn::CopySign(hn::Ceil(x), x); });
  vectors<slots::floor, 1>(AllFloats(), [](auto, auto x) { return hn::CopySign(hn::Floor(x), x); });
  vectors<slots::round, 1>(AllFloats(), [](auto, auto x) { return hn::CopySign(hn::Round(x), x); });  // half to even
  vectors<slots::trunc, 1>(AllFloats(), [](auto, auto x) { return hn::CopySign(hn::Trunc(x), x); });
  const auto same = [](auto x) { return x; };
  numbers<slots::ceil, 1>(Integers(), same);
  numbers<slots::floor, 1>(Integers(), same);
  numbers<slots::round, 1>(Integers(), same);
  numbers<slots::trunc, 1>(Integers(), same);
}

void fill_arithmetic() {
  fill_sums();
  fill_products();
  fill_signs();
  fill_extrema();
  fill_roundings();
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_arithmetic);
void fill_arithmetic_rows() { HWY_DYNAMIC_DISPATCH(fill_arithmetic)(); }
}  // namespace facula::cpu
#endif
