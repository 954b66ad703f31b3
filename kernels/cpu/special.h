// Special functions of real numbers, in float64: a few units in the last place. Infinities, poles and arguments outside the
// domain give what PyTorch gives.
#pragma once

#include <math.h>

#include <cstddef>

namespace facula::cpu {

inline constexpr double kPi = 3.14159265358979323846;

/// c[0] + c[1] T1(t) + ... + c[n-1] T(n-1)(t) for t in [-1, 1], by Clenshaw's recurrence (1955).
template <size_t n>
constexpr double chebyshev(const double (&c)[n], double t) {
  double a = 0, b = 0;
  for (size_t i = n - 1; i > 0; --i) {
    const double next = 2 * t * a - b + c[i];
    b = a;
    a = next;
  }
  return t * a - b + c[0];
}

// ---- the error function and the normal distribution ----
double erfinv(double x);
double erfcx(double x);     ///< exp(x^2) erfc(x)
double log_ndtr(double x);  ///< log(erfc(-x / sqrt(2)) / 2)
double ndtri(double p);     ///< the inverse of erfc(-x / sqrt(2)) / 2

// ---- the gamma function ----
/// log |gamma(x)|; std::lgamma writes the sign to a global.
inline double log_gamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}
double digamma(double x);
double zeta(double s, double q);         ///< Hurwitz: the sum of (q + k)^-s
double polygamma(double n, double x);    ///< the n-th derivative of digamma, n >= 1
double gamma_lower(double a, double x);  ///< regularised, P(a, x)
double gamma_upper(double a, double x);  ///< Q(a, x) = 1 - P(a, x)

// ---- Bessel functions; e: times e^-|x| for i, e^x for k ----
double i0(double x);
double i0e(double x);
double i1(double x);
double i1e(double x);
double k0(double x);
double k0e(double x);
double k1(double x);
double k1e(double x);
double bessel_j0(double x);
double bessel_j1(double x);
double bessel_y0(double x);
double bessel_y1(double x);
double spherical_bessel_j0(double x);
double airy_ai(double x);

}  // namespace facula::cpu
