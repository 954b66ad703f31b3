// BLAS for floating and complex numbers. BLAS knows no integers: those run in loops whose innermost one is dense in both
// operands, so that the compiler makes vectors of it.
#include "kernels/cpu/gemm.h"

#include <cblas.h>

#include <complex>
#include <type_traits>

#include "core/dtype.h"

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

#define FACULA_BLAS(T, letter)                                                                                              \
  inline void blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const T& alpha, const T* a, int lda,     \
                        const T* b, int ldb, const T& beta, T* c, int ldc) {                                               \
    cblas_##letter##gemm(CblasRowMajor, ta, tb, m, n, k, factor(alpha), a, lda, b, ldb, factor(beta), c, ldc);             \
  }                                                                                                                         \
  inline void blas_gemv(CBLAS_TRANSPOSE ta, int m, int n, const T& alpha, const T* a, int lda, const T* x, int incx,       \
                        const T& beta, T* y, int incy) {                                                                   \
    cblas_##letter##gemv(CblasRowMajor, ta, m, n, factor(alpha), a, lda, x, incx, factor(beta), y, incy);                  \
  }
FACULA_BLAS(float, s)
FACULA_BLAS(double, d)
FACULA_BLAS(complex64, c)
FACULA_BLAS(complex128, z)
#undef FACULA_BLAS

inline float blas_dot(int n, const float* x, int incx, const float* y, int incy) { return cblas_sdot(n, x, incx, y, incy); }
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

// c += a * b, as int64 does, and cut to T.
template <class T>
void multiply_add(T& c, T a, T b) {
  c = static_cast<T>(static_cast<uint64_t>(c) + static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

template <class T>
void scale(const Matrix<T>& c, T beta) {
  if (beta == T(1)) return;
  for (int64_t i = 0; i < c.rows; ++i) {
    T* row = c.at + i * c.row_stride;
    for (int64_t j = 0; j < c.cols; ++j) row[j * c.col_stride] = beta == T(0) ? T(0) : T(beta * row[j * c.col_stride]);
  }
}

template <class T>
void add_product_by_blas(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha, T beta) {
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
    blas_gemv(la.transpose, transposed ? k : m, transposed ? m : k, alpha, a.at, la.leading, b.at, incx, beta, c.at, incy);
    return;
  }
  const Layout lb = layout(b);
  blas_gemm(la.transpose, lb.transpose, m, n, k, alpha, a.at, la.leading, b.at, lb.leading, beta, c.at,
            static_cast<int>(c.row_stride));
}

// Blocks of k keep the rows of b that are in use in the cache.
template <class T>
void add_product_by_loops(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha) {
  constexpr int64_t kBlock = 64;
  for (int64_t k0 = 0; k0 < a.cols; k0 += kBlock) {
    const int64_t k1 = std::min(a.cols, k0 + kBlock);
    for (int64_t i = 0; i < c.rows; ++i) {
      T* __restrict row = c.at + i * c.row_stride;
      const T* left = a.at + i * a.row_stride;
      if (b.col_stride == 1 || b.cols == 1) {
        for (int64_t k = k0; k < k1; ++k) {
          T factor = 0;
          multiply_add(factor, alpha, left[k * a.col_stride]);
          const T* right = b.at + k * b.row_stride;
          for (int64_t j = 0; j < c.cols; ++j) multiply_add(row[j], factor, right[j]);
        }
      } else {
        for (int64_t j = 0; j < c.cols; ++j)
          multiply_add(row[j], alpha,
                       dot(k1 - k0, left + k0 * a.col_stride, a.col_stride, b.at + j * b.col_stride + k0 * b.row_stride,
                           b.row_stride));
      }
    }
  }
}

}  // namespace

template <class T>
void gemm(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha, T beta) {
  if (c.rows == 0 || c.cols == 0) return;
  if (a.cols == 0) return scale(c, beta);
  // C^T = B^T A^T: column-major results become row-major, and rows become columns.
  if (c.cols > 1 && (c.rows == 1 || c.col_stride != 1)) return gemm(c.transposed(), b.transposed(), a.transposed(), alpha, beta);
  if constexpr (is_blas<T>) {
    constexpr int64_t kMost = int64_t{1} << 30;  // BLAS counts in 32 bits
    for (int64_t k = 0; k < a.cols; k += kMost) {
      const int64_t count = std::min(kMost, a.cols - k);
      add_product_by_blas(c, a.block(0, k, a.rows, count), b.block(k, 0, count, b.cols), alpha, k == 0 ? beta : T(1));
    }
  } else {
    scale(c, beta);
    add_product_by_loops(c, a, b, alpha);
  }
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
    T sum = 0;
    if (x_stride == 1 && y_stride == 1)
      for (int64_t i = 0; i < n; ++i) multiply_add(sum, x[i], y[i]);
    else
      for (int64_t i = 0; i < n; ++i) multiply_add(sum, x[i * x_stride], y[i * y_stride]);
    return sum;
  }
}

#define FACULA_INSTANTIATE(T)                                                                     \
  template void gemm<T>(const Matrix<T>&, const Matrix<const T>&, const Matrix<const T>&, T, T); \
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
