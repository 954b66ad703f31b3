// Exponentials, logarithms and roots, of real and complex numbers.
#include "kernels/cuda/map.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

// Functions that the complex type lacks.
using ::exp2, ::expm1, ::log1p, ::log2;
template <class R>
__device__ thrust::complex<R> exp2(thrust::complex<R> x) {
  return thrust::exp(x * R(0.69314718055994530942));
}
template <class R>
__device__ thrust::complex<R> log2(thrust::complex<R> x) {
  return thrust::log(x) * R(1.44269504088896340736);
}
template <class R>
__device__ thrust::complex<R> expm1(thrust::complex<R> x) {  // cos b = 1 - 2 sin^2(b / 2): no cancellation near 0
  const R s = ::sin(x.imag() / 2);
  return {::expm1(x.real()) * ::cos(x.imag()) - 2 * s * s, ::exp(x.real()) * ::sin(x.imag())};
}
template <class R>
__device__ thrust::complex<R> log1p(thrust::complex<R> x) {  // |1 + x|^2 = 1 + a (2 + a) + b^2
  const R a = x.real(), b = x.imag();
  const R length = a * a + b * b < R(0.25) ? ::log1p(a * (2 + a) + b * b) / 2 : ::log(::hypot(1 + a, b));
  return {length, ::atan2(b, 1 + a)};
}
template <class T>
__device__ T one_over_root(T x) {
  if constexpr (is_complex_type<T>)
    return T(1) / thrust::sqrt(x);
  else
    return rsqrt(x);
}

#define FACULA_EXPONENTIAL_MAPS(_)                \
  _(exp, kFloating, 1, (T x), exp(x))             \
  _(exp2, kFloating, 1, (T x), exp2(x))           \
  _(expm1, kFloating, 1, (T x), expm1(x))         \
  _(log, kFloating, 1, (T x), log(x))             \
  _(log2, kFloating, 1, (T x), log2(x))           \
  _(log10, kFloating, 1, (T x), log10(x))         \
  _(log1p, kFloating, 1, (T x), log1p(x))         \
  _(sqrt, kFloating, 1, (T x), sqrt(x))           \
  _(rsqrt, kFloating, 1, (T x), one_over_root(x)) \
  _(sigmoid, kFloating, 1, (T x), T(1) / (T(1) + exp(-x)))

FACULA_EXPONENTIAL_MAPS(FACULA_MAP)

}  // namespace

void fill_exponential_slots() { FACULA_EXPONENTIAL_MAPS(FACULA_MAP_FILL) }

}  // namespace facula::cuda
