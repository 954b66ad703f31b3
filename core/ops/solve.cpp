// Systems of linear equations and inverses.
#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op solve_factored, solve_triangle;
}

namespace {

constexpr const char* kSingular = "the matrix is singular: a diagonal element of U is zero";

// ---- solve ----

// result, lu, pivots, info of A @ X = B for A [..., N, N] and B [..., N, K] with one batch.
std::tuple<Tensor, Tensor, Tensor, Tensor> solve_forward(Out& out, const Tensor& a, const Tensor& b) {
  const Sizes batch = batch_sizes(a.sizes());
  const Tensor x = out.make(0, b.sizes(), a.dtype()), lu = out.make(1, a.sizes(), a.dtype());
  const Tensor pivots = out.make(2, joined(batch, {a.size(-1)}), DType::Int32), info = out.make(3, batch, DType::Int32);
  slots::lu(result_batch(lu), result_batch(pivots, 1), result_batch(info, 0), as_batch(a));
  slots::lu_solve(result_batch(x), result_batch(lu), result_batch(pivots, 1), as_batch(b), false);
  return {x, lu, pivots, info};
}

// A^-H g, by the factors at hand unless it is to be differentiated again.
Tensor solved_adjoint(const Tensor& g, const Tensor& lu, const Tensor& pivots, const Tensor& a) {
  return GradMode::enabled() ? ops::solve_factored.all({adjoint(a), g}).tensor(0)
                             : ops::lu_solve_left(lu, pivots, g, true);
}

// A vector stands for a matrix of one column.
bool is_vector(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 || (a.dim() - 1 == b.dim() && b.sizes() == batch_sizes(a.sizes(), 1));
}

struct Solution {
  Tensor x, info;
};

Solution solution(const char* name, const Tensor& a, const Tensor& b, bool left) {
  check_square(name, a);
  check_lapack(name, a);
  check_same_dtype(name, a, b);
  const bool vector = is_vector(a, b);
  check(!vector || left, name, ": left=false needs a matrix on the right-hand side, got a vector ", b.sizes());
  const Tensor full = vector ? ops::unsqueeze(b, -1) : b;
  check_matrix(name, full);
  check_rows(name, a, full, left);
  const auto [m, rhs] = left ? broadcast_batches(name, a, full)
                             : broadcast_batches(name, ops::transpose(a, -2, -1), ops::transpose(full, -2, -1));
  const Results r = ops::solve_factored.all({m, rhs});
  const Tensor x = left ? r.tensor(0) : ops::transpose(r.tensor(0), -2, -1);
  return {vector ? ops::select(x, -1, 0) : x, r.tensor(3)};
}

Tensor solve_of(const Tensor& a, const Tensor& b, bool left) {
  const Solution s = solution("linalg.solve", a, b, left);
  check_info("linalg.solve", s.info, kSingular, a.dim() == 2);
  return s.x;
}

// ---- inverses ----

std::tuple<Tensor, Tensor> inverse_forward(Out& out, const Tensor& a, bool check_errors) {
  check_square("linalg.inv", a);
  check_lapack("linalg.inv", a);
  const Sizes batch = batch_sizes(a.sizes());
  const int64_t n = a.size(-1);
  const Tensor x = out.make(0, a.sizes(), a.dtype()), info = out.make(1, batch, DType::Int32);
  const Tensor lu = empty(a.sizes(), a.dtype(), a.device()),
               pivots = empty(joined(batch, {n}), DType::Int32, a.device());
  slots::lu(result_batch(lu), result_batch(pivots, 1), result_batch(info, 0), as_batch(a));
  slots::lu_solve(result_batch(x), result_batch(lu), result_batch(pivots, 1),
                  as_batch(identity(a, n, n).expanded(a.sizes())), false);
  if (check_errors) check_info("linalg.inv_ex", info, kSingular, a.dim() == 2);
  return {x, info};
}

Tensor inverse_of(const Tensor& a) {
  const Results r = ops::linalg_inv_ex.all({a});
  check_info("linalg.inv", r.tensor(1), kSingular, a.dim() == 2);
  return r.tensor(0);
}

// ---- triangular systems ----

Tensor triangle_forward(Out& out, const Tensor& a, const Tensor& b, bool upper, bool unitriangular) {
  const Tensor x = out.make(b.sizes(), b.dtype());
  slots::solve_triangular(result_batch(x), as_batch(a), as_batch(b), upper, unitriangular);
  return x;
}

Tensor triangle_gradient(Tensor g, Result x, Tensor a, Meta, bool is_upper, bool unitriangular) {
  const Tensor gb = ops::solve_triangle(adjoint(a), g, !is_upper, unitriangular);
  const Tensor ga = -ops::matmul(gb, adjoint(x));
  return is_upper ? ops::triu(ga, unitriangular ? 1 : 0) : ops::tril(ga, unitriangular ? -1 : 0);
}

Tensor triangular_of(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular) {
  const char* name = "linalg.solve_triangular";
  check_square(name, a);
  check_matrix(name, b);
  check_lapack(name, a);
  check_same_dtype(name, a, b);
  check_rows(name, a, b, left);
  const auto [m, rhs] = broadcast_batches(name, a, b);
  if (left) return ops::solve_triangle(m, rhs, upper, unitriangular);
  const Tensor x = ops::solve_triangle(ops::transpose(m, -2, -1), ops::transpose(rhs, -2, -1), !upper, unitriangular);
  return ops::transpose(x, -2, -1);
}

std::tuple<Tensor, Tensor> older_triangular_of(const Tensor& b, const Tensor& a, bool upper, bool transpose,
                                               bool unitriangular) {
  check_square("triangular_solve", a);
  check_matrix("triangular_solve", b);
  const auto [m, rhs] = broadcast_batches("triangular_solve", a, b);
  const Tensor x =
      ops::solve_triangular(transpose ? ops::transpose(m, -2, -1) : m, rhs, upper != transpose, true, unitriangular);
  return {x, ops::clone(m)};
}

// ---- tensors as matrices ----

int64_t product(const Sizes& sizes, int64_t from, int64_t to) {
  return numel_of(Sizes(sizes.begin() + from, sizes.begin() + to));
}

Tensor tensorsolve_of(const Tensor& given, const Tensor& b, const IntList& dims) {
  const int64_t rank = given.dim();
  IntList order;
  for (int64_t d = 0; d < rank; ++d)
    if (!dims.contains(d)) order.push_back(d);
  for (const int64_t d : dims) order.push_back(d);
  const Tensor a = ops::permute(given, order);
  check(b.dim() <= rank, "linalg.tensorsolve: B ", b.sizes(), " has more dimensions than A ", a.sizes());
  const Sizes sizes(a.sizes().begin() + b.dim(), a.sizes().end());
  const int64_t n = numel_of(sizes);
  check(product(a.sizes(), 0, b.dim()) == n && b.numel() == n, "linalg.tensorsolve: A ", a.sizes(),
        " is not square for B ", b.sizes(), ": the products of its first ", b.dim(),
        " sizes and of the others must be equal");
  return ops::reshape(ops::linalg_solve(ops::reshape(a, {n, n}), ops::reshape(b, {n})), sizes);
}

Tensor tensorinv_of(const Tensor& a, int64_t ind) {
  check(ind > 0, "linalg.tensorinv: ind must be positive, got ", ind);
  check(ind <= a.dim(), "linalg.tensorinv: ind ", ind, " exceeds the dimensions of ", a.sizes());
  const int64_t rows = product(a.sizes(), 0, ind), columns = product(a.sizes(), ind, a.dim());
  check(rows == columns, "linalg.tensorinv: ", a.sizes(), " is not square: the products of the first ", ind,
        " sizes and of the others are ", rows, " and ", columns);
  Sizes sizes(a.sizes().begin() + ind, a.sizes().end());
  for (int64_t d = 0; d < ind; ++d) sizes.push_back(a.size(d));
  return ops::reshape(ops::linalg_inv(ops::reshape(a, {rows, columns})), sizes);
}

}  // namespace

