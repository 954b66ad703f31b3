// Determinants, from LU with partial pivoting: the product of U's diagonal, with the sign of the exchanges.
#include <cmath>
#include <limits>

#include "core/ops/families.h"
#include "core/ops/matrix.h"

namespace facula {

namespace ops {
static Op det_factored, slogdet_factored;
}

namespace {

struct Factors {
  Tensor lu, pivots;
  Tensor diagonal() const { return ops::diagonal(lu, 0, -2, -1); }
};

Factors factored(const char* name, const Tensor& a) {
  check_square(name, a);
  check_lapack(name, a);
  const Results r = ops::linalg_lu_factor_ex.all({a});
  return {r.tensor(0), r.tensor(1)};
}

// 1 for an even number of exchanges, -1 for an odd one, in U's dtype.
Tensor parity(const Tensor& lu, const Tensor& pivots) {
  const Tensor places = ops::to_device(ops::arange(pivots.size(-1)), pivots.device()) + 1;
  const Tensor exchanges = ops::sum(ops::ne(pivots, places), IntList{-1});
  return ops::to_dtype(ops::fmod(exchanges, 2) * -2 + 1, lu.dtype());
}

Tensor product_of_diagonal(const Tensor& lu, const Tensor& pivots) {
  return ops::prod(ops::diagonal(lu, 0, -2, -1), IntList{-1}) * parity(lu, pivots);
}

// scale [...] times the identity [..., N, N].
Tensor scaled_identity(const Tensor& scale, int64_t n) {
  return ops::diag_embed(ops::expand(ops::unsqueeze(scale, -1), joined(scale.sizes(), {n})));
}

// A^-H scale.
Tensor adjoint_inverse(const Tensor& scale, const Tensor& a) {
  return ops::linalg_solve(adjoint(a), scaled_identity(scale, a.size(-1)));
}

std::tuple<Tensor, Tensor, Tensor> det_forward(const Tensor& a) {
  const Factors f = factored("linalg.det", a);
  return {product_of_diagonal(f.lu, f.pivots), f.lu, f.pivots};
}

// The gradient is the adjugate, conj(det) A^-H, a polynomial: at a singular matrix it is that of one nearby. Once, zeros on
// U's diagonal become epsilon. To be differentiated again, A is shifted by the cube root of epsilon, where the errors of
// cancellation and of the shift are alike.
Tensor det_gradient(Tensor g, Tensor, Result det, Result lu, Result pivots, Tensor a) {
  const int64_t n = a.size(-1);
  const double eps = epsilon(a.dtype());
  if (!GradMode::enabled()) {
    const Tensor diagonal = ops::diagonal(lu, 0, -2, -1);
    const Tensor zero = ops::eq(diagonal, 0);
    const Tensor regular = lu + ops::diag_embed(ops::to_dtype(zero, lu.dtype()) * eps);
    const Tensor scale = g * ops::conj(product_of_diagonal(regular, pivots));
    return ops::lu_solve_left(regular, pivots, scaled_identity(scale, n), true);
  }
  const bool singular = !a.is_meta() && item(ops::any(ops::eq(det, 0))).to<bool>();
  if (!singular) return adjoint_inverse(g * ops::conj(det), a);
  const Tensor shift = scaled_identity(ops::to_dtype(ops::eq(det, 0), a.dtype()) * std::cbrt(eps), n);
  const Tensor near = a + shift;
  return adjoint_inverse(g * ops::conj(ops::linalg_det(near)), near);
}

std::tuple<Tensor, Tensor, Tensor, Tensor> slogdet_forward(const Tensor& a) {
  const Factors f = factored("linalg.slogdet", a);
  const Tensor diagonal = f.diagonal();
  const Tensor sign = ops::prod(ops::sgn(diagonal), IntList{-1}) * parity(f.lu, f.pivots);
  return {sign, ops::sum(ops::log(ops::abs(diagonal)), IntList{-1}), f.lu, f.pivots};
}

// d log det = tr(A^-1 dA), whose real part is d log |det| and whose imaginary part turns the sign.
Tensor slogdet_gradient(Tensor g_sign, Tensor g_log, Tensor, Result sign, Result, Result lu, Result pivots, Tensor a) {
  Tensor scale = g_log;
  if (is_complex(a.dtype())) {
    const Tensor turn = -ops::imag(ops::conj(g_sign) * sign);
    scale = ops::view_as_complex(ops::stack(Tensors{g_log, turn}, -1));
  }
  if (GradMode::enabled()) return adjoint_inverse(scale, a);
  return ops::lu_solve_left(lu, pivots, scaled_identity(scale, a.size(-1)), true);
}

Tensor logdet_of(const Tensor& a) {
  const Results r = ops::slogdet_factored.all({a});
  const Tensor sign = r.tensor(0), size = r.tensor(1);
  if (is_complex(a.dtype())) return ops::log(sign) + size;
  return ops::masked_fill(size, ops::lt(sign, 0), std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

void define_determinant(const Family& define) {
  define(ops::det_factored, "_det(Tensor A) -> (Tensor result, Tensor LU, IndexTensor pivots)")
      .doc("linalg.det with the factors.")
      .node("LinalgDetBackward0")
      .forward(det_forward)
      .grad("A", det_gradient);
  define(ops::linalg_det, "linalg.det(Tensor A) -> Tensor")
      .doc("The determinants of square matrices [..., N, N].")
      .example("torch.linalg.det(torch.tensor{{1, 2}, {3, 4}})")
      .alias("det")
      .compose([](const Tensor& a) { return ops::det_factored.all({a}).tensor(0); });
  define(ops::slogdet_factored, "_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet, Tensor LU, IndexTensor pivots)")
      .doc("linalg.slogdet with the factors.")
      .node("LinalgSlogdetBackward0")
      .forward(slogdet_forward)
      .grad("A", slogdet_gradient);
  define("linalg.slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)")
      .doc(
          "The sign of the determinant (of absolute value 1, or 0) and the logarithm of its absolute value, which "
          "neither "
          "overflows nor underflows.")
      .example("torch.linalg.slogdet(torch.tensor{{1, 2}, {3, 4}})")
      .alias("slogdet")
      .compose([](const Tensor& a) {
        const Results r = ops::slogdet_factored.all({a});
        return std::tuple(r.tensor(0), r.tensor(1));
      });
  define("logdet(Tensor self) -> Tensor")
      .doc("The logarithm of the determinant: NaN where it is negative, -inf where it is zero.")
      .example("torch.logdet(torch.tensor{{2, 0}, {0, 4}})")
      .compose(logdet_of);
}

}  // namespace facula
