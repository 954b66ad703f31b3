// Matrices of a batch in LAPACK's order, column by column, in memory of a task's own.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/deadline.h"
#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/lapack.h"

namespace facula::cpu {

/// The size of a matrix as LAPACK counts.
inline int lapack_size(int64_t n) {
  check(n <= std::numeric_limits<int>::max(), "a matrix with ", n, " rows or columns is too large for LAPACK");
  return static_cast<int>(n);
}
/// A leading dimension is never 0.
inline int leading(int rows) { return std::max(rows, 1); }

/// Calls `copy(i, j)` for all elements in tiles, so that a transposition reads and writes whole cache lines.
template <class F>
void in_tiles(int64_t rows, int64_t columns, F&& copy) {
  constexpr int64_t kTile = 16;
  for (int64_t j0 = 0; j0 < columns; j0 += kTile)
    for (int64_t i0 = 0; i0 < rows; i0 += kTile)
      for (int64_t j = j0; j < std::min(columns, j0 + kTile); ++j)
        for (int64_t i = i0; i < std::min(rows, i0 + kTile); ++i) copy(i, j);
}

/// Matrix b of x [B, M, N] into columns of `height` >= M elements.
template <class T>
void load(T* to, const Tensor& x, int64_t b, int64_t height) {
  const T* from = x.data<T>() + b * x.stride(0);
  const int64_t s = x.stride(1), t = x.stride(2);
  in_tiles(x.size(1), x.size(2), [&](int64_t i, int64_t j) { to[i + j * height] = from[i * s + j * t]; });
}
template <class T>
std::vector<T> loaded(const Tensor& x, int64_t b) {
  std::vector<T> a(static_cast<size_t>(x.size(1) * x.size(2)));
  load(a.data(), x, b, x.size(1));
  return a;
}
/// The inverse: columns of `height` elements, of which the first M are taken.
template <class T>
void store(const Tensor& x, int64_t b, const T* from, int64_t height) {
  T* to = x.data<T>() + b * x.stride(0);
  const int64_t s = x.stride(1), t = x.stride(2);
  in_tiles(x.size(1), x.size(2), [&](int64_t i, int64_t j) { to[i * s + j * t] = from[i + j * height]; });
}
/// Row b of x [B, N].
template <class T>
void store_row(const Tensor& x, int64_t b, const T* from) {
  T* to = x.data<T>() + b * x.stride(0);
  for (int64_t i = 0; i < x.size(1); ++i) to[i * x.stride(1)] = from[i];
}
template <class T>
std::vector<T> loaded_row(const Tensor& x, int64_t b) {
  std::vector<T> row(static_cast<size_t>(x.size(1)));
  const T* from = x.data<T>() + b * x.stride(0);
  for (size_t i = 0; i < row.size(); ++i) row[i] = from[static_cast<int64_t>(i) * x.stride(1)];
  return row;
}

template <class T>
bool all_finite(const std::vector<T>& a) {
  return std::all_of(a.begin(), a.end(), [](const T& v) { return std::isfinite(std::abs(v)); });
}
/// LAPACK's iterations need not end on NaN and infinities: they are not begun.
template <class T>
void check_finite(const char* name, const std::vector<T>& a, int64_t b) {
  check(all_finite(a), name, ": (batch element ", Counting::shown(b), ") the matrix has elements that are not finite");
}

/// `each(b)` for the matrices of a batch, in parallel where `flops` for one of them make it pay. Nothing stops LAPACK in
/// the middle of one.
template <class F>
void each_matrix(int64_t batch, double flops, F&& each) {
  constexpr double kTask = 200'000;
  const auto grain = static_cast<int64_t>(std::max(1.0, kTask / std::max(flops, 1.0)));
  static Speed speed;  // of this `each`
  parallel_for(batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const Piece piece(flops, speed);
      each(b);
    }
  });
}

/// Room as large as `routine(work, lwork)` asks for when lwork is -1.
template <class T, class F>
std::vector<T> workspace(F&& routine) {
  T best{};
  routine(&best, -1);
  const double wanted = std::ceil(static_cast<double>(std::real(best)) * (1 + 1e-6));  // a float32 is rounded
  check(wanted < std::numeric_limits<int>::max(), "the matrix is too large for LAPACK: it needs room for ", wanted,
        " numbers");
  return std::vector<T>(static_cast<size_t>(std::max(wanted, 1.0)));
}

/// Calls `f.template operator()<T>()` for the four element types of LAPACK; core lets no other through.
template <class F>
void with_lapack_type(DType t, F&& f) {
  switch (t) {
    case DType::Float32: return f.template operator()<float>();
    case DType::Float64: return f.template operator()<double>();
    case DType::Complex64: return f.template operator()<complex64>();
    case DType::Complex128: return f.template operator()<complex128>();
    default: fail("linear algebra takes floating and complex numbers, got ", t);
  }
}

}  // namespace facula::cpu
