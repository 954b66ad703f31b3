// Normalisation of channels: x is [N, C, S], statistics are over N and S. Where S is long, a channel is cut into pieces of
// planes, each folded while it is in the cache; where S is short, the rows of x are C * S columns, and pieces are rows by
// columns. Pieces have fixed sizes and are put together in order (Chan, Golub and LeVeque 1979), so that results do not
// depend on the number of threads.
#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/batch_norm.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/row_sum.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

struct Shape {
  int64_t N, C, S;
  explicit Shape(const Tensor& x) : N(x.size(0)), C(x.size(1)), S(x.size(2)) {}
  /// Are planes long enough for vectors?
  bool by_planes() const { return S >= 16; }
};

int64_t pieces_of(int64_t n, int64_t size) { return (n + size - 1) / size; }

/// What a piece knows of a channel: two numbers, and how many elements they cover.
struct Part {
  double count = 0, first = 0, second = 0;
};

/// Parts of every channel from `piece(c, n, planes, s, length)`, which folds elements [s, s + length) of `planes` planes of
/// channel c from sample n on; then `join(c, parts)` for each channel.
template <class Piece, class Join>
void fold_planes(const Shape& x, const Piece& piece, const Join& join) {
  constexpr int64_t kPiece = 16384;
  const int64_t length = std::min(x.S, kPiece), lengths = pieces_of(x.S, length);
  const int64_t planes = std::max<int64_t>(1, kPiece / x.S), heights = pieces_of(x.N, planes), each = heights * lengths;
  std::vector<Part> parts(static_cast<size_t>(x.C * each));
  const int64_t work = std::min(planes, x.N) * length;
  parallel_for(x.C * each, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t c = i / each, n = i % each / lengths * planes, s = i % lengths * length;
      parts[static_cast<size_t>(i)] = piece(c, n, std::min(planes, x.N - n), s, std::min(length, x.S - s));
    }
  });
  for (int64_t c = 0; c < x.C; ++c) join(c, std::span<const Part>(parts.data() + c * each, static_cast<size_t>(each)));
}

/// Parts of every channel from `piece(n, rows, k, columns, parts)`, which folds columns [k, k + columns) of `rows` rows of
/// C * S columns into a part each.
template <class Piece, class Join>
void fold_columns(const Shape& x, const Piece& piece, const Join& join) {
  constexpr int64_t kRows = 128, kColumns = 512;
  const int64_t K = x.C * x.S, strips = pieces_of(K, kColumns), heights = pieces_of(x.N, kRows);
  std::vector<Part> parts(static_cast<size_t>(heights * K));
  const int64_t work = std::min(kRows, x.N) * std::min(kColumns, K);
  parallel_for(heights * strips, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / strips * kRows, k = i % strips * kColumns;
      piece(n, std::min(kRows, x.N - n), k, std::min(kColumns, K - k), parts.data() + i / strips * K + k);
    }
  });
  std::vector<Part> of_channel(static_cast<size_t>(heights * x.S));
  for (int64_t c = 0; c < x.C; ++c) {
    for (int64_t h = 0; h < heights; ++h) std::copy_n(parts.data() + h * K + c * x.S, x.S, of_channel.data() + h * x.S);
    join(c, std::span<const Part>(of_channel));
  }
}

/// sums[k] += term(d, row, k) for all rows.
template <class T, class F>
void add_rows(T* sums, int64_t rows, int64_t columns, const F& term) {
  for (int64_t r = 0; r < rows; ++r)
    for_vectors<T>(columns, [&](auto d, int64_t k)
                                HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, sums + k), term(d, r, k)), d, sums + k); });
}

