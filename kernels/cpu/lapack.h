// LAPACK's routines from OpenBLAS, by element type: `fortran(Lapack<T>::getrf, m, n, a, m, pivots, info)`.
#pragma once

#include <type_traits>

#include "core/dtype.h"

extern "C" {
#define FACULA_LAPACK_COMMON(p, T)                                                                                   \
  void p##trsm_(const char* side, const char* uplo, const char* trans, const char* diag, const int* m, const int* n, \
                const T* alpha, const T* a, const int* lda, T* b, const int* ldb);                                   \
  void p##getrf_(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);                          \
  void p##getrs_(const char* trans, const int* n, const int* nrhs, const T* a, const int* lda, const int* pivots,    \
                 T* b, const int* ldb, int* info);                                                                   \
  void p##potrf_(const char* uplo, const int* n, T* a, const int* lda, int* info);                                   \
  void p##geqrf_(const int* m, const int* n, T* a, const int* lda, T* tau, T* work, const int* lwork, int* info);    \
  void p##gels_(const char* trans, const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b,          \
                const int* ldb, T* work, const int* lwork, int* info);
#define FACULA_LAPACK_INDEFINITE(p, s, T)                                                                         \
  void p##s##trf_(const char* uplo, const int* n, T* a, const int* lda, int* pivots, T* work, const int* lwork,   \
                  int* info);                                                                                     \
  void p##s##trs_(const char* uplo, const int* n, const int* nrhs, const T* a, const int* lda, const int* pivots, \
                  T* b, const int* ldb, int* info);
#define FACULA_LAPACK_ORTHOGONAL(p, T)                                                                    \
  void p##gqr_(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau, T* work,     \
               const int* lwork, int* info);                                                              \
  void p##mqr_(const char* side, const char* trans, const int* m, const int* n, const int* k, const T* a, \
               const int* lda, const T* tau, T* c, const int* ldc, T* work, const int* lwork, int* info);
// Complex routines take a real workspace before some of the last arguments.
#define FACULA_LAPACK_REAL_WORK(p, T, R, ...)                                                                          \
  void p##gesdd_(const char* job, const int* m, const int* n, T* a, const int* lda, R* s, T* u, const int* ldu, T* vt, \
                 const int* ldvt, T* work, const int* lwork, __VA_ARGS__ int* iwork, int* info);                       \
  void p##gelsy_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, int* jpvt,   \
                 const R* rcond, int* rank, T* work, const int* lwork, __VA_ARGS__ int* info);                         \
  void p##gelsd_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, R* s,        \
                 const R* rcond, int* rank, T* work, const int* lwork, __VA_ARGS__ int* iwork, int* info);             \
  void p##gelss_(const int* m, const int* n, const int* nrhs, T* a, const int* lda, T* b, const int* ldb, R* s,        \
                 const R* rcond, int* rank, T* work, const int* lwork, __VA_ARGS__ int* info);

FACULA_LAPACK_COMMON(s, float)
FACULA_LAPACK_COMMON(d, double)
FACULA_LAPACK_COMMON(c, facula::complex64)
FACULA_LAPACK_COMMON(z, facula::complex128)
FACULA_LAPACK_INDEFINITE(s, sy, float)
FACULA_LAPACK_INDEFINITE(d, sy, double)
FACULA_LAPACK_INDEFINITE(c, sy, facula::complex64)
FACULA_LAPACK_INDEFINITE(z, sy, facula::complex128)
FACULA_LAPACK_INDEFINITE(c, he, facula::complex64)
FACULA_LAPACK_INDEFINITE(z, he, facula::complex128)
FACULA_LAPACK_ORTHOGONAL(sor, float)
FACULA_LAPACK_ORTHOGONAL(dor, double)
FACULA_LAPACK_ORTHOGONAL(cun, facula::complex64)
FACULA_LAPACK_ORTHOGONAL(zun, facula::complex128)
FACULA_LAPACK_REAL_WORK(s, float, float, )
FACULA_LAPACK_REAL_WORK(d, double, double, )
FACULA_LAPACK_REAL_WORK(c, facula::complex64, float, float* rwork, )
FACULA_LAPACK_REAL_WORK(z, facula::complex128, double, double* rwork, )

