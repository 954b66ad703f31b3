// What is done with the parts of numbers: signs, fractions, exponents, divisors.
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "kernels/cpu/register.h"
#include "kernels/cpu/rows.h"

namespace facula::cpu {
using namespace HWY_NAMESPACE;
namespace {

/// The neighbour of x in the direction of y, of 16-bit numbers whose order is that of their bits.
template <class T>
T next_after(T x, T y) {
  const auto from = static_cast<float>(x), to = static_cast<float>(y);
  if (std::isnan(from) || std::isnan(to)) return T(std::nanf(""));
  if (from == to) return y;
  if (from == 0) return std::bit_cast<T>(static_cast<uint16_t>(to > 0 ? 0x0001 : 0x8001));
  const auto bits = std::bit_cast<uint16_t>(x);
  return std::bit_cast<T>(static_cast<uint16_t>((from < to) == (from > 0) ? bits + 1 : bits - 1));
}

void fill_signs() {
  using Narrow = Types<Half, BFloat16>;
  numbers<slots::copysign, 2>(Floats(), [](auto x, auto y) { return std::copysign(x, y); });
  numbers<slots::nextafter, 2>(Floats(), [](auto x, auto y) { return std::nextafter(x, y); });
  numbers<slots::nextafter, 2>(Narrow(), [](auto x, auto y) { return next_after(x, y); });
  const auto step = [](auto x, auto value) { return x == decltype(x)(0) ? value : decltype(x)(x > decltype(x)(0)); };
  numbers<slots::heaviside, 2>(Floats(), step);
  numbers<slots::heaviside, 2>(Integers(), step);
  numbers<slots::heaviside, 2>(Types<bool>(), [](bool x, bool value) { return x || value; });
}

template <class T>
void round_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const auto decimals = params[0].to<double>();
  const T scale = static_cast<T>(std::pow(10.0, std::abs(decimals)));
  if (decimals < 0)
    each_number<T, T, 1>(out, in, n, [scale](T x) { return std::nearbyint(x / scale) * scale; });
  else
    each_number<T, T, 1>(out, in, n, [scale](T x) { return std::nearbyint(x * scale) / scale; });
}

template <class T>
void nan_to_num_row(char* out, const char* const* in, int64_t n, ScalarSpan params) {
  const auto nan = params[0].to<T>(), high = params[1].to<T>(), low = params[2].to<T>();
  constexpr T infinity = std::numeric_limits<T>::infinity();
  each_number<T, T, 1>(out, in, n, [=](T x) { return x != x ? nan : x == infinity ? high : x == -infinity ? low : x; });
}

void fill_parts() {
  numbers<slots::frac, 1>(Floats(), [](auto x) { return x - std::trunc(x); });
  add_row<slots::round_decimals, 1>(DType::Float32, round_row<float>);
  add_row<slots::round_decimals, 1>(DType::Float64, round_row<double>);
  add_row<slots::nan_to_num, 1>(DType::Float32, nan_to_num_row<float>);
  add_row<slots::nan_to_num, 1>(DType::Float64, nan_to_num_row<double>);
}

/// |x| without overflow.
template <class T>
uint64_t magnitude(T x) {
  return x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x);
}

void fill_divisors() {
  numbers<slots::gcd, 2, kHeavyGrain>(Integers(), [](auto x, auto y) { return std::gcd(magnitude(x), magnitude(y)); });
  numbers<slots::lcm, 2, kHeavyGrain>(Integers(), []<class T>(T x, T y) {
    const uint64_t divisor = std::gcd(magnitude(x), magnitude(y));
    if (divisor == 0) return T(0);
    const auto multiple = static_cast<T>(magnitude(x) / divisor * magnitude(y));  // wraps
    return static_cast<T>(magnitude(multiple));
  });
}

template <class R>
void polar_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  each_number<R, std::complex<R>, 2>(out, in, n, [](R length, R angle) {
    return std::complex<R>(length * std::cos(angle), length * std::sin(angle));
  });
}

/// x = mantissa * 2^exponent. Narrow numbers go by way of float32, which loses nothing.
template <class T>
void frexp_of(const Tensor& mantissa, const Tensor& exponent, const Tensor& x) {
  using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const LoopNest<3> nest({&mantissa, &exponent, &x});
  nest.parallel_rows(kHeavyGrain, [&](const std::array<char*, 3>& p, int64_t n) {
    const auto& step = nest.stride[0];
    for (int64_t i = 0; i < n; ++i) {
      int e = 0;
      const auto v = static_cast<Wide>(*reinterpret_cast<const T*>(p[2] + i * step[2]));
      const Wide m = std::isfinite(v) ? std::frexp(v, &e) : v;
      *reinterpret_cast<T*>(p[0] + i * step[0]) = static_cast<T>(m);
      *reinterpret_cast<int32_t*>(p[1] + i * step[1]) = e;
    }
  });
}

void frexp(const Tensor& mantissa, const Tensor& exponent, const Tensor& x) {
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Half> ||
                  std::is_same_v<T, BFloat16>)
      frexp_of<T>(mantissa, exponent, x);
  });
}

}  // namespace

void fill_number_rows() {
  fill_signs();
  fill_parts();
  fill_divisors();
  add_row<slots::polar, 2>(DType::Float32, polar_row<float>, kHeavyGrain);
  add_row<slots::polar, 2>(DType::Float64, polar_row<double>, kHeavyGrain);
  slots::frexp.fill(DeviceType::CPU, frexp);
}

}  // namespace facula::cpu
