// Elements in memory and numbers in registers. Kernels compute with five types only: int64_t for bool and all integers
// (arithmetic modulo 2^64, cut to the width, is arithmetic of that width), float for float16, bfloat16 and float32,
// double, and two complex types. What an element is in memory is decided at run time while loading and storing: every
// thread takes the same branch, memory is slower than the branch, and a kernel is compiled 5 times, not 12.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <thrust/complex.h>

#include <cstdint>
#include <type_traits>

#include "core/dtype.h"
#include "core/scalar.h"

namespace facula::cuda {

using c64 = thrust::complex<float>;
using c128 = thrust::complex<double>;
template <class T>
inline constexpr bool is_complex_type = std::is_same_v<T, c64> || std::is_same_v<T, c128>;
template <class T>
inline constexpr bool is_real_type = std::is_floating_point_v<T>;

/// The real type of T's parts: T itself unless complex.
template <class T>
struct RealOf {
  using type = T;
};
template <class R>
struct RealOf<thrust::complex<R>> {
  using type = R;
};
template <class T>
using Real = typename RealOf<T>::type;

// ---- on the host: which type computes -------------------------------------------------------------------------------

enum Kinds {
  kInteger = 1,
  kReal = 2,
  kComplex = 4,
  kFloating = kReal | kComplex,
  kOrdered = kInteger | kReal,
  kAll = 7
};

/// Calls `body.template operator()<T>()` with the type that computes for `t`. Only types of `kinds` are compiled; the
/// others fail for `slot`.
template <int kinds, class Body>
void with_compute_type(DType t, const char* slot, Body&& body) {
  if constexpr ((kinds & kInteger) != 0)
    if (t <= DType::Int64) return body.template operator()<int64_t>();
  if constexpr ((kinds & kReal) != 0) {
    if (t == DType::Float64) return body.template operator()<double>();
    if (is_floating(t)) return body.template operator()<float>();
  }
  if constexpr ((kinds & kComplex) != 0) {
    if (t == DType::Complex64) return body.template operator()<c64>();
    if (t == DType::Complex128) return body.template operator()<c128>();
  }
  fail(slot, ": there is no cuda kernel for ", t);
}

template <class T>
T number(const Scalar& s) {
  if constexpr (is_complex_type<T>) {
    const complex128 c = s.to<complex128>();
    return T(static_cast<Real<T>>(c.real()), static_cast<Real<T>>(c.imag()));
  } else {
    return s.to<T>();
  }
}

/// Elements that are moved but not understood.
struct alignas(16) Word16 {
  uint64_t part[2];
};
template <class Body>
void with_word(int64_t item_size, Body&& body) {
  switch (item_size) {
    case 1: return body.template operator()<uint8_t>();
    case 2: return body.template operator()<uint16_t>();
    case 4: return body.template operator()<uint32_t>();
    case 8: return body.template operator()<uint64_t>();
    default: return body.template operator()<Word16>();
  }
}

// ---- on the device --------------------------------------------------------------------------------------------------

/// Calls `body.template operator()<E>()` with the element type of `t`, one of those for which T computes.
template <class T, class Body>
__device__ void with_element(DType t, Body&& body) {
  if constexpr (std::is_same_v<T, int64_t>) {
    switch (t) {
      case DType::Bool: return body.template operator()<bool>();
      case DType::UInt8: return body.template operator()<uint8_t>();
      case DType::Int8: return body.template operator()<int8_t>();
      case DType::Int16: return body.template operator()<int16_t>();
      case DType::Int32: return body.template operator()<int32_t>();
      default: return body.template operator()<int64_t>();
    }
  } else if constexpr (std::is_same_v<T, float>) {
    switch (t) {
      case DType::Float16: return body.template operator()<__half>();
      case DType::BFloat16: return body.template operator()<__nv_bfloat16>();
      default: return body.template operator()<float>();
    }
  } else {
    body.template operator()<T>();
  }
}

template <class T>
__device__ bool is_nan(T x) {
  if constexpr (is_complex_type<T>)
    return is_nan(x.real()) || is_nan(x.imag());
  else
    return x != x;
}

template <class T>
__device__ bool truth(T x) {
  if constexpr (is_complex_type<T>)
    return x.real() != 0 || x.imag() != 0;
  else
    return x != T(0);
}

/// Cut towards zero; NaN is 0, what is out of range the nearest end.
__device__ inline int64_t saturated_integer(double x) {
  if (is_nan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  return x < -0x1p63 ? INT64_MIN : static_cast<int64_t>(x);
}

/// A number as another type's number, or as an element.
template <class To, class From>
__device__ To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<To, bool>) {
    return truth(x);
  } else if constexpr (std::is_same_v<From, __half> || std::is_same_v<From, __nv_bfloat16>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (is_complex_type<To>) {
    if constexpr (is_complex_type<From>)
      return To(convert<Real<To>>(x.real()), convert<Real<To>>(x.imag()));
    else
      return To(convert<Real<To>>(x), Real<To>(0));
  } else if constexpr (is_complex_type<From>) {
    return convert<To>(x.real());
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    return static_cast<To>(saturated_integer(x));
  } else if constexpr (std::is_same_v<To, __half>) {
    return __float2half_rn(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, __nv_bfloat16>) {
    return __float2bfloat16_rn(static_cast<float>(x));
  } else {
    return static_cast<To>(x);
  }
}

template <class T>
__device__ T load(const char* p, DType t) {
  T x;
  with_element<T>(t, [&]<class E>() { x = convert<T>(*reinterpret_cast<const E*>(p)); });
  return x;
}

template <class T>
__device__ void store(char* p, DType t, T x) {
  with_element<T>(t, [&]<class E>() { *reinterpret_cast<E*>(p) = convert<E>(x); });
}

/// n neighbours by one instruction, or by two where they have 32 bytes; p is aligned to their size, at most 16.
template <class E, int n>
struct alignas(sizeof(E) * n < 16 ? sizeof(E) * n : 16) Pack {
  E item[n];
};

template <int n, class T>
__device__ void load_pack(const char* p, DType t, T (&x)[n]) {
  with_element<T>(t, [&]<class E>() {
    const auto pack = *reinterpret_cast<const Pack<E, n>*>(p);
#pragma unroll
    for (int i = 0; i < n; ++i) x[i] = convert<T>(pack.item[i]);
  });
}

template <int n, class T>
__device__ void store_pack(char* p, DType t, const T (&x)[n]) {
  with_element<T>(t, [&]<class E>() {
    Pack<E, n> pack;
#pragma unroll
    for (int i = 0; i < n; ++i) pack.item[i] = convert<E>(x[i]);
    *reinterpret_cast<Pack<E, n>*>(p) = pack;
  });
}

/// Calls `body.template operator()<T>()` with the type that computes for `t`.
template <class Body>
__device__ void with_number_type(DType t, Body&& body) {
  switch (t) {
    case DType::Float16:
    case DType::BFloat16:
    case DType::Float32: return body.template operator()<float>();
    case DType::Float64: return body.template operator()<double>();
    case DType::Complex64: return body.template operator()<c64>();
    case DType::Complex128: return body.template operator()<c128>();
    default: return body.template operator()<int64_t>();
  }
}

/// Stores a number as an element of any dtype.
template <class T>
__device__ void store_as(char* p, DType t, T x) {
  with_number_type(
      t, [&]<class U>() { with_element<U>(t, [&]<class E>() { *reinterpret_cast<E*>(p) = convert<E>(x); }); });
}

/// Is the element not zero? For every dtype.
__device__ inline bool load_truth(const char* p, DType t) {
  bool yes = false;
  with_number_type(t, [&]<class T>() { yes = truth(load<T>(p, t)); });
  return yes;
}

}  // namespace facula::cuda
