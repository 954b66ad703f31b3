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
#include "kernels/cpu/fft_butterfly.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {
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

// ---- rows in memory become lanes, and back, by squares of S x S numbers, S numbers being 128 bits ----
template <class T>
inline constexpr int64_t kSquare = HWY_TARGET == HWY_SCALAR ? 1 : 16 / static_cast<int64_t>(sizeof(T));

/// out(k, numbers k of all S rows) of in(r), row r's numbers.
template <class T, class In, class Out>
HWY_INLINE void transpose(const In& in, const Out& out) {
  const hn::FixedTag<T, kSquare<T>> d;
#if HWY_TARGET == HWY_SCALAR
  out(d, 0, in(d, 0));
#else
  if constexpr (kSquare<T> == 2) {
    const auto a = in(d, 0), b = in(d, 1);
    out(d, 0, hn::InterleaveLower(d, a, b));
    out(d, 1, hn::InterleaveUpper(d, a, b));
  } else {
    const auto a = in(d, 0), b = in(d, 1), c = in(d, 2), e = in(d, 3);
    const auto ac = hn::InterleaveLower(d, a, c), be = hn::InterleaveLower(d, b, e);
    const auto ac2 = hn::InterleaveUpper(d, a, c), be2 = hn::InterleaveUpper(d, b, e);
    out(d, 0, hn::InterleaveLower(d, ac, be));
    out(d, 1, hn::InterleaveUpper(d, ac, be));
    out(d, 2, hn::InterleaveLower(d, ac2, be2));
    out(d, 3, hn::InterleaveUpper(d, ac2, be2));
  }
#endif
}

/// Number m of lane l between memory, at rows[l] + offset + m, and a bundle, where lane 0 has it at at(m).
template <class T>
struct Numbers {
  T* const* rows;
  int64_t offset, lanes, count;

  /// Calls square(m, l) for whole squares and number(m, l) for what is left.
  template <class Square, class Number>
  HWY_INLINE void walk(const Square& square, const Number& number) const {
    constexpr int64_t kStep = kSquare<std::remove_const_t<T>>;
    const int64_t whole = count / kStep * kStep, wide = lanes / kStep * kStep;
    for (int64_t l = 0; l < wide; l += kStep)
      for (int64_t m = 0; m < whole; m += kStep) square(m, l);
    for (int64_t l = 0; l < lanes; ++l)
      for (int64_t m = l < wide ? whole : 0; m < count; ++m) number(m, l);
  }
  template <class At>
  HWY_INLINE void read(const At& at) const {
    using N = std::remove_const_t<T>;
    walk(
        [&](int64_t m, int64_t l) {
          transpose<N>([&](auto d, int64_t r) { return hn::LoadU(d, rows[l + r] + offset + m); },
                       [&](auto d, int64_t k, auto v) { hn::StoreU(v, d, at(m + k) + l); });
        },
        [&](int64_t m, int64_t l) { at(m)[l] = rows[l][offset + m]; });
  }
  template <class At>
  HWY_INLINE void write(const At& at, T scale) const {
    walk(
        [&](int64_t m, int64_t l) {
          transpose<T>([&](auto d, int64_t k) { return hn::LoadU(d, at(m + k) + l); },
                       [&](auto d, int64_t r, auto v) {
                         hn::StoreU(hn::Mul(hn::Set(d, scale), v), d, rows[l + r] + offset + m);
                       });
        },
        [&](int64_t m, int64_t l) { rows[l][offset + m] = scale * at(m)[l]; });
  }
};

/// Complex numbers one after another, real parts first or, swapped, imaginary ones.
template <class T>
bool is_interleaved(const LaneView<T>& v) {
  return v.step == 2 && (v.imag == 1 || v.imag == -1);
}

template <class T>
void load_neighbours(T* re, T* im, int64_t n, const T* x, int64_t step) {
  const hn::CappedTag<T, kLanes<T>> d;
  for (int64_t j = 0; j < n; ++j)
    for (int64_t l = 0; l < kLanes<T>; l += static_cast<int64_t>(hn::Lanes(d))) {
      hn::Vec<decltype(d)> a, b;
      hn::LoadInterleaved2(d, x + j * step + 2 * l, a, b);
      hn::StoreU(a, d, re + j * kLanes<T> + l);
      hn::StoreU(b, d, im + j * kLanes<T> + l);
    }
}
template <class T>
void store_neighbours(T* y, int64_t step, const T* re, const T* im, int64_t n, T scale) {
  const hn::CappedTag<T, kLanes<T>> d;
  const auto factor = hn::Set(d, scale);
  for (int64_t j = 0; j < n; ++j)
    for (int64_t l = 0; l < kLanes<T>; l += static_cast<int64_t>(hn::Lanes(d)))
      hn::StoreInterleaved2(hn::Mul(factor, hn::LoadU(d, re + j * kLanes<T> + l)),
                            hn::Mul(factor, hn::LoadU(d, im + j * kLanes<T> + l)), d, y + j * step + 2 * l);
}

