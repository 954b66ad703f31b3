// Fourier transforms of tensors along a dimension: one row where rows are few or their length is not smooth, else
// kLanes rows side by side (fft_plan.h says how).
//
// n real numbers, n even, are n / 2 complex ones z[j] = x[2 j] + i x[2 j + 1] in memory. With Z their transform, h = n / 2,
// w = exp(-2 pi i k / n) and Z[h] = Z[0]:
//   X[k] = (Z[k] + conj Z[h - k]) / 2 - i w (Z[k] - conj Z[h - k]) / 2
// and backwards for the inverse. Odd n take a complex transform of n numbers.
#include <algorithm>
#include <memory>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/complex_number.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/fft_plan.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// Rows up to this length go side by side, so that their bundles stay in the first-level cache; rows that lie so in memory
// are worth it as long as the bundles stay in the second.
constexpr int64_t kLongest = 256, kLongestColumn = 8192;

/// Where the rows of a dense tensor lie, seen as numbers of type T.
template <class T>
struct Rows {
  T* first;
  int64_t n, inner, item;  // length of a row, elements between its neighbours, numbers per element

  Rows(const Tensor& t, int64_t dim)
      : first(reinterpret_cast<T*>(t.bytes())), n(1), inner(1), item(is_complex(t.dtype()) ? 2 : 1) {
    const Around at(t.sizes(), dim);
    n = at.n, inner = at.inner;
  }
  T* row(int64_t r) const { return first + (r / inner * n * inner + r % inner) * item; }
  int64_t step() const { return inner * item; }
};

/// `count` rows from row r on, as complex numbers; real ones in pairs.
template <class T>
LaneView<T> lanes_of(const Rows<std::remove_const_t<T>>& rows, int64_t r, int64_t count) {
  LaneView<T> v{};
  for (int64_t l = 0; l < count; ++l) v.lane[l] = rows.row(r + l);
  v.lanes = count;
  v.step = rows.item == 2 ? rows.step() : 2 * rows.step();
  v.imag = rows.item == 2 ? 1 : rows.step();
  return v;
}

/// Asks for dense rows that are about to be read or written out of order.
template <bool write, class T>
void expect(const Rows<T>& rows, int64_t r, int64_t count) {
  if (rows.inner > 1) return;
  const char* from = reinterpret_cast<const char*>(rows.row(r));
  const int64_t bytes = count * rows.n * rows.item * static_cast<int64_t>(sizeof(T));
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i, write, 2);
}

/// A transform of many rows of one length.
template <class T>
class Transform {
 public:
  Transform(int64_t n, int64_t rows, int64_t inner) {
    const int64_t longest = inner < kLanes<T> ? kLongest : kLongestColumn;
    if (n <= longest && is_smooth(n) && (rows >= kLanes<T> / 2 || n < 48)) side_by_side_ = fft_plan<LanePlan<T>>(n);
    if (!side_by_side_) single_ = fft_plan<RowPlan<T>>(n);
  }
  /// Rows that are transformed at once.
  int64_t width() const { return side_by_side_ ? kLanes<T> : 1; }
  /// Numbers of scratch for one task: two bundles of up to n + 1.
  int64_t scratch() const { return side_by_side_ ? 4 * (side_by_side_->n + 1) * kLanes<T> : 0; }

  void run(const LaneView<const T>& from, const LaneView<T>& to, T scale, T* work) const {
    if (!side_by_side_) return transform_row(*single_, from, to, scale);
    const LaneKernels<T>& k = lane_kernels<T>();
    const int64_t n = side_by_side_->n;
    k.load(work, n, from);
    k.store(to, k.transform(*side_by_side_, work, work + scratch() / 2), n, scale);
  }

  /// Pairs of 2 n real numbers to their spectra [n + 1], and back.
  void run_real(const LaneView<const T>& from, const LaneView<T>& to, T scale, const RealRoots<T>& roots,
                T* work) const {
    const LaneKernels<T>& k = lane_kernels<T>();
    const int64_t n = side_by_side_->n;
    T* other = work + scratch() / 2;
    k.load(work, n, from);
    const T* z = k.transform(*side_by_side_, work, other);
    T* spectra = z == work ? other : work;
    k.unpack(spectra, z, n, roots.roots.data());
    k.store(to, spectra, n + 1, scale);
  }
  void run_inverse(const LaneView<const T>& from, const LaneView<T>& to, T scale, const RealRoots<T>& roots,
                   T* work) const {
    const LaneKernels<T>& k = lane_kernels<T>();
    const int64_t n = side_by_side_->n;
    T* other = work + scratch() / 2;
    k.load(other, n + 1, from);
    k.pack(work, other, n, roots.roots.data());
    std::swap_ranges(work, work + n * kLanes<T>, work + n * kLanes<T>);  // inverse: imaginary parts first
    k.store(to.swapped(), k.transform(*side_by_side_, work, other), n, scale);
  }

