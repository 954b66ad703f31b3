// The error function and its kin as vectors, included once per instruction set. Coefficients of Chebyshev series were
// computed with mpmath to 40 digits.
#if defined(FACULA_KERNELS_CPU_VECTOR_ERROR_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_VECTOR_ERROR_H
#undef FACULA_KERNELS_CPU_VECTOR_ERROR_H
#else
#define FACULA_KERNELS_CPU_VECTOR_ERROR_H
#endif

#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

/// c[0] + c[1] T1(t) + ... for |t| <= 1, by Clenshaw's recurrence.
template <class D, class V, size_t n>
HWY_INLINE V chebyshev(D d, V t, const double (&c)[n]) {
  const V twice = hn::Add(t, t);
  V a = constant(d, c[n - 1]), b = hn::Zero(d);
  for (size_t i = n - 2; i > 0; --i) {
    const V next = hn::MulAdd(twice, a, hn::Sub(constant(d, c[i]), b));
    b = a;
    a = next;
  }
  return hn::MulAdd(t, a, hn::Sub(constant(d, c[0]), b));
}

/// float64, e^(a^2) erfc(a) for 0 <= a <= 30. Times 1 + 2a it is smooth in t = (a - k) / (a + k), k = 3.75 (Shepherd and
/// Laframboise 1981; coefficients by mpmath).
template <class D, class V>
HWY_INLINE V erfcx_of_magnitude(D d, V a) {
  constexpr double c[] = {
      1.1775789345674018,     -0.0045900545806464773,  -0.084249133366517916,   0.05920993999819189,
      -0.026658668435305752,  0.0090749976707052651,   -0.0024131635404176082,  4.9077583652580863e-4,
      -6.9169733025012064e-5, 4.1390279860730102e-6,   7.7403830661984907e-7,   -2.1886401049234396e-7,
      1.076499946567091e-8,   4.5219598112182869e-9,   -7.7544002088313511e-10, -6.3180883408866845e-11,
      2.8687950109306699e-11, 1.9455868545777347e-13,  -9.6546967484334389e-13, 3.2525481481487398e-14,
      3.3478119482868054e-14, -1.8645628804193131e-15, -1.2507950530688647e-15, 7.4182352566240435e-17,
      5.0681489047961113e-17, -2.2370566594359996e-18, -2.1873429443030177e-18};
  const V k = constant(d, 3.75), t = hn::Div(hn::Sub(a, k), hn::Add(a, k));
  return hn::Div(chebyshev(d, t, c), hn::MulAdd(constant(d, 2), a, constant(d, 1)));
}

/// float64. e^(-scale x^2), with the square's rounding error made good.
template <class D, class V>
HWY_INLINE V exp_of_square(D d, V x, double scale) {
  const V square = hn::Mul(x, x), error = hn::MulSub(x, x, square), factor = constant(d, -scale);
  return hn::Mul(exp(d, hn::Mul(factor, square)), hn::MulAdd(factor, error, constant(d, 1)));
}

/// `right`, which belongs to x >= 0, and its reflection in (0, half) elsewhere.
template <class D, class V>
HWY_INLINE V mirrored(D d, V x, V right, double half) {
  const V y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(constant(d, 2 * half), right), right);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// float64, for a >= 0
template <class D, class V>
HWY_INLINE V erfc_of_magnitude(D d, V a) {
  const V bounded = hn::Min(a, constant(d, 28));
  return hn::Mul(exp_of_square(d, bounded, 1), erfcx_of_magnitude(d, bounded));
}

/// float64
template <class D, class V>
HWY_INLINE V erfc(D d, V x) {
  return mirrored(d, x, erfc_of_magnitude(d, hn::Abs(x)), 1);
}

/// float64. erfc(-x / sqrt(2)) / 2
template <class D, class V>
HWY_INLINE V ndtr(D d, V x) {
  const V a = hn::Min(hn::Abs(x), constant(d, 40)), scaled = hn::Mul(a, constant(d, 0.707106781186547524401));
  const V tail = hn::Mul(exp_of_square(d, a, 0.5), erfcx_of_magnitude(d, scaled));
  return mirrored(d, hn::Neg(x), hn::Mul(constant(d, 0.5), tail), 0.5);
}

/// float32. y 2^n for whole n from -252 on, as the product of two powers that are normal numbers.
template <class D, class V>
HWY_INLINE V times_power_of_two(D d, V y, V n) {
  const hn::Rebind<int32_t, D> bits;
  const auto power = [&](V k) {
    return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(bits, k), hn::Set(bits, 127))));
  };
  const V half = hn::Round(hn::Mul(n, constant(d, 0.5)));
  return hn::Mul(hn::Mul(y, power(half)), power(hn::Sub(n, half)));
}

