// Singular values and eigenvalues, by LAPACK's divide and conquer and its QR iteration. One matrix is one task.
#include "kernels/cpu/columns.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

double cube(int64_t m, int64_t n) {
  return 10.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(std::min(m, n));
}

template <class T>
void fill_identity(const Tensor& x) {
  slots::fill(x, 0);
  for (int64_t b = 0; b < x.size(0); ++b)
    for (int64_t i = 0; i < std::min(x.size(1), x.size(2)); ++i)
      x.data<T>()[b * x.stride(0) + i * (x.stride(1) + x.stride(2))] = T(1);
}

// u and vh have K or all columns and rows; without elements only s is wanted.
template <class T>
void svd_of(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& x, int64_t b) {
  using Real = typename Lapack<T>::Real;
  const int m = lapack_size(x.size(1)), n = lapack_size(x.size(2)), k = std::min(m, n);
  const bool vectors = u.numel() > 0, full = vectors && (u.size(2) > k || vh.size(1) > k);
  const int height = leading(static_cast<int>(vh.size(1)));
  std::vector<T> a = loaded<T>(x, b);
  check_finite("linalg.svd", a, b);
  std::vector<T> left(vectors ? static_cast<size_t>(u.size(1) * u.size(2)) : 0);
  std::vector<T> right(vectors ? static_cast<size_t>(vh.size(1) * vh.size(2)) : 0);
  std::vector<Real> singular(static_cast<size_t>(k));
  std::vector<int> iwork(8 * singular.size());
  const size_t small = singular.size(), large = static_cast<size_t>(std::max(m, n));
  std::vector<Real> rwork(
      is_complex(dtype_of<T>) ? small * std::max(5 * small + 7, 2 * large + 2 * small + 1) + 7 * small : 0);
  int bad = 0;
  auto factor = [&](T* work, int lwork) {
    const char job = !vectors ? 'N' : full ? 'A' : 'S';
    if constexpr (is_complex(dtype_of<T>))
      fortran(Lapack<T>::gesdd, job, m, n, a.data(), m, singular.data(), left.data(), m, right.data(), height, work,
              lwork, rwork.data(), iwork.data(), bad);
    else
      fortran(Lapack<T>::gesdd, job, m, n, a.data(), m, singular.data(), left.data(), m, right.data(), height, work,
              lwork, iwork.data(), bad);
  };
  std::vector<T> work = workspace<T>(factor);
  factor(work.data(), static_cast<int>(work.size()));
  check(bad == 0, "linalg.svd: (batch element ", Counting::shown(b), ") the algorithm did not converge");
  store_row(s, b, singular.data());
  if (!vectors) return;
  store(u, b, left.data(), m);
  store(vh, b, right.data(), height);
}

void svd(const Tensor& u, const Tensor& s, const Tensor& vh, const Tensor& x) {
  with_lapack_type(x.dtype(), [&]<class T>() {
    if (x.numel() == 0) {
      fill_identity<T>(u);
      fill_identity<T>(vh);
      return;
    }
    each_matrix(x.size(0), cube(x.size(1), x.size(2)), [&](int64_t b) { svd_of<T>(u, s, vh, x, b); });
  });
}

template <class T>
void eigh_of(const Tensor& w, const Tensor& v, const Tensor& x, bool upper, int64_t b) {
  using Real = typename Lapack<T>::Real;
  const int n = lapack_size(x.size(1));
  const char job = v.numel() > 0 ? 'V' : 'N', uplo = upper ? 'U' : 'L';
  std::vector<T> a = loaded<T>(x, b);
  for (int64_t j = 0; j < n; ++j)  // the other triangle may hold anything
    for (int64_t i = upper ? j + 1 : 0; i < (upper ? n : j); ++i) a[static_cast<size_t>(i + int64_t{j} * n)] = T(0);
  check_finite("linalg.eigh", a, b);
  std::vector<Real> values(static_cast<size_t>(n)), rwork;
  std::vector<int> iwork;
  int bad = 0;
  auto factor = [&](T* work, int lwork) {
    int ask_int = 0;
    Real ask_real = 0;
    int* ints = lwork < 0 ? &ask_int : iwork.data();
    const int liwork = lwork < 0 ? -1 : static_cast<int>(iwork.size());
    if constexpr (is_complex(dtype_of<T>)) {
      Real* reals = lwork < 0 ? &ask_real : rwork.data();
      const int lrwork = lwork < 0 ? -1 : static_cast<int>(rwork.size());
      fortran(Lapack<T>::heevd, job, uplo, n, a.data(), n, values.data(), work, lwork, reals, lrwork, ints, liwork,
              bad);
    } else {
      fortran(Lapack<T>::heevd, job, uplo, n, a.data(), n, values.data(), work, lwork, ints, liwork, bad);
    }
    if (lwork >= 0) return;
    iwork.resize(static_cast<size_t>(ask_int));
    rwork.resize(static_cast<size_t>(std::ceil(ask_real * (1 + 1e-6))));
  };
  std::vector<T> work = workspace<T>(factor);
  factor(work.data(), static_cast<int>(work.size()));
  check(bad == 0, "linalg.eigh: (batch element ", Counting::shown(b),
        ") the algorithm did not converge: the matrix is ill-conditioned or has too many equal eigenvalues");
  store_row(w, b, values.data());
  if (job == 'V') store(v, b, a.data(), n);
}

