// Error and gamma functions.
#include "kernels/cuda/map.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

// psi(x): reflection for x < 0, recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.18).
__device__ double digamma_of(double x) {
  constexpr double pi = 3.14159265358979323846;
  if (x == 0) return copysign(static_cast<double>(INFINITY), -x);
  double result = 0;
  if (x < 0) {
    if (x == floor(x)) return NAN;
    result = -pi / tan(pi * (x - floor(x)));
    x = 1 - x;
  }
  for (; x < 10; x += 1) result -= 1 / x;
  const double z = 1 / (x * x);
  const double series =
      z *
      (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return result + log(x) - 0.5 / x - series;
}

#define FACULA_SPECIAL_MAPS(_)          \
  _(erf, kReal, 1, (T x), erf(x))       \
  _(erfc, kReal, 1, (T x), erfc(x))     \
  _(erfinv, kReal, 1, (T x), erfinv(x)) \
  _(lgamma, kReal, 1, (T x), lgamma(x)) \
  _(digamma, kReal, 1, (T x), static_cast<T>(digamma_of(x)))

FACULA_SPECIAL_MAPS(FACULA_MAP)

}  // namespace

void fill_special_slots() { FACULA_SPECIAL_MAPS(FACULA_MAP_FILL) }

}  // namespace facula::cuda
