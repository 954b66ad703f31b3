// Transcendental functions of vectors, included once per instruction set. Highway's do the work inside their range;
// what they get wrong (NaN, infinities, zeros, negatives, large arguments) is put right here. Errors in units of the
// last place are at most 2 for float32 and 4 for float64, measured by tests/core/pointwise_kernel_test.cpp.
#if defined(FACULA_KERNELS_CPU_VECTOR_MATH_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_VECTOR_MATH_H
#undef FACULA_KERNELS_CPU_VECTOR_MATH_H
#else
#define FACULA_KERNELS_CPU_VECTOR_MATH_H
#endif

#include <cmath>
#include <limits>

#include "hwy/contrib/math/math-inl.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

template <class D>
HWY_INLINE hn::Vec<D> constant(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}
template <class D>
HWY_INLINE hn::Vec<D> infinity(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
}
template <class D>
HWY_INLINE hn::Vec<D> nan(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
}

/// c[0] x^(n-1) + ... + c[n-1], by Horner's rule.
template <class D, class V, size_t n>
HWY_INLINE V polynomial(D d, V x, const double (&c)[n]) {
  V y = constant(d, c[0]);
  for (size_t i = 1; i < n; ++i) y = hn::MulAdd(y, x, constant(d, c[i]));
  return y;
}

/// y with the lanes in `mask` computed anew by f, number by number.
template <class D, class V, class M, class F, class... X>
HWY_INLINE V patched(D d, V y, M mask, const F& f, X... x) {
  if (hn::AllFalse(d, mask)) [[likely]]
    return y;
  using T = hn::TFromD<D>;
  constexpr size_t n = HWY_MAX_BYTES / sizeof(T);
  HWY_ALIGN T arguments[sizeof...(X)][n];
  HWY_ALIGN T results[n];
  size_t k = 0;
  (hn::Store(x, d, arguments[k++]), ...);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if constexpr (sizeof...(X) == 1)
      results[i] = f(arguments[0][i]);
    else
      results[i] = f(arguments[0][i], arguments[1][i]);
  }
  return hn::IfThenElse(mask, hn::Load(d, results), y);
}

template <class D, class V>
HWY_INLINE V exp(D d, V x) {
  constexpr bool single = sizeof(hn::TFromD<D>) == 4;
  // Beyond these bounds the result is 0 or infinite, but Highway's powers of two overflow.
  const V bounded = hn::Min(hn::Max(x, constant(d, single ? -105 : -746)), constant(d, single ? 89 : 710));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, bounded));
}

template <class D, class V>
HWY_INLINE V log(D d, V x) {
  const V y = hn::IfThenElse(hn::Lt(x, infinity(d)), hn::Log(d, x), x);  // log(inf) and log(NaN) are x
  const V zero = hn::Zero(d);
  return hn::IfThenElse(hn::Gt(x, zero), y, hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity(d)), nan(d)));
}

// ---- exponentials and logarithms ------------------------------------------------------------------------------------
/// float64. 2^n e^(r ln 2) with n whole and |r| <= 1/2: exact for whole x.
template <class D, class V>
HWY_INLINE V exp2(D d, V x) {
  const V bounded = hn::Min(hn::Max(x, constant(d, -1080)), constant(d, 1030));
  const V n = hn::Round(bounded);
  const V y = hn::Exp(d, hn::Mul(hn::Sub(bounded, n), constant(d, 0.693147180559945309417)));
  const hn::Rebind<int32_t, D> d32;
  return hn::IfThenElse(hn::IsNaN(x), x, hn::impl::ExpImpl<double>().LoadExpShortRange(d, y, hn::DemoteTo(d32, n)));
}

