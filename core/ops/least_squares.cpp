// Least squares, the pseudo-inverse, and the rank: what singular values say about systems that need not have one solution.
#include <limits>

#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op lstsq_left, pinv_within;
}

namespace {

// ---- the bound below which singular values count as zero ----

struct Bounds {
  Tensor absolute, relative;
};

// As PyTorch: relative to the largest singular value epsilon * max(M, N), unless an absolute bound is given.
Bounds bounds(const Tensor& a, const Tensor& atol, const Tensor& rtol) {
  const DType t = real_dtype(a.dtype());
  auto number = [&](double v) { return moved(scalar_tensor(v, t), a.device()); };
  const double usual = epsilon(t) * static_cast<double>(std::max(a.size(-1), a.size(-2)));
  Bounds b{atol.defined() ? atol : number(0), rtol};
  if (!rtol.defined())
    b.relative = atol.defined() ? ops::where(ops::gt(atol, 0), number(0), number(usual)) : number(usual);
  b.absolute = ops::to_dtype(b.absolute, t);
  b.relative = ops::to_dtype(b.relative, t);
  return b;
}

// [..., 1], to be compared with values [..., K].
Tensor least(const Tensor& largest, const Tensor& atol, const Tensor& rtol) {
  return ops::unsqueeze(ops::maximum(atol, rtol * largest), -1);
}
Tensor largest_of(const Tensor& sizes) { return ops::amax(sizes, IntList{-1}); }

Tensor rank_of(const char* name, const Tensor& a, const Bounds& b, bool hermitian) {
  check_matrix(name, a);
  if (hermitian) check_square(name, a);
  NoGrad guard;
  const Sizes batch = batch_sizes(a.sizes());
  if (a.size(-1) == 0 || a.size(-2) == 0) return ops::zero_(empty(batch, DType::Int64, a.device()));
  const Tensor s = hermitian ? ops::abs(ops::linalg_eigvalsh(a)) : ops::linalg_svdvals(a);
  return ops::sum(ops::gt(s, least(largest_of(s), b.absolute, b.relative)), IntList{-1});
}

// ---- the pseudo-inverse ----

Tensor inverted(const Tensor& values, const Tensor& sizes, const Tensor& atol, const Tensor& rtol) {
  const Tensor used = ops::gt(sizes, least(largest_of(sizes), atol, rtol));
  return ops::where(used, ops::reciprocal(values), ops::zeros_like(values));
}

Tensor pinv_forward(const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
  if (a.numel() == 0)
    return ops::zero_(empty(joined(batch_sizes(a.sizes()), {a.size(-1), a.size(-2)}), a.dtype(), a.device()));
  if (hermitian) {
    const Results r = ops::linalg_eigh.all({a});
    const Tensor w = r.tensor(0), q = r.tensor(1);
    const Tensor inverse = inverted(w, ops::abs(w), atol, rtol);
    return ops::matmul(q * ops::unsqueeze(ops::to_dtype(inverse, a.dtype()), -2), adjoint(q));
  }
  const Results r = ops::svd_factors.all({a, false});
  const Tensor inverse = inverted(r.tensor(1), r.tensor(1), atol, rtol);
  return ops::matmul(adjoint(r.tensor(2)) * ops::unsqueeze(ops::to_dtype(inverse, a.dtype()), -2),
                     adjoint(r.tensor(0)));
}

// dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P, for a constant rank (Golub and Pereyra 1973).
Tensor pinv_gradient(const Tensor& g, const Tensor& p, const Tensor& a) {
  const Tensor ph = adjoint(p), gh = adjoint(g);
  const Tensor direct = ops::matmul(ph, ops::matmul(g, ph));
  const Tensor from_left = ops::matmul(gh, ops::matmul(p, ph)), from_right = ops::matmul(ops::matmul(ph, p), gh);
  return from_left - ops::matmul(a, ops::matmul(p, from_left)) + from_right -
         ops::matmul(ops::matmul(from_right, p), a) - direct;
}

Tensor pinv_of(const char* name, const Tensor& a, const Bounds& b, bool hermitian) {
  check_matrix(name, a);
  check_lapack(name, a);
  if (hermitian) check_square(name, a);
  return ops::pinv_within(a, b.absolute, b.relative, hermitian);
}
Tensor zero_bound(const Tensor& a) { return moved(scalar_tensor(0.0, real_dtype(a.dtype())), a.device()); }

// ---- least squares ----

using LeastSquares = std::tuple<Tensor, Tensor, Tensor, Tensor>;

// Whether the residuals say something: more equations than unknowns, and full rank by a driver that finds it.
bool has_residuals(const std::string& driver, const Tensor& rank, int64_t m, int64_t n) {
  if (m <= n || driver == "gelsy") return false;
  return driver == "gels" || rank.is_meta() || !item(ops::any(ops::ne(rank, n))).to<bool>();
}

LeastSquares lstsq_forward(Out& out, const Tensor& a, const Tensor& b, double rcond, const std::string& driver) {
  const int64_t m = a.size(-2), n = a.size(-1), columns = b.size(-1), k = std::min(m, n);
  const Sizes batch = batch_sizes(a.sizes());
  const bool by_values = driver == "gelsd" || driver == "gelss";
  const DType real = real_dtype(a.dtype());
  const Tensor whole = empty(joined(batch, {std::max(m, n), columns}), a.dtype(), a.device());
  const Tensor rank = out.make(2, driver == "gels" ? Sizes{0} : batch, DType::Int64);
  const Tensor s = out.make(3, by_values ? joined(batch, {k}) : Sizes{0}, real);
  slots::lstsq(result_batch(whole), driver == "gels" ? rank : result_batch(rank, 0),
               by_values ? result_batch(s, 1) : empty({0, 0}, real, a.device()), as_batch(a), as_batch(b), rcond,
               driver);
  const Tensor x = out.make(0, joined(batch, {n, columns}), a.dtype());
  slots::copy(x, ops::narrow(whole, -2, 0, n));
  const bool left_over = has_residuals(driver, rank, m, n);
  const Tensor residuals = out.make(1, left_over ? joined(batch, {columns}) : Sizes{0}, real);
  if (left_over) slots::copy(residuals, ops::sum(ops::square(ops::abs(ops::narrow(whole, -2, n, m - n))), IntList{-2}));
  return {x, residuals, rank, s};
}

// X = pinv(A) B.
Tensor lstsq_gradient_of_a(Tensor g, Tensor, Tensor, Result, Tensor a, Tensor b) {
  return pinv_gradient(ops::matmul(g, adjoint(b)), ops::linalg_pinv(a), a);
}

LeastSquares lstsq_of(const Tensor& a, const Tensor& b, const OptDouble& rcond, const OptString& driver) {
  const char* name = "linalg.lstsq";
  check_matrix(name, a);
  check_lapack(name, a);
  check_same_dtype(name, a, b);
  check(b.dim() >= 1, name, ": B must have at least one dimension");
  const std::string chosen = driver.value_or("gelsy");
  check(chosen == "gels" || chosen == "gelsy" || chosen == "gelsd" || chosen == "gelss", name,
        ": driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got '", chosen, "'");
  const bool vector = a.dim() - 1 == b.dim() && b.sizes() == batch_sizes(a.sizes(), 1);
  const Tensor full = vector ? ops::unsqueeze(b, -1) : b;
  check(full.dim() >= 2 && full.size(-2) == a.size(-2), name, ": A ", a.sizes(), " and B ", b.sizes(),
        " do not match: they need the same number of rows");
  const auto [m, rhs] = broadcast_batches(name, a, full);
  const double bound = rcond.value_or(epsilon(a.dtype()) * static_cast<double>(std::max(a.size(-1), a.size(-2))));
  const Results r = ops::lstsq_left.all({m, rhs, bound, chosen});
  const Tensor x = r.tensor(0);
  Tensor residuals = detach(r.tensor(1));
  if (wants_gradient({a, b}) && residuals.numel() > 0)  // with their own derivative
    residuals = ops::sum(ops::square(ops::abs(ops::matmul(m, x) - rhs)), IntList{-2});
  return {vector ? ops::select(x, -1, 0) : x, residuals, r.tensor(2), detach(r.tensor(3))};
}

}  // namespace

