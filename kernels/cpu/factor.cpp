// Factorisations, by LAPACK from OpenBLAS. LAPACK stores by columns: the row-major x is its transpose, and with
// x^T = U' S V'^T the factors of x are V' and U' exchanged, so nothing is copied but x, which LAPACK overwrites.
#include <vector>

#include "core/slots.h"
#include "kernels/cpu/register.h"

extern "C" {
#define FACULA_GESDD(name, T, ...)                                                                                         \
  void name(const char* job, const int* m, const int* n, T* a, const int* lda, void* s, T* u, const int* ldu, T* vt,       \
            const int* ldvt, T* work, const int* lwork, __VA_ARGS__ int* iwork, int* info)
FACULA_GESDD(sgesdd_, float, );
FACULA_GESDD(dgesdd_, double, );
FACULA_GESDD(cgesdd_, facula::complex64, float* rwork, );
FACULA_GESDD(zgesdd_, facula::complex128, double* rwork, );
#undef FACULA_GESDD
}

namespace facula::cpu {
namespace {

template <class T>
int gesdd(int m, int n, T* a, void* s, T* u, T* vt, T* work, int lwork, std::vector<double>& rwork, int* iwork) {
  const int k = std::min(m, n), ldvt = std::max(k, 1), lda = std::max(m, 1);
  int info = 0;
  if constexpr (std::is_same_v<T, float>)
    sgesdd_("S", &m, &n, a, &lda, s, u, &lda, vt, &ldvt, work, &lwork, iwork, &info);
  else if constexpr (std::is_same_v<T, double>)
    dgesdd_("S", &m, &n, a, &lda, s, u, &lda, vt, &ldvt, work, &lwork, iwork, &info);
  else if constexpr (std::is_same_v<T, complex64>)
    cgesdd_("S", &m, &n, a, &lda, s, u, &lda, vt, &ldvt, work, &lwork, reinterpret_cast<float*>(rwork.data()), iwork, &info);
  else
    zgesdd_("S", &m, &n, a, &lda, s, u, &lda, vt, &ldvt, work, &lwork, rwork.data(), iwork, &info);
  return info;
}

template <class T>
void svd_of(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& x) {
  const int m = static_cast<int>(x.size(2)), n = static_cast<int>(x.size(1)), k = std::min(m, n);  // of x^T
  if (k == 0) return;
  std::vector<T> a(static_cast<size_t>(m) * static_cast<size_t>(n));
  std::vector<int> iwork(static_cast<size_t>(8 * k));
  const auto small = static_cast<size_t>(k), large = static_cast<size_t>(std::max(m, n));
  std::vector<double> rwork(small * std::max(5 * small + 7, 2 * large + 2 * small + 1));
  T best;
  gesdd<T>(m, n, a.data(), s.bytes(), vh.data<T>(), u.data<T>(), &best, -1, rwork, iwork.data());
  const int lwork = static_cast<int>(std::real(best));
  std::vector<T> work(static_cast<size_t>(lwork));
  for (int64_t b = 0; b < x.size(0); ++b) {
    std::copy_n(x.data<T>() + b * m * n, a.size(), a.begin());
    char* singular = s.bytes() + b * k * s.item_size();
    const int info = gesdd<T>(m, n, a.data(), singular, vh.data<T>() + b * k * m, u.data<T>() + b * n * k, work.data(), lwork,
                              rwork, iwork.data());
    check(info == 0, "svd: matrix ", b + Counting::base(), " of the batch ", info < 0 ? "has elements that are not finite" : "does not converge");
  }
}

void svd(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& x) {
  switch (x.dtype()) {
    case DType::Float32: return svd_of<float>(u, s, vh, x);
    case DType::Float64: return svd_of<double>(u, s, vh, x);
    case DType::Complex64: return svd_of<complex64>(u, s, vh, x);
    case DType::Complex128: return svd_of<complex128>(u, s, vh, x);
    default: fail("svd: not implemented for ", x.dtype());
  }
}

}  // namespace

void fill_factor_slots() { slots::svd.fill(DeviceType::CPU, svd); }

}  // namespace facula::cpu
