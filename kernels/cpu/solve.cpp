// Systems of equations whose matrix was factored before: right-hand sides are the columns of b. One matrix is one task.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

double work_of(const Tensor& b) {
  const double n = static_cast<double>(b.size(1));
  return n * n * static_cast<double>(b.size(2));
}

// A row-major triangle is read as its transpose, a column-major one as it lies.
template <class T>
struct Triangle {
  const T* at;
  int leading;
  bool transposed;
  std::vector<T> copy;

  Triangle(const Tensor& a, int64_t b) : at(a.data<T>() + b * a.stride(0)), leading(0), transposed(false) {
    const int64_t n = a.size(1), s = a.stride(1), t = a.stride(2);
    auto fits = [&](int64_t inner, int64_t outer) {
      return inner == 1 && outer >= n && outer <= std::numeric_limits<int>::max();
    };
    if (fits(s, t)) {
      leading = static_cast<int>(t);
    } else if (fits(t, s)) {
      leading = static_cast<int>(s), transposed = true;
    } else {
      copy = loaded<T>(a, b);
      at = copy.data(), leading = static_cast<int>(n);
    }
  }
};

void solve_triangular(const Tensor& x, const Tensor& a, const Tensor& b, bool upper, bool unitriangular) {
  const int n = lapack_size(b.size(1)), columns = lapack_size(b.size(2));
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), work_of(b), [&](int64_t k) {
      std::vector<T> y = loaded<T>(b, k);
      const Triangle<T> triangle(a, k);
      fortran(Lapack<T>::trsm, 'L', upper != triangle.transposed ? 'U' : 'L', triangle.transposed ? 'T' : 'N',
              unitriangular ? 'U' : 'N', n, columns, T(1), triangle.at, triangle.leading, y.data(), n);
      store(x, k, y.data(), n);
    });
  });
}

void lu_solve(const Tensor& x, const Tensor& lu, const Tensor& pivots, const Tensor& b, bool adjoint) {
  const int n = lapack_size(b.size(1)), columns = lapack_size(b.size(2));
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), 2 * work_of(b), [&](int64_t k) {
      std::vector<T> y = loaded<T>(b, k), factors = loaded<T>(lu, k);
      std::vector<int> p = loaded_row<int>(pivots, k);
      for (const int row : p)
        check(row >= 1 && row <= n, "lu_solve: pivot ", row, " is outside 1..", n, " in batch element ",
              Counting::shown(k));
      int bad = 0;
      fortran(Lapack<T>::getrs, adjoint ? 'C' : 'N', n, columns, factors.data(), n, p.data(), y.data(), n, bad);
      store(x, k, y.data(), n);
    });
  });
}

// A negative pair of pivots marks a 2 x 2 block of D.
void check_ldl_pivots(const std::vector<int>& p, int64_t k) {
  const int n = static_cast<int>(p.size());
  for (int i = 0; i < n; ++i) {
    const bool in_range = p[i] != 0 && std::abs(static_cast<int64_t>(p[i])) <= n;
    const bool paired = p[i] > 0 || (i + 1 < n && p[i + 1] == p[i]);
    check(in_range && paired, "linalg.ldl_solve: ", p[i], " at position ", Counting::shown(i),
          " is no pivot of a factorisation (batch element ", Counting::shown(k), ')');
    if (p[i] < 0) ++i;
  }
}

void ldl_solve(const Tensor& x, const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian) {
  const int n = lapack_size(b.size(1)), columns = lapack_size(b.size(2));
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    const auto routine = hermitian ? Lapack<T>::hetrs : Lapack<T>::sytrs;
    each_matrix(x.size(0), 2 * work_of(b), [&](int64_t k) {
      std::vector<T> y = loaded<T>(b, k), factors = loaded<T>(ld, k);
      std::vector<int> p = loaded_row<int>(pivots, k);
      check_ldl_pivots(p, k);
      int bad = 0;
      fortran(routine, 'L', n, columns, factors.data(), n, p.data(), y.data(), n, bad);
      store(x, k, y.data(), n);
    });
  });
}

// Row i of a permutation is found by the exchanges i <-> pivots[i] in order.
void pivots_to_order(const Tensor& order, const Tensor& pivots) {
  const int64_t m = order.size(1), k = pivots.size(1);
  each_matrix(order.size(0), static_cast<double>(m), [&](int64_t b) {
    std::vector<int64_t> rows(static_cast<size_t>(m));
    for (int64_t i = 0; i < m; ++i) rows[static_cast<size_t>(i)] = i + 1;
    const std::vector<int> p = loaded_row<int>(pivots, b);
    for (int64_t i = 0; i < k; ++i) {
      const int64_t row = p[static_cast<size_t>(i)];
      check(row >= 1 && row <= m, "lu_unpack: pivot ", row, " is outside 1..", m, " in batch element ",
            Counting::shown(b));
      std::swap(rows[static_cast<size_t>(i)], rows[static_cast<size_t>(row - 1)]);
    }
    store_row(order, b, rows.data());
  });
}

}  // namespace

void fill_solve_slots() {
  slots::solve_triangular.fill(DeviceType::CPU, solve_triangular);
  slots::lu_solve.fill(DeviceType::CPU, lu_solve);
  slots::ldl_solve.fill(DeviceType::CPU, ldl_solve);
  slots::pivots_to_order.fill(DeviceType::CPU, pivots_to_order);
}

}  // namespace facula::cpu
