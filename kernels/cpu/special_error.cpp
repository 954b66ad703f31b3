// The error function's scaled complement and inverses. Coefficients were computed with mpmath to 40 digits.
#include <cmath>

#include "kernels/cpu/special.h"

namespace facula::cpu {
namespace {

const double kSqrt2 = std::sqrt(2.0), kSqrtPi = std::sqrt(kPi);

/// (1 + 2x) e^(x^2) erfc(x) for x >= 0 in t = (x - k) / (x + k), k = 3.75 (Shepherd and Laframboise 1981).
constexpr double kErfcx[] = {
    1.1775789345674018,     -0.0045900545806464773,  -0.084249133366517916,   0.05920993999819189,
    -0.026658668435305752,  0.0090749976707052651,   -0.0024131635404176082,  4.9077583652580863e-4,
    -6.9169733025012064e-5, 4.1390279860730102e-6,   7.7403830661984907e-7,   -2.1886401049234396e-7,
    1.076499946567091e-8,   4.5219598112182869e-9,   -7.7544002088313511e-10, -6.3180883408866845e-11,
    2.8687950109306699e-11, 1.9455868545777347e-13,  -9.6546967484334389e-13, 3.2525481481487398e-14,
    3.3478119482868054e-14, -1.8645628804193131e-15, -1.2507950530688647e-15, 7.4182352566240435e-17,
    5.0681489047961113e-17, -2.2370566594359996e-18, -2.1873429443030177e-18};

/// e^(x^2), with the square's rounding error made good.
double exp_of_square(double x) {
  const double square = x * x;
  return std::exp(square) * (1 + std::fma(x, x, -square));
}

/// A root of erfc(y) = q near y, by Halley's method: each step triples the digits.
double refined(double y, double q) {
  for (int step = 0; step < 10; ++step) {
    const double t = (std::erfc(y) - q) / (-2 / kSqrtPi * std::exp(-y * y)), change = t / (1 + y * t);
    y -= change;
    if (!(std::abs(change) > 1e-7 * y)) break;
  }
  return y;
}

/// The inverse of erfc for 0 < q <= 1/2, from three digits: rational (Blair, Edwards and Johnson 1976), or asymptotic.
double erfc_inverse(double q) {
  const double z = std::sqrt(-std::log(q / 2));
  if (q > 1e-12) {
    const double y = (((1.641345311 * z + 3.429567803) * z - 1.624906493) * z - 1.970840454) /
                     ((1.637067800 * z + 3.543889200) * z + 1);
    return refined(y, q);
  }
  double y = z;
  for (int step = 0; step < 3; ++step) y = std::sqrt(-std::log(q * kSqrtPi * y));
  return refined(y, q);
}

}  // namespace

double erfcx(double x) {
  if (!(x >= 0)) {
    if (x < -26.7) return HUGE_VAL;
    return x < 0 ? 2 * exp_of_square(x) - erfcx(-x) : x;
  }
  const double t = x < 1e17 ? (x - 3.75) / (x + 3.75) : 1;
  return chebyshev(kErfcx, t) / (1 + 2 * x);
}

/// Newton's method on erf(y) = x from three digits (Blair, Edwards and Johnson 1976) near 0, by erfc near 1.
double erfinv(double x) {
  const double a = std::abs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(HUGE_VAL, x) : std::nan("");
  if (a > 0.5) return std::copysign(erfc_inverse(1 - a), x);
  const double z = x * x;
  double y = x * (((-0.140543331 * z + 0.914624893) * z - 1.645349621) * z + 0.886226899) /
             ((((0.012229801 * z - 0.329097515) * z + 1.442710462) * z - 2.118377725) * z + 1);
  for (int step = 0; step < 2; ++step) y -= (std::erf(y) - x) / (2 / kSqrtPi * std::exp(-y * y));
  return y;
}

double log_ndtr(double x) {
  const double y = x / kSqrt2;
  return x < -1 ? std::log(erfcx(-y) / 2) - x * x / 2 : std::log1p(-std::erfc(y) / 2);
}

double ndtri(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -HUGE_VAL : p == 1 ? HUGE_VAL : std::nan("");
  if (p < 0.25) return -kSqrt2 * erfc_inverse(2 * p);
  if (p > 0.75) return kSqrt2 * erfc_inverse(2 * (1 - p));
  return kSqrt2 * erfinv(2 * p - 1);
}

}  // namespace facula::cpu
