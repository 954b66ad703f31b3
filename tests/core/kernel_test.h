// What the tests of kernels share: tensors with known elements in any layout, read and compared one element at a time.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"

namespace facula::test {

inline constexpr DType kAllDTypes[] = {DType::Bool,    DType::UInt8,   DType::Int8,      DType::Int16,
                                       DType::Int32,   DType::Int64,   DType::Float16,   DType::BFloat16,
                                       DType::Float32, DType::Float64, DType::Complex64, DType::Complex128};

/// Address of element i in row-major order.
inline char* address(const Tensor& x, int64_t i) {
  int64_t offset = 0;
  for (int64_t d = x.dim() - 1; d >= 0; --d) {
    offset += i % x.size(d) * x.stride(d);
    i /= x.size(d);
  }
  return x.bytes() + offset * x.item_size();
}
inline complex128 get(const Tensor& x, int64_t i) {
  return with_type(x.dtype(), [&]<class T>() {
    const T v = *reinterpret_cast<const T*>(address(x, i));
    if constexpr (is_complex(dtype_of<T>))
      return complex128(v);
    else
      return complex128(static_cast<double>(v));
  });
}
inline int64_t get_int(const Tensor& x, int64_t i) { return *reinterpret_cast<const int64_t*>(address(x, i)); }
inline void set(const Tensor& x, int64_t i, complex128 v) {
  with_type(x.dtype(), [&]<class T>() {
    auto& to = *reinterpret_cast<T*>(address(x, i));
    if constexpr (is_complex(dtype_of<T>))
      to = T(v);
    else if constexpr (std::is_same_v<T, bool>)
      to = v != 0.0;
    else if constexpr (std::is_integral_v<T>)
      to = static_cast<T>(static_cast<int64_t>(v.real()));
    else if constexpr (std::is_same_v<T, double>)
      to = v.real();
    else
      to = T(static_cast<float>(v.real()));
  });
}

/// Numbers without pattern, the same every time.
class Numbers {
 public:
  explicit Numbers(uint64_t seed = 1) : state_(seed * 0x9E3779B97F4A7C15) {}
  /// An integer of low .. high.
  int64_t integer(int64_t low, int64_t high) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return low + static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_;
};

/// Elements from a list, in row-major order.
inline Tensor tensor(DType dtype, const Sizes& sizes, const std::vector<double>& values) {
  const Tensor x = empty(sizes, dtype);
  for (size_t i = 0; i < values.size(); ++i) set(x, static_cast<int64_t>(i), values[i]);
  return x;
}
/// Small integers (0 and 1 for bool, 0 .. 4 for uint8, else -4 .. 4), exact in every dtype.
inline Tensor integers(DType dtype, const Sizes& sizes, uint64_t seed = 1) {
  Numbers numbers(seed);
  const Tensor x = empty(sizes, dtype);
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t low = dtype == DType::UInt8 || dtype == DType::Bool ? 0 : -4;
    const double re = static_cast<double>(numbers.integer(low, 4)), im = static_cast<double>(numbers.integer(-4, 4));
    set(x, i, is_complex(dtype) ? complex128(re, im) : complex128(re));
  }
  return x;
}
/// Positions of 1..n.
inline Tensor positions(const Sizes& sizes, int64_t n, uint64_t seed = 1) {
  Numbers numbers(seed);
  const Tensor x = empty(sizes, DType::Int64);
  for (int64_t i = 0; i < x.numel(); ++i) set(x, i, static_cast<double>(numbers.integer(1, n)));
  return x;
}

/// A tensor of these sizes whose dimensions lie in the opposite order, with gaps between all elements.
inline Tensor strided(const Sizes& sizes, DType dtype) {
  IntList strides(sizes.size());
  int64_t step = 2;
  for (size_t d = 0; d < sizes.size(); ++d) {
    strides[d] = step;
    step *= sizes[d] + 1;
  }
  return empty_strided(sizes, strides, dtype);
}
inline Tensor strided(const Tensor& x) {
  const Tensor copy = strided(x.sizes(), x.dtype());
  for (int64_t i = 0; i < x.numel(); ++i) std::memcpy(address(copy, i), address(x, i), x.item_size());
  return copy;
}
inline Tensor copy_of(const Tensor& x) {
  const Tensor copy = empty(x.sizes(), x.dtype());
  for (int64_t i = 0; i < x.numel(); ++i) std::memcpy(address(copy, i), address(x, i), x.item_size());
  return copy;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes() || a.dtype() != b.dtype()) return false;
  for (int64_t i = 0; i < a.numel(); ++i)
    if (std::memcmp(address(a, i), address(b, i), a.item_size()) != 0) return false;
  return true;
}
/// The largest |a - b| over elements; infinite where the sizes differ.
inline double distance(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (int64_t i = 0; i < a.numel(); ++i) most = std::max(most, std::abs(get(a, i) - get(b, i)));
  return most;
}
/// Elements as text, for messages of failing tests.
inline std::vector<double> list(const Tensor& x) {
  std::vector<double> values;
  for (int64_t i = 0; i < x.numel(); ++i) values.push_back(get(x, i).real());
  return values;
}

/// Calls f() with one thread and with three; both must give the same bits. Gives the result.
template <class F>
Tensor on_threads(F f) {
  const int threads = num_threads();
  set_num_threads(1);
  const Tensor alone = f();
  set_num_threads(3);
  const Tensor together = f();
  set_num_threads(threads);
  CHECK(same_bits(alone, together));
  return alone;
}

/// The message of the Error that f() ends with.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace facula::test
