// Least squares by LAPACK's four drivers: QR with pivots (gelsy), QR of full rank (gels), and the singular values by divide
// and conquer (gelsd) or QR iteration (gelss).
#include "kernels/cpu/columns.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// Everything that the drivers are handed besides the matrices.
template <class T>
struct Problem {
  using Real = typename Lapack<T>::Real;
  int m, n, columns;
  Real rcond;
  std::vector<T> a, b;  // b has max(m, n) rows
  std::vector<int> order, iwork;
  std::vector<Real> s, rwork;
  int rank = 0, bad = 0;

  int height() const { return leading(std::max(m, n)); }
};

// Calls `routine` with what follows the workspace: a real one for complex numbers, and `rest`.
template <class T, class Routine, class... Before, class... Rest>
void call_driver(Problem<T>& p, Routine routine, T* work, int lwork, Rest*... rest) {
  auto with = [&](auto*... middle) {
    if constexpr (is_complex(dtype_of<T>))
      fortran(routine, p.m, p.n, p.columns, p.a.data(), leading(p.m), p.b.data(), p.height(), middle..., p.rcond,
              p.rank, work, lwork, p.rwork.data(), rest..., p.bad);
    else
      fortran(routine, p.m, p.n, p.columns, p.a.data(), leading(p.m), p.b.data(), p.height(), middle..., p.rcond,
              p.rank, work, lwork, rest..., p.bad);
  };
  if constexpr (std::is_same_v<Routine, std::remove_const_t<decltype(Lapack<T>::gelsy)>>)
    with(p.order.data());
  else
    with(p.s.data());
}

template <class T>
void solve(Problem<T>& p, const std::string& driver) {
  const auto k = static_cast<size_t>(std::min(p.m, p.n)), large = static_cast<size_t>(std::max(p.m, p.n));
  if (k == 0 || p.columns == 0) {
    std::fill(p.b.begin(), p.b.end(), T(0));
    return;
  }
  const size_t levels = 32, small = 25;  // of gelsd's tree; its blocks (LAPACK's SMLSIZ)
  p.order.assign(static_cast<size_t>(p.n), 0);
  p.s.assign(k, 0);
  p.iwork.assign(3 * k * levels + 11 * k, 0);
  p.rwork.assign(10 * large + 2 * large * small + 8 * large * levels + 3 * small * static_cast<size_t>(p.columns) +
                     std::max((small + 1) * (small + 1),
                              large * (1 + static_cast<size_t>(p.columns)) + 2 * static_cast<size_t>(p.columns)),
                 0);
  auto run = [&](T* work, int lwork) {
    if (driver == "gels")
      fortran(Lapack<T>::gels, 'N', p.m, p.n, p.columns, p.a.data(), p.m, p.b.data(), p.height(), work, lwork, p.bad);
    else if (driver == "gelsy")
      call_driver(p, Lapack<T>::gelsy, work, lwork);
    else if (driver == "gelss")
      call_driver(p, Lapack<T>::gelss, work, lwork);
    else
      call_driver(p, Lapack<T>::gelsd, work, lwork, p.iwork.data());
  };
  std::vector<T> work = workspace<T>(run);
  run(work.data(), static_cast<int>(work.size()));
}

void lstsq(const Tensor& x, const Tensor& rank, const Tensor& s, const Tensor& a, const Tensor& b, double rcond,
           const std::string& driver) {
  const int m = lapack_size(a.size(1)), n = lapack_size(a.size(2)), columns = lapack_size(b.size(2));
  with_lapack_type(x.dtype(), [&]<class T>() {
    each_matrix(x.size(0), 4.0 * m * n * std::min(m, n), [&](int64_t k) {
      Problem<T> p{m, n, columns, static_cast<typename Lapack<T>::Real>(rcond), loaded<T>(a, k), {}, {}, {}, {}, {}};
      p.b.assign(static_cast<size_t>(std::max(m, n)) * static_cast<size_t>(columns), T(0));
      load(p.b.data(), b, k, std::max(m, n));
      if (all_finite(p.a) && all_finite(p.b)) {
        solve(p, driver);
      } else {  // the drivers by QR would hand NaN on, the others might not end
        check(driver == "gels" || driver == "gelsy", "linalg.lstsq: (batch element ", Counting::shown(k),
              ") the matrix has elements that are not finite");
        std::fill(p.b.begin(), p.b.end(), T(std::numeric_limits<double>::quiet_NaN()));
      }
      check(p.bad == 0, "linalg.lstsq: (batch element ", Counting::shown(k), ") ",
            driver == "gels" ? "the matrix has not full rank" : "the algorithm did not converge");
      store(x, k, p.b.data(), std::max(m, n));
      if (rank.numel() > 0) rank.data<int64_t>()[k * rank.stride(0)] = p.rank;
      if (s.numel() > 0 && !p.s.empty()) store_row(s, k, p.s.data());
    });
  });
}

}  // namespace

void fill_least_squares_slots() { slots::lstsq.fill(DeviceType::CPU, lstsq); }

}  // namespace facula::cpu
