// Complex numbers, one by one. Transcendental functions have rows for complex128 only, which complex64 shares.
#include <cmath>

#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/rows.h"

namespace facula::cpu {
using namespace HWY_NAMESPACE;

using Double = Types<complex128>;
static constexpr double kLn2 = 0.693147180559945309417;

template <class C, bool subtract>
static void sum_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const C alpha = params.empty() ? C(1) : params[0].to<C>(), factor = subtract ? -alpha : alpha;
  each_number<C, C, 2>(out, in, n, [factor](C x, C y) { return x + times(factor, y); });
}
template <class... C>
static void fill_sums(Types<C...>) {
  (add_row<slots::add, 2>(dtype_of<C>, sum_row<C, false>), ...);
  (add_row<slots::sub, 2>(dtype_of<C>, sum_row<C, true>), ...);
}

static void fill_arithmetic() {
  fill_sums(Complexes());
  numbers<slots::mul, 2>(Complexes(), [](auto x, auto y) { return times(x, y); });
  numbers<slots::div, 2>(Complexes(), [](auto x, auto y) { return quotient(x, y); });
  numbers<slots::square, 1>(Complexes(), [](auto x) { return times(x, x); });
  numbers<slots::reciprocal, 1>(Complexes(), []<class C>(C x) { return quotient(C(1), x); });
  numbers<slots::neg, 1>(Complexes(), [](auto x) { return -x; });
  numbers<slots::conj, 1>(Complexes(), [](auto x) { return std::conj(x); });
  numbers<slots::sgn, 1>(Complexes(), []<class C>(C x) { return x == C(0) ? x : x / std::abs(x); });
  magnitudes<slots::real>(Complexes(), [](auto x) { return x.real(); });
  magnitudes<slots::imag>(Complexes(), [](auto x) { return x.imag(); });
  magnitudes<slots::abs>(Complexes(), [](auto x) { return std::abs(x); });
  magnitudes<slots::angle>(Complexes(), [](auto x) { return std::arg(x); });
}

/// real, imag -> complex
template <class R>
static void complex_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  each_number<R, std::complex<R>, 2>(out, in, n, [](R re, R im) { return std::complex<R>(re, im); });
}

static complex128 expm1(complex128 x) {
  // e^a cos b - 1 = (e^a - 1) cos b - 2 sin^2(b / 2)
  const double s = std::sin(x.imag() / 2), e = std::expm1(x.real());
  return {e * std::cos(x.imag()) - 2 * s * s, (e + 1) * std::sin(x.imag())};
}
static complex128 log1p(complex128 x) {
  // log |1 + x| = log1p(2 a + a^2 + b^2) / 2
  const double a = x.real(), b = x.imag();
  if (std::abs(a) > 0.5 || std::abs(b) > 0.5) return std::log(1.0 + x);
  return {0.5 * std::log1p(a * (2 + a) + b * b), std::atan2(b, 1 + a)};
}
static complex128 sigmoid(complex128 x) {
  // Of e^x and e^-x the one that does not overflow.
  if (x.real() >= 0) return quotient(complex128(1), 1.0 + std::exp(-x));
  const complex128 e = std::exp(x);
  return quotient(e, 1.0 + e);
}
static complex128 pow(complex128 x, complex128 y) {
  if (y == 0.0) return 1;
  if (y == 2.0) return times(x, x);
  return std::pow(x, y);
}

static void fill_functions() {
#define FACULA_FILL(function) \
  numbers<slots::function, 1, kHeavyGrain>(Double(), [](complex128 x) { return std::function(x); });
  FACULA_FILL(exp)
  FACULA_FILL(log)
  FACULA_FILL(log10)
  FACULA_FILL(sqrt)
  FACULA_FILL(sin)
  FACULA_FILL(cos)
  FACULA_FILL(tan)
  FACULA_FILL(asin)
  FACULA_FILL(acos)
  FACULA_FILL(atan)
  FACULA_FILL(sinh)
  FACULA_FILL(cosh)
  FACULA_FILL(tanh)
  FACULA_FILL(asinh)
  FACULA_FILL(acosh)
  FACULA_FILL(atanh)
#undef FACULA_FILL
  numbers<slots::exp2, 1, kHeavyGrain>(Double(), [](complex128 x) { return std::exp(x * kLn2); });
  numbers<slots::log2, 1, kHeavyGrain>(Double(), [](complex128 x) { return std::log(x) / kLn2; });
  numbers<slots::expm1, 1, kHeavyGrain>(Double(), [](complex128 x) { return expm1(x); });
  numbers<slots::log1p, 1, kHeavyGrain>(Double(), [](complex128 x) { return log1p(x); });
  numbers<slots::rsqrt, 1, kHeavyGrain>(Double(), [](complex128 x) { return quotient(complex128(1), std::sqrt(x)); });
  numbers<slots::sigmoid, 1, kHeavyGrain>(Double(), [](complex128 x) { return sigmoid(x); });
  numbers<slots::pow, 2, kHeavyGrain>(Double(), [](complex128 x, complex128 y) { return pow(x, y); });
}

void fill_complex_rows() {
  fill_arithmetic();
  fill_functions();
  add_row<slots::complex, 2>(DType::Float32, complex_row<float>);
  add_row<slots::complex, 2>(DType::Float64, complex_row<double>);
}

}  // namespace facula::cpu
