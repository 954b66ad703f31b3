// Transforms of a few vectors of complex numbers against each other, included once per instruction set.
#if defined(FACULA_KERNELS_CPU_FFT_BUTTERFLY_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_FFT_BUTTERFLY_H
#undef FACULA_KERNELS_CPU_FFT_BUTTERFLY_H
#else
#define FACULA_KERNELS_CPU_FFT_BUTTERFLY_H
#endif

#include "hwy/highway.h"
#include "kernels/cpu/fft_plan.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
struct Complex {
  V re, im;
};
template <class V>
HWY_INLINE Complex<V> operator+(Complex<V> a, Complex<V> b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
template <class V>
HWY_INLINE Complex<V> operator-(Complex<V> a, Complex<V> b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
template <class V>
HWY_INLINE Complex<V> operator*(Complex<V> a, Complex<V> b) {
  return {hn::NegMulAdd(a.im, b.im, hn::Mul(a.re, b.re)), hn::MulAdd(a.re, b.im, hn::Mul(a.im, b.re))};
}
/// a * -i
template <class V>
HWY_INLINE Complex<V> turned(Complex<V> a) {
  return {a.im, hn::Neg(a.re)};
}

template <class D>
using Vectors = Complex<hn::Vec<D>>;

/// In place, as all below.
template <class V>
HWY_INLINE void transform4(Complex<V>& x0, Complex<V>& x1, Complex<V>& x2, Complex<V>& x3) {
  const auto a = x0 + x2, b = x0 - x2, c = x1 + x3, e = turned(x1 - x3);
  x0 = a + c, x1 = b + e, x2 = a - c, x3 = b - e;
}

template <int radix>
struct Butterfly;
template <>
struct Butterfly<2> {
  template <class D>
  static HWY_INLINE void run(D, Vectors<D>* x, const hn::TFromD<D>*, int64_t) {
    const auto a = x[0];
    x[0] = a + x[1], x[1] = a - x[1];
  }
};
template <>
struct Butterfly<4> {
  template <class D>
  static HWY_INLINE void run(D, Vectors<D>* x, const hn::TFromD<D>*, int64_t) {
    transform4(x[0], x[1], x[2], x[3]);
  }
};
template <>
struct Butterfly<8> {
  template <class D>
  static HWY_INLINE void run(D d, Vectors<D>* x, const hn::TFromD<D>*, int64_t) {
    const auto h = hn::Set(d, static_cast<hn::TFromD<D>>(0.70710678118654752440));
    transform4(x[0], x[2], x[4], x[6]);
    transform4(x[1], x[3], x[5], x[7]);
    const auto o0 = x[1], o2 = turned(x[5]);
    const Vectors<D> o1{hn::Mul(h, hn::Add(x[3].re, x[3].im)), hn::Mul(h, hn::Sub(x[3].im, x[3].re))};
    const Vectors<D> o3{hn::Mul(h, hn::Sub(x[7].im, x[7].re)), hn::Neg(hn::Mul(h, hn::Add(x[7].re, x[7].im)))};
    const auto e0 = x[0], e1 = x[2], e2 = x[4], e3 = x[6];
    x[0] = e0 + o0, x[1] = e1 + o1, x[2] = e2 + o2, x[3] = e3 + o3;
    x[4] = e0 - o0, x[5] = e1 - o1, x[6] = e2 - o2, x[7] = e3 - o3;
  }
};
/// Odd radices by sums and differences of x[j] and x[r - j]: y[k] and y[r - k] share their products with cosines and
/// sines. `radix` is 0 where it is known at run time only.
template <int radix>
struct Butterfly {
  template <class D>
  static HWY_INLINE void run(D d, Vectors<D>* x, const hn::TFromD<D>* roots, int64_t given) {
    constexpr int64_t kMost = radix ? radix : kLargestRadix;
    const int64_t r = radix ? radix : given, half = r / 2;
    Vectors<D> sum[kMost / 2 + 1], difference[kMost / 2 + 1];
    const auto first = x[0];
    for (int64_t j = 1; j <= half; ++j) {
      sum[j] = x[j] + x[r - j];
      difference[j] = x[j] - x[r - j];
      x[0] = x[0] + sum[j];
    }
    for (int64_t k = 1; k <= half; ++k) {
      auto even = first;
      Vectors<D> odd{hn::Zero(d), hn::Zero(d)};
      for (int64_t j = 1, at = k; j <= half; ++j, at = at + k >= r ? at + k - r : at + k) {
        const auto c = hn::Set(d, roots[2 * at]), s = hn::Set(d, roots[2 * at + 1]);
        even = {hn::MulAdd(sum[j].re, c, even.re), hn::MulAdd(sum[j].im, c, even.im)};
        odd = {hn::NegMulAdd(difference[j].im, s, odd.re), hn::MulAdd(difference[j].re, s, odd.im)};
      }
      x[k] = even + odd;
      x[r - k] = even - odd;
    }
  }
};

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
