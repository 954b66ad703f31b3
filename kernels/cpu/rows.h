// Loops over dense rows, included once per instruction set (see targets.h); files without vector code include it once.
#if defined(FACULA_KERNELS_CPU_ROWS_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_ROWS_H
#undef FACULA_KERNELS_CPU_ROWS_H
#else
#define FACULA_KERNELS_CPU_ROWS_H
#endif

#include <algorithm>
#include <utility>

#include "hwy/highway.h"
#include "kernels/cpu/pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ---- loads and stores of vectors; narrow floats are widened and rounded on their way --------------------------------
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const hn::TFromD<D>* x) {
  return hn::LoadU(d, x);
}
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, hn::TFromD<D>* y) {
  hn::StoreU(v, d, y);
}

#if HWY_TARGET == HWY_SCALAR
template <class D, class T>
requires(sizeof(T) == 2) HWY_INLINE hn::Vec<D> load(D d, const T* x) { return hn::Set(d, static_cast<float>(*x)); }
template <class D, class T>
requires(sizeof(T) == 2) HWY_INLINE void store(hn::Vec<D> v, D, T* y) { *y = T(hn::GetLane(v)); }
#else
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const Half* x) {
  const hn::Rebind<hwy::float16_t, D> d16;
  return hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(x)));
}
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D, Half* y) {
  const hn::Rebind<hwy::float16_t, D> d16;
  hn::StoreU(hn::DemoteTo(d16, v), d16, reinterpret_cast<hwy::float16_t*>(y));
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const BFloat16* x) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<uint32_t, D> d32;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, hn::LoadU(d16, reinterpret_cast<const uint16_t*>(x)))));
}
/// v as bfloat16 in the upper halves of its lanes, by the rules of BFloat16::from_float; the lower ones may be anything.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint32_t, D>> rounded(D, hn::Vec<D> v) {
  const hn::Rebind<uint32_t, D> d32;
  const auto bits = hn::BitCast(d32, v), odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1));
  const auto to_even = hn::Add(hn::Add(bits, hn::Set(d32, 0x7fff)), odd), quiet = hn::Or(bits, hn::Set(d32, 0x400000));
  return hn::IfThenElse(hn::RebindMask(d32, hn::IsNaN(v)), quiet, to_even);
}
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, BFloat16* y) {
  const hn::Rebind<uint16_t, D> d16;
  const hn::Rebind<int32_t, D> signed32;
  const auto bits = hn::BitCast(signed32, hn::ShiftRight<16>(rounded(d, v)));
  hn::StoreU(hn::DemoteTo(d16, bits), d16, reinterpret_cast<uint16_t*>(y));
}
#endif

/// The first n < Lanes(d) elements; the others are zero.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_some(D d, const T* x, int64_t n) {
  if constexpr (HWY_MEM_OPS_MIGHT_FAULT || !std::is_same_v<T, hn::TFromD<D>>) {
    HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
    std::copy_n(x, n, buffer);
    return load(d, buffer);
  } else {
    return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(n)), d, x);
  }
}

template <class D, class T>
HWY_INLINE void store_some(hn::Vec<D> v, D d, T* y, int64_t n) {
  if constexpr (HWY_MEM_OPS_MIGHT_FAULT || !std::is_same_v<T, hn::TFromD<D>>) {
    HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
    store(v, d, buffer);
    std::copy_n(buffer, n, y);
  } else {
    hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(n)), d, y);
  }
}

#if HWY_TARGET != HWY_SCALAR
// Two vectors of bfloat16 that lie next to each other, as one of its elements at even places and one of those at odd
// ones: that saves the shuffles of widening and narrowing.
template <class D>
HWY_INLINE hn::Vec<D> load_even(D d, const BFloat16* x) {
  const hn::Rebind<uint32_t, D> d32;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::LoadU(d32, reinterpret_cast<const uint32_t*>(x))));
}
template <class D>
HWY_INLINE hn::Vec<D> load_odd(D d, const BFloat16* x) {
  const hn::Rebind<uint32_t, D> d32;
  return hn::BitCast(d, hn::And(hn::LoadU(d32, reinterpret_cast<const uint32_t*>(x)), hn::Set(d32, 0xffff0000)));
}
template <class D>
HWY_INLINE void store_pairs(hn::Vec<D> even, hn::Vec<D> odd, D d, BFloat16* y) {
  const hn::Rebind<uint32_t, D> d32;
  const auto low = hn::ShiftRight<16>(rounded(d, even)), high = hn::And(rounded(d, odd), hn::Set(d32, 0xffff0000));
  hn::StoreU(hn::Or(low, high), d32, reinterpret_cast<uint32_t*>(y));
}
#endif

