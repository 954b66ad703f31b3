// Derivatives of the logarithm of the gamma function, Hurwitz's zeta function, and the incomplete gamma functions.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "kernels/cpu/special.h"

namespace facula::cpu {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// ---- incomplete gamma functions: Gautschi 1979 says which series serves where, Temme 1979 what does for large a ----

/// lgamma(1 + a) for |a| <= 1/2, relative to a: -log1p(a) + a (1 - gamma) + the sum of (-a)^k (zeta(k) - 1) / k.
double lgamma_after_one(double a) {
  static const auto coefficients = [] {
    std::array<double, 30> c{};
    for (size_t k = 2; k < c.size(); ++k) c[k] = zeta(static_cast<double>(k), 2) / static_cast<double>(k);
    return c;
  }();
  double sum = 0;
  for (size_t k = coefficients.size() - 1; k >= 2; --k) sum = (sum + coefficients[k]) * -a;
  return -std::log1p(a) + a * 0.42278433509846713939 - a * sum;
}

/// m - log(1 + m) for m = (x - a) / a, by log(1 + m) = 2 atanh(s), s = m / (2 + m), where its terms would cancel.
double excess(double a, double x) {
  const double m = (x - a) / a;
  if (std::abs(m) > 0.4) return m - std::log(x / a);
  const double s = m / (2 + m), z = s * s;
  double sum = 0;
  for (int k = 25; k >= 3; k -= 2) sum = (sum + 1.0 / k) * z;
  return m * s - 2 * s * sum;
}

/// x^a e^-x / gamma(a + 1); from a = 10 on by Stirling's series (DLMF 5.11), which cancels nothing.
double power_term(double a, double x) {
  if (a < 10) return std::exp(a * std::log(x) - x - log_gamma(a + 1));
  constexpr double stirling[] = {1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12};
  double correction = 0;
  for (const double c : stirling) correction = correction / (a * a) + c;
  return std::exp(-a * excess(a, x) - correction / a) / std::sqrt(2 * kPi * a);
}

/// P(a, x), by its power series (DLMF 8.11.4).
double lower_series(double a, double x) {
  double term = 1, sum = 1;
  for (double n = a + 1; term > sum * kEpsilon / 4; ++n) {
    term *= x / n;
    sum += term;
  }
  return power_term(a, x) * sum;
}

/// Q(a, x) for small x: 1 - x^a / gamma(1 + a) (1 + the sum of a (-x)^n / ((a + n) n!)), with the ones taken out.
double upper_series(double a, double x) {
  double term = 1, sum = 0;
  for (int n = 1; n < 60; ++n) {
    term *= -x / n;
    sum += term / (a + n);
    if (std::abs(term) < kEpsilon / 4) break;
  }
  const double log = a * std::log(x) - (a <= 0.5 ? lgamma_after_one(a) : log_gamma(1 + a));
  return -std::expm1(log) - std::exp(log) * a * sum;
}

/// Q(a, x) for x >= 1.5 and x > a, by Legendre's continued fraction (DLMF 8.9.2) in Lentz's form.
double upper_fraction(double a, double x) {
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int n = 1; n < 10000; ++n) {
    const double an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= c * d;
    if (std::abs(c * d - 1) < kEpsilon) break;
  }
  return power_term(a, x) * a * h;
}

/// Coefficients in eta of c0, c1 ... in R(a) = e^(-a eta^2 / 2) / sqrt(2 pi a) (c0 + c1 / a + ...) (DLMF 8.12).
struct Temme {
  const double* c;
  int n;
};
constexpr double kTemme0[] = {
    -0.33333333333333333,  0.083333333333333333,    -0.014814814814814815,  0.0011574074074074074,
    0.0003527336860670194, -0.00017875514403292181, 3.9192631785224378e-5,  -2.1854485106799922e-6,
    -1.85406221071516e-6,  8.296711340953086e-7,    -1.7665952736826079e-7, 6.7078535434014986e-9,
    1.0261809784240308e-8, -4.3820360184533532e-9,  9.1476995822367902e-10, -2.551419399494625e-11};
constexpr double kTemme1[] = {-0.0018518518518518519,  -0.0034722222222222222,  0.0026455026455026455,
                              -0.00099022633744855967, 0.00020576131687242798,  -4.0187757201646091e-7,
                              -1.8098550334489978e-5,  7.6491609160811101e-6,   -1.6120900894563446e-6,
                              4.6471278028074343e-9,   1.378633446915721e-7,    -5.752545603517705e-8,
                              1.1951628599778147e-8,   -1.7543241719747648e-11, -1.0091543710600413e-9};
constexpr double kTemme2[] = {0.0041335978835978836,  -0.0026813271604938272,  0.00077160493827160494,
                              2.0093878600823045e-6,  -0.00010736653226365161, 5.2923448829120125e-5,
                              -1.2760635188618728e-5, 3.4235787340961381e-8,   1.3721957309062933e-6,
                              -6.298992138380055e-7,  1.4280614206064242e-7,   -2.0477098421990866e-10,
                              -1.4092529910867521e-8};
constexpr double kTemme3[] = {0.00064943415637860082,  0.00022947209362139918, -0.00046918949439525571,
                              0.00026772063206283885,  -7.5618016718839764e-5, -2.3965051138672967e-7,
                              1.1082654115347302e-5,   -5.6749528269915966e-6, 1.4230900732435884e-6,
                              -2.7861080291528142e-11, -1.6958404091930277e-7};
