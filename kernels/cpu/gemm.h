// Products of matrices on the calling thread. linalg.cpp and conv.cpp cut larger ones into blocks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/half.h"

namespace facula::cpu {

/// A matrix in somebody's memory; strides in elements.
template <class T>
struct Matrix {
  T* at;
  int64_t rows, cols, row_stride, col_stride;

  Matrix transposed() const { return {at, cols, rows, col_stride, row_stride}; }
  Matrix block(int64_t row, int64_t col, int64_t height, int64_t width) const {
    return {at + row * row_stride + col * col_stride, height, width, row_stride, col_stride};
  }
  operator Matrix<const T>() const { return {at, rows, cols, row_stride, col_stride}; }

  /// Rows one after the other, without gaps between the elements of a row.
  bool is_row_major() const {
    return (col_stride == 1 || cols == 1) &&
           (rows == 1 || (row_stride >= cols && row_stride <= std::numeric_limits<int>::max()));
  }
  /// What BLAS can read as it lies: row-major or the transpose of it.
  bool is_dense() const { return is_row_major() || transposed().is_row_major(); }
};

template <class T>
Matrix<T> row_major(T* at, int64_t rows, int64_t cols) {
  return {at, rows, cols, cols, 1};
}

/// c = beta * c + alpha * a @ b. All are dense; sides of c are at most 2^31 - 1; where beta is 0, c is not read.
/// For float32, float64, complex64, complex128 and the integers, which wrap.
template <class T>
void gemm(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b, T alpha, T beta);
/// Whether blocks of at least 16 rows and columns have the bits that they have in the whole product.
template <class T>
bool gemm_is_exact(const Matrix<T>& c, const Matrix<const T>& a, const Matrix<const T>& b);

/// Whether this machine has a unit for products of bfloat16 matrices, which adds in float32.
bool multiplies_bfloat16();
/// The same with it. Numbers below 2^-126 count as zeros.
void gemm(const Matrix<BFloat16>& c, const Matrix<const BFloat16>& a, const Matrix<const BFloat16>& b, float alpha,
          float beta);

/// The sum of x[i * x_stride] * y[i * y_stride], for the same types; n is at most 2^31 - 1.
template <class T>
T dot(int64_t n, const T* x, int64_t x_stride, const T* y, int64_t y_stride);

}  // namespace facula::cpu