/// float64
template <class D, class V>
HWY_INLINE V expm1(D d, V x) {
  const V bounded = hn::Min(hn::Max(x, constant(d, -746)), constant(d, 710));
  const V y = hn::IfThenElse(hn::Lt(hn::Abs(x), constant(d, 1e-17)), x, hn::Expm1(d, bounded));  // keeps -0
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// float64
template <class D, class V>
HWY_INLINE V log1p(D d, V x) {
  const V minus_one = constant(d, -1);
  const V y = hn::IfThenElse(hn::Lt(x, infinity(d)), hn::Log1p(d, x), x);
  return hn::IfThenElse(hn::Gt(x, minus_one), y, hn::IfThenElse(hn::Eq(x, minus_one), hn::Neg(infinity(d)), nan(d)));
}

/// float64. n log(2) / log(base) + log(m) / log(base) for x = 2^n m, the first in two parts as in fdlibm's e_log10.c:
/// exact for powers of the base.
template <class D, class V>
HWY_INLINE V log_of_base(D d, V x, double two_high, double two_low, double e) {
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto n = hn::Sub(hn::ShiftRight<52>(bits), hn::Set(di, 1023));
  const auto below_one = hn::ShiftRight<63>(hn::BitCast(hn::RebindToUnsigned<D>(), n));  // keeps m near 1 for x near 1
  const auto negative = hn::BitCast(di, below_one);
  const auto m = hn::Or(hn::And(bits, hn::Set(di, (int64_t{1} << 52) - 1)),
                        hn::ShiftLeft<52>(hn::Sub(hn::Set(di, 1023), negative)));
  const V k = hn::ConvertTo(d, hn::Add(n, negative));
  const V low = hn::MulAdd(k, constant(d, two_low), hn::Mul(constant(d, e), hn::Log(d, hn::BitCast(d, m))));
  return hn::MulAdd(k, constant(d, two_high), low);
}
template <class D, class V>
HWY_INLINE V log2(D d, V x) {
  const V y = log_of_base(d, x, 1, 0, 1.44269504088896340736);
  const auto usual = hn::And(hn::Ge(x, constant(d, 0x1p-1022)), hn::Lt(x, infinity(d)));
  return patched(
      d, y, hn::Not(usual), [](double v) { return std::log2(v); }, x);
}
template <class D, class V>
HWY_INLINE V log10(D d, V x) {
  const V y = log_of_base(d, x, 3.01029995663611771306e-01, 3.69423907715893078616e-13, 4.34294481903251816668e-01);
  const auto usual = hn::And(hn::Ge(x, constant(d, 0x1p-1022)), hn::Lt(x, infinity(d)));
  return patched(
      d, y, hn::Not(usual), [](double v) { return std::log10(v); }, x);
}

/// -x log x; 0 at 0, and -inf below.
template <class D, class V>
HWY_INLINE V entr(D d, V x) {
  const V zero = hn::Zero(d), inside = hn::Neg(hn::Mul(x, log(d, x)));
  return hn::IfThenElse(hn::Lt(x, zero), hn::Neg(infinity(d)), hn::IfThenZeroElse(hn::Eq(x, zero), inside));
}

/// x log y, where 0 log y is 0 unless y is NaN.
template <class D, class V>
HWY_INLINE V xlogy(D d, V x, V y) {
  const auto nothing = hn::AndNot(hn::IsNaN(y), hn::Eq(x, hn::Zero(d)));
  return hn::IfThenZeroElse(nothing, hn::Mul(x, log(d, y)));
}

/// float64
template <class D, class V>
HWY_INLINE V xlog1py(D d, V x, V y) {
  const auto nothing = hn::AndNot(hn::IsNaN(y), hn::Eq(x, hn::Zero(d)));
  return hn::IfThenZeroElse(nothing, hn::Mul(x, log1p(d, y)));
}

/// float64. log(e^x + e^y), and the same to base 2: the larger one, and what the other adds.
template <class D, class V>
HWY_INLINE V logaddexp(D d, V x, V y) {
  const V top = hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::IsNaN(y), y, hn::Max(x, y)));
  const V sum = hn::Add(top, log1p(d, exp(d, hn::Neg(hn::Abs(hn::Sub(x, y))))));
  return hn::IfThenElse(hn::And(hn::Eq(x, y), hn::Not(hn::IsFinite(x))), x, sum);
}
template <class D, class V>
HWY_INLINE V logaddexp2(D d, V x, V y) {
  const V top = hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::IsNaN(y), y, hn::Max(x, y)));
  const V rest = log1p(d, exp2(d, hn::Neg(hn::Abs(hn::Sub(x, y)))));
  const V sum = hn::MulAdd(rest, constant(d, 1.44269504088896340736), top);
  return hn::IfThenElse(hn::And(hn::Eq(x, y), hn::Not(hn::IsFinite(x))), x, sum);
}

// ---- hyperbolic functions -------------------------------------------------------------------------------------------
/// 1 / (1 + e^-|x|), times e^-|x| for negative x: nothing overflows, and small results keep their digits.
template <class D, class V>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = constant(d, 1), e = exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// x + x^3 P(x^2) near 0 (Cephes: tanhf.c, tanh.c), 1 - 2 / (e^2|x| + 1) elsewhere.
template <class D, class V>
HWY_INLINE V tanh(D d, V x) {
  const V one = constant(d, 1), a = hn::Abs(x), z = hn::Mul(x, x);
  V p;
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    p = polynomial(d, z, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1});
  } else {
    p = hn::Div(polynomial(d, z, {-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3}),
                polynomial(d, z, {1, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3}));
  }
  const V near = hn::MulAdd(hn::Mul(a, z), p, a);
  const V far = hn::Sub(one, hn::Div(constant(d, 2), hn::Add(exp(d, hn::Add(a, a)), one)));
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, constant(d, 0.625)), near, far), x);
}

/// float64. Beyond 22 half of e^|x|, by squares since e^|x| may overflow.
template <class D, class V>
HWY_INLINE V sinh(D d, V x) {
  const V a = hn::Abs(x), half = constant(d, 0.5);
  const V root = exp(d, hn::Mul(a, half));
  const V y = expm1(d, hn::Min(a, constant(d, 22)));
  const V near = hn::Mul(half, hn::Add(y, hn::Div(y, hn::Add(y, constant(d, 1)))));
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, constant(d, 22)), near, hn::Mul(hn::Mul(half, root), root)), x);
}
template <class D, class V>
HWY_INLINE V cosh(D d, V x) {
  const V half = constant(d, 0.5), root = exp(d, hn::Mul(hn::Abs(x), half));
  return hn::MulAdd(hn::Mul(half, root), root, hn::Div(half, hn::Mul(root, root)));
}

