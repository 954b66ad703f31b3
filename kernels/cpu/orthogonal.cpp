// Products of Householder reflectors H_i = 1 - tau_i v_i v_i^H, the v_i below the diagonal of `a` with a one on it.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

double work_of(const Tensor& a) {
  return 2.0 * static_cast<double>(a.size(1)) * static_cast<double>(a.size(2)) * static_cast<double>(a.size(2));
}

void geqrf(const Tensor& a, const Tensor& tau, const Tensor& x) {
  const int m = lapack_size(x.size(1)), n = lapack_size(x.size(2));
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), work_of(x), [&](int64_t b) {
      std::vector<T> y = loaded<T>(x, b), scales(static_cast<size_t>(std::min(m, n)));
      int bad = 0;
      auto factor = [&](T* work, int lwork) {
        fortran(Lapack<T>::geqrf, m, n, y.data(), m, scales.data(), work, lwork, bad);
      };
      std::vector<T> work = workspace<T>(factor);
      factor(work.data(), static_cast<int>(work.size()));
      store(a, b, y.data(), m);
      store_row(tau, b, scales.data());
    });
  });
}

void householder_product(const Tensor& q, const Tensor& a, const Tensor& tau) {
  const int m = lapack_size(q.size(1)), n = lapack_size(q.size(2)), k = lapack_size(tau.size(1));
  if (q.numel() == 0) return;
  with_lapack_type(q.dtype(), [&]<class T>() {
    each_matrix(q.size(0), work_of(q), [&](int64_t b) {
      std::vector<T> y = loaded<T>(a, b);
      y.resize(static_cast<size_t>(m) * static_cast<size_t>(n));
      std::vector<T> scales = loaded_row<T>(tau, b);
      int bad = 0;
      auto multiply = [&](T* work, int lwork) {
        fortran(Lapack<T>::orgqr, m, n, k, y.data(), m, scales.data(), work, lwork, bad);
      };
      std::vector<T> work = workspace<T>(multiply);
      multiply(work.data(), static_cast<int>(work.size()));
      store(q, b, y.data(), m);
    });
  });
}

void householder_multiply(const Tensor& out, const Tensor& a, const Tensor& tau, const Tensor& c, bool left,
                          bool adjoint) {
  const int m = lapack_size(c.size(1)), n = lapack_size(c.size(2)), k = lapack_size(tau.size(1));
  if (out.numel() == 0) return;
  with_lapack_type(out.dtype(), [&]<class T>() {
    each_matrix(out.size(0), work_of(c), [&](int64_t b) {
      std::vector<T> y = loaded<T>(c, b), reflectors = loaded<T>(a, b), scales = loaded_row<T>(tau, b);
      const char trans = !adjoint ? 'N' : is_complex(dtype_of<T>) ? 'C' : 'T';
      int bad = 0;
      auto multiply = [&](T* work, int lwork) {
        fortran(Lapack<T>::ormqr, left ? 'L' : 'R', trans, m, n, k, reflectors.data(), left ? m : n, scales.data(),
                y.data(), m, work, lwork, bad);
      };
      std::vector<T> work = workspace<T>(multiply);
      multiply(work.data(), static_cast<int>(work.size()));
      store(out, b, y.data(), m);
    });
  });
}

}  // namespace

void fill_orthogonal_slots() {
  slots::geqrf.fill(DeviceType::CPU, geqrf);
  slots::householder_product.fill(DeviceType::CPU, householder_product);
  slots::householder_multiply.fill(DeviceType::CPU, householder_multiply);
}

}  // namespace facula::cpu
