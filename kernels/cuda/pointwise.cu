// Arithmetic, comparison, logic and selection. Functions of one number have files of their own.
#include "kernels/cuda/map.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

// ---- pieces of the expressions below --------------------------------------------------------------------------------

template <class T>
__device__ T larger(T x, T y) {  // hands NaN on
  return is_nan(x) || x > y ? x : y;
}
template <class T>
__device__ T smaller(T x, T y) {
  return is_nan(x) || x < y ? x : y;
}
template <class T>
__device__ T conjugate(T x) {
  if constexpr (is_complex_type<T>)
    return thrust::conj(x);
  else
    return x;
}

template <class T>
__device__ T quotient_floor(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    if (y == -1) return -x;  // also where x / y overflows
    const T q = x / y;
    return q - (x % y != 0 && (x < 0) != (y < 0));
  } else {
    if (y == 0) return x / y;
    const T rest = fmod(x, y);
    T q = (x - rest) / y;
    if (rest != 0 && (y < 0) != (rest < 0)) q -= 1;
    if (q == 0) return copysign(T(0), x / y);
    const T down = floor(q);
    return q - down > T(0.5) ? down + 1 : down;
  }
}
template <class T>
__device__ T rest_truncated(T x, T y) {
  if constexpr (std::is_integral_v<T>)
    return y == -1 ? 0 : x % y;
  else
    return fmod(x, y);
}
template <class T>
__device__ T rest_floored(T x, T y) {
  const T rest = rest_truncated(x, y);
  return rest != 0 && (y < 0) != (rest < 0) ? rest + y : rest;
}

template <class T>
__device__ T power(T x, T y) {
  if constexpr (std::is_integral_v<T>) {  // to a negative power only 1 and -1 do not vanish
    if (y < 0) return x == 1 || x == -1 ? (y % 2 == 0 ? 1 : x) : 0;
    uint64_t result = 1, base = static_cast<uint64_t>(x);
    for (auto n = static_cast<uint64_t>(y); n != 0; n >>= 1, base *= base)
      if (n & 1) result *= base;
    return static_cast<T>(result);
  } else if constexpr (is_complex_type<T>) {
    if (!truth(y)) return T(1);
    return truth(x) ? thrust::pow(x, y) : T(0);
  } else {
    return pow(x, y);
  }
}

__device__ inline int64_t shifted_left(int64_t x, int64_t n) {
  return n < 0 || n > 63 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(x) << n);
}
__device__ inline int64_t shifted_right(int64_t x, int64_t n) { return x >> (n < 0 || n > 63 ? 63 : n); }

template <class T>
__device__ T times_log(T x, T y) {
  if (is_nan(y)) return y;
  return x == 0 ? T(0) : x * log(y);
}

// x + w (end - x), from the nearer end.
template <class T>
__device__ T between(T x, T end, T w) {
  bool near;
  if constexpr (is_complex_type<T>)
    near = thrust::abs(w) < Real<T>(0.5);
  else
    near = (w < 0 ? -w : w) < T(0.5);
  return near ? x + w * (end - x) : end - (end - x) * (T(1) - w);
}

// ---- tables: slot, kinds of numbers, operands, expression -----------------------------------------------------------

#define FACULA_PLAIN_MAPS(_)                                                     \
  _(mul, kAll, 2, (T x, T y), (x * y))                                           \
  _(div, kFloating, 2, (T x, T y), x / y)                                        \
  _(pow, kAll, 2, (T x, T y), power(x, y))                                       \
  _(atan2, kReal, 2, (T x, T y), atan2(x, y))                                    \
  _(hypot, kReal, 2, (T x, T y), hypot(x, y))                                    \
  _(copysign, kReal, 2, (T x, T y), copysign(x, y))                              \
  _(nextafter, kReal, 2, (T x, T y), nextafter(x, y))                            \
  _(xlogy, kReal, 2, (T x, T y), times_log(x, y))                                \
  _(maximum, kOrdered, 2, (T x, T y), larger(x, y))                              \
  _(minimum, kOrdered, 2, (T x, T y), smaller(x, y))                             \
  _(fmax, kOrdered, 2, (T x, T y), is_nan(x) || x < y ? y : x)                   \
  _(fmin, kOrdered, 2, (T x, T y), is_nan(x) || x > y ? y : x)                   \
  _(eq, kAll, 2, (T x, T y), x == y)                                             \
  _(ne, kAll, 2, (T x, T y), x != y)                                             \
  _(lt, kOrdered, 2, (T x, T y), x < y)                                          \
  _(le, kOrdered, 2, (T x, T y), x <= y)                                         \
  _(gt, kOrdered, 2, (T x, T y), x > y)                                          \
  _(ge, kOrdered, 2, (T x, T y), x >= y)                                         \
  _(logical_and, kAll, 2, (T x, T y), truth(x) && truth(y))                      \
  _(logical_or, kAll, 2, (T x, T y), truth(x) || truth(y))                       \
  _(logical_xor, kAll, 2, (T x, T y), truth(x) != truth(y))                      \
  _(bitwise_and, kInteger, 2, (T x, T y), (x & y))                               \
  _(bitwise_or, kInteger, 2, (T x, T y), x | y)                                  \
  _(bitwise_xor, kInteger, 2, (T x, T y), x ^ y)                                 \
  _(bitwise_left_shift, kInteger, 2, (T x, T y), shifted_left(x, y))             \
  _(bitwise_right_shift, kInteger, 2, (T x, T y), shifted_right(x, y))           \
  _(sigmoid_backward, kFloating, 2, (T g, T y), (g * conjugate((T(1) - y) * y))) \
  _(tanh_backward, kFloating, 2, (T g, T y), (g * conjugate(T(1) - y * y)))      \
  _(complex, kReal, 2, (T re, T im), thrust::complex<T>(re, im))                 \
  _(clamp, kOrdered, 3, (T x, T low, T high), smaller(larger(x, low), high))     \
  _(lerp, kFloating, 3, (T x, T end, T w), between(x, end, w))