// ---- moments --------------------------------------------------------------------------------------------------------
template <class T>
void moments(const Tensor& means, const Tensor& variances, const Tensor& in) {
  const Shape at(in);
  const T* x = in.data<T>();
  const auto join = [&](int64_t c, std::span<const Part> parts) {
    Part whole;
    for (const Part& p : parts) {
      const double count = whole.count + p.count, delta = p.first - whole.first;
      whole.first += delta * p.count / count;
      whole.second += p.second + delta * delta * whole.count * p.count / count;
      whole.count = count;
    }
    means.data<T>()[c] = static_cast<T>(whole.first);
    variances.data<T>()[c] = static_cast<T>(whole.second / whole.count);
  };
  if (at.by_planes()) {
    const auto piece = [&](int64_t c, int64_t n, int64_t planes, int64_t s, int64_t length) {
      const auto each = [&](const auto& f) {
        double sum = 0;
        for (int64_t i = n; i < n + planes; ++i) sum += f(x + (i * at.C + c) * at.S + s);
        return sum;
      };
      const double count = static_cast<double>(planes * length);
      const double mean = each([&](const T* p) {
                            return sum_over<T>(length, [p](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, p + i); });
                          }) /
                          count;
      const double squares = each([&](const T* p) {
        return sum_over<T>(length, [p, mean](auto d, int64_t i) HWY_ATTR {
          const auto v = hn::Sub(hn::LoadU(d, p + i), hn::Set(d, static_cast<T>(mean)));
          return hn::Mul(v, v);
        });
      });
      return Part{count, mean, squares};
    };
    return fold_planes(at, piece, join);
  }
  fold_columns(
      at,
      [&](int64_t n, int64_t rows, int64_t k, int64_t columns, Part* parts) {
        const int64_t K = at.C * at.S;
        const T* from = x + n * K + k;
        std::vector<T> buffer(static_cast<size_t>(2 * columns));
        T *mean = buffer.data(), *squares = mean + columns;
        add_rows(mean, rows, columns,
                 [=](auto d, int64_t r, int64_t i) HWY_ATTR { return hn::LoadU(d, from + r * K + i); });
        for (int64_t i = 0; i < columns; ++i) mean[i] /= static_cast<T>(rows);
        add_rows(squares, rows, columns, [=](auto d, int64_t r, int64_t i) HWY_ATTR {
          const auto v = hn::Sub(hn::LoadU(d, from + r * K + i), hn::LoadU(d, mean + i));
          return hn::Mul(v, v);
        });
        for (int64_t i = 0; i < columns; ++i)
          parts[i] = {static_cast<double>(rows), static_cast<double>(mean[i]), static_cast<double>(squares[i])};
      },
      join);
}

// ---- sums -----------------------------------------------------------------------------------------------------------
template <class T>
void sums(const Tensor& sum, const Tensor& product, const Tensor& gradient, const Tensor& in, const Tensor& means) {
  const Shape at(in);
  const T *x = in.data<T>(), *g = gradient.data<T>(), *mean = means.data<T>();
  const auto join = [&](int64_t c, std::span<const Part> parts) {
    Part whole;
    for (const Part& p : parts) whole.first += p.first, whole.second += p.second;
    sum.data<T>()[c] = static_cast<T>(whole.first);
    product.data<T>()[c] = static_cast<T>(whole.second);
  };
  if (at.by_planes()) {
    const auto piece = [&](int64_t c, int64_t n, int64_t planes, int64_t s, int64_t length) {
      Part part;
      for (int64_t i = n; i < n + planes; ++i) {
        const int64_t from = (i * at.C + c) * at.S + s;
        const T *a = g + from, *b = x + from, m = mean[c];
        const auto [first, second] = two_sums_over<T>(length, [=](auto d, int64_t k, auto& u, auto& v) HWY_ATTR {
          const auto h = hn::LoadU(d, a + k);
          u = hn::Add(u, h);
          v = hn::MulAdd(h, hn::Sub(hn::LoadU(d, b + k), hn::Set(d, m)), v);
        });
        part.first += first, part.second += second;
      }
      return part;
    };
    return fold_planes(at, piece, join);
  }
  fold_columns(
      at,
      [&](int64_t n, int64_t rows, int64_t k, int64_t columns, Part* parts) {
        const int64_t K = at.C * at.S;
        const T *a = g + n * K + k, *b = x + n * K + k;
        std::vector<T> buffer(static_cast<size_t>(3 * columns));
        T *first = buffer.data(), *second = first + columns, *centre = second + columns;
        for (int64_t i = 0; i < columns; ++i) centre[i] = mean[(k + i) / at.S];
        for (int64_t r = 0; r < rows; ++r)
          for_vectors<T>(columns, [=](auto d, int64_t i) HWY_ATTR {
            const auto h = hn::LoadU(d, a + r * K + i),
                       u = hn::Sub(hn::LoadU(d, b + r * K + i), hn::LoadU(d, centre + i));
            hn::StoreU(hn::Add(hn::LoadU(d, first + i), h), d, first + i);
            hn::StoreU(hn::MulAdd(h, u, hn::LoadU(d, second + i)), d, second + i);
          });
        for (int64_t i = 0; i < columns; ++i)
          parts[i] = {0, static_cast<double>(first[i]), static_cast<double>(second[i])};
      },
      join);
}