 private:
  std::shared_ptr<const LanePlan<T>> side_by_side_;
  std::shared_ptr<const RowPlan<T>> single_;
};

/// Calls body(first row, rows, work) for groups of rows; `work` has the transform's scratch and `more` numbers.
template <class T, class Body>
void for_groups(const Transform<T>& transform, int64_t rows, int64_t n, int64_t more, Body body) {
  const int64_t width = transform.width(), groups = (rows + width - 1) / width;
  const auto run = [&](int64_t begin, int64_t end) {
    const auto work = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(transform.scratch() + more));
    for (int64_t g = begin; g < end; ++g) body(g * width, std::min(width, rows - g * width), work.get());
  };
  if (groups == 1) return run(0, 1);  // the threads are for the one row
  parallel_for(groups, std::max<int64_t>(1, kHeavyGrain / (n * width)), run);
}

int64_t rows_of(const Tensor& x, int64_t dim) {
  const Around at(x.sizes(), dim);
  return at.outer * at.inner;
}

template <class T>
void complex_rows(const Tensor& out, const Tensor& x, int64_t dim, T scale, bool inverse) {
  const Rows<T> from(x, dim), to(out, dim);
  const int64_t rows = rows_of(x, dim);
  const Transform<T> transform(from.n, rows, from.inner);
  for_groups(transform, rows, from.n, 0, [&](int64_t r, int64_t count, T* work) {
    expect<false>(from, r, count);
    expect<true>(to, r, count);
    const auto a = lanes_of<const T>(from, r, count);
    const auto b = lanes_of<T>(to, r, count);
    inverse ? transform.run(a.swapped(), b.swapped(), scale, work) : transform.run(a, b, scale, work);
  });
}

// ---- real numbers ----

template <class T>
std::complex<T> half_turned(std::complex<T> z) {  // -i z / 2
  return {z.imag() / 2, -z.real() / 2};
}

/// X[0 .. h] from Z[0 .. h) in place; elements lie `step` complex numbers apart.
template <class T>
void unpack(std::complex<T>* x, int64_t h, int64_t step, const std::complex<T>* roots) {
  using C = std::complex<T>;
  const C first = x[0];
  x[0] = C(first.real() + first.imag(), 0);
  x[h * step] = C(first.real() - first.imag(), 0);
  for (int64_t k = 1; 2 * k <= h; ++k) {
    const C a = x[k * step], b = std::conj(x[(h - k) * step]);
    const C even = (a + b) * T(0.5), odd = times(roots[k], half_turned(a - b));
    x[k * step] = even + odd;
    x[(h - k) * step] = std::conj(even - odd);
  }
}

/// 2 Z[0 .. h) from X[0 .. h].
template <class T>
void pack(std::complex<T>* z, const std::complex<T>* x, int64_t h, int64_t step, const std::complex<T>* roots) {
  using C = std::complex<T>;
  const T first = x[0].real(), last = x[h * step].real();
  z[0] = C(first + last, first - last);
  for (int64_t k = 1; 2 * k <= h; ++k) {
    const C a = x[k * step], b = std::conj(x[(h - k) * step]);
    const C even = a + b, odd = times(std::conj(roots[k]), C(b.imag() - a.imag(), a.real() - b.real()));
    z[k] = even + odd;
    z[h - k] = std::conj(even - odd);
  }
}

template <class T>
void even_real_rows(const Tensor& out, const Tensor& x, int64_t dim, T scale) {
  const Rows<T> from(x, dim), to(out, dim);
  const int64_t rows = rows_of(x, dim), h = from.n / 2;
  const Transform<T> transform(h, rows, from.inner);
  const auto roots = fft_plan<RealRoots<T>>(from.n);
  for_groups(transform, rows, h, 0, [&](int64_t r, int64_t count, T* work) {
    expect<false>(from, r, count);
    expect<true>(to, r, count);
    const auto numbers = lanes_of<const T>(from, r, count);
    const auto spectra = lanes_of<T>(to, r, count);
    if (transform.width() > 1) return transform.run_real(numbers, spectra, scale, *roots, work);
    transform.run(numbers, spectra, scale, work);
    unpack(reinterpret_cast<std::complex<T>*>(spectra.lane[0]), h, to.inner,
           reinterpret_cast<const std::complex<T>*>(roots->roots.data()));
  });
}

