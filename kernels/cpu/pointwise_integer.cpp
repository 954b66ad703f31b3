// What only integers have (bits, shifts), and what they do differently: division rounds down, and by zero it is an
// error.
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_integer.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

void fill_bits() {
  const auto both = [](auto x, auto y) { return x & y; };
  const auto either = [](auto x, auto y) { return x | y; };
  const auto one = [](auto x, auto y) { return x ^ y; };
  numbers<slots::bitwise_and, 2>(Integers(), both);
  numbers<slots::bitwise_or, 2>(Integers(), either);
  numbers<slots::bitwise_xor, 2>(Integers(), one);
  numbers<slots::bitwise_not, 1>(Integers(), [](auto x) { return ~x; });
  numbers<slots::bitwise_and, 2>(Types<bool>(), both);
  numbers<slots::bitwise_or, 2>(Types<bool>(), either);
  numbers<slots::bitwise_xor, 2>(Types<bool>(), one);
  numbers<slots::bitwise_not, 1>(Types<bool>(), [](bool x) { return !x; });
  // Shifts by a negative count or beyond the width leave nothing but the sign.
  numbers<slots::bitwise_left_shift, 2>(Integers(), []<class T>(T x, T y) {
    const bool fits = y >= 0 && y < std::numeric_limits<std::make_unsigned_t<T>>::digits;
    return fits ? static_cast<std::make_unsigned_t<T>>(x) << y : 0;
  });
  numbers<slots::bitwise_right_shift, 2>(Integers(), []<class T>(T x, T y) -> T {
    constexpr T last = std::numeric_limits<std::make_unsigned_t<T>>::digits - 1;
    if (std::is_unsigned_v<T> && y > last) return 0;
    return x >> (y >= 0 && y < last ? y : last);
  });
}

/// x, y to a quotient or remainder; `f` never sees y = 0, nor -1, by which the smallest integer would trap.
template <PointwiseSlot& slot, class F, class T>
void division_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  auto* z = reinterpret_cast<T*>(out);
  const auto* x = reinterpret_cast<const T*>(in[0]);
  const auto* y = reinterpret_cast<const T*>(in[1]);
  for (int64_t i = 0; i < n; ++i) {
    check(y[i] != 0, slot.name(), ": division by zero");
    z[i] = static_cast<T>(F()(x[i], y[i]));
  }
}
template <PointwiseSlot& slot, class F, class... T>
void divisions(Types<T...>, F) {
  (add_row<slot, 2>(dtype_of<T>, division_row<slot, F, T>, kHeavyGrain), ...);
}

template <class T>
constexpr T negated(T x) {
  return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
}

void fill_divisions() {
  divisions<slots::floor_divide>(Integers(), []<class T>(T x, T y) -> T {
    if (std::is_signed_v<T> && y == T(-1)) return negated(x);
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
  });
  divisions<slots::remainder>(Integers(), []<class T>(T x, T y) -> T {
    if (std::is_signed_v<T> && y == T(-1)) return 0;
    const T r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
  });
  divisions<slots::fmod>(Integers(),
                         []<class T>(T x, T y) -> T { return std::is_signed_v<T> && y == T(-1) ? 0 : x % y; });
}

void fill_integer() {
  fill_bits();
  fill_divisions();
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_integer);
void fill_integer_rows() { HWY_DYNAMIC_DISPATCH(fill_integer)(); }
}  // namespace facula::cpu
#endif
