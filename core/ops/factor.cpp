// Factorisations by elimination: Cholesky, LU and LDL.
#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op cholesky_ex, ldl_factor_ex;
}

namespace {

constexpr const char* kNotPositive = "the matrix is not positive definite: a leading minor is not positive";
constexpr const char* kSingularFactor =
    "a diagonal element of U is zero, so that U cannot be used to solve; see linalg.lu and linalg.lu_factor_ex";

// ---- Cholesky ----

std::tuple<Tensor, Tensor> cholesky_forward(Out& out, const Tensor& a, bool upper, bool check_errors) {
  check_square("linalg.cholesky_ex", a);
  check_lapack("linalg.cholesky_ex", a);
  const Tensor l = out.make(0, a.sizes(), a.dtype()), info = out.make(1, batch_sizes(a.sizes()), DType::Int32);
  slots::cholesky(result_batch(l), result_batch(info, 0), as_batch(a), upper);
  if (check_errors) check_info("linalg.cholesky_ex", info, kNotPositive, a.dim() == 2);
  return {l, info};
}

// L^-H S L^-1, S half the Hermitian matrix with the lower triangle of L^H g (Murray 2016). As in PyTorch its diagonal keeps
// imaginary parts.
Tensor cholesky_gradient(Tensor g, Result factor, Meta, bool upper_given) {
  const Tensor l = upper_given ? adjoint(factor) : Tensor(factor), gl = upper_given ? adjoint(g) : g;
  const Tensor p = ops::matmul(adjoint(l), gl);
  const Tensor s = (ops::tril(p) + adjoint(ops::tril(p, -1))) * 0.5;
  const Tensor half = ops::solve_triangular(adjoint(l), s, true);
  return ops::solve_triangular(l, half, false, false);
}

Tensor cholesky_of(const Tensor& a, bool upper) {
  const Results r = ops::cholesky_ex.all({a, upper});
  check_info("linalg.cholesky", r.tensor(1), kNotPositive, a.dim() == 2);
  return r.tensor(0);
}

// ---- LU ----

std::tuple<Tensor, Tensor, Tensor> lu_forward(Out& out, const Tensor& a, bool pivot, bool check_errors) {
  check_matrix("linalg.lu_factor_ex", a);
  check_lapack("linalg.lu_factor_ex", a);
  check(pivot, "linalg.lu_factor: pivot must be true: LU without pivoting is unstable, and LAPACK has none");
  const Sizes batch = batch_sizes(a.sizes());
  const Tensor lu = out.make(0, a.sizes(), a.dtype());
  const Tensor pivots = out.make(1, joined(batch, {std::min(a.size(-1), a.size(-2))}), DType::Int32);
  const Tensor info = out.make(2, batch, DType::Int32);
  slots::lu(result_batch(lu), result_batch(pivots, 1), result_batch(info, 0), as_batch(a));
  if (check_errors) check_info("linalg.lu_factor_ex", info, kSingularFactor, a.dim() == 2);
  return {lu, pivots, info};
}

Tensor rows(const Tensor& x, int64_t from, int64_t count) { return ops::narrow(x, -2, from, count); }
Tensor columns(const Tensor& x, int64_t from, int64_t count) { return ops::narrow(x, -1, from, count); }
Tensor unit_lower(const Tensor& lu) {
  const int64_t m = lu.size(-2), k = std::min(m, lu.size(-1));
  return ops::tril(columns(lu, 0, k), -1) + identity(lu, m, k);
}

// P x: row i of x goes to the place order[i].
Tensor permuted(const Tensor& x, const Tensor& pivots) {
  const Tensor order = ops::row_order(pivots, x.size(-2));
  return ops::scatter(ops::zeros_like(x), -2, ops::expand(ops::unsqueeze(order, -1), x.sizes()), x);
}

// With L^-1 dA U^-1 = L^-1 dL + dU U^-1, a strictly lower and an upper part, for square matrices: P L^-H (tril(L^H gL, -1) +
// triu(gU U^H)) U^-H; what lies beyond the square has its own terms.
Tensor lu_gradient(Tensor g, Result packed, Result pivots) {
  const int64_t m = packed.size(-2), n = packed.size(-1), k = std::min(m, n);
  const Tensor l = unit_lower(packed), u = ops::triu(rows(packed, 0, k));
  const Tensor gl = ops::tril(columns(g, 0, k), -1), gu = ops::triu(rows(g, 0, k));
  const Tensor l1 = rows(l, 0, k), u1 = columns(u, 0, k);
  Tensor below = ops::matmul(adjoint(l1), rows(gl, 0, k)), above = ops::matmul(columns(gu, 0, k), adjoint(u1));
  if (n > m) below = below - ops::matmul(columns(gu, k, n - k), adjoint(columns(u, k, n - k)));
  if (m > n) above = above - ops::matmul(adjoint(rows(l, k, m - k)), rows(gl, k, m - k));
  Tensor inner = ops::solve_triangular(adjoint(u1), ops::tril(below, -1) + ops::triu(above), false, false);
  if (n > m) inner = ops::cat(Tensors{inner, columns(gu, k, n - k)}, -1);
  inner = ops::solve_triangular(adjoint(l1), inner, true, true, true);
  if (m > n) inner = ops::cat(Tensors{inner, ops::solve_triangular(adjoint(u1), rows(gl, k, m - k), false, false)}, -2);
  return permuted(inner, pivots);
}

Tensor row_order_forward(Out& out, const Tensor& pivots, int64_t m) {
  check(pivots.dtype() == DType::Int32, "lu_unpack: pivots must be int32, got ", pivots.dtype());
  check(pivots.dim() >= 1 && pivots.size(-1) <= m, "lu_unpack: pivots ", pivots.sizes(), " do not belong to ", m,
        " rows");
  const Tensor order = out.make(joined(batch_sizes(pivots.sizes(), 1), {m}), DType::Int64);
  slots::pivots_to_order(result_batch(order, 1), result_batch(ops::contiguous(pivots), 1));
  return order;
}

// P[order[j], j] = 1.
Tensor permutation(const Tensor& pivots, int64_t m, DType dtype) {
  const Tensor order = ops::row_order(pivots, m);
  const Tensor row = ops::to_device(ops::unsqueeze(ops::arange(m), 1) + 1, pivots.device());
  return ops::to_dtype(ops::eq(ops::unsqueeze(order, -2), row), dtype);
}

std::tuple<Tensor, Tensor, Tensor> unpacked(const Tensor& lu, const Tensor& pivots, bool with_data, bool with_pivots) {
  check_matrix("lu_unpack", lu);
  const int64_t m = lu.size(-2), k = std::min(m, lu.size(-1));
  const Sizes expected = joined(batch_sizes(lu.sizes()), {k});
  check(pivots.dtype() == DType::Int32, "lu_unpack: pivots must be int32, got ", pivots.dtype());
  check(!with_pivots || pivots.sizes() == expected, "lu_unpack: pivots of ", lu.sizes(), " have sizes ", expected,
        ", got ", pivots.sizes());
  const Tensor nothing = empty({0}, lu.dtype(), lu.device());
  return {with_pivots ? permutation(pivots, m, lu.dtype()) : nothing, with_data ? unit_lower(lu) : nothing,
          with_data ? ops::triu(rows(lu, 0, k)) : nothing};
}

Results lu_with_infos(const Tensor& a, bool pivot, bool get_infos) {
  const Results factors = ops::linalg_lu_factor_ex.all({a, pivot});
  if (!get_infos) check_info("lu", factors.tensor(2), kSingularFactor, a.dim() == 2);
  Results results;
  for (int i = 0; i < (get_infos ? 3 : 2); ++i) results.push(factors[i]);
  return results;
}

// ---- LDL ----

std::tuple<Tensor, Tensor, Tensor> ldl_forward(Out& out, const Tensor& a, bool hermitian, bool check_errors) {
  check_square("linalg.ldl_factor_ex", a);
  check_lapack("linalg.ldl_factor_ex", a);
  const Sizes batch = batch_sizes(a.sizes());
  const Tensor ld = out.make(0, a.sizes(), a.dtype()), pivots = out.make(1, joined(batch, {a.size(-1)}), DType::Int32),
               info = out.make(2, batch, DType::Int32);
  slots::ldl(result_batch(ld), result_batch(pivots, 1), result_batch(info, 0), as_batch(a), hermitian);
  if (check_errors) check_info("linalg.ldl_factor_ex", info, "a diagonal element of D is zero", a.dim() == 2);
  return {ld, pivots, info};
}

}  // namespace

