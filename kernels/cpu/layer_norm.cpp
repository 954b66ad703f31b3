// Normalisation of rows: x is [N, G, D, S], a row is all of D and S, and the weights belong to G and D. layer_norm has
// G = S = 1, group_norm any. A row stays in the cache between its moments and its result, or between its sums and its
// gradient, so that memory is read once. The gradients of the weights are added up in a fixed number of chunks of rows, so
// that they do not depend on the number of threads.
#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/layer_norm.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/row_sum.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

struct Shape {
  int64_t rows, groups, channels, inner;  // N * G, G, D, S
  explicit Shape(const Tensor& x)
      : rows(x.size(0) * x.size(1)), groups(x.size(1)), channels(x.size(2)), inner(x.size(3)) {}
  int64_t length() const { return channels * inner; }
  /// Where the weights of a row begin.
  int64_t weight(int64_t row) const { return row % groups * channels; }
};

template <class T>
const T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}
template <class T>
T weight_at(const T* w, int64_t i, T otherwise) {
  return w ? w[i] : otherwise;
}

// ---- forward --------------------------------------------------------------------------------------------------------
/// y = (x - mean) * scale * w + b, with weights for each element.
template <class T>
void scale_row(T* y, const T* x, int64_t n, T mean, T scale, const T* w, const T* b) {
  const auto normal = [=](auto d, int64_t i) {
    return hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), hn::Set(d, scale));
  };
  if (w && b)
    for_vectors<T>(n, [=](auto d, int64_t i) {
      hn::StoreU(hn::MulAdd(normal(d, i), hn::LoadU(d, w + i), hn::LoadU(d, b + i)), d, y + i);
    });
  else if (w)
    for_vectors<T>(n, [=](auto d, int64_t i) { hn::StoreU(hn::Mul(normal(d, i), hn::LoadU(d, w + i)), d, y + i); });
  else if (b)
    for_vectors<T>(n, [=](auto d, int64_t i) { hn::StoreU(hn::Add(normal(d, i), hn::LoadU(d, b + i)), d, y + i); });
  else
    for_vectors<T>(n, [=](auto d, int64_t i) { hn::StoreU(normal(d, i), d, y + i); });
}

template <class T>
void scale_channel(T* y, const T* x, int64_t n, T mean, T scale, T shift) {
  for_vectors<T>(n, [=](auto d, int64_t i) {
    const auto v = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    hn::StoreU(hn::MulAdd(v, hn::Set(d, scale), hn::Set(d, shift)), d, y + i);
  });
}

template <class T>
void forward(const Tensor& out, const Tensor& means, const Tensor& scales, const Tensor& in, const Tensor& weight,
             const Tensor& bias, double eps) {
  const Shape shape(in);
  const int64_t n = shape.length();
  const T *w = data_or_null<T>(weight), *b = data_or_null<T>(bias);
  parallel_for(shape.rows, std::max<int64_t>(1, kGrain / n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = in.data<T>() + r * n;
      T* y = out.data<T>() + r * n;
      const auto [exact, squares] = deviations(x, n);
      const T mean = static_cast<T>(exact);
      const T scale = static_cast<T>(1 / std::sqrt(squares / static_cast<double>(n) + eps));
      means.data<T>()[r] = mean;
      scales.data<T>()[r] = scale;
      const int64_t first = shape.weight(r), inner = shape.inner;
      if (inner == 1) {
        scale_row(y, x, n, mean, scale, w ? w + first : nullptr, b ? b + first : nullptr);
        continue;
      }
      for (int64_t c = 0; c < shape.channels; ++c)
        scale_channel(y + c * inner, x + c * inner, inner, mean, scale * weight_at(w, first + c, T(1)),
                      weight_at(b, first + c, T(0)));
    }
  });
}

// ---- backward: with u = (x - mean) / deviation and h = g w, dx = (h - mean(h) - u mean(h u)) / deviation -------------
/// Sums of h and of h * (x - mean); adds g * u and g to dw and db where wanted.
template <class T>
std::array<double, 2> row_sums(const T* g, const T* x, int64_t n, T mean, T scale, const T* w, T* dw, T* db) {
  const auto sums = [&](auto with_weight, auto with_gradients) {
    return two_sums_over<T>(n, [=](auto d, int64_t i, auto& a, auto& b) HWY_ATTR {
      const auto v = hn::LoadU(d, g + i), u = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
      auto h = v;
      if constexpr (with_weight()) h = hn::Mul(v, hn::LoadU(d, w + i));
      a = hn::Add(a, h);
      b = hn::MulAdd(h, u, b);
      if constexpr (with_gradients()) {
        hn::StoreU(hn::MulAdd(v, hn::Mul(u, hn::Set(d, scale)), hn::LoadU(d, dw + i)), d, dw + i);
        hn::StoreU(hn::Add(v, hn::LoadU(d, db + i)), d, db + i);
      }
    });
  };
  constexpr std::true_type yes;
  constexpr std::false_type no;
  if (dw) return w ? sums(yes, yes) : sums(no, yes);
  return w ? sums(yes, no) : sums(no, no);
}

/// The same where each channel has `inner` elements.
template <class T>
std::array<double, 2> channel_sums(const T* g, const T* x, const Shape& shape, T mean, T scale, const T* w, T* dw,
                                   T* db) {
  std::array<double, 2> sums{};
  for (int64_t c = 0; c < shape.channels; ++c, g += shape.inner, x += shape.inner) {
    const auto [a, b] = two_sums_over<T>(shape.inner, [=](auto d, int64_t i, auto& s, auto& t) HWY_ATTR {
      const auto v = hn::LoadU(d, g + i);
      s = hn::Add(s, v);
      t = hn::MulAdd(v, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean)), t);
    });
    const double weight = static_cast<double>(weight_at(w, c, T(1)));
    sums[0] += weight * a;
    sums[1] += weight * b;
    if (!dw) continue;
    dw[c] += static_cast<T>(b * static_cast<double>(scale));
    db[c] += static_cast<T>(a);
  }
  return sums;
}