constexpr double kTemme4[] = {-0.0008618882909167117, 0.00078403922172006663, -0.00029907248030319018,
                              -1.4638452578843418e-6, 6.6414982154651222e-5,  -3.9683650471794347e-5,
                              1.1375726970678419e-5,  2.5074972262375328e-10, -1.6954149536558306e-6};
constexpr double kTemme5[] = {-0.00033679855336635815, -6.9728137583658578e-5, 0.00027727532449593921,
                              -0.00019932570516188848, 6.7977804779372078e-5,  1.419062920643967e-7,
                              -1.3594048189768693e-5};
constexpr double kTemme6[] = {0.00053130793646399222, -0.00059216643735369388, 0.00027087820967180448};
constexpr Temme kTemme[] = {{kTemme0, 16}, {kTemme1, 15}, {kTemme2, 13}, {kTemme3, 11},
                            {kTemme4, 9},  {kTemme5, 7},  {kTemme6, 3}};

/// Q(a, x), or P(a, x), for a >= 100 and x within a third of a.
double uniform(double a, double x, bool upper) {
  const double half_square = excess(a, x), eta = std::copysign(std::sqrt(2 * half_square), x - a);
  double sum = 0;
  for (auto k = std::ssize(kTemme) - 1; k >= 0; --k) {
    double c = 0;
    for (int i = kTemme[k].n - 1; i >= 0; --i) c = c * eta + kTemme[k].c[i];
    sum = sum / a + c;
  }
  const double rest = std::exp(-a * half_square) / std::sqrt(2 * kPi * a) * sum, arc = eta * std::sqrt(a / 2);
  return upper ? std::erfc(arc) / 2 + rest : std::erfc(-arc) / 2 - rest;
}

/// Both functions by the one that is computed directly.
double incomplete_gamma(double a, double x, bool upper) {
  if (x == 0 && !(a <= 0)) return upper;
  if (std::isnan(a) || std::isnan(x) || a < 0 || x < 0) return std::nan("");
  if (a == 0) return x > 0 ? !upper : std::nan("");
  if (std::isinf(a)) return std::isinf(x) ? std::nan("") : upper;
  if (std::isinf(x)) return !upper;
  if (a >= 100 && std::abs(x - a) < a / 3) return uniform(a, x, upper);
  const bool lower_is_small = x < 1.5 ? a > (x <= 0.5 ? -0.69314718055994530942 / std::log(x) : x + 0.25) : x < a + 1;
  if (lower_is_small) return upper ? 1 - lower_series(a, x) : lower_series(a, x);
  const double q = x < 1.5 ? upper_series(a, x) : upper_fraction(a, x);
  return upper ? q : 1 - q;
}

}  // namespace

/// The derivative of lgamma: reflected to x > 0, carried up to x >= 10 by digamma(x) = digamma(x + 1) - 1 / x, where
/// the asymptotic series (Abramowitz and Stegun 6.3.18) holds to full precision.
double digamma(double x) {
  if (x == 0) return std::copysign(HUGE_VAL, -x);
  double reflection = 0;
  if (x < 0) {
    double whole;
    if (std::modf(x, &whole) == 0 || std::isinf(x)) return std::nan("");
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

/// Some terms of the sum, then Euler's and Maclaurin's formula (DLMF 25.11.5), which holds from q = max(16, 1.5 s) on; where
/// s is larger the terms vanish before. For q < 0 the terms at negative places are taken from the right, mirrored.
double zeta(double s, double q) {
  if (s == 1) return HUGE_VAL;
  if (!(s > 1) || std::isnan(q) || q == HUGE_VAL) return std::nan("");
  if (q <= 0) {
    if (q == std::floor(q)) return HUGE_VAL;
    if (s != std::floor(s)) return std::nan("");
    const double fraction = -q - std::floor(-q), mirrored = zeta(s, fraction) - zeta(s, 1 - q);
    return zeta(s, 1 - fraction) + (std::fmod(s, 2) == 0 ? mirrored : -mirrored);
  }
  double sum = 0;
  for (const double last = std::max(16.0, 1.5 * s); q < last; ++q) {
    const double term = std::pow(q, -s);
    sum += term;
    if (!(term > kEpsilon / 8 * sum)) return sum;
  }
  // B(2k) / (2k)!
  constexpr double bernoulli[] = {1.0 / 12,
                                  -1.0 / 720,
                                  1.0 / 30240,
                                  -1.0 / 1209600,
                                  1.0 / 47900160,
                                  -691.0 / 1307674368000,
                                  1.0 / 74724249600,
                                  -3617.0 / 10670622842880000,
                                  43867.0 / 5109094217170944000};
  const double power = std::pow(q, -s);
  sum += power * (q / (s - 1) + 0.5);
  double factor = power * s / q;
  for (int k = 0; k < static_cast<int>(std::ssize(bernoulli)); ++k) {
    sum += bernoulli[k] * factor;
    factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (q * q);
  }
  return sum;
}

/// (-1)^(n + 1) n! zeta(n + 1, x) (DLMF 25.11.12).
double polygamma(double n, double x) {
  if (n == 1 && x == HUGE_VAL) return 0;
  const double z = zeta(n + 1, x);
  const double magnitude =
      n <= 170 ? std::tgamma(n + 1) * std::abs(z) : std::exp(log_gamma(n + 1) + std::log(std::abs(z)));
  return std::copysign(magnitude, std::fmod(n, 2) == 0 ? -z : z);
}

double gamma_lower(double a, double x) { return incomplete_gamma(a, x, false); }
double gamma_upper(double a, double x) { return incomplete_gamma(a, x, true); }

}  // namespace facula::cpu
