// Sums of tiles (tile.h) for real numbers and integers, BLAS for complex numbers and for vectors. Rows of a are read as
// they lie, and rows of b where it is small; a larger b is packed into panels as wide as a tile. That is 0.8 to 1.0
// times OpenBLAS 0.3.21's time on AVX-512, a block of a product costs little more than its share, and how a product is
// cut does not change its bits.
#include "kernels/cpu/gemm.h"

#include <cblas.h>

#include <complex>
#include <type_traits>

#include "core/tensor.h"
#include "kernels/cpu/tile.h"

namespace facula::cpu {
namespace {

template <class T>
inline constexpr bool is_blas = !std::is_integral_v<T>;

// cblas takes real factors by value and complex ones by address.
inline float factor(const float& x) { return x; }
inline double factor(const double& x) { return x; }
template <class T>
const void* factor(const std::complex<T>& x) {
  return &x;
}

#define FACULA_BLAS(T, letter)                                                                                       \
  inline void blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const T& alpha, const T* a,     \
                        int lda, const T* b, int ldb, const T& beta, T* c, int ldc) {                                \
    cblas_##letter##gemm(CblasRowMajor, ta, tb, m, n, k, factor(alpha), a, lda, b, ldb, factor(beta), c, ldc);       \
  }                                                                                                                  \
  inline void blas_gemv(CBLAS_TRANSPOSE ta, int m, int n, const T& alpha, const T* a, int lda, const T* x, int incx, \
                        const T& beta, T* y, int incy) {                                                             \
    cblas_##letter##gemv(CblasRowMajor, ta, m, n, factor(alpha), a, lda, x, incx, factor(beta), y, incy);            \
  }
FACULA_BLAS(float, s)
FACULA_BLAS(double, d)
FACULA_BLAS(complex64, c)
FACULA_BLAS(complex128, z)
#undef FACULA_BLAS

inline float blas_dot(int n, const float* x, int incx, const float* y, int incy) {
  return cblas_sdot(n, x, incx, y, incy);
}
inline double blas_dot(int n, const double* x, int incx, const double* y, int incy) {
  return cblas_ddot(n, x, incx, y, incy);
}
inline complex64 blas_dot(int n, const complex64* x, int incx, const complex64* y, int incy) {
  complex64 sum;
  cblas_cdotu_sub(n, x, incx, y, incy, &sum);
  return sum;
}
inline complex128 blas_dot(int n, const complex128* x, int incx, const complex128* y, int incy) {
  complex128 sum;
  cblas_zdotu_sub(n, x, incx, y, incy, &sum);
  return sum;
}

// How BLAS is to read a dense matrix.
struct Layout {
  CBLAS_TRANSPOSE transpose;
  int leading;  // elements between two rows, or columns, in memory
};

template <class T>
Layout layout(const Matrix<T>& x) {
  if (x.is_row_major()) return {CblasNoTrans, static_cast<int>(x.rows == 1 ? x.cols : x.row_stride)};
  return {CblasTrans, static_cast<int>(x.cols == 1 ? x.rows : x.col_stride)};
}

template <class T>
T plus(T x, T y) {
  if constexpr (std::is_integral_v<T>)  // wraps
    return static_cast<T>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y));
  else
    return x + y;
}

template <class T>
T times(T x, T y) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
  else
    return x * y;
}

template <class T>
void scale(const Matrix<T>& c, T beta) {
  if (beta == T(1)) return;
  for (int64_t i = 0; i < c.rows; ++i) {
    T* row = c.at + i * c.row_stride;
    for (int64_t j = 0; j < c.cols; ++j)
      row[j * c.col_stride] = beta == T(0) ? T(0) : times(beta, row[j * c.col_stride]);
  }
}

template <class T>
void product_by_blas(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha, T beta) {
  const Layout la = layout(a);
  const int m = static_cast<int>(c.rows), n = static_cast<int>(c.cols), k = static_cast<int>(a.cols);
  if (c.cols == 1) {
    if (beta == T(0)) {  // gemv scales y by beta, and 0 * NaN is NaN
      scale(c, beta);
      beta = T(1);
    }
    const bool transposed = la.transpose == CblasTrans;
    const int incx = static_cast<int>(b.rows == 1 ? 1 : b.row_stride);
    const int incy = static_cast<int>(c.rows == 1 ? 1 : c.row_stride);
    blas_gemv(la.transpose, transposed ? k : m, transposed ? m : k, alpha, a.at, la.leading, b.at, incx, beta, c.at,
              incy);
    return;
  }
  const Layout lb = layout(b);
  blas_gemm(la.transpose, lb.transpose, m, n, k, alpha, a.at, la.leading, b.at, lb.leading, beta, c.at,
            static_cast<int>(c.row_stride));
}