void define_solve(const Family& define) {
  define(ops::solve_factored,
         "_solve(Tensor A, Tensor B) -> (Tensor result, Tensor LU, IndexTensor pivots, IndexTensor info)")
      .doc("linalg.solve_ex of matrices with one batch, with the factors.")
      .node("LinalgSolveExBackward0")
      .forward(solve_forward)
      .grad("A", [](Tensor g, Tensor, Result x, Result lu, Result pivots,
                    Tensor a) { return -ops::matmul(solved_adjoint(g, lu, pivots, a), adjoint(x)); })
      .grad("B", [](Tensor g, Tensor, Result, Result lu, Result pivots, Tensor a) {
        return solved_adjoint(g, lu, pivots, a);
      });
  define(
      ops::linalg_solve_ex,
      "linalg.solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, IndexTensor "
      "info)")
      .doc(
          "As linalg.solve, and for each matrix 0 or the number of the diagonal element of U that is zero. Nothing "
          "fails "
          "unless `check_errors` is set.")
      .example("torch.linalg.solve_ex(torch.tensor{{2, 0}, {0, 4}}, torch.ones(2))")
      .compose([](const Tensor& a, const Tensor& b, bool left, bool check_errors) {
        const Solution s = solution("linalg.solve_ex", a, b, left);
        if (check_errors) check_info("linalg.solve_ex", s.info, kSingular, a.dim() == 2);
        return std::tuple(s.x, s.info);
      });
  define(ops::linalg_solve, "linalg.solve(Tensor A, Tensor B, *, bool left=True) -> Tensor")
      .doc(
          "The X of `A @ X = B`, or of `X @ A = B` with left=false, by LU with partial pivoting; A is [..., N, N], B "
          "[..., N, K] or a vector [..., N]; batches broadcast. An error names the first singular matrix.")
      .example("torch.linalg.solve(torch.tensor{{2, 0}, {0, 4}}, torch.ones(2))")
      .compose(solve_of);

  define(ops::linalg_inv_ex,
         "linalg.inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, IndexTensor info)")
      .doc(
          "As linalg.inv, and for each matrix 0 or the number of the diagonal element of U that is zero. Nothing fails "
          "unless `check_errors` is set.")
      .example("torch.linalg.inv_ex(torch.tensor{{1, 2}, {2, 4}})")
      .forward(inverse_forward)
      .grad("A", [](Tensor g, Result x) {
        const Tensor xh = adjoint(x);
        return -ops::matmul(xh, ops::matmul(g, xh));
      });
  define(ops::linalg_inv, "linalg.inv(Tensor A) -> Tensor")
      .doc(
          "The inverse of square matrices [..., N, N]. An error names the first singular one. To solve equations, "
          "linalg.solve is faster and more accurate.")
      .example("torch.linalg.inv(torch.tensor{{2, 0}, {0, 4}})")
      .alias("inverse")
      .compose(inverse_of);

  define(ops::solve_triangle, "_solve_triangular(Tensor A, Tensor B, bool upper, bool unitriangular) -> Tensor")
      .doc("linalg.solve_triangular of matrices with one batch.")
      .node("LinalgSolveTriangularBackward0")
      .forward(triangle_forward)
      .grad("A", triangle_gradient)
      .grad("B", [](Tensor g, Tensor a, Meta, bool upper, bool unitriangular) {
        return ops::solve_triangle(adjoint(a), g, !upper, unitriangular);
      });
  define(
      ops::solve_triangular,
      "linalg.solve_triangular(Tensor A, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> Tensor")
      .doc(
          "The X of `A @ X = B` (or `X @ A = B`) for a triangular A, of which the other triangle is not read, nor the "
          "diagonal with `unitriangular`. A zero on the diagonal gives infinities and NaN, no error.")
      .example("torch.linalg.solve_triangular(torch.tensor{{1, 2}, {0, 4}}, torch.ones(2, 1), {upper=true})")
      .compose(triangular_of);
  define(
      "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> "
      "(Tensor solution, Tensor cloned_coefficient)")
      .doc("The X of `A @ X = self`, or of `A^T @ X = self`, and a copy of A. See linalg.solve_triangular.")
      .example("torch.ones(2, 1):triangular_solve(torch.tensor{{1, 2}, {0, 4}})")
      .compose(older_triangular_of);

  define("linalg.tensorsolve(Tensor A, Tensor B, Dim[] dims=[]) -> Tensor")
      .doc("The X of `tensordot(A, X, X:dim()) = B`; the dimensions `dims` of A are moved behind the others first.")
      .example("torch.linalg.tensorsolve(torch.eye(6):view(2, 3, 6), torch.randn(2, 3))")
      .compose(tensorsolve_of);
  define("linalg.tensorinv(Tensor A, int ind=2) -> Tensor")
      .doc("The inverse of tensordot with A, whose first `ind` dimensions are its rows.")
      .example("torch.linalg.tensorinv(torch.eye(6):view(2, 3, 6)).shape")
      .compose(tensorinv_of);
}

}  // namespace facula
