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

/// The first n < Lanes(d) elements; the others are zero.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_some(D d, const T* x, int64_t n) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)] = {};
  std::copy_n(x, n, buffer);
  return hn::Load(d, buffer);
#else
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(n)), d, x);
#endif
}

template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE void store_some(V v, D d, T* y, int64_t n) {
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(v, d, buffer);
  std::copy_n(buffer, n, y);
#else
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(n)), d, y);
#endif
}

template <class T, bool heavy, class F, size_t... K>
HWY_INLINE void each(char* out, const char* const* in, int64_t n, const F& f, std::index_sequence<K...>) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  T* y = reinterpret_cast<T*>(out);
  const T* const x[] = {reinterpret_cast<const T*>(in[K])...};
  if constexpr (heavy) {  // a long body: once
    for (int64_t i = 0; i < n; i += lanes) {
      const bool whole = n - i >= lanes;
      const auto v = f(d, (whole ? hn::LoadU(d, x[K] + i) : load_some(d, x[K] + i, n - i))...);
      if (whole) [[likely]]
        hn::StoreU(v, d, y + i);
      else
        store_some(v, d, y + i, n - i);
    }
  } else {
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x[K] + i)...), d, y + i);
    if (i < n) store_some(f(d, load_some(d, x[K] + i, n - i)...), d, y + i, n - i);
  }
}

/// y[i] = f(d, x0[i], x1[i], ...) by vectors of T.
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