#define FACULA_LAPACK_EIGEN_REAL(p, T)                                                                         \
  void p##syevd_(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* w, T* work,         \
                 const int* lwork, int* iwork, const int* liwork, int* info);                                  \
  void p##geev_(const char* jobvl, const char* jobvr, const int* n, T* a, const int* lda, T* wr, T* wi, T* vl, \
                const int* ldvl, T* vr, const int* ldvr, T* work, const int* lwork, int* info);
#define FACULA_LAPACK_EIGEN_COMPLEX(p, T, R)                                                               \
  void p##heevd_(const char* job, const char* uplo, const int* n, T* a, const int* lda, R* w, T* work,     \
                 const int* lwork, R* rwork, const int* lrwork, int* iwork, const int* liwork, int* info); \
  void p##geev_(const char* jobvl, const char* jobvr, const int* n, T* a, const int* lda, T* w, T* vl,     \
                const int* ldvl, T* vr, const int* ldvr, T* work, const int* lwork, R* rwork, int* info);
FACULA_LAPACK_EIGEN_REAL(s, float)
FACULA_LAPACK_EIGEN_REAL(d, double)
FACULA_LAPACK_EIGEN_COMPLEX(c, facula::complex64, float)
FACULA_LAPACK_EIGEN_COMPLEX(z, facula::complex128, double)
#undef FACULA_LAPACK_COMMON
#undef FACULA_LAPACK_INDEFINITE
#undef FACULA_LAPACK_ORTHOGONAL
#undef FACULA_LAPACK_REAL_WORK
#undef FACULA_LAPACK_EIGEN_REAL
#undef FACULA_LAPACK_EIGEN_COMPLEX
}

namespace facula::cpu {

template <class T>
struct Lapack;
// p: prefix; o: or or un; h: the prefix of Hermitian (real: symmetric) routines.
#define FACULA_LAPACK(p, T, R, o, h)          \
  template <>                                 \
  struct Lapack<T> {                          \
    using Real = R;                           \
    static constexpr auto trsm = p##trsm_;    \
    static constexpr auto getrf = p##getrf_;  \
    static constexpr auto getrs = p##getrs_;  \
    static constexpr auto potrf = p##potrf_;  \
    static constexpr auto geqrf = p##geqrf_;  \
    static constexpr auto orgqr = p##o##gqr_; \
    static constexpr auto ormqr = p##o##mqr_; \
    static constexpr auto sytrf = p##sytrf_;  \
    static constexpr auto sytrs = p##sytrs_;  \
    static constexpr auto hetrf = p##h##trf_; \
    static constexpr auto hetrs = p##h##trs_; \
    static constexpr auto gesdd = p##gesdd_;  \
    static constexpr auto heevd = p##h##evd_; \
    static constexpr auto geev = p##geev_;    \
    static constexpr auto gels = p##gels_;    \
    static constexpr auto gelsy = p##gelsy_;  \
    static constexpr auto gelsd = p##gelsd_;  \
    static constexpr auto gelss = p##gelss_;  \
  }
FACULA_LAPACK(s, float, float, or, sy);
FACULA_LAPACK(d, double, double, or, sy);
FACULA_LAPACK(c, complex64, float, un, he);
FACULA_LAPACK(z, complex128, double, un, he);
#undef FACULA_LAPACK

template <class A>
auto by_reference(A& a) {
  if constexpr (std::is_pointer_v<A>)
    return a;
  else
    return &a;
}
/// Calls a Fortran routine: numbers and characters go by their addresses.
template <class... P, class... A>
void fortran(void (*routine)(P...), A&&... arguments) {
  routine(by_reference(arguments)...);
}

}  // namespace facula::cpu