// c (+)= alpha * a @ b, c and its rows dense. A piece of b of `inner` rows is packed at a time, so that it stays in the
// second-level cache, unless it is so small that it stays there as it lies. Columns of a, which would meet in few places
// of the cache, are packed.
template <class T>
class TileProduct {
 public:
  TileProduct(const Matrix<T>& to, const Matrix<const T>& left, const Matrix<const T>& right, T factor, bool add_to)
      : c(to), a(left), b(right), alpha(factor), add(add_to) {
    if (!a_in_place) columns = empty({inner * chunk}, dtype_of<T>);
    if (!b_in_place || c.cols % t.lanes != 0) panels = empty({inner * (b_in_place ? pitch : width)}, dtype_of<T>);
  }

  void run() {
    for (int64_t k = 0; k < a.cols; k += inner)
      for (int64_t j = 0; j < c.cols; j += width) add_piece(k, j);
  }

 private:
  // Rows of b as wide as a tile, `step` apart, for columns j .. j + cols of c.
  struct Panel {
    const T* at;
    int64_t step, j, cols;
  };

  // The products of rows k0 .. of b, of its columns j0 ..
  void add_piece(int64_t k0, int64_t j0) {
    const int64_t count = std::min(inner, a.cols - k0);
    for_panels(k0, j0, [&](const Panel& panel) {
      if (is_in_place(panel.cols)) return;
      const T* from = b.at + k0 * b.row_stride + panel.j * b.col_stride;
      if (b.is_row_major())
        t.pack_rows(from, b.row_stride, count, panel.cols, const_cast<T*>(panel.at), pitch);
      else
        t.pack_columns(from, b.col_stride, count, panel.cols, const_cast<T*>(panel.at), pitch);
    });
    for (int64_t i0 = 0; i0 < c.rows; i0 += chunk) {
      const int64_t i1 = std::min<int64_t>(c.rows, i0 + chunk);
      const T* left = a.at + i0 * a.row_stride + k0 * a.col_stride;
      if (!a_in_place) {
        t.pack_rows(left, a.col_stride, count, i1 - i0, memory(columns), chunk);
        left = memory(columns);
      }
      for (int64_t i = i0; i < i1; i += t.rows) {
        const int height = static_cast<int>(std::min<int64_t>(t.rows, i1 - i));
        const T* rows[kTileRows];
        for (int r = 0; r < height; ++r) rows[r] = left + (i - i0 + r) * (a_in_place ? a.row_stride : 1);
        for_panels(k0, j0, [&](const Panel& panel) {
          t.sum_evenly(height, panel.cols, {count, a_in_place ? 1 : chunk, panel.step}, rows, panel.at, alpha,
                       c.at + i * c.row_stride + panel.j, c.row_stride, add || k0 > 0);
        });
      }
    }
  }

  bool is_in_place(int64_t cols) const { return b_in_place && cols % t.lanes == 0; }

  // Calls visit for the tiles in a row of the piece.
  template <class Visit>
  void for_panels(int64_t k0, int64_t j, Visit&& visit) const {
    const int64_t end = std::min(c.cols, j + width);
    for (const T* packed = memory(panels); j < end;) {
      const int64_t cols = std::min<int64_t>(t.next_vectors(end - j) * t.lanes, end - j);
      if (is_in_place(cols)) {
        visit(Panel{b.at + k0 * b.row_stride + j, b.row_stride, j, cols});
      } else {
        visit(Panel{packed, pitch, j, cols});
        packed += inner * pitch;
      }
      j += cols;
    }
  }

  static T* memory(const Tensor& x) { return x.defined() ? reinterpret_cast<T*>(x.bytes()) : nullptr; }
  // The longest even pieces of n that are at most `most` long, in multiples of `step`.
  static int64_t piece(int64_t n, int64_t most, int64_t step) {
    const int64_t steps = (n + step - 1) / step, limit = std::max<int64_t>(1, most / step);
    const int64_t pieces = (steps + limit - 1) / limit;
    return (steps + pieces - 1) / pieces * step;
  }

