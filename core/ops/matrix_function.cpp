// Powers and the exponential of matrices; Vandermonde's matrix.
#include <cmath>
#include <limits>
#include <vector>

#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/pointwise.h"

namespace facula {

namespace ops {
static Op matrix_exp;
}

namespace {

Tensor matrix_power_of(const Tensor& a, int64_t n) {
  check_square("linalg.matrix_power", a);
  if (n == 0) return ops::tril(a, -a.size(-1)) + identity(a, a.size(-1), a.size(-1));  // zeros that depend on a
  Tensor square = n < 0 ? ops::linalg_inv(a) : a, result;
  for (uint64_t left = n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);;) {
    if (left & 1) result = result.defined() ? ops::matmul(result, square) : square;
    left >>= 1;
    if (left == 0) break;
    square = ops::matmul(square, square);
  }
  return n == 1 ? ops::clone(result) : result;
}

// ---- the exponential: scaling and squaring with Pade's approximant of degree 13 (Higham 2005) ----

constexpr double kTheta = 5.371920351148152;  // the largest norm for which the approximant is exact in double precision
constexpr double kPade[] = {64764752532480000.,
                            32382376266240000.,
                            7771770303897600.,
                            1187353796428800.,
                            129060195264000.,
                            10559470521600.,
                            670442572800.,
                            33522128640.,
                            1323241920.,
                            40840800.,
                            960960.,
                            16380.,
                            182.,
                            1.};

// How often each matrix of the batch [B, N, N] is halved.
std::vector<int> halvings(const Tensor& a) {
  const Tensor norms = ops::amax(ops::sum(ops::abs(a), IntList{-2}), IntList{-1});
  const Tensor sizes = dense(moved(converted(norms, DType::Float64), Device{}));
  std::vector<int> counts(static_cast<size_t>(sizes.numel()), 0);
  for (size_t b = 0; b < counts.size(); ++b) {
    const double norm = sizes.data<double>()[b];
    if (std::isfinite(norm) && norm > kTheta) counts[b] = static_cast<int>(std::ceil(std::log2(norm / kTheta)));
  }
  return counts;
}

Tensor pade(const Tensor& a) {
  const Tensor one = identity(a, a.size(-1), a.size(-1));
  const Tensor a2 = ops::matmul(a, a), a4 = ops::matmul(a2, a2), a6 = ops::matmul(a4, a2);
  auto terms = [&](const double* c) {  // every second coefficient
    const Tensor high = ops::matmul(a6, a6 * c[12] + a4 * c[10] + a2 * c[8]);
    return high + a6 * c[6] + a4 * c[4] + a2 * c[2] + one * c[0];
  };
  const Tensor u = ops::matmul(a, terms(kPade + 1)), v = terms(kPade);
  return ops::linalg_solve_ex.all({v - u, v + u}).tensor(0);
}

// A [B, 1, 1] tensor with f(halvings) for each matrix.
template <class F>
Tensor for_each_matrix(const std::vector<int>& counts, const Tensor& like, DType dtype, F&& f) {
  const Tensor values = empty({static_cast<int64_t>(counts.size()), 1, 1}, DType::Float64);
  for (size_t b = 0; b < counts.size(); ++b) values.data<double>()[b] = f(counts[b]);
  return moved(converted(values, dtype), like.device());
}

Tensor exponential(const Tensor& a) {
  const std::vector<int> counts = halvings(a);
  int most = 0;
  for (const int n : counts) most = std::max(most, n);
  if (most == 0) return pade(a);
  Tensor y = pade(a * for_each_matrix(counts, a, real_dtype(a.dtype()), [](int n) { return std::ldexp(1.0, -n); }));
  for (int i = 0; i < most; ++i) {
    const Tensor wanted = for_each_matrix(counts, a, DType::Bool, [&](int n) { return i < n ? 1.0 : 0.0; });
    y = ops::where(wanted, ops::matmul(y, y), y);
  }
  return y;
}

Tensor matrix_exp_forward(const Tensor& a) {
  check_square("matrix_exp", a);
  check(is_differentiable(a.dtype()), "matrix_exp: expected a floating or complex dtype, got ", a.dtype());
  if (a.numel() == 0 || a.is_meta()) return empty(a.sizes(), a.dtype(), a.device());
  const int64_t n = a.size(-1);
  const Tensor wide = converted(a, a.dtype() < DType::Float32 ? DType::Float32 : a.dtype());
  return converted(ops::reshape(exponential(ops::reshape(wide, {a.numel() / (n * n), n, n})), a.sizes()), a.dtype());
}

// The derivative in the direction G is the upper right block of exp [[A, G], [0, A]] (Al-Mohy and Higham 2009).
Tensor matrix_exp_gradient(Tensor g, Tensor a) {
  const int64_t n = a.size(-1);
  const Tensor ah = adjoint(a);
  const Tensor upper_half = ops::cat(Tensors{ah, g}, -1), lower_half = ops::cat(Tensors{ops::zeros_like(ah), ah}, -1);
  const Tensor whole = ops::matrix_exp(ops::cat(Tensors{upper_half, lower_half}, -2));
  return ops::narrow(ops::narrow(whole, -2, 0, n), -1, n, n);
}

Tensor vander_of(const Tensor& given, const OptInt& columns) {
  const Tensor x = given.dim() == 0 ? ops::unsqueeze(given, 0) : given;
  const int64_t n = columns.value_or(x.size(-1));
  check(n > 1, "linalg.vander: N must be at least 2, got ", n);
  const Tensor powers = ops::cumprod(ops::expand(ops::unsqueeze(x, -1), joined(x.sizes(), {n - 1})), -1);
  return ops::cat(Tensors{ops::ones_like(ops::narrow(powers, -1, 0, 1)), powers}, -1);
}

}  // namespace

void define_matrix_function(const Family& define) {
  define("linalg.matrix_power(Tensor A, int n) -> Tensor")
      .doc("The n-th power of square matrices, by repeated squaring; a negative one is that of the inverse.")
      .example("torch.linalg.matrix_power(torch.tensor{{1, 1}, {1, 0}}, 10)")
      .alias("matrix_power")
      .compose(matrix_power_of);
  define(ops::matrix_exp, "matrix_exp(Tensor self) -> Tensor")
      .doc("The exponential `1 + A + A^2 / 2 + ...` of square matrices, by scaling and squaring (Higham 2005).")
      .example("torch.matrix_exp(torch.tensor{{0, 1}, {0, 0}})")
      .alias("linalg.matrix_exp")
      .node("LinalgMatrixExpBackward0")
      .forward(matrix_exp_forward)
      .grad("self", matrix_exp_gradient);
  define("linalg.vander(Tensor x, *, int? N=None) -> Tensor")
      .doc(
          "Vandermonde's matrix [..., n, N] of x [..., n]: the powers 0 to N - 1 of each element in a row; N is n by "
          "default.")
      .example("torch.linalg.vander(torch.tensor{1, 2, 3})")
      .compose(vander_of);
}

}  // namespace facula
