// QR, and products of the Householder reflectors that it is made of.
#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op geqrf, linalg_qr, reflector_product, reflector_multiply;
}

namespace {

// ---- QR ----

std::tuple<Tensor, Tensor> geqrf_forward(Out& out, const Tensor& x) {
  check_matrix("geqrf", x);
  check_lapack("geqrf", x);
  const Sizes batch = batch_sizes(x.sizes());
  const Tensor a = out.make(0, x.sizes(), x.dtype());
  const Tensor tau = out.make(1, joined(batch, {std::min(x.size(-1), x.size(-2))}), x.dtype());
  slots::geqrf(result_batch(a), result_batch(tau, 1), as_batch(x));
  return {a, tau};
}

std::tuple<Tensor, Tensor> qr_forward(Out& out, const Tensor& x, const std::string& mode) {
  check_matrix("linalg.qr", x);
  check_lapack("linalg.qr", x);
  check(mode == "reduced" || mode == "complete" || mode == "r",
        "linalg.qr: mode must be 'reduced', 'complete' or 'r', got '", mode, "'");
  const int64_t m = x.size(-2), n = x.size(-1), k = std::min(m, n), height = mode == "complete" ? m : k;
  const Sizes batch = batch_sizes(x.sizes());
  const Results factors = ops::geqrf.all({x});
  const Tensor a = factors.tensor(0), tau = factors.tensor(1);
  const Tensor q = mode == "r" ? out.make(0, {0}, x.dtype()) : out.make(0, joined(batch, {m, height}), x.dtype());
  const Tensor r = out.make(1, joined(batch, {height, n}), x.dtype());
  slots::copy(r, ops::triu(ops::narrow(a, -2, 0, height)));
  if (mode != "r")
    slots::householder_product(result_batch(q), as_batch(ops::narrow(a, -1, 0, std::min(n, height))),
                               result_batch(tau, 1));
  return {q, r};
}

// X + X^H with X's diagonal once, its real part.
Tensor hermitian_part(const Tensor& x) {
  const Tensor diagonal = ops::diag_embed(ops::diagonal(x, 0, -2, -1));
  const Tensor strict = x - diagonal;
  return strict + adjoint(strict) + (diagonal + adjoint(diagonal)) * 0.5;
}

// (gQ + Q H) R^-H, H made of the upper triangle of gR R^H - Q^H gQ, for M >= N (Walter and Lehmann 2018).
Tensor tall_qr_gradient(const Tensor& gq, const Tensor& gr, const Tensor& q, const Tensor& r) {
  const Tensor m = ops::matmul(gr, adjoint(r)) - ops::matmul(adjoint(q), gq);
  return ops::solve_triangular(adjoint(r), gq + ops::matmul(q, hermitian_part(ops::triu(m))), false, false);
}

Tensor qr_gradient(Tensor gq, Tensor gr, Result q, Result r, Tensor a, std::string mode) {
  check(mode != "r", "backward of linalg.qr: mode='r' keeps no Q; use mode='reduced'");
  const int64_t m = a.size(-2), n = a.size(-1);
  check(mode != "complete" || m <= n, "backward of linalg.qr: with mode='complete' ", a.sizes(),
        " must not have more rows than columns: the additional columns of Q are not determined");
  if (m >= n) return tall_qr_gradient(gq, gr, q, r);
  // A = Q [R1 R2]: A1 = Q R1 is square, and R2 = Q^H A2.
  const Tensor a2 = ops::narrow(a, -1, m, n - m), gr2 = ops::narrow(gr, -1, m, n - m);
  const Tensor g1 =
      tall_qr_gradient(gq + ops::matmul(a2, adjoint(gr2)), ops::narrow(gr, -1, 0, m), q, ops::narrow(r, -1, 0, m));
  return ops::cat(Tensors{g1, ops::matmul(q, gr2)}, -1);
}

// ---- products of reflectors ----

void check_reflectors(const char* name, const Tensor& a, const Tensor& tau) {
  check_matrix(name, a);
  check_lapack(name, a);
  check_same_dtype(name, a, tau);
  check(a.size(-2) >= a.size(-1), name, ": expected at least as many rows as columns, got ", a.sizes());
  const Sizes batch = batch_sizes(a.sizes());
  check(tau.dim() == a.dim() - 1 && batch_sizes(tau.sizes(), 1) == batch && tau.size(-1) <= a.size(-1), name, ": tau ",
        tau.sizes(), " does not belong to ", a.sizes());
}

Tensor reflector_product_forward(Out& out, const Tensor& a, const Tensor& tau) {
  const Tensor q = out.make(a.sizes(), a.dtype());
  slots::householder_product(result_batch(q), as_batch(a), result_batch(ops::contiguous(tau), 1));
  return q;
}

// x - tau v (v^H x), or with the reflector's adjoint.
Tensor reflected(const Tensor& x, const Tensor& v, const Tensor& tau) {
  const Tensor scale = ops::unsqueeze(ops::unsqueeze(tau, -1), -1);
  return x - ops::matmul(v * scale, ops::matmul(adjoint(v), x));
}
Tensor reflector(const Tensor& v, int64_t i) { return ops::narrow(v, -1, i, 1); }
// The vectors v_i as columns.
Tensor reflectors(const Tensor& a) { return ops::tril(a, -1) + identity(a, a.size(-2), a.size(-1)); }

// Reflector by reflector, which differentiates to any order, where gradients are wanted.
Tensor householder_of(const Tensor& a, const Tensor& tau) {
  check_reflectors("linalg.householder_product", a, tau);
  if (!wants_gradient({a, tau})) return ops::reflector_product(a, tau);
  const Tensor v = reflectors(a);
  Tensor q = ops::tril(a, -a.size(-2)) + identity(a, a.size(-2), a.size(-1));  // no reflector: zeros that depend on a
  for (int64_t i = tau.size(-1); i-- > 0;) q = reflected(q, reflector(v, i), ops::select(tau, -1, i));
  return q;
}

Tensor multiply_forward(Out& out, const Tensor& a, const Tensor& tau, const Tensor& c, bool left, bool is_adjoint) {
  const Tensor y = out.make(c.sizes(), c.dtype());
  slots::householder_multiply(result_batch(y), as_batch(a), result_batch(ops::contiguous(tau), 1), as_batch(c), left,
                              is_adjoint);
  return y;
}

// Q C = H_1 ... H_K C; the others are adjoints of it.
Tensor multiplied(const Tensor& a, const Tensor& tau, const Tensor& c, bool is_adjoint) {
  const Tensor v = reflectors(a);
  const int64_t k = tau.size(-1);
  Tensor x = c;
  for (int64_t step = 0; step < k; ++step) {
    const int64_t i = is_adjoint ? step : k - 1 - step;
    const Tensor scale = ops::select(tau, -1, i);
    x = reflected(x, reflector(v, i), is_adjoint ? ops::conj(scale) : scale);
  }
  return x;
}

Tensor ormqr_of(const Tensor& a, const Tensor& tau, const Tensor& c, bool left, bool transpose) {
  check_matrix("ormqr", a);
  check_matrix("ormqr", c);
  check_lapack("ormqr", a);
  check_same_dtype("ormqr", a, tau);
  check_same_dtype("ormqr", a, c);
  const Sizes batch = batch_sizes(a.sizes());
  const int64_t order = c.size(left ? -2 : -1);
  check(a.size(-2) == order && batch_sizes(c.sizes()) == batch, "ormqr: ", a.sizes(), " and ", c.sizes(),
        " do not match, ", a.size(-2), " rows against ", order);
  check(tau.dim() == a.dim() - 1 && batch_sizes(tau.sizes(), 1) == batch && tau.size(-1) <= std::min(order, a.size(-1)),
        "ormqr: tau ", tau.sizes(), " does not belong to ", a.sizes());
  if (!wants_gradient({a, tau, c})) return ops::reflector_multiply(a, tau, c, left, transpose);
  if (left) return multiplied(a, tau, c, transpose);
  return adjoint(multiplied(a, tau, adjoint(c), !transpose));
}

}  // namespace