void define_factor(const Family& define) {
  define(ops::cholesky_ex,
         "linalg.cholesky_ex(Tensor A, *, bool upper=False, bool check_errors=False) -> (Tensor L, IndexTensor info)")
      .doc(
          "Cholesky's factor, and for each matrix 0 or the number of the leading minor that is not positive. Nothing "
          "fails "
          "unless `check_errors` is set.")
      .example("torch.linalg.cholesky_ex(torch.tensor{{1, 2}, {2, 1}})")
      .forward(cholesky_forward)
      .grad("A", cholesky_gradient);
  define("linalg.cholesky(Tensor A, *, bool upper=False) -> Tensor")
      .doc(
          "The lower triangular L with `A = L @ L^H`, or with `upper` its adjoint. Only that triangle of the "
          "Hermitian, "
          "positive definite A [..., N, N] is read. An error names the first matrix that is not positive definite.")
      .example("torch.linalg.cholesky(torch.tensor{{4, 2}, {2, 5}})")
      .compose(cholesky_of);
  define("cholesky(Tensor self, bool upper=False) -> Tensor")
      .doc("See linalg.cholesky.")
      .example("torch.tensor{{4, 2}, {2, 5}}:cholesky()")
      .compose(cholesky_of);

  define(
      ops::linalg_lu_factor_ex,
      "linalg.lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, IndexTensor pivots, "
      "IndexTensor info)")
      .doc(
          "L and U packed into one matrix, the exchanges of rows, and for each matrix 0 or the number of the diagonal "
          "element of U that is zero.")
      .example("torch.linalg.lu_factor_ex(torch.tensor{{1, 2}, {3, 4}})")
      .forward(lu_forward)
      .grad("A", lu_gradient);
  define("linalg.lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, IndexTensor pivots)")
      .doc(
          "L and U of A [..., M, N] packed into one matrix (the ones on L's diagonal left out), and pivots: row i was "
          "exchanged with row pivots[i]. See linalg.lu_solve, lu_unpack.")
      .example("torch.linalg.lu_factor(torch.tensor{{1, 2}, {3, 4}})")
      .compose([](const Tensor& a, bool pivot) {
        const Results r = ops::linalg_lu_factor_ex.all({a, pivot});
        check_info("linalg.lu_factor", r.tensor(2), kSingularFactor, a.dim() == 2);
        return std::tuple(r.tensor(0), r.tensor(1));
      });
  define("linalg.lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)")
      .doc(
          "`A = P @ L @ U`: a permutation, a lower triangular matrix with ones on its diagonal, and an upper "
          "triangular one.")
      .example("torch.linalg.lu(torch.randn(3, 3))")
      .compose([](const Tensor& a, bool pivot) {
        const Results r = ops::linalg_lu_factor_ex.all({a, pivot});
        return unpacked(r.tensor(0), r.tensor(1), true, true);
      });
  define("lu(Tensor self, bool pivot=True, bool get_infos=False) -> (Tensor LU, IndexTensor pivots, IndexTensor infos)")
      .doc("See linalg.lu_factor; with `get_infos` singular matrices are no errors and the infos a third result.")
      .example("torch.tensor{{1, 2}, {3, 4}}:lu()")
      .compose(lu_with_infos);
  define(
      "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, "
      "Tensor "
      "L, Tensor U)")
      .doc("P, L and U of what linalg.lu_factor returns; those that are not asked for have no elements.")
      .example("torch.lu_unpack(torch.linalg.lu_factor(torch.tensor{{1, 2}, {3, 4}}))")
      .compose(unpacked);
  define(ops::row_order, "_row_order(Tensor pivots, int m) -> IndexTensor")
      .doc("The rows in the order in which exchanges by `pivots` leave them.")
      .forward(row_order_forward);

  define(ops::ldl_factor_ex,
         "linalg.ldl_factor_ex(Tensor A, *, bool hermitian=False, bool check_errors=False) -> (Tensor LD, IndexTensor "
         "pivots, IndexTensor info)")
      .doc("As linalg.ldl_factor, and for each matrix 0 or the number of the diagonal element of D that is zero.")
      .example("torch.linalg.ldl_factor_ex(torch.tensor{{1, 2}, {2, 1}})")
      .forward(ldl_forward);
  define("linalg.ldl_factor(Tensor A, *, bool hermitian=False) -> (Tensor LD, IndexTensor pivots)")
      .doc(
          "`A = L D L^T` (or L^H) of a symmetric (Hermitian) A [..., N, N], its lower triangle, by Bunch and Kaufman's "
          "pivoting; L and D packed into one matrix as LAPACK's sytrf does. See linalg.ldl_solve.")
      .example("torch.linalg.ldl_factor(torch.tensor{{1, 2}, {2, 1}})")
      .compose([](const Tensor& a, bool hermitian) {
        const Results r = ops::ldl_factor_ex.all({a, hermitian, true});
        return std::tuple(r.tensor(0), r.tensor(1));
      });
}

}  // namespace facula