template <class T>
void load(T* bundle, int64_t n, const LaneView<const T>& from) {
  constexpr int64_t kAll = kLanes<T>;
  T *re = bundle, *im = bundle + n * kAll;
  const int64_t apart = distance(from), step = from.step;
  if (from.lanes < kAll) std::fill_n(bundle, 2 * n * kAll, T(0));
  if (apart == 2 && (from.imag == 1 || from.imag == -1)) {
    from.imag > 0 ? load_neighbours(re, im, n, from.lane[0], step) : load_neighbours(im, re, n, from.lane[0] - 1, step);
  } else if (is_interleaved(from)) {
    if (from.imag < 0) std::swap(re, im);
    Numbers<const T>{from.lane, std::min<int64_t>(from.imag, 0), from.lanes, 2 * n}.read(
        [=](int64_t m) { return (m % 2 ? im : re) + m / 2 * kAll; });
  } else if (step == 1) {
    Numbers<const T>{from.lane, 0, from.lanes, n}.read([=](int64_t m) { return re + m * kAll; });
    Numbers<const T>{from.lane, from.imag, from.lanes, n}.read([=](int64_t m) { return im + m * kAll; });
  } else if (apart == 1) {
    for (int64_t j = 0; j < n; ++j) {
      std::copy_n(from.lane[0] + j * step, kAll, re + j * kAll);
      std::copy_n(from.lane[0] + j * step + from.imag, kAll, im + j * kAll);
    }
  } else {
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < from.lanes; ++l) {
        const T* x = from.lane[l] + j * step;
        re[j * kAll + l] = x[0];
        im[j * kAll + l] = x[from.imag];
      }
  }
}

template <class T>
void store(const LaneView<T>& to, const T* bundle, int64_t n, T scale) {
  constexpr int64_t kAll = kLanes<T>;
  const T *re = bundle, *im = bundle + n * kAll;
  const int64_t apart = distance(to), step = to.step;
  if (apart == 2 && (to.imag == 1 || to.imag == -1)) {
    to.imag > 0 ? store_neighbours(to.lane[0], step, re, im, n, scale)
                : store_neighbours(to.lane[0] - 1, step, im, re, n, scale);
  } else if (is_interleaved(to)) {
    if (to.imag < 0) std::swap(re, im);
    Numbers<T>{to.lane, std::min<int64_t>(to.imag, 0), to.lanes, 2 * n}.write(
        [=](int64_t m) { return (m % 2 ? im : re) + m / 2 * kAll; }, scale);
  } else {
    for (int64_t j = 0; j < n; ++j)
      for (int64_t l = 0; l < to.lanes; ++l) {
        T* y = to.lane[l] + j * step;
        y[0] = scale * re[j * kAll + l];
        y[to.imag] = scale * im[j * kAll + l];
      }
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

// ---- real sequences; fft.cpp has the formulas ----
template <class D, class T>
HWY_INLINE Vectors<D> row_of(D d, const T* bundle, int64_t n, int64_t k) {
  return {hn::LoadU(d, bundle + k * kLanes<T>), hn::LoadU(d, bundle + (n + k) * kLanes<T>)};
}
template <class D, class T, class V>
HWY_INLINE void set_row(D d, T* bundle, int64_t n, int64_t k, V v) {
  hn::StoreU(v.re, d, bundle + k * kLanes<T>);
  hn::StoreU(v.im, d, bundle + (n + k) * kLanes<T>);
}
template <class V>
HWY_INLINE Complex<V> conjugate(Complex<V> a) {
  return {a.re, hn::Neg(a.im)};
}

/// Calls body(d, l) for vectors of all lanes.
template <class T, class Body>
HWY_INLINE void each_vector(const Body& body) {
  const hn::CappedTag<T, kLanes<T>> d;
  for (int64_t l = 0; l < kLanes<T>; l += static_cast<int64_t>(hn::Lanes(d))) body(d, l);
}

template <class T>
void unpack(T* spectrum, const T* z, int64_t h, const T* roots) {
  each_vector<T>([&](auto d, int64_t l) {
    const auto half = hn::Set(d, T(0.5)), zero = hn::Zero(d);
    const auto first = row_of(d, z + l, h, 0);
    using V = std::remove_const_t<decltype(first)>;
    set_row(d, spectrum + l, h + 1, 0, V{hn::Add(first.re, first.im), zero});
    set_row(d, spectrum + l, h + 1, h, V{hn::Sub(first.re, first.im), zero});
    for (int64_t k = 1; 2 * k <= h; ++k) {
      const V a = row_of(d, z + l, h, k), b = conjugate(row_of(d, z + l, h, h - k));
      const V even = a + b, odd = turned(a - b) * V{hn::Set(d, roots[2 * k]), hn::Set(d, roots[2 * k + 1])};
      const V x = even + odd, y = conjugate(even - odd);
      set_row(d, spectrum + l, h + 1, k, V{hn::Mul(half, x.re), hn::Mul(half, x.im)});
      set_row(d, spectrum + l, h + 1, h - k, V{hn::Mul(half, y.re), hn::Mul(half, y.im)});
    }
  });
}

template <class T>
void pack(T* z, const T* spectrum, int64_t h, const T* roots) {
  each_vector<T>([&](auto d, int64_t l) {
    const auto first = hn::LoadU(d, spectrum + l), last = hn::LoadU(d, spectrum + h * kLanes<T> + l);
    using V = Vectors<decltype(d)>;
    set_row(d, z + l, h, 0, V{hn::Add(first, last), hn::Sub(first, last)});
    for (int64_t k = 1; 2 * k <= h; ++k) {
      const V a = row_of(d, spectrum + l, h + 1, k), b = conjugate(row_of(d, spectrum + l, h + 1, h - k));
      const V root{hn::Set(d, roots[2 * k]), hn::Set(d, -roots[2 * k + 1])};
      const V even = a + b, odd = turned(b - a) * root;
      set_row(d, z + l, h, k, even + odd);
      set_row(d, z + l, h, h - k, conjugate(even - odd));
    }
  });
}

const LaneKernels<float>& kernels_float() {
  static constexpr LaneKernels<float> k{load<float>,   store<float>, transform<float>,
                                        unpack<float>, pack<float>,  twist<float>};
  return k;
}
const LaneKernels<double>& kernels_double() {
  static constexpr LaneKernels<double> k{load<double>,   store<double>, transform<double>,
                                         unpack<double>, pack<double>,  twist<double>};
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