void define_orthogonal(const Family& define) {
  define(ops::geqrf, "geqrf(Tensor self) -> (Tensor a, Tensor tau)")
      .doc(
          "QR as LAPACK keeps it: R on and above the diagonal, below it the vectors of the reflectors `1 - tau v v^H`. "
          "See "
          "linalg.qr. It has no derivative.")
      .example("torch.geqrf(torch.randn(3, 2))")
      .forward(geqrf_forward);
  define(ops::linalg_qr, "linalg.qr(Tensor A, str mode='reduced') -> (Tensor Q, Tensor R)")
      .doc(
          "`A = Q @ R` with orthonormal columns in Q and an upper triangular R, by Householder's reflectors; of A "
          "[..., M, "
          "N], K = min(M, N). mode 'reduced': Q [..., M, K], R [..., K, N]; 'complete': Q [..., M, M], R [..., M, N]; "
          "'r': "
          "R alone, Q without elements.")
      .example("torch.linalg.qr(torch.randn(4, 2))")
      .forward(qr_forward)
      .grad("A", qr_gradient);
  define("qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)")
      .doc("linalg.qr, reduced with `some`, else complete.")
      .example("torch.randn(4, 2):qr()")
      .compose([](const Tensor& x, bool some) {
        const Results r = ops::linalg_qr.all({x, some ? "reduced" : "complete"});
        return std::tuple(r.tensor(0), r.tensor(1));
      });
  define(ops::reflector_product, "_householder_product(Tensor A, Tensor tau) -> Tensor")
      .doc("linalg.householder_product without a derivative.")
      .forward(reflector_product_forward);
  define("linalg.householder_product(Tensor A, Tensor tau) -> Tensor")
      .doc(
          "The first N columns of `H_1 @ ... @ H_K`, `H_i = 1 - tau_i v_i v_i^H`, the v_i below the diagonal of A "
          "[..., M, "
          "N] as geqrf leaves them, tau [..., K], K <= N <= M.")
      .example("torch.linalg.householder_product(torch.geqrf(torch.randn(3, 2)))")
      .alias("orgqr")
      .compose(householder_of);
  define(ops::reflector_multiply,
         "_ormqr(Tensor self, Tensor input2, Tensor input3, bool left, bool adjoint) -> Tensor")
      .doc("ormqr without a derivative.")
      .forward(multiply_forward);
  define("ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor")
      .doc(
          "`Q @ input3` (`input3 @ Q` with left=false; Q^H with `transpose`), Q the square product of the reflectors "
          "in "
          "`self` and `input2` = tau, as geqrf returns them.")
      .example("local a, tau = torch.geqrf(torch.randn(3, 2)) print(torch.ormqr(a, tau, torch.randn(3, 4)))")
      .compose(ormqr_of);
}

}  // namespace facula
