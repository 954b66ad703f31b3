// Bundles of sequences through Stockham's passes (Cochran et al. 1967): every pass reads `radix` rows that lie `groups`
// apart, transforms them against each other, multiplies by twiddle factors and writes them side by side, so that the
// result is in order without bit reversal. Real and imaginary parts lie in planes of their own, and kLanes sequences
// side by side, so a vector never needs to be shuffled.
#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/fft_lanes.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/fft_plan.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {
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

// ---- transforms of a few numbers, in place ----
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

// ---- passes ----
template <int radix, class T>
void pass(T* to, const T* from, int64_t n, const FftPass& p, const T* roots) {
  const hn::CappedTag<T, kLanes<T>> d;
  using V = Vectors<decltype(d)>;
  constexpr int64_t kMost = radix ? radix : kLargestRadix;
  const int64_t r = radix ? radix : p.radix, row = p.span * kLanes<T>, plane = n * kLanes<T>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const T* twiddle = roots + (r % 2 ? 2 * r : 0);
  for (int64_t g = 0; g < p.groups; ++g, twiddle += 2 * (r - 1)) {
    const T* x = from + g * row;
    T* y = to + g * r * row;
    for (int64_t q = 0; q < row; q += lanes) {
      V v[kMost];
      for (int64_t j = 0; j < r; ++j) {
        const T* at = x + j * p.groups * row + q;
        v[j] = {hn::LoadU(d, at), hn::LoadU(d, at + plane)};
      }
      Butterfly<radix>::run(d, v, roots, r);
      if (g > 0)  // the first group's factors are 1
        for (int64_t k = 1; k < r; ++k) v[k] = v[k] * V{hn::Set(d, twiddle[2 * k - 2]), hn::Set(d, twiddle[2 * k - 1])};
      for (int64_t k = 0; k < r; ++k) {
        hn::StoreU(v[k].re, d, y + k * row + q);
        hn::StoreU(v[k].im, d, y + k * row + q + plane);
      }
    }
  }
}

template <class T>
T* transform(const LanePlan<T>& plan, T* a, T* b) {
  for (const FftPass& p : plan.passes) {
    const T* roots = plan.roots.data() + p.roots;
    switch (p.radix) {
      case 2: pass<2>(b, a, plan.n, p, roots); break;
      case 3: pass<3>(b, a, plan.n, p, roots); break;
      case 4: pass<4>(b, a, plan.n, p, roots); break;
      case 5: pass<5>(b, a, plan.n, p, roots); break;
      case 7: pass<7>(b, a, plan.n, p, roots); break;
      case 8: pass<8>(b, a, plan.n, p, roots); break;
      default: pass<0>(b, a, plan.n, p, roots); break;
    }
    std::swap(a, b);
  }
  return a;
}

// ---- bundles and memory ----
/// The distance of the lanes if they are complete and it is the same for all, else 0.
template <class T>
int64_t distance(const LaneView<T>& v) {
  if (v.lanes < kLanes<std::remove_const_t<T>>) return 0;
  const int64_t step = v.lane[1] - v.lane[0];
  for (int64_t l = 2; l < v.lanes; ++l)
    if (v.lane[l] - v.lane[l - 1] != step) return 0;
  return step;
}