FACULA_PLAIN_MAPS(FACULA_MAP)

// By zero, integers fail; the check comes first, since a kernel cannot.
#define FACULA_DIVISION_MAPS(_)                                  \
  _(floor_divide, kOrdered, 2, (T x, T y), quotient_floor(x, y)) \
  _(remainder, kOrdered, 2, (T x, T y), rest_floored(x, y))      \
  _(fmod, kOrdered, 2, (T x, T y), rest_truncated(x, y))

FACULA_DIVISION_MAPS(FACULA_MAP)

// ---- with parameters ------------------------------------------------------------------------------------------------

// Hendrycks and Gimpel 2016; `approximate` is the form with tanh.
template <class T>
__device__ T gelu_of(T x, bool approximate) {
  constexpr T a = T(0.7978845608028654), b = T(0.044715), c = T(0.7071067811865476);  // sqrt(2 / pi), sqrt(1 / 2)
  if (approximate) return T(0.5) * x * (T(1) + tanh(a * (x + b * x * x * x)));
  return T(0.5) * x * (T(1) + erf(x * c));
}
template <class T>
__device__ T gelu_slope(T x, bool approximate) {
  constexpr T a = T(0.7978845608028654), b = T(0.044715), c = T(0.7071067811865476);
  if (approximate) {
    const T t = tanh(a * (x + b * x * x * x));
    return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * a * (T(1) + T(3) * b * x * x);
  }
  return T(0.5) * (T(1) + erf(x * c)) + T(0.5) * a * x * exp(T(-0.5) * x * x);
}
#define FACULA_PARAMETER_MAPS(_)                                        \
  _(add, kAll, 2, (T x, T y), x + value * y)                            \
  _(sub, kAll, 2, (T x, T y), x - value * y)                            \
  _(addcmul, kAll, 3, (T x, T a, T b), x + value * a * b)               \
  _(addcdiv, kFloating, 3, (T x, T a, T b), x + value * a / b)          \
  _(threshold_backward, kOrdered, 2, (T g, T x), x <= value ? T(0) : g) \
  _(gelu, kReal, 1, (T x), gelu_of(x, value == 1))                      \
  _(gelu_backward, kReal, 2, (T g, T x), (g * gelu_slope(x, value == 1)))

FACULA_PARAMETER_MAPS(FACULA_PARAMETER_MAP)

// ---- and the rest ---------------------------------------------------------------------------------------------------

template <class W>
struct Select {
  __device__ void operator()(char* const (&p)[4]) const {
    *reinterpret_cast<W*>(p[0]) = *reinterpret_cast<const W*>(*p[1] ? p[2] : p[3]);
  }
};

void where(const Tensor& out, TensorSpan in, ScalarSpan) {
  const Queue queue("where", out);
  with_word(out.item_size(), [&]<class W>() { each<4>(queue, {&out, &in[0], &in[1], &in[2]}, Select<W>{}); });
}

void refuse_zero(const char* slot, const Tensor& y) {
  Tensor all = empty({}, DType::Bool, y.device());
  IntList dims;
  for (int64_t d = 0; d < y.dim(); ++d) dims.push_back(d);
  slots::all(all, y, dims);
  check(item(all).to<bool>(), slot, ": division by zero");
}

template <class M>
void division(const Tensor& out, TensorSpan in, ScalarSpan params) {
  if (is_integral(in[1].dtype(), true)) refuse_zero(M::slot, in[1]);
  pointwise<M>(out, in, params);
}

}  // namespace

void fill_pointwise_slots() {
  FACULA_PLAIN_MAPS(FACULA_MAP_FILL)
  FACULA_PARAMETER_MAPS(FACULA_MAP_FILL)
  slots::floor_divide.fill(DeviceType::CUDA, division<Map_floor_divide>);
  slots::remainder.fill(DeviceType::CUDA, division<Map_remainder>);
  slots::fmod.fill(DeviceType::CUDA, division<Map_fmod>);
  slots::where.fill(DeviceType::CUDA, where);
}

}  // namespace facula::cuda