void define_least_squares(const Family& define) {
  define(ops::lstsq_left,
         "_lstsq(Tensor A, Tensor B, float rcond, str driver) -> (Tensor solution, Tensor residuals, IndexTensor rank, "
         "Tensor singular_values)")
      .doc("linalg.lstsq of matrices with one batch.")
      .node("LinalgLstsqBackward0")
      .forward(lstsq_forward)
      .grad("A", lstsq_gradient_of_a)
      .grad("B", [](Tensor g, Tensor, Tensor, Tensor a) { return ops::matmul(adjoint(ops::linalg_pinv(a)), g); });
  define(
      "linalg.lstsq(Tensor A, Tensor B, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor residuals, "
      "IndexTensor rank, Tensor singular_values)")
      .doc(
          "The X [..., N, K] that makes `|A @ X - B|` least, for A [..., M, N] and B [..., M, K]. driver 'gelsy' (QR "
          "with "
          "pivoting), 'gels' (full rank), 'gelsd' or 'gelss' (singular values; those below rcond times the largest "
          "count "
          "as zero). residuals (squared, by column) where M > N and the driver finds full rank, except for 'gelsy'. "
          "What a "
          "driver does not find has no elements.")
      .example("torch.linalg.lstsq(torch.tensor{{1, 1}, {1, 2}, {1, 3}}, torch.tensor{{2}, {3}, {4}})")
      .compose(lstsq_of);

  define(ops::pinv_within, "_pinv(Tensor A, Tensor atol, Tensor rtol, bool hermitian) -> Tensor")
      .doc("linalg.pinv.")
      .node("LinalgPinvBackward0")
      .forward(pinv_forward)
      .grad("A", [](Tensor g, Result p, Tensor a) { return pinv_gradient(g, p, a); });
  define(ops::linalg_pinv,
         "linalg.pinv(Tensor A, *, Operand? atol=None, Operand? rtol=None, bool hermitian=False) -> Tensor")
      .doc(
          "The pseudo-inverse of Moore and Penrose [..., N, M] of A [..., M, N]. Singular values up to max(atol, rtol "
          "* the "
          "largest) count as zero; atol is 0, rtol epsilon * max(M, N), or 0 where an atol is given.")
      .example("torch.linalg.pinv(torch.tensor{{1, 0}, {0, 2}, {0, 0}})")
      .compose([](const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
        check_matrix("linalg.pinv", a);
        return pinv_of("linalg.pinv", a, bounds(a, atol, rtol), hermitian);
      });
  define("linalg.pinv:rcond(Tensor A, Operand rcond, bool hermitian=False) -> Tensor")
      .compose([](const Tensor& a, const Tensor& rcond, bool hermitian) {
        return pinv_of("linalg.pinv", a, bounds(a, zero_bound(a), rcond), hermitian);
      });
  define("pinverse(Tensor self, float rcond=1e-15) -> Tensor")
      .doc("The pseudo-inverse; singular values up to rcond times the largest count as zero. See linalg.pinv.")
      .example("torch.pinverse(torch.tensor{{1, 0}, {0, 2}, {0, 0}})")
      .compose([](const Tensor& a, double rcond) {
        return pinv_of("pinverse", a, bounds(a, zero_bound(a), scalar_tensor(rcond, DType::Float64)), false);
      });

  define("linalg.matrix_rank(Tensor A, *, Operand? atol=None, Operand? rtol=None, bool hermitian=False) -> IndexTensor")
      .doc(
          "How many singular values (with `hermitian` absolute eigenvalues) exceed max(atol, rtol * the largest); the "
          "bounds "
          "default as in linalg.pinv.")
      .example("torch.linalg.matrix_rank(torch.tensor{{1, 2}, {2, 4}})")
      .compose([](const Tensor& a, const Tensor& atol, const Tensor& rtol, bool hermitian) {
        check_matrix("linalg.matrix_rank", a);
        return rank_of("linalg.matrix_rank", a, bounds(a, atol, rtol), hermitian);
      });
  define("linalg.matrix_rank:tol(Tensor A, Operand tol, bool hermitian=False) -> IndexTensor")
      .compose([](const Tensor& a, const Tensor& tol, bool hermitian) {
        return rank_of("linalg.matrix_rank", a, bounds(a, tol, zero_bound(a)), hermitian);
      });
  define("matrix_rank(Tensor self, Operand? tol=None, bool symmetric=False) -> IndexTensor")
      .doc("The rank of a matrix; see linalg.matrix_rank.")
      .example("torch.matrix_rank(torch.tensor{{1, 2}, {2, 4}})")
      .compose([](const Tensor& a, const Tensor& tol, bool symmetric) {
        check_matrix("matrix_rank", a);
        return rank_of("matrix_rank", a, bounds(a, tol, tol.defined() ? zero_bound(a) : Tensor()), symmetric);
      });
}

}  // namespace facula
