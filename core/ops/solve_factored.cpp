// Systems of linear equations whose matrix was factored before.
#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op ldl_solve_left, cholesky_solve;
}

namespace {

Tensor lu_solve_forward(Out& out, const Tensor& lu, const Tensor& pivots, const Tensor& b, bool is_adjoint) {
  const Tensor x = out.make(b.sizes(), b.dtype());
  slots::lu_solve(result_batch(x), as_batch(lu), result_batch(ops::contiguous(pivots), 1), as_batch(b), is_adjoint);
  return x;
}

// With A = P L U: the gradient of A, taken to its factors.
Tensor lu_solve_gradient(Tensor g, Result x, Tensor lu, Tensor pivots, Meta, bool is_adjoint) {
  const int64_t n = lu.size(-1);
  const Tensor gb = ops::lu_solve_left(lu, pivots, g, !is_adjoint);
  const Tensor ga = -(is_adjoint ? ops::matmul(x, adjoint(gb)) : ops::matmul(gb, adjoint(x)));
  const Tensor order = ops::expand(ops::unsqueeze(ops::row_order(pivots, n), -1), ga.sizes());
  const Tensor rows = ops::gather(ga, -2, order);
  const Tensor l = ops::tril(lu, -1) + identity(lu, n, n), u = ops::triu(lu);
  return ops::tril(ops::matmul(rows, adjoint(u)), -1) + ops::triu(ops::matmul(adjoint(l), rows));
}

Tensor lu_solve_of(const char* name, const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                   bool is_adjoint) {
  check_square(name, lu);
  check_matrix(name, b);
  check_lapack(name, lu);
  check_same_dtype(name, lu, b);
  check(pivots.dtype() == DType::Int32, name, ": pivots must be int32, got ", pivots.dtype());
  check(pivots.sizes() == batch_sizes(lu.sizes(), 1), name, ": LU ", lu.sizes(), " has pivots ",
        batch_sizes(lu.sizes(), 1), ", got ", pivots.sizes());
  check_rows(name, lu, b, left);
  const auto [m, full] = broadcast_batches(name, lu, b);
  const Tensor p = ops::expand(pivots, batch_sizes(m.sizes(), 1));
  if (left) return ops::lu_solve_left(m, p, full, is_adjoint);
  return adjoint(ops::lu_solve_left(m, p, adjoint(full), !is_adjoint));
}

Tensor ldl_solve_of(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian) {
  const char* name = "linalg.ldl_solve";
  check_square(name, ld);
  check_matrix(name, b);
  check_lapack(name, ld);
  check_same_dtype(name, ld, b);
  check(pivots.dtype() == DType::Int32, name, ": pivots must be int32, got ", pivots.dtype());
  check(pivots.sizes() == batch_sizes(ld.sizes(), 1), name, ": LD ", ld.sizes(), " has pivots ",
        batch_sizes(ld.sizes(), 1), ", got ", pivots.sizes());
  check_rows(name, ld, b, true);
  const auto [m, full] = broadcast_batches(name, ld, b);
  return ops::ldl_solve_left(m, ops::expand(pivots, batch_sizes(m.sizes(), 1)), full, hermitian);
}

Tensor cholesky_solve_of(const Tensor& b, const Tensor& factor, bool upper) {
  check_square("cholesky_solve", factor);
  check_matrix("cholesky_solve", b);
  check_lapack("cholesky_solve", factor);
  check_same_dtype("cholesky_solve", factor, b);
  check_rows("cholesky_solve", factor, b, true);
  const Tensor first = upper ? adjoint(factor) : factor, second = upper ? factor : adjoint(factor);
  return ops::solve_triangular(second, ops::solve_triangular(first, b, false), true);
}

// PyTorch's gradients of the factor: of the whole matrix L L^H's, though one triangle of it is read.
Tensor factor_gradient(const Tensor& common, const Tensor& factor, bool upper) {
  const Tensor both = common + adjoint(common);
  return -(upper ? ops::matmul(factor, both) : ops::matmul(both, factor));
}

Tensor cholesky_inverse_of(const Tensor& factor, bool upper) {
  check_square("cholesky_inverse", factor);
  check_lapack("cholesky_inverse", factor);
  const int64_t n = factor.size(-1);
  return cholesky_solve_of(ops::expand(identity(factor, n, n), factor.sizes()), factor, upper);
}

}  // namespace

