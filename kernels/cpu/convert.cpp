// Conversion of dense rows between all pairs of dtypes.
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/convert.cpp"
#include "kernels/cpu/targets.h"
// First targets.h, then foreach_target.h, then what it repeats.
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

template <class T>
constexpr bool is_complex_number = false;
template <class R>
constexpr bool is_complex_number<std::complex<R>> = true;
template <class To, class From>
HWY_INLINE To cast(From x) {
  if constexpr (is_complex_number<From>) {
    if constexpr (is_complex_number<To>)
      return To(x);
    else if constexpr (std::is_same_v<To, bool>)
      return x.real() != 0 || x.imag() != 0;
    else
      return cast<To>(x.real());
  } else if constexpr (is_complex_number<To>) {
    return To(cast<typename To::value_type>(x));
  } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
    return cast<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, bool>) {
    return x != 0;
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // As `saturated`, but without branches where To is narrow.
    const auto wide = x >= static_cast<From>(0x1p63)   ? INT64_MAX
                      : x < static_cast<From>(-0x1p63) ? INT64_MIN
                      : x == x                         ? static_cast<int64_t>(x)
                                                       : 0;
    return static_cast<To>(wide);
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(x));
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
void convert(char* to, const char* from, int64_t n) {
  auto* __restrict y = reinterpret_cast<To*>(to);
  const auto* __restrict x = reinterpret_cast<const From*>(from);
  for (int64_t i = 0; i < n; ++i) y[i] = cast<To>(x[i]);
}

// The compiler does not find the instructions for these two.
template <>
void convert<float, Half>(char* to, const char* from, int64_t n) {
  const hn::ScalableTag<float> d;
  auto* y = reinterpret_cast<float*>(to);
  const auto* x = reinterpret_cast<const Half*>(from);
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(load(d, x + i), d, y + i);
  for (; i < n; ++i) y[i] = x[i];
}

template <>
void convert<Half, float>(char* to, const char* from, int64_t n) {
  const hn::ScalableTag<float> d;
  auto* y = reinterpret_cast<Half*>(to);
  const auto* x = reinterpret_cast<const float*>(from);
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(load(d, x + i), d, y + i);
  for (; i < n; ++i) y[i] = Half(x[i]);
}

template <class To>
constexpr Convert convert_to(DType from) {
  constexpr std::array<Convert, kDTypes> table = {
#define FACULA_ENTRY(type, tag) convert<To, type>,
      FACULA_DTYPES(FACULA_ENTRY)
#undef FACULA_ENTRY
  };
  return table[static_cast<int>(from)];
}

Convert converter(DType to, DType from) {
  return with_type(to, [&]<class To>() { return convert_to<To>(from); });
}

void stream(char* to, const char* from, int64_t bytes) {
  const hn::ScalableTag<uint8_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t head = std::min<int64_t>(bytes, -reinterpret_cast<intptr_t>(to) & (lanes - 1));
  std::copy_n(from, head, to);
  int64_t i = head;
  for (; i + lanes <= bytes; i += lanes)
    hn::Stream(hn::LoadU(d, reinterpret_cast<const uint8_t*>(from + i)), d, reinterpret_cast<uint8_t*>(to + i));
  std::copy_n(from + i, bytes - i, to + i);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(converter);
HWY_EXPORT(stream);

Convert converter(DType to, DType from) { return HWY_DYNAMIC_DISPATCH(converter)(to, from); }
void stream(char* to, const char* from, int64_t bytes) { HWY_DYNAMIC_DISPATCH(stream)(to, from, bytes); }
void end_stream() { hwy::FlushStream(); }

}  // namespace facula::cpu
#endif
