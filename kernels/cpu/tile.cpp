// With 32 registers a tile is 6 rows of 4 vectors, with 16 it is 4 rows of 3: sums, a row of b, and one number of a. Each
// step costs 4 + 6 loads for 24 multiplications, so that the arithmetic units are what is waited for. Of the shapes that
// fit, this one reads the fewest rows of a at once, which lie apart: 8 rows of 3 take 5 per cent longer.
#include "kernels/cpu/tile.h"

#include <array>
#include <complex>
#include <type_traits>
#include <utility>

#include "core/dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/tile.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kAhead = 8;  // rows of b that are asked for before they are needed: 4 per cent
constexpr bool kFewRegisters = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR;
constexpr int kRows = kFewRegisters ? 4 : 6, kVectors = kFewRegisters ? 3 : 4;

template <class T, int R, int V, class Steps>
void SumTile(int64_t cols, const Steps& steps, const T* const* a, const T* b, T alpha, T* c, int64_t c_stride,
             bool add) {
  const hn::ScalableTag<T> d;
  constexpr int64_t lanes = hn::MaxLanes(d);
  T* line = c;
  for (int i = 0; i < R; ++i, line += c_stride)
    for (int j = 0; j < V; ++j) __builtin_prefetch(line + j * lanes, 1);

  hn::Vec<decltype(d)> sum[R][V];
  const T* row[R];
  for (int i = 0; i < R; ++i) {
    row[i] = a[i];
    for (int j = 0; j < V; ++j) sum[i][j] = hn::Zero(d);
  }
  for (int64_t k = 0; k < steps.inner; ++k) {
    const int64_t at = steps.a_step(k);
    const T* from = b + steps.b_step(k);
    hn::Vec<decltype(d)> right[V];
    for (int j = 0; j < V; ++j) {
      if constexpr (std::is_same_v<Steps, EvenSteps>) __builtin_prefetch(b + steps.b_step(k + kAhead) + j * lanes);
      right[j] = hn::LoadU(d, from + j * lanes);
    }
    for (int i = 0; i < R; ++i) {
      const auto left = hn::Set(d, row[i][at]);
      for (int j = 0; j < V; ++j) sum[i][j] = hn::MulAdd(left, right[j], sum[i][j]);
    }
  }

  const auto factor = hn::Set(d, alpha);
  const auto last = hn::FirstN(d, static_cast<size_t>(cols - (V - 1) * lanes));  // columns of the last vector
#pragma GCC unroll 8  // what is counted through would leave the registers
  for (int i = 0; i < R; ++i, c += c_stride)
#pragma GCC unroll 8
    for (int j = 0; j < V; ++j) {
      T* to = c + j * lanes;
      const auto scaled = hn::Mul(factor, sum[i][j]);
      if (j < V - 1)
        hn::StoreU(add ? hn::Add(hn::LoadU(d, to), scaled) : scaled, d, to);
      else
        hn::BlendedStore(add ? hn::Add(hn::MaskedLoad(last, d, to), scaled) : scaled, last, d, to);
    }
}

template <class T, class Steps>
using TileFn = void (*)(int64_t, const Steps&, const T* const*, const T*, T, T*, int64_t, bool);

template <class T, class Steps, int... I>
constexpr std::array<TileFn<T, Steps>, sizeof...(I)> TileTable(std::integer_sequence<int, I...>) {
  return {SumTile<T, I / kVectors + 1, I % kVectors + 1, Steps>...};
}
template <class T, class Steps>
void AnyTile(int height, int64_t cols, const Steps& steps, const T* const* a, const T* b, T alpha, T* c,
             int64_t c_stride, bool add) {
  static constexpr auto table = TileTable<T, Steps>(std::make_integer_sequence<int, kRows * kVectors>());
  constexpr int64_t lanes = hn::MaxLanes(hn::ScalableTag<T>());
  table[(height - 1) * kVectors + (cols - 1) / lanes](cols, steps, a, b, alpha, c, c_stride, add);
}

// V vectors of a line, of which the last has `rest` elements.
template <int V, class T>
void SumVectors(int64_t rest, int64_t inner, const int64_t* taps, const T* w, const T* b, T* y) {
  const hn::ScalableTag<T> d;
  constexpr int64_t lanes = hn::MaxLanes(d);
  hn::Vec<decltype(d)> sum[V];
  for (int j = 0; j < V; ++j) sum[j] = hn::Zero(d);
  for (int64_t k = 0; k < inner; ++k) {
    const auto left = hn::Set(d, w[k]);
    for (int j = 0; j < V; ++j) sum[j] = hn::MulAdd(left, hn::LoadU(d, b + taps[k] + j * lanes), sum[j]);
  }
  for (int j = 0; j < V - 1; ++j) hn::StoreU(sum[j], d, y + j * lanes);
  hn::BlendedStore(sum[V - 1], hn::FirstN(d, static_cast<size_t>(rest)), d, y + (V - 1) * lanes);
}