/// float64
template <class D, class V>
HWY_INLINE V asinh(D d, V x) {
  return hn::IfThenElse(hn::Lt(hn::Abs(x), infinity(d)), hn::Asinh(d, x), x);
}
template <class D, class V>
HWY_INLINE V acosh(D d, V x) {
  const V y = hn::IfThenElse(hn::Lt(x, infinity(d)), hn::Acosh(d, x), x);
  return hn::IfThenElse(hn::Ge(x, constant(d, 1)), y, nan(d));
}
template <class D, class V>
HWY_INLINE V atanh(D d, V x) {
  const V a = hn::Abs(x);
  const V y = log1p(d, hn::Div(hn::Add(a, a), hn::Sub(constant(d, 1), a)));
  return hn::CopySign(hn::IfThenElse(hn::Le(a, constant(d, 1)), hn::Mul(constant(d, 0.5), y), nan(d)), x);
}

// ---- trigonometric functions ----------------------------------------------------------------------------------------
/// float64. Highway reduces arguments in parts of pi, which is good up to a few ten thousand; the library takes over
/// beyond.
template <class D, class V>
HWY_INLINE auto is_large_angle(D d, V x) {
  return hn::Not(hn::Le(hn::Abs(x), constant(d, 30000)));
}
/// y, or x where it is 0, whose sign Highway loses.
template <class D, class V>
HWY_INLINE V keeping_zero(D d, V x, V y) {
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
}
template <class D, class V>
HWY_INLINE V sin(D d, V x) {
  const auto large = is_large_angle(d, x);
  const V y = hn::Sin(d, hn::IfThenZeroElse(large, x));
  return keeping_zero(d, x,
                      patched(
                          d, y, large, [](double v) { return std::sin(v); }, x));
}
template <class D, class V>
HWY_INLINE V cos(D d, V x) {
  const auto large = is_large_angle(d, x);
  const V y = hn::Cos(d, hn::IfThenZeroElse(large, x));
  return patched(
      d, y, large, [](double v) { return std::cos(v); }, x);
}
template <class D, class V>
HWY_INLINE V tan(D d, V x) {
  const auto large = is_large_angle(d, x);
  const V bounded = hn::IfThenZeroElse(large, x), y = hn::Div(hn::Sin(d, bounded), hn::Cos(d, bounded));
  return keeping_zero(d, x,
                      patched(
                          d, y, large, [](double v) { return std::tan(v); }, x));
}

/// float64. sin(pi x) / (pi x), by the sine of what is left of x beside whole numbers, which is exact.
template <class D, class V>
HWY_INLINE V sinc(D d, V x) {
  const V pi = constant(d, 3.14159265358979323846), n = hn::Round(x), half = hn::Mul(n, constant(d, 0.5));
  const V y = hn::Div(hn::Sin(d, hn::Mul(pi, hn::Sub(x, n))), hn::Mul(pi, x));
  const V turned = hn::IfThenElse(hn::Eq(half, hn::Trunc(half)), y, hn::Neg(y));
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), constant(d, 1), turned);
}

/// float64
template <class D, class V>
HWY_INLINE V atan2(D d, V y, V x) {
  const auto usual = hn::And(hn::IsFinite(y), hn::And(hn::IsFinite(x), hn::Not(hn::Eq(x, hn::Zero(d)))));
  const V a = hn::Atan(d, hn::Div(y, x)), half_turn = hn::CopySign(constant(d, 3.14159265358979323846), y);
  const V angle = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Add(a, half_turn), a);
  return patched(
      d, angle, hn::Not(usual), [](double v, double u) { return std::atan2(v, u); }, y, x);
}

/// x - trunc(x / y) y with the sign of x. A fused multiply-add finds the difference exactly; the quotient may have been
/// rounded up to the next whole number, which shows in the difference's sign.
template <class D, class V>
HWY_INLINE V fmod(D d, V x, V y) {
  using T = hn::TFromD<D>;
  const auto library = [](T a, T b) { return std::fmod(a, b); };
#if HWY_NATIVE_FMA
  const V a = hn::Abs(x), b = hn::Abs(y), q = hn::Trunc(hn::Div(a, b));
  V r = hn::NegMulAdd(q, b, a);
  r = hn::IfThenElse(hn::Lt(r, hn::Zero(d)), hn::Add(r, b), r);
  const auto usual = hn::And(hn::Lt(q, constant(d, sizeof(T) == 4 ? 0x1p22 : 0x1p51)), hn::Lt(b, infinity(d)));
  return patched(d, hn::CopySign(r, x), hn::Not(usual), library, x, y);
#else
  return patched(d, x, hn::FirstN(d, hn::Lanes(d)), library, x, y);
#endif
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
