// Functions of one number that need no transcendental ones: signs, rounding, predicates, parts of complex numbers.
#include "kernels/cuda/map.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

template <class T>
__device__ Real<T> magnitude(T x) {
  if constexpr (is_complex_type<T>)
    return thrust::abs(x);
  else if constexpr (std::is_integral_v<T>)
    return x < 0 ? -x : x;
  else
    return fabs(x);
}

template <class T>
__device__ T sign(T x) {
  if constexpr (is_complex_type<T>)
    return truth(x) ? x / thrust::abs(x) : T(0);
  else
    return T((x > T(0)) - (x < T(0)));
}

template <class T>
__device__ bool infinite(T x) {
  if constexpr (is_complex_type<T>)
    return infinite(x.real()) || infinite(x.imag());
  else if constexpr (std::is_integral_v<T>)
    return false;
  else
    return isinf(x);
}

template <class T>
__device__ bool sign_bit(T x) {
  if constexpr (std::is_integral_v<T>)
    return x < 0;
  else
    return signbit(x);
}

template <class T>
__device__ Real<T> phase(T x) {
  if constexpr (is_complex_type<T>)
    return thrust::arg(x);
  else
    return is_nan(x) ? x : x < T(0) ? T(3.14159265358979323846) : T(0);
}

// Integers are whole already.
#define FACULA_ROUNDING(name, function)  \
  template <class T>                     \
  __device__ T name(T x) {               \
    if constexpr (std::is_integral_v<T>) \
      return x;                          \
    else                                 \
      return function(x);                \
  }
FACULA_ROUNDING(up, ceil)
FACULA_ROUNDING(down, floor)
FACULA_ROUNDING(towards_zero, trunc)
FACULA_ROUNDING(to_even, rint)

#define FACULA_UNARY_MAPS(_)                                    \
  _(neg, kAll, 1, (T x), -x)                                    \
  _(abs, kAll, 1, (T x), magnitude(x))                          \
  _(sgn, kAll, 1, (T x), sign(x))                               \
  _(square, kAll, 1, (T x), (x * x))                            \
  _(reciprocal, kFloating, 1, (T x), T(1) / x)                  \
  _(relu, kOrdered, 1, (T x), is_nan(x) || x > T(0) ? x : T(0)) \
  _(ceil, kOrdered, 1, (T x), up(x))                            \
  _(floor, kOrdered, 1, (T x), down(x))                         \
  _(round, kOrdered, 1, (T x), to_even(x))                      \
  _(trunc, kOrdered, 1, (T x), towards_zero(x))                 \
  _(isnan, kAll, 1, (T x), is_nan(x))                           \
  _(isinf, kAll, 1, (T x), infinite(x))                         \
  _(isfinite, kAll, 1, (T x), !is_nan(x) && !infinite(x))       \
  _(signbit, kOrdered, 1, (T x), sign_bit(x))                   \
  _(logical_not, kAll, 1, (T x), !truth(x))                     \
  _(conj, kComplex, 1, (T x), thrust::conj(x))                  \
  _(real, kComplex, 1, (T x), x.real())                         \
  _(imag, kComplex, 1, (T x), x.imag())                         \
  _(angle, kFloating, 1, (T x), phase(x))

FACULA_UNARY_MAPS(FACULA_MAP)
FACULA_MAP(bitwise_not, kInteger, 1, (T x), ~x)

void bitwise_not(const Tensor& out, TensorSpan in, ScalarSpan params) {
  if (out.dtype() == DType::Bool)  // ~1 is not 0
    pointwise<Map_logical_not>(out, in, params);
  else
    pointwise<Map_bitwise_not>(out, in, params);
}

}  // namespace

void fill_unary_slots() {
  FACULA_UNARY_MAPS(FACULA_MAP_FILL)
  slots::bitwise_not.fill(DeviceType::CUDA, bitwise_not);
}

}  // namespace facula::cuda
