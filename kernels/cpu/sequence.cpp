// Evenly spaced numbers, computed in int64, double or complex128 and rounded once.
#include <type_traits>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

template <class T>
using Exact = std::conditional_t<is_complex(dtype_of<T>), complex128,
                                 std::conditional_t<is_integral(dtype_of<T>, true), int64_t, double>>;

template <class T, class Value>
T rounded(Value v) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return T(static_cast<float>(v));
  else if constexpr (std::is_same_v<T, bool>)
    return v != Value(0);
  else if constexpr (std::is_integral_v<T> && !std::is_integral_v<Value>)
    return static_cast<T>(saturated(v));
  else
    return static_cast<T>(v);
}

// out[i] = value(i)
template <class T, class F>
void fill_with(const Tensor& out, F value) {
  const int64_t stride = out.stride(0);
  parallel_for(out.numel(), kGrain, [&](int64_t begin, int64_t end) {
    T* x = out.data<T>();
    for (int64_t i = begin; i < end; ++i) x[i * stride] = rounded<T>(value(i));
  });
}

void arange(const Tensor& out, const Scalar& start, const Scalar& step) {
  with_type(out.dtype(), [&]<class T>() {
    using E = Exact<T>;
    const E a = start.to<E>(), s = step.to<E>();
    fill_with<T>(out, [a, s](int64_t i) {
      if constexpr (std::is_integral_v<E>)  // wraps
        return static_cast<E>(static_cast<uint64_t>(a) + static_cast<uint64_t>(i) * static_cast<uint64_t>(s));
      else
        return a + s * static_cast<double>(i);
    });
  });
}

void linspace(const Tensor& out, const Scalar& start, const Scalar& end) {
  const int64_t n = out.numel();
  with_type(out.dtype(), [&]<class T>() {
    using E = std::conditional_t<is_complex(dtype_of<T>), complex128, double>;  // integers are cut in the end
    const E a = start.to<E>(), b = end.to<E>(), step = n > 1 ? (b - a) / static_cast<double>(n - 1) : E(0);
    // From the nearer end, so that both ends are exact and the sequence reads the same from either.
    fill_with<T>(out, [a, b, step, n](int64_t i) {
      return n == 1 || i < n / 2 ? a + step * static_cast<double>(i) : b - step * static_cast<double>(n - 1 - i);
    });
  });
}

}  // namespace

void fill_sequence_slots() {
  slots::arange.fill(DeviceType::CPU, arange);
  slots::linspace.fill(DeviceType::CPU, linspace);
}

}  // namespace facula::cpu