template <class T>
void SumLine(int64_t count, int64_t inner, const int64_t* taps, const T* w, const T* b, T* y) {
  constexpr int64_t lanes = hn::MaxLanes(hn::ScalableTag<T>());
  for (; count > 4 * lanes; count -= 4 * lanes, b += 4 * lanes, y += 4 * lanes)
    SumVectors<4>(lanes, inner, taps, w, b, y);
  static constexpr std::array last{SumVectors<1, T>, SumVectors<2, T>, SumVectors<3, T>, SumVectors<4, T>};
  const int64_t before = (count - 1) / lanes;
  last[before](count - before * lanes, inner, taps, w, b, y);
}

template <class T>
void PackRows(const T* b, int64_t row_stride, int64_t count, int64_t cols, T* packed, int64_t pitch) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t k = 0; k < count; ++k, b += row_stride, packed += pitch) {
    int64_t j = 0;
    for (; j + lanes <= cols; j += lanes) hn::StoreU(hn::LoadU(d, b + j), d, packed + j);
    if (j < cols) hn::StoreU(hn::MaskedLoad(hn::FirstN(d, cols - j), d, b + j), d, packed + j);
  }
}

#if HWY_TARGET != HWY_SCALAR
// 128 bits of each of some columns at b, side by side: block i is from column i * blocks' lanes.
template <class D>
hn::Vec<D> Blocks(D d, const hn::TFromD<D>* b, int64_t col_stride) {
  constexpr int64_t lanes = hn::MaxLanes(D());
  if constexpr (lanes * sizeof(hn::TFromD<D>) == 16) {
    return hn::LoadU(d, b);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, Blocks(half, b + lanes / 2 * col_stride, col_stride), Blocks(half, b, col_stride));
  }
}

// Row k + r of `packed` becomes number r of the columns at b, for r < 4: squares are transposed within blocks.
template <class D>
void PackSquares(D d, const float* b, int64_t col_stride, float* packed, int64_t pitch) {
  const hn::RepartitionToWide<D> wide;
  const auto v0 = Blocks(d, b, col_stride), v1 = Blocks(d, b + col_stride, col_stride);
  const auto v2 = Blocks(d, b + 2 * col_stride, col_stride), v3 = Blocks(d, b + 3 * col_stride, col_stride);
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, v0, v1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, v2, v3));
  const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d, v0, v1));
  const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d, v2, v3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)), d, packed);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)), d, packed + pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, high01, high23)), d, packed + 2 * pitch);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, high01, high23)), d, packed + 3 * pitch);
}
template <class D>
void PackSquares(D d, const double* b, int64_t col_stride, double* packed, int64_t pitch) {
  const auto v0 = Blocks(d, b, col_stride), v1 = Blocks(d, b + col_stride, col_stride);
  hn::StoreU(hn::InterleaveLower(d, v0, v1), d, packed);
  hn::StoreU(hn::InterleaveUpper(d, v0, v1), d, packed + pitch);
}
#endif

template <class T>
void PackColumns(const T* b, int64_t col_stride, int64_t count, int64_t cols, T* packed, int64_t pitch) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d), whole = cols / lanes * lanes;
  int64_t done = 0;  // rows of whole vectors
#if HWY_TARGET != HWY_SCALAR
  constexpr int64_t square = 16 / sizeof(T);
  for (; done + square <= count; done += square)
    for (int64_t j = 0; j < whole; j += lanes)
      PackSquares(d, b + done + j * col_stride, col_stride, packed + done * pitch + j, pitch);
#endif
  for (int64_t j = 0; j < whole; ++j)
    for (int64_t k = done; k < count; ++k) packed[k * pitch + j] = b[k + j * col_stride];
  if (whole == cols) return;
  for (int64_t k = 0; k < count; ++k) hn::StoreU(hn::Zero(d), d, packed + k * pitch + whole);
  for (int64_t j = whole; j < cols; ++j)
    for (int64_t k = 0; k < count; ++k) packed[k * pitch + j] = b[k + j * col_stride];
}

// Whole vectors are written: what is too much of one run lies where the next one, or the next row, begins.
template <class T>
void PackRuns(const TileRun* runs, int runs_count, const int64_t* taps, int64_t count, const T* copy, T* packed,
              int64_t pitch) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t k = 0; k < count; ++k, packed += pitch)
    for (const TileRun* run = runs; run != runs + runs_count; ++run) {
      const T* from = copy + taps[k] + run->from;
      T* to = packed + run->at;
      int64_t j = 0;
      for (; j + lanes <= run->count; j += lanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
      if (j < run->count) hn::StoreU(hn::MaskedLoad(hn::FirstN(d, run->count - j), d, from + j), d, to + j);
    }
}

template <class T>
void CopyRows(int height, int64_t count, const T* c, int64_t c_stride, T* y, int64_t y_stride) {
  const hn::ScalableTag<T> d;
  const int64_t lanes = hn::Lanes(d);
  for (int i = 0; i < height; ++i, c += c_stride, y += y_stride) {
    int64_t j = 0;
    for (; j + lanes <= count; j += lanes) hn::StoreU(hn::LoadU(d, c + j), d, y + j);
    if (j == count) continue;
    const auto rest = hn::FirstN(d, count - j);
    hn::BlendedStore(hn::MaskedLoad(rest, d, c + j), rest, d, y + j);
  }
}