template <class T>
void even_inverse_rows(const Tensor& out, const Tensor& x, int64_t dim, T scale) {
  using C = std::complex<T>;
  const Rows<T> from(x, dim), to(out, dim);
  const int64_t rows = rows_of(x, dim), h = to.n / 2;
  const Transform<T> transform(h, rows, from.inner);
  const auto roots = fft_plan<RealRoots<T>>(to.n);
  for_groups(transform, rows, h, transform.width() > 1 ? 0 : 2 * h, [&](int64_t r, int64_t count, T* work) {
    const auto spectra = lanes_of<const T>(from, r, count);
    const auto numbers = lanes_of<T>(to, r, count);
    if (transform.width() > 1) return transform.run_inverse(spectra, numbers, scale, *roots, work);
    pack(reinterpret_cast<C*>(work), reinterpret_cast<const C*>(spectra.lane[0]), h, from.inner,
         reinterpret_cast<const C*>(roots->roots.data()));
    LaneView<const T> packed{};
    packed.lane[0] = work, packed.lanes = 1, packed.step = 2, packed.imag = 1;
    transform.run(packed.swapped(), numbers.swapped(), scale, nullptr);
  });
}

// Odd lengths: a complex transform of all n numbers, beside the tensors.
template <class T>
void odd_real_rows(const Tensor& out, const Tensor& x, int64_t dim, T scale) {
  const Tensor all = empty(x.sizes(), complex_dtype(x.dtype()));
  slots::copy(all, x);
  complex_rows<T>(all, all, dim, scale, false);
  slots::copy(out, all.alias(out.sizes(), all.strides(), 0));
}
template <class T>
void odd_inverse_rows(const Tensor& out, const Tensor& x, int64_t dim, T scale) {
  using C = std::complex<T>;
  const Tensor all = empty(out.sizes(), x.dtype());
  const Rows<T> from(x, dim), to(all, dim);
  parallel_for(rows_of(x, dim), std::max<int64_t>(1, kGrain / to.n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const auto* a = reinterpret_cast<const C*>(from.row(r));
      auto* b = reinterpret_cast<C*>(to.row(r));
      b[0] = a[0].real();
      for (int64_t k = 1; k < from.n; ++k) {
        b[k * to.inner] = a[k * from.inner];
        b[(to.n - k) * to.inner] = std::conj(a[k * from.inner]);
      }
    }
  });
  complex_rows<T>(all, all, dim, scale, true);
  slots::copy(out, all);
}

// ---- slots ----

/// Calls f(out, x...) on dense tensors, with the type of their parts as template argument.
template <class F>
void with_dense(const Tensor& out, const Tensor& x, F f) {
  if (out.numel() == 0) return;
  const Tensor from = dense(x), to = dense_or_new(out);
  if (real_dtype(x.dtype()) == DType::Float64)
    f.template operator()<double>(to, from);
  else
    f.template operator()<float>(to, from);
  if (!to.is(out)) slots::copy(out, to);
}

void fft(const Tensor& out, const Tensor& x, int64_t dim, double scale, bool inverse) {
  with_dense(out, x, [&]<class T>(const Tensor& to, const Tensor& from) {
    complex_rows<T>(to, from, dim, static_cast<T>(scale), inverse);
  });
}
void rfft(const Tensor& out, const Tensor& x, int64_t dim, double scale) {
  with_dense(out, x, [&]<class T>(const Tensor& to, const Tensor& from) {
    (x.size(dim) % 2 ? odd_real_rows<T> : even_real_rows<T>)(to, from, dim, static_cast<T>(scale));
  });
}
void irfft(const Tensor& out, const Tensor& x, int64_t dim, double scale) {
  with_dense(out, x, [&]<class T>(const Tensor& to, const Tensor& from) {
    (out.size(dim) % 2 ? odd_inverse_rows<T> : even_inverse_rows<T>)(to, from, dim, static_cast<T>(scale));
  });
}

}  // namespace

void fill_fft_slots() {
  slots::fft.fill(DeviceType::CPU, fft);
  slots::rfft.fill(DeviceType::CPU, rfft);
  slots::irfft.fill(DeviceType::CPU, irfft);
}

}  // namespace facula::cpu
