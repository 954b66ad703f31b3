// Functions that are computed number by number: in float64, where float32 loses nothing by it, else by the C library.
#include <cmath>
#include <limits>

#include "kernels/cpu/rows.h"

namespace facula::cpu {
using namespace HWY_NAMESPACE;

static constexpr double kPi = 3.14159265358979323846;

/// The inverse of erf: rational approximations (Blair, Edwards and Johnson 1976; about three digits), then two steps of
/// Newton's method on erf(y) = x, which double the digits each.
static double erfinv(double x) {
  if (!(std::abs(x) < 1)) return std::abs(x) == 1 ? std::copysign(HUGE_VAL, x) : std::nan("");
  double y;
  if (std::abs(x) <= 0.7) {
    const double z = x * x;
    y = x * (((-0.140543331 * z + 0.914624893) * z - 1.645349621) * z + 0.886226899) /
        ((((0.012229801 * z - 0.329097515) * z + 1.442710462) * z - 2.118377725) * z + 1);
  } else {
    const double z = std::sqrt(-std::log((1 - std::abs(x)) / 2));
    y = std::copysign((((1.641345311 * z + 3.429567803) * z - 1.624906493) * z - 1.970840454) /
                          ((1.637067800 * z + 3.543889200) * z + 1),
                      x);
  }
  for (int step = 0; step < 2; ++step) y -= (std::erf(y) - x) / (2 / std::sqrt(kPi) * std::exp(-y * y));
  return y;
}

/// The derivative of lgamma: reflected to x > 0, carried up to x >= 10 by digamma(x) = digamma(x + 1) - 1 / x, where
/// the asymptotic series (Abramowitz and Stegun 6.3.18) holds to full precision.
static double digamma(double x) {
  if (x == 0) return std::copysign(HUGE_VAL, -x);
  double reflection = 0;
  if (x < 0) {
    double whole;
    if (std::modf(x, &whole) == 0) return std::nan("");
    reflection = -kPi / std::tan(kPi * std::modf(x, &whole));
    x = 1 - x;
  }
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  if (std::isinf(x)) return x;
  constexpr double bernoulli[] = {1.0 / 12, -691.0 / 32760, 1.0 / 132, -1.0 / 240, 1.0 / 252, -1.0 / 120, 1.0 / 12};
  const double z = 1 / (x * x);
  double series = 0;
  for (const double b : bernoulli) series = (series + b) * z;
  return reflection + sum + std::log(x) - 0.5 / x - series;
}

static void fill_gamma() {
  using Double = Types<double>;
  numbers<slots::erf, 1, kHeavyGrain>(Double(), [](double x) { return std::erf(x); });
  numbers<slots::erfc, 1, kHeavyGrain>(Double(), [](double x) { return std::erfc(x); });
  numbers<slots::erfinv, 1, kHeavyGrain>(Double(), [](double x) { return erfinv(x); });
  numbers<slots::digamma, 1, kHeavyGrain>(Double(), [](double x) { return digamma(x); });
  numbers<slots::lgamma, 1, kHeavyGrain>(Double(), [](double x) {
    int sign;  // std::lgamma would write it to a global
    return ::lgamma_r(x, &sign);
  });
}

static void fill_angles() {
  numbers<slots::hypot, 2, kHeavyGrain>(Floats(), [](auto x, auto y) { return std::hypot(x, y); });
  numbers<slots::angle, 1>(Floats(), [](auto x) { return x != x ? x : decltype(x)(x < 0 ? kPi : 0); });
}

void fill_special_rows() {
  fill_gamma();
  fill_angles();
  numbers<slots::nextafter, 2>(Floats(), [](auto x, auto y) { return std::nextafter(x, y); });
  numbers<slots::xlogy, 2, kHeavyGrain>(Floats(), [](auto x, auto y) {
    if (y != y) return y;
    return x == 0 ? decltype(x)(0) : x * std::log(y);
  });
}

}  // namespace facula::cpu