// ---- lines ----------------------------------------------------------------------------------------------------------
/// y[i] = f(d, i, p...), i counting elements of all of x, where each p is the channel's number of one of `numbers` in all
/// lanes, or its lanes' channels' numbers.
template <class T, size_t K, class F>
void map_channels(const Shape& at, const std::array<const T*, K>& numbers, T* y, const F& f) {
  const auto apply = [&]<size_t... k>(std::index_sequence<k...>) {
    if (at.by_planes()) {
      const bool streams = at.N * at.C * at.S * static_cast<int64_t>(sizeof(T)) >= kStreamBytes;
      parallel_for(at.N * at.C, std::max<int64_t>(1, kGrain / at.S), [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const std::array<T, K> p{numbers[k][i % at.C]...};
          const int64_t first = i * at.S;
          const auto write = [=](T* to, int64_t from, int64_t n) {
            for_vectors<T>(
                n, [=](auto d, int64_t s) HWY_ATTR { hn::StoreU(f(d, from + s, hn::Set(d, p[k])...), d, to + s); });
          };
          if (!streams) {
            write(y + first, first, at.S);
            continue;
          }
          alignas(64) T block[kBlock];
          for_blocks(at.S, reinterpret_cast<const char*>(y + first), sizeof(T), [&](int64_t s, int64_t n) {
            write(block, first + s, n);
            stream(reinterpret_cast<char*>(y + first + s), reinterpret_cast<const char*>(block),
                   n * static_cast<int64_t>(sizeof(T)));
          });
        }
        if (streams) end_stream();
      });
      return;
    }
    const int64_t columns = at.C * at.S;
    std::array<std::vector<T>, K> wide;
    for (size_t j = 0; j < K; ++j) {
      wide[j].resize(static_cast<size_t>(columns));
      for (int64_t i = 0; i < columns; ++i) wide[j][static_cast<size_t>(i)] = numbers[j][i / at.S];
    }
    parallel_for(at.N, std::max<int64_t>(1, kGrain / columns), [&](int64_t begin, int64_t end) {
      const std::array<const T*, K> p{wide[k].data()...};
      for (int64_t n = begin; n < end; ++n)
        for_vectors<T>(columns, [=](auto d, int64_t i) HWY_ATTR {
          hn::StoreU(f(d, n * columns + i, hn::LoadU(d, p[k] + i)...), d, y + n * columns + i);
        });
    });
  };
  apply(std::make_index_sequence<K>());
}

template <class T>
void affine(const Tensor& out, const Tensor& in, const Tensor& mean, const Tensor& a, const Tensor& b) {
  const T* x = in.data<T>();
  map_channels<T, 3>(Shape(in), {mean.data<T>(), a.data<T>(), b.data<T>()}, out.data<T>(),
                     [x](auto d, int64_t i, auto m, auto slope, auto shift)
                         HWY_ATTR { return hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), slope, shift); });
}

template <class T>
void affine_backward(const Tensor& dx, const Tensor& gradient, const Tensor& in, const Tensor& mean, const Tensor& a,
                     const Tensor& b, const Tensor& c) {
  const T *x = in.data<T>(), *g = gradient.data<T>();
  map_channels<T, 4>(Shape(in), {mean.data<T>(), a.data<T>(), b.data<T>(), c.data<T>()}, dx.data<T>(),
                     [x, g](auto d, int64_t i, auto m, auto of_g, auto of_x, auto shift) HWY_ATTR {
                       const auto line = hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), of_x, shift);
                       return hn::MulAdd(hn::LoadU(d, g + i), of_g, line);
                     });
}

void channel_moments(const Tensor& mean, const Tensor& var, const Tensor& x) {
  if (x.numel() == 0) return;
  (x.dtype() == DType::Float64 ? moments<double> : moments<float>)(mean, var, x);
}
void channel_sums(const Tensor& sum, const Tensor& product, const Tensor& g, const Tensor& x, const Tensor& mean) {
  if (x.numel() == 0) return slots::fill(sum, 0), slots::fill(product, 0);
  (x.dtype() == DType::Float64 ? sums<double> : sums<float>)(sum, product, g, x, mean);
}
void channel_affine(const Tensor& y, const Tensor& x, const Tensor& mean, const Tensor& a, const Tensor& b) {
  if (x.numel() == 0) return;
  (x.dtype() == DType::Float64 ? affine<double> : affine<float>)(y, x, mean, a, b);
}
void channel_affine_backward(const Tensor& dx, const Tensor& g, const Tensor& x, const Tensor& mean, const Tensor& a,
                             const Tensor& b, const Tensor& c) {
  if (x.numel() == 0) return;
  (x.dtype() == DType::Float64 ? affine_backward<double> : affine_backward<float>)(dx, g, x, mean, a, b, c);
}

void fill_batch_norm() {
  slots::channel_moments.fill(DeviceType::CPU, channel_moments);
  slots::channel_sums.fill(DeviceType::CPU, channel_sums);
  slots::channel_affine.fill(DeviceType::CPU, channel_affine);
  slots::channel_affine_backward.fill(DeviceType::CPU, channel_affine_backward);
}

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_batch_norm);
void fill_batch_norm_slots() { HWY_DYNAMIC_DISPATCH(fill_batch_norm)(); }
}  // namespace facula::cpu
#endif