/// dx = (g * w - a - (x - mean) * b) * scale
template <class T>
void gradient_row(T* dx, const T* g, const T* x, int64_t n, T mean, T scale, T a, T b, const T* w) {
  const auto write = [=](auto d, int64_t i, auto h) HWY_ATTR {
    const auto u = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, mean));
    hn::StoreU(hn::Mul(hn::NegMulAdd(u, hn::Set(d, b), hn::Sub(h, hn::Set(d, a))), hn::Set(d, scale)), d, dx + i);
  };
  if (w)
    for_vectors<T>(n,
                   [=](auto d, int64_t i) HWY_ATTR { write(d, i, hn::Mul(hn::LoadU(d, g + i), hn::LoadU(d, w + i))); });
  else
    for_vectors<T>(n, [=](auto d, int64_t i) HWY_ATTR { write(d, i, hn::LoadU(d, g + i)); });
}

/// One row's dx; dw and db begin at its first weight.
template <class T>
void backward_row(T* dx, const T* g, const T* x, const Shape& shape, T mean, T scale, const T* w, T* dw, T* db) {
  const int64_t n = shape.length(), inner = shape.inner;
  const auto [a, b] =
      inner == 1 ? row_sums(g, x, n, mean, scale, w, dw, db) : channel_sums(g, x, shape, mean, scale, w, dw, db);
  const double share = 1.0 / static_cast<double>(n);
  const T shift = static_cast<T>(a * share);
  const T slope = static_cast<T>(b * share * static_cast<double>(scale) * static_cast<double>(scale));
  if (inner == 1) return gradient_row(dx, g, x, n, mean, scale, shift, slope, w);
  for (int64_t c = 0; c < shape.channels; ++c) {
    const int64_t at = c * inner;
    const T weight = weight_at(w, c, T(1));
    for_vectors<T>(inner, [=](auto d, int64_t i) HWY_ATTR {
      const auto u = hn::Sub(hn::LoadU(d, x + at + i), hn::Set(d, mean));
      const auto h = hn::MulSub(hn::LoadU(d, g + at + i), hn::Set(d, weight), hn::Set(d, shift));
      hn::StoreU(hn::Mul(hn::NegMulAdd(u, hn::Set(d, slope), h), hn::Set(d, scale)), d, dx + at + i);
    });
  }
}

/// out[i] = the sum of the i-th elements of all parts.
template <class T>
void add_parts(const Tensor& out, const std::vector<T>& parts, int64_t offset, int64_t step, int64_t chunks) {
  if (!out.defined()) return;
  for (int64_t i = 0; i < out.numel(); ++i) {
    double sum = 0;
    for (int64_t k = 0; k < chunks; ++k) sum += static_cast<double>(parts[static_cast<size_t>(k * step + offset + i)]);
    out.data<T>()[i] = static_cast<T>(sum);
  }
}

template <class T>
void backward(const Tensor& dx, const Tensor& dweight, const Tensor& dbias, const Tensor& g, const Tensor& x,
              const Tensor& means, const Tensor& scales, const Tensor& weight) {
  const Shape shape(x);
  const int64_t n = shape.length(), weights = shape.groups * shape.channels;
  const T* w = data_or_null<T>(weight);
  const bool summing = dweight.defined() || dbias.defined();
  const int64_t height = std::max<int64_t>(16, (shape.rows + 63) / 64), chunks = (shape.rows + height - 1) / height;
  std::vector<T> parts(static_cast<size_t>(summing ? chunks * 2 * weights : 0));
  parallel_for(chunks, std::max<int64_t>(1, kGrain / (height * n)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin * height; r < std::min(end * height, shape.rows); ++r) {
      const int64_t first = shape.weight(r), at = r * n;
      T* sums = summing ? parts.data() + r / height * 2 * weights + first : nullptr;
      backward_row(dx.data<T>() + at, g.data<T>() + at, x.data<T>() + at, shape, means.data<T>()[r],
                   scales.data<T>()[r], w ? w + first : nullptr, sums, summing ? sums + weights : nullptr);
    }
  });
  add_parts(dweight, parts, 0, 2 * weights, chunks);
  add_parts(dbias, parts, weights, 2 * weights, chunks);
}

void norm_rows(const Tensor& y, const Tensor& mean, const Tensor& scale, const Tensor& x, const Tensor& weight,
               const Tensor& bias, double eps) {
  if (x.numel() == 0) return;
  (x.dtype() == DType::Float64 ? forward<double> : forward<float>)(y, mean, scale, x, weight, bias, eps);
}

void norm_rows_backward(const Tensor& dx, const Tensor& dweight, const Tensor& dbias, const Tensor& g, const Tensor& x,
                        const Tensor& mean, const Tensor& scale, const Tensor& weight) {
  if (x.numel() == 0) {
    for (const Tensor& t : {dweight, dbias})
      if (t.defined()) slots::fill(t, 0);
    return;
  }
  (x.dtype() == DType::Float64 ? backward<double> : backward<float>)(dx, dweight, dbias, g, x, mean, scale, weight);
}

void fill_layer_norm() {
  slots::norm_rows.fill(DeviceType::CPU, norm_rows);
  slots::norm_rows_backward.fill(DeviceType::CPU, norm_rows_backward);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_layer_norm);
void fill_layer_norm_slots() { HWY_DYNAMIC_DISPATCH(fill_layer_norm)(); }
}  // namespace facula::cpu
#endif
