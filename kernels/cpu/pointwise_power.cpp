// Powers. Exponents that are one number, and a simple one, become products and roots.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_power.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/vector_math.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

/// float32 as e^(y log x) in float64, which has the digits that the exponential costs; by the library where x is not
/// positive or something is not finite.
void float_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  constexpr int64_t block = 128;
  alignas(64) double x[block], y[block];
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t count = std::min(block, n - begin);
    std::copy_n(reinterpret_cast<const float*>(in[0]) + begin, count, x);
    std::copy_n(reinterpret_cast<const float*>(in[1]) + begin, count, y);
    const char* operands[] = {reinterpret_cast<const char*>(x), reinterpret_cast<const char*>(y)};
    each<double, 2, true>(reinterpret_cast<char*>(x), operands, count, [](auto d, auto base, auto exponent) {
      const auto usual = hn::And(hn::And(hn::Gt(base, hn::Zero(d)), hn::Lt(base, infinity(d))), hn::IsFinite(exponent));
      const auto power = exp(d, hn::Mul(exponent, hn::Log(d, base)));
      return patched(
          d, power, hn::Not(usual), [](double b, double e) { return std::pow(b, e); }, base, exponent);
    });
    std::copy_n(x, count, reinterpret_cast<float*>(out) + begin);
  }
}

template <class T>
void cube_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  each<T, 1>(out, in, n, [](auto, auto x) { return hn::Mul(hn::Mul(x, x), x); });
}

Rows cubes() {
  Rows rows;
  rows.of[static_cast<int>(DType::Float32)] = cube_row<float>;
  rows.of[static_cast<int>(DType::Float64)] = cube_row<double>;
  return rows;
}

void fill_power() {
  add_row<slots::pow, 2>(DType::Float32, float_row, kHeavyGrain);
  numbers<slots::pow, 2, kHeavyGrain>(Types<double>(), [](double x, double y) { return std::pow(x, y); });
  // By squaring; overflow wraps. To a negative power only 1 and -1 do not vanish.
  numbers<slots::pow, 2, kHeavyGrain>(Integers(), []<class T>(T base, T exponent) {
    if (std::is_signed_v<T> && exponent < 0) {
      const bool odd = (exponent & 1) != 0;
      return static_cast<uint64_t>(base == T(1) ? 1 : base == T(-1) ? (odd ? -1 : 1) : 0);
    }
    uint64_t result = 1, square = static_cast<uint64_t>(base);
    for (auto e = static_cast<std::make_unsigned_t<T>>(exponent); e != 0; e >>= 1) {
      if (e & 1) result *= square;
      square *= square;
    }
    return result;
  });
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(cubes);
HWY_EXPORT(fill_power);

static void pow(const Tensor& out, TensorSpan in, ScalarSpan params) {
  if (is_floating(out.dtype()) && is_constant(in[1])) {
    const TensorSpan base = in.first(1);
    double y;
    converter(DType::Float64, in[1].dtype())(reinterpret_cast<char*>(&y), in[1].bytes(), 1);
    if (y == 1) return slots::copy(out, in[0]);
    if (y == 2) return run_rows<slots::square, 1>(out, base, params);
    if (y == 0.5) return run_rows<slots::sqrt, 1>(out, base, params);
    if (y == -1) return run_rows<slots::reciprocal, 1>(out, base, params);
    if (y == -0.5) return run_rows<slots::rsqrt, 1>(out, base, params);
    if (y == 3) {
      static const Rows rows = HWY_DYNAMIC_DISPATCH(cubes)();
      return run_blocks<1>("pow", rows, out, base, params);
    }
  }
  run_rows<slots::pow, 2>(out, in, params);
}

void fill_power_rows() {
  HWY_DYNAMIC_DISPATCH(fill_power)();
  slots::pow.fill(DeviceType::CPU, pow);
}

}  // namespace facula::cpu
#endif