/// float32. a ndtr(-a) for a >= 1/2, within 4 ulp: e^(-a^2 / 2) W(u) a / (a + 2) with u = (a - 2) / (a + 2) and W by a
/// Chebyshev series of degree 9. What rounding took from the square, a + 2 and its reciprocal goes into the exponent.
template <class D, class V>
HWY_INLINE V weighted_tail(D d, V a) {
  const V one = constant(d, 1), two = constant(d, 2), bounded = hn::Min(a, constant(d, 18));
  const V sum = hn::Add(bounded, two), rest = hn::Sub(sum, bounded), reciprocal = hn::Div(one, sum);
  const V lost = hn::Add(hn::Sub(bounded, hn::Sub(sum, rest)), hn::Sub(two, rest));  // a + 2 - sum
  const V square = hn::Mul(bounded, bounded), minus_half = constant(d, -0.5);
  const V exponent = hn::Mul(minus_half, square);
  const V correction = hn::MulAdd(minus_half, hn::MulSub(bounded, bounded, square),
                                  hn::NegMulAdd(lost, reciprocal, hn::NegMulAdd(reciprocal, sum, one)));

  // e^exponent = 2^n (1 + z), after Cephes
  const V n = hn::Round(hn::Mul(exponent, constant(d, 1.44269504088896341)));
  const V r = hn::Add(
      hn::NegMulAdd(n, constant(d, -2.12194440e-4), hn::NegMulAdd(n, constant(d, 0.693359375), exponent)), correction);
  const V z = hn::MulAdd(
      hn::Mul(r, r),
      polynomial(
          d, r, {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1}),
      r);
  const V w = polynomial(d, hn::Mul(hn::Sub(bounded, two), reciprocal),
                         {-8.23517282e-5, 7.06795611e-4, 9.73266203e-4, -1.91008187e-3, -6.77332071e-3, -4.7570061e-4,
                          3.67232002e-2, 2.87977148e-2, -3.31404574e-1, 6.72408001e-1});
  const V factor = hn::Mul(hn::Mul(bounded, reciprocal), w);
  return times_power_of_two(d, hn::MulAdd(factor, z, factor), n);
}

/// float32, |x| <= 0.927734375. N. Juffa's minimax polynomial.
template <class D, class V>
HWY_INLINE V erf_of_small(D d, V x) {
  const V p = polynomial(d, hn::Mul(x, x),
                         {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
  return hn::MulAdd(p, x, x);
}

/// N. Juffa's minimax polynomials in float32 (below 1 ulp). In float64 x P(x^2) in [-1, 1], coefficients by mpmath.
template <class D, class V>
HWY_INLINE V erf(D d, V x) {
  const V a = hn::Abs(x), z = hn::Mul(x, x), one = constant(d, 1);
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const V high = hn::MulAdd(constant(d, -1.72853470e-5), a, constant(d, 3.83197126e-4));
    const V low = hn::MulAdd(constant(d, -3.88396438e-3), a, constant(d, 2.42546219e-2));
    V r = hn::MulAdd(high, z, low);
    r = hn::MulAdd(r, a, constant(d, -1.06777877e-1));
    r = hn::MulAdd(r, a, constant(d, -6.34846687e-1));
    r = hn::MulAdd(r, a, constant(d, -1.28717512e-1));
    r = hn::MulSub(r, a, a);
    const V far = hn::CopySign(hn::Sub(one, exp(d, r)), x);
    return hn::IfThenElse(hn::Gt(a, constant(d, 0.927734375)), far, erf_of_small(d, x));
  } else {
    constexpr double c[] = {0.9754769393826541,      -0.14226120510371364,   0.010035582187599796,
                            -5.7687646997674848e-4,  2.7419931252196061e-5,  -1.1043175507344508e-6,
                            3.8488755420345037e-8,   -1.1808582533875467e-9, 3.233421582605091e-11,
                            -7.9910159470045488e-13, 1.7990725113961456e-14, -3.7186354878186926e-16,
                            7.103599003714253e-18};
    const V near = hn::Mul(x, chebyshev(d, hn::MulSub(constant(d, 2), hn::Min(z, one), one), c));
    const V far = hn::CopySign(hn::Sub(one, erfc_of_magnitude(d, a)), x);
    return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::Lt(a, one), near, far));
  }
}

/// x ndtr(x), without the cancellation in 1 + erf where x is negative; NaN at -inf.
template <class D, class V>
HWY_INLINE V gelu(D d, V x) {
  if constexpr (sizeof(hn::TFromD<D>) == 8) {
    return hn::Mul(x, ndtr(d, x));
  } else {
    const V a = hn::Abs(x), half = constant(d, 0.5), tail = weighted_tail(d, a);
    const V share = hn::MulAdd(half, erf_of_small(d, hn::Mul(x, constant(d, 0.707106781186547524401))), half);
    const V left = hn::IfThenElse(hn::Eq(a, infinity(d)), nan(d), hn::Neg(tail));
    const V far = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), left, hn::Sub(x, tail));
    return hn::IfThenElse(hn::Gt(a, half), far, hn::Mul(x, share));
  }
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