template <class T>
void load(T* bundle, int64_t n, const LaneView<const T>& from) {
  const hn::CappedTag<T, kLanes<T>> d;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  constexpr int64_t kAll = kLanes<T>;
  const int64_t apart = distance(from), step = from.step;
  T *re = bundle, *im = bundle + n * kAll;
  const bool real = from.imag == LaneView<const T>::kReal;
  if (real) std::fill_n(im, n * kAll, T(0));
  if (apart == 2 && (from.imag == 1 || from.imag == -1)) {
    const T* x = from.lane[0] + std::min<int64_t>(from.imag, 0);
    if (from.imag < 0) std::swap(re, im);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < kAll; l += width) {
        hn::Vec<decltype(d)> a, b;
        hn::LoadInterleaved2(d, x + j * step + 2 * l, a, b);
        hn::StoreU(a, d, re + j * kAll + l);
        hn::StoreU(b, d, im + j * kAll + l);
      }
  } else if (apart == 1) {
    for (int64_t j = 0; j < n; ++j) {
      std::copy_n(from.lane[0] + j * step, kAll, re + j * kAll);
      if (!real) std::copy_n(from.lane[0] + j * step + from.imag, kAll, im + j * kAll);
    }
  } else {
    if (from.lanes < kAll) std::fill_n(bundle, 2 * n * kAll, T(0));
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < from.lanes; ++l) {
        const T* x = from.lane[l] + j * step;
        re[j * kAll + l] = x[0];
        if (!real) im[j * kAll + l] = x[from.imag];
      }
  }
}

template <class T>
void store(const LaneView<T>& to, const T* bundle, int64_t n, T scale) {
  const hn::CappedTag<T, kLanes<T>> d;
  const auto width = static_cast<int64_t>(hn::Lanes(d));
  constexpr int64_t kAll = kLanes<T>;
  const int64_t apart = distance(to), step = to.step;
  const T *re = bundle, *im = bundle + n * kAll;
  if (apart == 2 && (to.imag == 1 || to.imag == -1)) {
    T* y = to.lane[0] + std::min<int64_t>(to.imag, 0);
    if (to.imag < 0) std::swap(re, im);
    const auto factor = hn::Set(d, scale);
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < kAll; l += width)
        hn::StoreInterleaved2(hn::Mul(factor, hn::LoadU(d, re + j * kAll + l)),
                              hn::Mul(factor, hn::LoadU(d, im + j * kAll + l)), d, y + j * step + 2 * l);
    return;
  }
  const bool real = to.imag == LaneView<T>::kReal;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t l = 0; l < to.lanes; ++l) {
      T* y = to.lane[l] + j * step;
      y[0] = scale * re[j * kAll + l];
      if (!real) y[to.imag] = scale * im[j * kAll + l];
    }
}

template <class T>
void twist(T* plane, int64_t stride, int64_t imag, const T* bundle, int64_t n, const T* lanes, const T* block) {
  const hn::CappedTag<T, kLanes<T>> d;
  using V = Vectors<decltype(d)>;
  const int64_t half = n * kLanes<T>;
  for (int64_t k = 0; k < n; ++k) {
    const V at_block{hn::Set(d, block[2 * k]), hn::Set(d, block[2 * k + 1])};
    for (int64_t l = 0; l < kLanes<T>; l += static_cast<int64_t>(hn::Lanes(d))) {
      const int64_t i = k * kLanes<T> + l;
      const V factor = V{hn::LoadU(d, lanes + i), hn::LoadU(d, lanes + half + i)} * at_block;
      const V y = V{hn::LoadU(d, bundle + i), hn::LoadU(d, bundle + half + i)} * factor;
      hn::StoreU(y.re, d, plane + k * stride + l);
      hn::StoreU(y.im, d, plane + k * stride + l + imag);
    }
  }
}

const LaneKernels<float>& kernels_float() {
  static constexpr LaneKernels<float> k{load<float>, store<float>, transform<float>, twist<float>};
  return k;
}
const LaneKernels<double>& kernels_double() {
  static constexpr LaneKernels<double> k{load<double>, store<double>, transform<double>, twist<double>};
  return k;
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(kernels_float);
HWY_EXPORT(kernels_double);

template <>
const LaneKernels<float>& lane_kernels() {
  return HWY_DYNAMIC_DISPATCH(kernels_float)();
}
template <>
const LaneKernels<double>& lane_kernels() {
  return HWY_DYNAMIC_DISPATCH(kernels_double)();
}

}  // namespace facula::cpu
#endif
