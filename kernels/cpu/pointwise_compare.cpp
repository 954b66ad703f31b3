// Comparisons, logic and tests: results are bool, one byte each.
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise_compare.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

using Reals = Types<bool, uint8_t, int8_t, int16_t, int32_t, int64_t, float, double>;
using Whole = Types<bool, uint8_t, int8_t, int16_t, int32_t, int64_t>;
using All = Types<bool, uint8_t, int8_t, int16_t, int32_t, int64_t, float, double, complex64, complex128>;

void fill_comparisons() {
  predicates<slots::eq, 2>(All(), [](auto x, auto y) { return x == y; });
  predicates<slots::ne, 2>(All(), [](auto x, auto y) { return x != y; });
  predicates<slots::lt, 2>(Reals(), [](auto x, auto y) { return x < y; });
  predicates<slots::le, 2>(Reals(), [](auto x, auto y) { return x <= y; });
  predicates<slots::gt, 2>(Reals(), [](auto x, auto y) { return x > y; });
  predicates<slots::ge, 2>(Reals(), [](auto x, auto y) { return x >= y; });
}

void fill_logic() {
  // Without short circuits, which would be branches.
  predicates<slots::logical_and, 2>(All(), []<class T>(T x, T y) { return (x != T(0)) & (y != T(0)); });
  predicates<slots::logical_or, 2>(All(), []<class T>(T x, T y) { return (x != T(0)) | (y != T(0)); });
  predicates<slots::logical_xor, 2>(All(), []<class T>(T x, T y) { return (x != T(0)) != (y != T(0)); });
  predicates<slots::logical_not, 1>(All(), []<class T>(T x) { return x == T(0); });
}

void fill_tests() {
  predicates<slots::isnan, 1>(Floats(), [](auto x) { return x != x; });
  predicates<slots::isinf, 1>(Floats(), []<class T>(T x) { return std::abs(x) == std::numeric_limits<T>::infinity(); });
  predicates<slots::isfinite, 1>(Floats(),
                                 []<class T>(T x) { return std::abs(x) < std::numeric_limits<T>::infinity(); });
  predicates<slots::signbit, 1>(Floats(), [](auto x) { return std::signbit(x); });
  predicates<slots::isnan, 1>(Complexes(), [](auto x) { return std::isnan(x.real()) || std::isnan(x.imag()); });
  predicates<slots::isinf, 1>(Complexes(), [](auto x) { return std::isinf(x.real()) || std::isinf(x.imag()); });
  predicates<slots::isfinite, 1>(Complexes(),
                                 [](auto x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); });
  predicates<slots::isnan, 1>(Whole(), [](auto) { return false; });
  predicates<slots::isinf, 1>(Whole(), [](auto) { return false; });
  predicates<slots::isfinite, 1>(Whole(), [](auto) { return true; });
  predicates<slots::signbit, 1>(Integers(), [](auto x) { return x < 0; });
  predicates<slots::signbit, 1>(Types<bool>(), [](bool) { return false; });
}

void fill_compare() {
  fill_comparisons();
  fill_logic();
  fill_tests();
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_compare);
void fill_compare_rows() { HWY_DYNAMIC_DISPATCH(fill_compare)(); }
}  // namespace facula::cpu
#endif
