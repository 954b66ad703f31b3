// Orthogonal polynomials of a given degree at x, by their recurrences (DLMF 18.9), in float64. Degrees are cut to whole
// numbers; below 0 the polynomial is 0. Chebyshev's are trigonometric inside (-1, 1) and have closed forms outside.
#include <cmath>
#include <limits>

#include "core/error.h"
#include "kernels/cpu/rows.h"

namespace facula::cpu {
using namespace HWY_NAMESPACE;
namespace {

int64_t degree_of(double n) { return n > -1 ? static_cast<int64_t>(std::min(n, 0x1p62)) : -1; }

enum class Kind { T, U, V, W };

/// For |x| >= 1 and degrees of which the recurrence would take long: hyperbolic functions of x = cosh t.
template <Kind kind>
double chebyshev_outside(double x, double n) {
  if (x < 0) {
    constexpr Kind mirrored = kind == Kind::V ? Kind::W : kind == Kind::W ? Kind::V : kind;
    const double y = chebyshev_outside<mirrored>(-x, n);
    return std::fmod(n, 2) == 0 ? y : -y;
  }
  const double t = std::acosh(x);
  if constexpr (kind == Kind::T) return std::cosh(n * t);
  if constexpr (kind == Kind::U) return t == 0 ? n + 1 : std::sinh((n + 1) * t) / std::sinh(t);
  if constexpr (kind == Kind::V) return std::cosh((n + 0.5) * t) / std::cosh(t / 2);
  return t == 0 ? 2 * n + 1 : std::sinh((n + 0.5) * t) / std::sinh(t / 2);
}

template <Kind kind>
double chebyshev_inside(double x, double n) {
  const double t = std::acos(x);
  if constexpr (kind == Kind::T) return std::cos(n * t);
  if constexpr (kind == Kind::U) return std::sin((n + 1) * t) / std::sin(t);
  if constexpr (kind == Kind::V) return std::cos((n + 0.5) * t) / std::cos(t / 2);
  return std::sin((n + 0.5) * t) / std::sin(t / 2);
}

template <Kind kind>
double chebyshev(double x, double degree) {
  const int64_t n = degree_of(degree);
  if (n < 0) return 0;
  if (n > 8 && std::abs(x) < 1) return chebyshev_inside<kind>(x, static_cast<double>(n));
  if (n > 256 && std::abs(x) >= 1) return chebyshev_outside<kind>(x, static_cast<double>(n));
  double p = 1, q = kind == Kind::T ? x : kind == Kind::U ? x + x : kind == Kind::V ? x + x - 1 : x + x + 1;
  if (n == 0 || std::isnan(x)) return n == 0 ? p : x;
  for (int64_t k = 1; k < n; ++k) {
    const double next = 2 * x * q - p;
    p = q;
    q = next;
  }
  return q;
}

/// p(0) = 1, p(1) = first, p(k + 1) = next(k, p(k), p(k - 1)): to the degree, or to where it is NaN for good.
template <class Next>
double recurrence(const char* name, double first, double degree, Next next) {
  constexpr int64_t longest = int64_t{1} << 24;
  const int64_t n = degree_of(degree);
  check(n <= longest, name, ": degree ", degree, " is above ", longest);
  if (n <= 0) return n == 0;
  double p = 1, q = first;
  for (int64_t k = 1; k < n && !std::isnan(q); ++k) {
    const double r = next(static_cast<double>(k), q, p);
    p = q;
    q = r;
  }
  return q;
}

double hermite_h(double x, double n) {
  return recurrence("hermite_polynomial_h", 2 * x, n,
                    [x](double k, double q, double p) { return 2 * x * q - 2 * k * p; });
}
double hermite_he(double x, double n) {
  return recurrence("hermite_polynomial_he", x, n, [x](double k, double q, double p) { return x * q - k * p; });
}
double laguerre(double x, double n) {
  if (x == 0) return degree_of(n) >= 0;
  return recurrence("laguerre_polynomial_l", 1 - x, n,
                    [x](double k, double q, double p) { return ((2 * k + 1 - x) * q - k * p) / (k + 1); });
}
double legendre(double x, double n) {
  if (std::abs(x) == 1) return degree_of(n) < 0 ? 0 : x > 0 || degree_of(n) % 2 == 0 ? 1 : -1;
  return recurrence("legendre_polynomial_p", x, n,
                    [x](double k, double q, double p) { return ((2 * k + 1) * x * q - k * p) / (k + 1); });
}

}  // namespace

void fill_polynomial_rows() {
#define FACULA_FILL(slot, call) \
  numbers<slots::slot, 2, kHeavyGrain>(Types<double>(), [](double x, double n) { return call; });
  FACULA_FILL(chebyshev_polynomial_t, chebyshev<Kind::T>(x, n))
  FACULA_FILL(chebyshev_polynomial_u, chebyshev<Kind::U>(x, n))
  FACULA_FILL(chebyshev_polynomial_v, chebyshev<Kind::V>(x, n))
  FACULA_FILL(chebyshev_polynomial_w, chebyshev<Kind::W>(x, n))
  FACULA_FILL(shifted_chebyshev_polynomial_t, chebyshev<Kind::T>(2 * x - 1, n))
  FACULA_FILL(shifted_chebyshev_polynomial_u, chebyshev<Kind::U>(2 * x - 1, n))
  FACULA_FILL(shifted_chebyshev_polynomial_v, chebyshev<Kind::V>(2 * x - 1, n))
  FACULA_FILL(shifted_chebyshev_polynomial_w, chebyshev<Kind::W>(2 * x - 1, n))
  FACULA_FILL(hermite_polynomial_h, hermite_h(x, n))
  FACULA_FILL(hermite_polynomial_he, hermite_he(x, n))
  FACULA_FILL(laguerre_polynomial_l, laguerre(x, n))
  FACULA_FILL(legendre_polynomial_p, legendre(x, n))
#undef FACULA_FILL
}

}  // namespace facula::cpu