void define_solve_factored(const Family& define) {
  define(ops::lu_solve_left, "_lu_solve(Tensor LU, Tensor pivots, Tensor B, bool adjoint) -> Tensor")
      .doc("linalg.lu_solve of matrices with one batch.")
      .node("LinalgLuSolveBackward0")
      .forward(lu_solve_forward)
      .grad("LU", lu_solve_gradient)
      .grad("B", [](Tensor g, Tensor lu, Tensor pivots, Meta, bool is_adjoint) {
        return ops::lu_solve_left(lu, pivots, g, !is_adjoint);
      });
  define("linalg.lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor")
      .doc("The X of `A @ X = B` (`X @ A = B` with left=false; A^H for A with `adjoint`), from linalg.lu_factor(A).")
      .example(
          "local LU, pivots = torch.linalg.lu_factor(torch.tensor{{2, 0}, {0, 4}}) print(torch.linalg.lu_solve(LU, "
          "pivots, torch.ones(2, 1)))")
      .compose([](const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool is_adjoint) {
        return lu_solve_of("linalg.lu_solve", lu, pivots, b, left, is_adjoint);
      });
  define("lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor")
      .doc("The X of `A @ X = self`, from linalg.lu_factor(A).")
      .example("torch.ones(2, 1):lu_solve(torch.linalg.lu_factor(torch.tensor{{2, 0}, {0, 4}}))")
      .compose([](const Tensor& b, const Tensor& lu, const Tensor& pivots) {
        return lu_solve_of("lu_solve", lu, pivots, b, true, false);
      });

  define(ops::ldl_solve_left, "_ldl_solve(Tensor LD, Tensor pivots, Tensor B, bool hermitian) -> Tensor")
      .doc("linalg.ldl_solve of matrices with one batch.")
      .forward(+[](Out& out, const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian) {
        const Tensor x = out.make(b.sizes(), b.dtype());
        slots::ldl_solve(result_batch(x), as_batch(ld), result_batch(ops::contiguous(pivots), 1), as_batch(b),
                         hermitian);
        return x;
      });
  define("linalg.ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor")
      .doc("The X of `A @ X = B`, from linalg.ldl_factor(A). It has no derivative.")
      .example(
          "local LD, pivots = torch.linalg.ldl_factor(torch.tensor{{1, 2}, {2, 1}}) print(torch.linalg.ldl_solve(LD, "
          "pivots, torch.ones(2, 1)))")
      .compose(ldl_solve_of);
  define(ops::cholesky_solve, "cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor")
      .doc("The X of `L @ L^H @ X = self` (U^H @ U with `upper`), from Cholesky's factor `input2`.")
      .example("torch.ones(2, 1):cholesky_solve(torch.tensor{{4, 2}, {2, 5}}:cholesky())")
      .forward(cholesky_solve_of)
      .grad("self", [](Tensor g, Meta, Tensor factor, bool upper) { return ops::cholesky_solve(g, factor, upper); })
      .grad("input2", [](Tensor g, Result x, Meta, Tensor factor, bool upper) {
        return factor_gradient(ops::matmul(ops::cholesky_solve(g, factor, upper), adjoint(x)), factor, upper);
      });
  define("cholesky_inverse(Tensor self, bool upper=False) -> Tensor")
      .doc("The inverse of `L @ L^H` (U^H @ U with `upper`), from Cholesky's factor.")
      .example("torch.tensor{{4, 2}, {2, 5}}:cholesky():cholesky_inverse()")
      .forward(cholesky_inverse_of)
      .grad("self", [](Tensor g, Result x, Tensor factor, bool upper) {
        return factor_gradient(ops::matmul(x, ops::matmul(g, x)), factor, upper);
      });
}

}  // namespace facula