// ---- loops ----------------------------------------------------------------------------------------------------------
template <class T, bool heavy, class F, size_t... K>
HWY_INLINE void each(char* out, const char* const* in, int64_t n, const F& f, std::index_sequence<K...>) {
  const hn::ScalableTag<Computed<T>> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  T* y = reinterpret_cast<T*>(out);
  const T* const x[] = {reinterpret_cast<const T*>(in[K])...};
  if constexpr (heavy) {  // a long body: once
    for (int64_t i = 0; i < n; i += lanes) {
      const bool whole = n - i >= lanes;
      const auto v = f(d, (whole ? load(d, x[K] + i) : load_some(d, x[K] + i, n - i))...);
      if (whole) [[likely]]
        store(v, d, y + i);
      else
        store_some(v, d, y + i, n - i);
    }
  } else {
    int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (std::is_same_v<T, BFloat16>)
      for (; i + 2 * lanes <= n; i += 2 * lanes)
        store_pairs(f(d, load_even(d, x[K] + i)...), f(d, load_odd(d, x[K] + i)...), d, y + i);
#endif
    for (; i + lanes <= n; i += lanes) store(f(d, load(d, x[K] + i)...), d, y + i);
    if (i < n) store_some(f(d, load_some(d, x[K] + i, n - i)...), d, y + i, n - i);
  }
}

/// y[i] = f(d, x0[i], x1[i], ...) by vectors of T, or of float where T is narrower.
template <class T, int N, bool heavy = false, class F>
HWY_INLINE void each(char* out, const char* const* in, int64_t n, const F& f) {
  each<T, heavy>(out, in, n, f, std::make_index_sequence<N>());
}

template <class F, class T, int N, bool heavy>
void vector_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  each<T, N, heavy>(out, in, n, F());
}

template <class T, class R, class F, size_t... K>
HWY_INLINE void each_number(char* out, const char* const* in, int64_t n, const F& f, std::index_sequence<K...>) {
  R* y = reinterpret_cast<R*>(out);
  const T* const x[] = {reinterpret_cast<const T*>(in[K])...};
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<R>(f(x[K][i]...));
}

/// y[i] = f(x0[i], x1[i], ...), from numbers of type T to R; the compiler makes vectors of it where it can.
template <class T, class R, int N, class F>
HWY_INLINE void each_number(char* out, const char* const* in, int64_t n, const F& f) {
  each_number<T, R>(out, in, n, f, std::make_index_sequence<N>());
}

template <class F, class T, class R, int N>
void number_row(char* out, const char* const* in, int64_t n, ScalarSpan) {
  each_number<T, R, N>(out, in, n, F());
}

// Filling slots with N inputs by captureless lambdas. Those of vectors take (d, x...), where d is Highway's description
// of the vector type; those of numbers take (x...), and what they return is cast to the result's type.
template <PointwiseSlot& slot, int N, int64_t grain = kGrain, class F, class... T>
void vectors(Types<T...>, F) {
  (add_row<slot, N>(dtype_of<T>, vector_row<F, T, N, (grain < kGrain)>, grain), ...);
}
template <PointwiseSlot& slot, int N, int64_t grain = kGrain, class F, class... T>
void numbers(Types<T...>, F) {
  (add_row<slot, N>(dtype_of<T>, number_row<F, T, T, N>, grain), ...);
}
/// Likewise where the result is bool, or the real dtype of complex numbers.
template <PointwiseSlot& slot, int N, class F, class... T>
void predicates(Types<T...>, F) {
  (add_row<slot, N>(dtype_of<T>, number_row<F, T, bool, N>), ...);
}
template <PointwiseSlot& slot, class F, class... T>
void magnitudes(Types<T...>, F) {
  (add_row<slot, 1>(dtype_of<T>, number_row<F, T, typename T::value_type, 1>), ...);
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
