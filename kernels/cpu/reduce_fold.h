// Folding a dense row into one number, included once per instruction set.
#if defined(FACULA_KERNELS_CPU_REDUCE_FOLD_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_REDUCE_FOLD_H
#undef FACULA_KERNELS_CPU_REDUCE_FOLD_H
#else
#define FACULA_KERNELS_CPU_REDUCE_FOLD_H
#endif

#include <limits>

#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

// ---- operators: what nothing gives, and how two become one ----------------------------------------------------------
struct Sum {
  static constexpr bool ordered = false;
  template <class T>
  static constexpr T nothing() {
    return T(0);
  }
  template <class V>
  HWY_INLINE static V vectors(V a, V b) {
    return hn::Add(a, b);
  }
  template <class T>
  static T numbers(T a, T b) {
    if constexpr (std::is_integral_v<T>)  // wraps around
      return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    else
      return static_cast<T>(a + b);
  }
};
struct Product {
  static constexpr bool ordered = false;
  template <class T>
  static constexpr T nothing() {
    return T(1);
  }
  template <class V>
  HWY_INLINE static V vectors(V a, V b) {
    return hn::Mul(a, b);
  }
  template <class T>
  static T numbers(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    else if constexpr (std::is_floating_point_v<T>)
      return a * b;
    else
      return times(a, b);
  }
};
/// NaN wins.
struct Largest {
  static constexpr bool ordered = true;
  template <class T>
  static constexpr T nothing() {
    return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  }
  template <class V>
  HWY_INLINE static V vectors(V a, V b) {
    return hn::IfThenElse(hn::Or(hn::Ge(a, b), hn::IsNaN(a)), a, b);
  }
  template <class T>
  static T numbers(T a, T b) {
    return a >= b || a != a ? a : b;
  }
};
struct Smallest {
  static constexpr bool ordered = true;
  template <class T>
  static constexpr T nothing() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class V>
  HWY_INLINE static V vectors(V a, V b) {
    return hn::IfThenElse(hn::Or(hn::Le(a, b), hn::IsNaN(a)), a, b);
  }
  template <class T>
  static T numbers(T a, T b) {
    return a <= b || a != a ? a : b;
  }
};
// ---- folds ----------------------------------------------------------------------------------------------------------
/// The lanes of a vector, the lower half with the upper one.
template <class Op, class D, class V>
HWY_INLINE hn::TFromD<D> fold_lanes(D, V v) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    return fold_lanes<Op>(half, Op::vectors(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
#endif
  return hn::GetLane(v);
}

/// In four vectors side by side, since one would wait for itself.
template <class Op, class T>
T fold_vectors(const T* x, int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto nothing = hn::Set(d, Op::template nothing<T>());
  auto a = nothing, b = nothing, c = nothing, e = nothing;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = Op::vectors(a, hn::LoadU(d, x + i));
    b = Op::vectors(b, hn::LoadU(d, x + i + lanes));
    c = Op::vectors(c, hn::LoadU(d, x + i + 2 * lanes));
    e = Op::vectors(e, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a = Op::vectors(a, hn::LoadU(d, x + i));
  if (i < n) {
    const auto rest = static_cast<size_t>(n - i);
    b = Op::vectors(b, hn::IfThenElse(hn::FirstN(d, rest), load_some(d, x + i, n - i), nothing));
  }
  return fold_lanes<Op>(d, Op::vectors(Op::vectors(a, b), Op::vectors(c, e)));
}

/// One by one, for integers and complex numbers; the compiler spreads integers over lanes itself. Partial results side by
/// side, as above, are miscompiled here by g++ 12.2 at -O3 for AVX-512: some elements are lost.
template <class Op, class T>
T fold_numbers(const T* x, int64_t n) {
  T a = Op::template nothing<T>();
  for (int64_t i = 0; i < n; ++i) a = Op::numbers(a, x[i]);
  return a;
}

/// The operator over n dense elements.
template <class Op, class T>
T fold(const T* x, int64_t n) {
  if constexpr (std::is_floating_point_v<T>)
    return fold_vectors<Op>(x, n);
  else
    return fold_numbers<Op>(x, n);
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
