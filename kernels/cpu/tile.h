// The innermost loop of products of matrices and of convolutions: a tile of results stays in registers while its sums
// run.
//
//   c[i * c_stride + j] (+)= alpha * sum over k of a[i][a_step(k)] * b[b_step(k) + j]
//
// Rows of a are read number by number, rows of b by vectors, from wherever the steps say: a convolution reads its image
// in place, and no matrix of columns is made. The order of each sum is that of k, whatever tile it is in, so that no
// result depends on how a product is cut into tiles and blocks of them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace facula::cpu {

inline constexpr int kTileRows = 6, kTileCols = 64;  // the most there are on any machine

/// Where the `inner` terms of a sum lie, in elements: wherever two lists say.
struct TileSteps {
  int64_t inner;
  const int64_t *a, *b;

  int64_t a_step(int64_t k) const { return a[k]; }
  int64_t b_step(int64_t k) const { return b[k]; }
};
/// One after the other in rows of a.
struct RowSteps {
  int64_t inner;
  const int64_t* b;

  int64_t a_step(int64_t k) const { return k; }
  int64_t b_step(int64_t k) const { return b[k]; }
};
/// Or evenly apart. The less there is to look up, the faster, by 6 per cent in all.
struct EvenSteps {
  int64_t inner, a, b;

  int64_t a_step(int64_t k) const { return k * a; }
  int64_t b_step(int64_t k) const { return k * b; }
};

/// Columns at .. at + count of a tile, which lie at `from` in a framed copy of an image and at `to` in a result.
struct TileRun {
  int64_t at, from, count, to;
};

/// The code for this machine; for all numbers but bool, float16 and bfloat16.
template <class T>
struct Tiles {
  int rows, vectors, lanes;  // rows of a full tile, vectors in one of these, elements of a vector

  int cols() const { return vectors * lanes; }
  /// Vectors of the next tile where so many columns are left: one more than a full tile are two halves, because a narrow
  /// tile waits for its loads.
  int next_vectors(int64_t cols_left) const {
    const auto left = static_cast<int>(std::min<int64_t>((cols_left + lanes - 1) / lanes, 2 * vectors));
    return left > vectors && left < 2 * vectors ? (left + 1) / 2 : std::min(left, vectors);
  }

  /// Sums of a tile of `height` rows and `cols` columns, added to c, or c becomes them; of b whole vectors are read.
  template <class Steps>
  using Sum = void(int height, int64_t cols, const Steps& steps, const T* const* a, const T* b, T alpha, T* c,
                   int64_t c_stride, bool add);
  Sum<TileSteps>* sum;
  Sum<RowSteps>* sum_rows;
  Sum<EvenSteps>* sum_evenly;
  /// y[j] = the sum over k of w[k] * b[taps[k] + j] for j < count; of b whole vectors are read.
  void (*sum_line)(int64_t count, int64_t inner, const int64_t* taps, const T* w, const T* b, T* y);
  /// Row k of `packed`, at k * pitch, becomes b[k * row_stride + j] for j < cols, and zeros up to a whole vector.
  void (*pack_rows)(const T* b, int64_t row_stride, int64_t count, int64_t cols, T* packed, int64_t pitch);
  /// The same from b[k + j * col_stride].
  void (*pack_columns)(const T* b, int64_t col_stride, int64_t count, int64_t cols, T* packed, int64_t pitch);
  /// packed[k * pitch + run.at + j] = copy[taps[k] + run.from + j] for j < run.count of all runs, in their order; beyond
  /// the last may be anything, up to a vector.
  void (*pack_runs)(const TileRun* runs, int runs_count, const int64_t* taps, int64_t count, const T* copy, T* packed,
                    int64_t pitch);
  /// y[i * y_stride + j] = c[i * c_stride + j] for i < height and j < count.
  void (*copy_rows)(int height, int64_t count, const T* c, int64_t c_stride, T* y, int64_t y_stride);
};
template <class T>
const Tiles<T>& tiles();

}  // namespace facula::cpu
