// Factorisations by elimination: LU, Cholesky, and L D L^H. One matrix is one task.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

void lu(const Tensor& lu, const Tensor& pivots, const Tensor& info, const Tensor& x) {
  const int m = lapack_size(x.size(1)), n = lapack_size(x.size(2));
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), cube(std::min(m, n)), [&](int64_t b) {
      std::vector<T> a = loaded<T>(x, b);
      std::vector<int> p(static_cast<size_t>(std::min(m, n)));
      int bad = 0;
      if (!p.empty()) fortran(Lapack<T>::getrf, m, n, a.data(), leading(m), p.data(), bad);
      // NaN stops the search for a pivot at once; it must not name a row that does not exist.
      for (size_t i = 0; i < p.size(); ++i)
        if (p[i] < 1 || p[i] > m) p[i] = static_cast<int>(i) + 1;
      store(lu, b, a.data(), m);
      store_row(pivots, b, p.data());
      info.data<int32_t>()[b * info.stride(0)] = bad;
    });
  });
}

// LAPACK leaves the other triangle as it was.
template <class T>
void clear_triangle(std::vector<T>& a, int64_t n, bool upper_stays) {
  for (int64_t j = 0; j < n; ++j) {
    T* column = a.data() + j * n;
    if (upper_stays)
      std::fill(column + j + 1, column + n, T(0));
    else
      std::fill(column, column + j, T(0));
  }
}

void cholesky(const Tensor& l, const Tensor& info, const Tensor& x, bool upper) {
  const int n = lapack_size(x.size(1));
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), cube(n) / 3, [&](int64_t b) {
      std::vector<T> a = loaded<T>(x, b);
      int bad = 0;
      if (n > 0) fortran(Lapack<T>::potrf, upper ? 'U' : 'L', n, a.data(), n, bad);
      clear_triangle(a, n, upper);
      store(l, b, a.data(), n);
      info.data<int32_t>()[b * info.stride(0)] = bad;
    });
  });
}

void ldl(const Tensor& ld, const Tensor& pivots, const Tensor& info, const Tensor& x, bool hermitian) {
  const int n = lapack_size(x.size(1));
  with_lapack_type(x.dtype(), [&]<class T>() {
    const auto routine = hermitian ? Lapack<T>::hetrf : Lapack<T>::sytrf;
    each_matrix(x.size(0), cube(n) / 3, [&](int64_t b) {
      std::vector<T> a = loaded<T>(x, b);
      std::vector<int> p(static_cast<size_t>(n));
      int bad = 0;
      auto factor = [&](T* work, int lwork) {
        fortran(routine, 'L', n, a.data(), leading(n), p.data(), work, lwork, bad);
      };
      if (n > 0) {
        std::vector<T> work = workspace<T>(factor);
        factor(work.data(), static_cast<int>(work.size()));
      }
      clear_triangle(a, n, false);
      store(ld, b, a.data(), n);
      store_row(pivots, b, p.data());
      info.data<int32_t>()[b * info.stride(0)] = bad;
    });
  });
}

}  // namespace

void fill_factor_slots() {
  slots::lu.fill(DeviceType::CPU, lu);
  slots::cholesky.fill(DeviceType::CPU, cholesky);
  slots::ldl.fill(DeviceType::CPU, ldl);
}

}  // namespace facula::cpu