void eigh(const Tensor& w, const Tensor& v, const Tensor& x, bool upper) {
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), cube(x.size(1), x.size(1)), [&](int64_t b) { eigh_of<T>(w, v, x, upper, b); });
  });
}

// A pair of conjugate eigenvalues of a real matrix has its vectors' real and imaginary parts in two columns.
template <class Real>
void unpack_pairs(std::vector<std::complex<Real>>& to, const std::vector<Real>& from,
                  const std::vector<Real>& imaginary) {
  const size_t n = imaginary.size();
  for (size_t j = 0; j < n; ++j) {
    const bool pair = imaginary[j] != 0 && j + 1 < n;
    for (size_t i = 0; i < n; ++i) {
      const Real re = from[i + j * n], im = pair ? from[i + (j + 1) * n] : Real(0);
      to[i + j * n] = {re, im};
      if (pair) to[i + (j + 1) * n] = {re, -im};
    }
    if (pair) ++j;
  }
}

template <class T>
void eig_of(const Tensor& w, const Tensor& v, const Tensor& x, int64_t b) {
  using Real = typename Lapack<T>::Real;
  const int n = lapack_size(x.size(1));
  const auto size = static_cast<size_t>(n);
  const char job = v.numel() > 0 ? 'V' : 'N';
  std::vector<T> a = loaded<T>(x, b), right(job == 'V' ? size * size : 0);
  check_finite("linalg.eig", a, b);
  std::vector<std::complex<Real>> values(size), vectors;
  int bad = 0;
  T* none = nullptr;
  if constexpr (is_complex(dtype_of<T>)) {
    std::vector<Real> rwork(2 * size);
    auto factor = [&](T* work, int lwork) {
      fortran(Lapack<T>::geev, 'N', job, n, a.data(), n, values.data(), none, 1, right.data(), n, work, lwork,
              rwork.data(), bad);
    };
    std::vector<T> work = workspace<T>(factor);
    factor(work.data(), static_cast<int>(work.size()));
    vectors = std::move(right);
  } else {
    std::vector<Real> re(size), im(size);
    auto factor = [&](T* work, int lwork) {
      fortran(Lapack<T>::geev, 'N', job, n, a.data(), n, re.data(), im.data(), none, 1, right.data(), n, work, lwork,
              bad);
    };
    std::vector<T> work = workspace<T>(factor);
    factor(work.data(), static_cast<int>(work.size()));
    for (size_t i = 0; i < size; ++i) values[i] = {re[i], im[i]};
    vectors.resize(right.size());
    if (job == 'V') unpack_pairs(vectors, right, im);
  }
  check(bad == 0, "linalg.eig: (batch element ", Counting::shown(b), ") the algorithm did not converge");
  store_row(w, b, values.data());
  if (job == 'V') store(v, b, vectors.data(), n);
}

void eig(const Tensor& w, const Tensor& v, const Tensor& x) {
  if (x.numel() == 0) return;
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), 2 * cube(x.size(1), x.size(1)), [&](int64_t b) { eig_of<T>(w, v, x, b); });
  });
}

}  // namespace

void fill_spectrum_slots() {
  slots::svd.fill(DeviceType::CPU, svd);
  slots::eigh.fill(DeviceType::CPU, eigh);
  slots::eig.fill(DeviceType::CPU, eig);
}

}  // namespace facula::cpu
