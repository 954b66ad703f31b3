// Functions that are computed number by number: in float64, where float32 loses nothing by it, else by the C library.
#include <cmath>
#include <complex>

#include "kernels/cpu/rows.h"
#include "kernels/cpu/special.h"

namespace facula::cpu {
using namespace HWY_NAMESPACE;

using Double = Types<double>;

static void fill_angles() {
  numbers<slots::hypot, 2, kHeavyGrain>(Floats(), [](auto x, auto y) { return std::hypot(x, y); });
  numbers<slots::angle, 1>(Floats(), [](auto x) { return x != x ? x : decltype(x)(x < 0 ? kPi : 0); });
}

static void fill_bessel() {
#define FACULA_FILL(function) numbers<slots::function, 1, kHeavyGrain>(Double(), [](double x) { return function(x); });
  FACULA_FILL(i0)
  FACULA_FILL(i0e)
  FACULA_FILL(i1)
  FACULA_FILL(i1e)
  FACULA_FILL(k0)
  FACULA_FILL(k0e)
  FACULA_FILL(k1)
  FACULA_FILL(k1e)
  FACULA_FILL(bessel_j0)
  FACULA_FILL(bessel_j1)
  FACULA_FILL(bessel_y0)
  FACULA_FILL(bessel_y1)
  FACULA_FILL(spherical_bessel_j0)
  FACULA_FILL(airy_ai)
}

/// The order 1 is reflected in T's own precision, as in PyTorch: at its poles it is not infinite but as large as the
/// rounding of pi leaves it.
template <class T>
static void polygamma_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const auto order = params[0].to<double>();
  each_number<T, T, 1>(out, in, n, [order](T x) {
    if (order != 1 || !(x < 0)) return static_cast<T>(polygamma(order, x));
    const T s = std::sin(static_cast<T>(kPi) * x);
    return static_cast<T>(kPi * kPi) / (s * s) - static_cast<T>(polygamma(1, 1 - x));
  });
}

static void fill_gamma() {
  FACULA_FILL(digamma)
  numbers<slots::lgamma, 1, kHeavyGrain>(Double(), [](double x) { return log_gamma(x); });
  numbers<slots::zeta, 2, kHeavyGrain>(Double(), [](double s, double q) { return zeta(s, q); });
  numbers<slots::igamma, 2, kHeavyGrain>(Double(), [](double a, double x) { return gamma_lower(a, x); });
  numbers<slots::igammac, 2, kHeavyGrain>(Double(), [](double a, double x) { return gamma_upper(a, x); });
  add_row<slots::polygamma, 1>(DType::Float32, polygamma_row<float>, kHeavyGrain);
  add_row<slots::polygamma, 1>(DType::Float64, polygamma_row<double>, kHeavyGrain);
}

static void fill_error() {
  FACULA_FILL(erfinv)
  FACULA_FILL(erfcx)
  FACULA_FILL(log_ndtr)
  FACULA_FILL(ndtri)
#undef FACULA_FILL
}

void fill_special_rows() {
  fill_angles();
  fill_bessel();
  fill_gamma();
  fill_error();
  numbers<slots::sinc, 1, kHeavyGrain>(
      Types<complex128>(), [](complex128 x) { return x == 0.0 ? complex128(1) : std::sin(kPi * x) / (kPi * x); });
}

}  // namespace facula::cpu