template <class T>
Tiles<T> VectorTiles() {
  return {kRows,
          kVectors,
          static_cast<int>(hn::Lanes(hn::ScalableTag<T>())),
          AnyTile<T, TileSteps>,
          AnyTile<T, RowSteps>,
          AnyTile<T, EvenSteps>,
          SumLine<T>,
          PackRows<T>,
          PackColumns<T>,
          PackRuns<T>,
          CopyRows<T>};
}
Tiles<float> FloatTiles() { return VectorTiles<float>(); }
Tiles<double> DoubleTiles() { return VectorTiles<double>(); }

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
namespace {

HWY_EXPORT(FloatTiles);
HWY_EXPORT(DoubleTiles);

constexpr int kPlainRows = 4, kPlainVectors = 3, kPlainLanes = 4;

// Integers wrap; complex numbers are multiplied without the rescue of infinities, as by BLAS.
template <class T>
void add_product(T& sum, T x, T y) {
  if constexpr (std::is_integral_v<T>)
    sum = static_cast<T>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  else
    sum += T(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
}

template <class T, class Steps>
void plain_sum(int height, int64_t cols, const Steps& steps, const T* const* a, const T* b, T alpha, T* c,
               int64_t c_stride, bool add) {
  const auto width = static_cast<int>(cols);
  T sum[kPlainRows][kPlainVectors * kPlainLanes] = {};
  for (int64_t k = 0; k < steps.inner; ++k)
    for (int i = 0; i < height; ++i)
      for (int j = 0; j < width; ++j) add_product(sum[i][j], a[i][steps.a_step(k)], b[steps.b_step(k) + j]);
  for (int i = 0; i < height; ++i)
    for (int j = 0; j < width; ++j) {
      T& to = c[i * c_stride + j];
      if (!add) to = T(0);
      add_product(to, alpha, sum[i][j]);
    }
}

template <class T>
void plain_sum_line(int64_t count, int64_t inner, const int64_t* taps, const T* w, const T* b, T* y) {
  for (int64_t j = 0; j < count; ++j) {
    y[j] = T(0);
    for (int64_t k = 0; k < inner; ++k) add_product(y[j], w[k], b[taps[k] + j]);
  }
}

// packed[k * pitch + j] = b[k * row_stride + j * col_stride]
template <class T>
void plain_pack(const T* b, int64_t row_stride, int64_t col_stride, int64_t count, int64_t cols, T* packed,
                int64_t pitch) {
  const int64_t padded = (cols + kPlainLanes - 1) / kPlainLanes * kPlainLanes;
  for (int64_t k = 0; k < count; ++k)
    for (int64_t j = 0; j < padded; ++j) packed[k * pitch + j] = j < cols ? b[k * row_stride + j * col_stride] : T(0);
}
template <class T>
void plain_pack_rows(const T* b, int64_t row_stride, int64_t count, int64_t cols, T* packed, int64_t pitch) {
  plain_pack(b, row_stride, 1, count, cols, packed, pitch);
}
template <class T>
void plain_pack_columns(const T* b, int64_t col_stride, int64_t count, int64_t cols, T* packed, int64_t pitch) {
  plain_pack(b, 1, col_stride, count, cols, packed, pitch);
}
template <class T>
void plain_pack_runs(const TileRun* runs, int runs_count, const int64_t* taps, int64_t count, const T* copy, T* packed,
                     int64_t pitch) {
  for (int64_t k = 0; k < count; ++k)
    for (const TileRun* run = runs; run != runs + runs_count; ++run)
      std::copy_n(copy + taps[k] + run->from, run->count, packed + k * pitch + run->at);
}
template <class T>
void plain_copy_rows(int height, int64_t count, const T* c, int64_t c_stride, T* y, int64_t y_stride) {
  for (int i = 0; i < height; ++i) std::copy_n(c + i * c_stride, count, y + i * y_stride);
}

}  // namespace

template <class T>
const Tiles<T>& tiles() {
  static const Tiles<T> code{kPlainRows,
                             kPlainVectors,
                             kPlainLanes,
                             plain_sum<T, TileSteps>,
                             plain_sum<T, RowSteps>,
                             plain_sum<T, EvenSteps>,
                             plain_sum_line<T>,
                             plain_pack_rows<T>,
                             plain_pack_columns<T>,
                             plain_pack_runs<T>,
                             plain_copy_rows<T>};
  return code;
}
template <>
const Tiles<float>& tiles() {
  static const Tiles<float> code = HWY_DYNAMIC_DISPATCH(FloatTiles)();
  return code;
}
template <>
const Tiles<double>& tiles() {
  static const Tiles<double> code = HWY_DYNAMIC_DISPATCH(DoubleTiles)();
  return code;
}
template const Tiles<uint8_t>& tiles();
template const Tiles<int8_t>& tiles();
template const Tiles<int16_t>& tiles();
template const Tiles<int32_t>& tiles();
template const Tiles<int64_t>& tiles();
template const Tiles<complex64>& tiles();
template const Tiles<complex128>& tiles();

}  // namespace facula::cpu
#endif