  static constexpr int64_t kInner = 512, kPacked = (768 << 10) / sizeof(T), kInPlace = (256 << 10) / sizeof(T);
  const Tiles<T>& t = tiles<T>();
  const Matrix<T> c;
  const Matrix<const T> a, b;
  const T alpha;
  const bool add, a_in_place = a.col_stride == 1 || a.cols == 1;
  const bool b_in_place = b.is_row_major() && (c.rows <= 8 * t.rows || b.rows * b.row_stride <= kInPlace);
  // Rows of a that are packed at once: whole tiles and vectors.
  const int64_t chunk = a_in_place ? t.rows : 3 * t.lanes;
  const int64_t pitch = t.cols(), inner = piece(a.cols, kInner, 1), width = piece(c.cols, kPacked / inner, pitch);
  Tensor panels, columns;
};

// C^T = B^T A^T: column-major results become row-major, and rows become columns.
template <class T>
bool is_transposed(const Matrix<T>& c) {
  return c.cols > 1 && (c.rows == 1 || c.col_stride != 1);
}

// A vector is as fast as memory, and few rows do not pay for the transposition of b.
template <class T>
bool is_for_tiles(const Matrix<T>& c, const Matrix<const T>& b) {
  if (!is_blas<T>) return true;
  if (is_complex(dtype_of<T>) || tiles<T>().lanes == 1 || c.rows == 1 || c.cols == 1) return false;
  return b.is_row_major() || c.rows >= 16;
}

}  // namespace

template <class T>
void gemm(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha, T beta) {
  if (c.rows == 0 || c.cols == 0) return;
  if (a.cols == 0) return scale(c, beta);
  if (is_transposed(c)) return gemm(c.transposed(), b.transposed(), a.transposed(), alpha, beta);
  if (is_for_tiles(c, b)) {
    if (beta != T(0)) scale(c, beta);
    return TileProduct<T>(c, a, b, alpha, beta != T(0)).run();
  }
  if constexpr (is_blas<T>) {
    constexpr int64_t kMost = int64_t{1} << 30;  // BLAS counts in 32 bits
    for (int64_t k = 0; k < a.cols; k += kMost) {
      const int64_t count = std::min(kMost, a.cols - k);
      product_by_blas(c, a.block(0, k, a.rows, count), b.block(k, 0, count, b.cols), alpha, k == 0 ? beta : T(1));
    }
  }
}

template <class T>
bool gemm_is_exact(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b) {
  return is_transposed(c) ? is_for_tiles(c.transposed(), a.transposed()) : is_for_tiles(c, b);
}

template <class T>
T dot(int64_t n, const T* x, int64_t x_stride, const T* y, int64_t y_stride) {
  if constexpr (is_blas<T>) {
    constexpr int64_t kMost = std::numeric_limits<int>::max();
    if (x_stride > 0 && y_stride > 0 && x_stride <= kMost && y_stride <= kMost)
      return blas_dot(static_cast<int>(n), x, static_cast<int>(x_stride), y, static_cast<int>(y_stride));
    T sum(0);
    for (int64_t i = 0; i < n; ++i) sum += x[i * x_stride] * y[i * y_stride];
    return sum;
  } else {
    uint64_t sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += static_cast<uint64_t>(x[i * x_stride]) * static_cast<uint64_t>(y[i * y_stride]);
    return static_cast<T>(sum);
  }
}

#define FACULA_INSTANTIATE(T)                                                                       \
  template void gemm<T>(const Matrix<T>&, const Matrix<const T>&, const Matrix<const T>&, T, T);    \
  template bool gemm_is_exact<T>(const Matrix<T>&, const Matrix<const T>&, const Matrix<const T>&); \
  template T dot<T>(int64_t, const T*, int64_t, const T*, int64_t);
FACULA_INSTANTIATE(float)
FACULA_INSTANTIATE(double)
FACULA_INSTANTIATE(complex64)
FACULA_INSTANTIATE(complex128)
FACULA_INSTANTIATE(uint8_t)
FACULA_INSTANTIATE(int8_t)
FACULA_INSTANTIATE(int16_t)
FACULA_INSTANTIATE(int32_t)
FACULA_INSTANTIATE(int64_t)
#undef FACULA_INSTANTIATE

}  // namespace facula::cpu
