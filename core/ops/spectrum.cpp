// Singular values and eigenvalues. Vectors are unique only up to signs or phases (and rotations, where values repeat): a loss
// must not depend on them.
#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op linalg_eig, eigvalsh_only, svdvals_only, eigvals_only;
}

namespace {

// ---- singular values ----

std::tuple<Tensor, Tensor, Tensor> svd_forward(Out& out, const Tensor& a, bool full) {
  check_matrix("linalg.svd", a);
  check_lapack("linalg.svd", a);
  const int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
  const Sizes batch = batch_sizes(a.sizes());
  const Tensor u = out.make(0, joined(batch, {m, full ? m : k}), a.dtype());
  const Tensor s = out.make(1, joined(batch, {k}), real_dtype(a.dtype()));
  const Tensor vh = out.make(2, joined(batch, {full ? n : k, n}), a.dtype());
  slots::svd(result_batch(u), result_batch(s, 1), result_batch(vh), as_batch(a));
  return {u, s, vh};
}

Tensor svdvals_forward(Out& out, const Tensor& a) {
  check_matrix("linalg.svdvals", a);
  check_lapack("linalg.svdvals", a);
  const Tensor s = out.make(joined(batch_sizes(a.sizes()), {std::min(a.size(-1), a.size(-2))}), real_dtype(a.dtype()));
  const Tensor none = empty({0, 0, 0}, a.dtype(), a.device());
  const Tensor values = result_batch(s, 1);
  slots::svd(none, values, none, as_batch(a));
  return s;
}

Tensor differences(const Tensor& values) {  // [i, j]: j's less i's, and 1 on the diagonal
  const Tensor d = ops::unsqueeze(values, -2) - ops::unsqueeze(values, -1);
  return d + ops::diag_embed(ops::ones_like(values));
}
Tensor skew(const Tensor& x) { return x - adjoint(x); }
Tensor diagonal_of(const Tensor& x) { return ops::diagonal(x, 0, -2, -1); }

void check_phase(const char* name, const Tensor& turn) {
  const bool bad = !turn.is_meta() && item(ops::any(ops::gt(ops::abs(turn), 1e-2))).to<bool>();
  check(!bad, "backward of ", name, ": the loss depends on the phases of the vectors, which are not determined");
}

// U [((skew(U^H gU) / E) S + S (skew(V^H gV) / E)) + diag(gS)] V^H with E_ij = s_j^2 - s_i^2, and where U or V are not
// square what their gradients have outside of them (Townsend 2016; complex: Wan and Zhang 2019).
Tensor svd_gradient(Tensor gu_full, Tensor gs, Tensor gvh_full, Result u_full, Result s, Result vh_full) {
  const int64_t k = s.size(-1), m = u_full.size(-2), n = vh_full.size(-1);
  const Tensor u = ops::narrow(u_full, -1, 0, k), vh = ops::narrow(vh_full, -2, 0, k);
  const Tensor gu = ops::narrow(gu_full, -1, 0, k), gvh = ops::narrow(gvh_full, -2, 0, k);
  const Tensor ugu = ops::matmul(adjoint(u), gu), vgv = ops::matmul(vh, adjoint(gvh));
  const Tensor turn_u = skew(ugu), turn_v = skew(vgv);
  const Tensor row = ops::unsqueeze(s, -2), column = ops::unsqueeze(s, -1);
  const Tensor e = differences(ops::square(s));
  Tensor core = quotient(turn_u * row + column * turn_v, e) + ops::diag_embed(gs);
  if (is_complex(u.dtype())) {
    const Tensor phase = diagonal_of(turn_u);
    check_phase("linalg.svd", ops::imag(phase) + ops::imag(diagonal_of(turn_v)));
    const Tensor on_diagonal = ops::diag_embed(quotient(phase, s * 2));
    core = core - ops::diag_embed(diagonal_of(core)) + on_diagonal + ops::diag_embed(gs);
  }
  Tensor ga = ops::matmul(u, core);
  if (m > k) ga = ga + quotient(gu - ops::matmul(u, ugu), row);
  ga = ops::matmul(ga, vh);
  if (n > k) ga = ga + ops::matmul(u, quotient(gvh - ops::matmul(adjoint(vgv), vh), column));
  return ga;
}

void check_driver(const char* name, const OptString& driver) {
  check(!driver, name, ": driver= chooses between algorithms of CUDA only");
}

Results older_svd(const Tensor& a, bool some, bool compute_uv) {
  check_matrix("svd", a);
  Results results;
  if (compute_uv) {
    const Results r = ops::svd_factors.all({a, !some});
    results.push(r.tensor(0)), results.push(r.tensor(1)), results.push(adjoint(r.tensor(2)));
    return results;
  }
  auto zeros = [&](int64_t n) {
    return ops::zero_(empty(joined(batch_sizes(a.sizes()), {n, n}), a.dtype(), a.device()));
  };
  results.push(zeros(a.size(-2))), results.push(ops::linalg_svdvals(a)), results.push(zeros(a.size(-1)));
  return results;
}

// ---- Hermitian matrices ----

bool is_upper(const char* name, const std::string& uplo) {
  const bool upper = uplo == "U" || uplo == "u";
  check(upper || uplo == "L" || uplo == "l", name, ": UPLO must be 'L' or 'U', got '", uplo, "'");
  return upper;
}

std::tuple<Tensor, Tensor> eigh_forward(Out& out, const Tensor& a, const std::string& uplo) {
  check_square("linalg.eigh", a);
  check_lapack("linalg.eigh", a);
  const Tensor w = out.make(0, batch_sizes(a.sizes(), 1), real_dtype(a.dtype())), v = out.make(1, a.sizes(), a.dtype());
  slots::eigh(result_batch(w, 1), result_batch(v), as_batch(a), is_upper("linalg.eigh", uplo));
  return {w, v};
}

Tensor eigvalsh_forward(Out& out, const Tensor& a, const std::string& uplo) {
  check_square("linalg.eigvalsh", a);
  check_lapack("linalg.eigvalsh", a);
  const Tensor w = out.make(batch_sizes(a.sizes(), 1), real_dtype(a.dtype()));
  slots::eigh(result_batch(w, 1), empty({0, 0, 0}, a.dtype(), a.device()), as_batch(a),
              is_upper("linalg.eigvalsh", uplo));
  return w;
}

// V (diag(gw) + V^H gV / E) V^H with E_ij = w_j - w_i (Giles 2008).
Tensor eigh_gradient(Tensor gw, Tensor gv, Result w, Result v) {
  const Tensor vgv = ops::matmul(adjoint(v), gv);
  if (is_complex(v.dtype())) check_phase("linalg.eigh", ops::imag(diagonal_of(vgv)));
  const Tensor off = vgv - ops::diag_embed(diagonal_of(vgv));
  const Tensor core = quotient(off, differences(w)) + ops::diag_embed(gw);
  return ops::matmul(ops::matmul(v, core), adjoint(v));
}

// ---- any square matrix ----

std::tuple<Tensor, Tensor> eig_forward(Out& out, const Tensor& a) {
  check_square("linalg.eig", a);
  check_lapack("linalg.eig", a);
  const DType t = complex_dtype(a.dtype());
  const Tensor w = out.make(0, batch_sizes(a.sizes(), 1), t), v = out.make(1, a.sizes(), t);
  slots::eig(result_batch(w, 1), result_batch(v), as_batch(a));
  return {w, v};
}

Tensor eigvals_forward(Out& out, const Tensor& a) {
  check_square("linalg.eigvals", a);
  check_lapack("linalg.eigvals", a);
  const DType t = complex_dtype(a.dtype());
  const Tensor w = out.make(batch_sizes(a.sizes(), 1), t);
  slots::eig(result_batch(w, 1), empty({0, 0, 0}, t, a.device()), as_batch(a));
  return w;
}

// V^-H (diag(gw) + (V^H gV - V^H V diag(Re V^H gV)) / conj(E)) V^H: the vectors have length 1 (Giles 2008).
Tensor eig_gradient(Tensor gw, Tensor gv, Result w, Result v, Tensor a) {
  const Tensor vh = adjoint(v), vgv = ops::matmul(vh, gv), diagonal = diagonal_of(vgv);
  check_phase("linalg.eig", ops::imag(diagonal));
  const Tensor length = ops::unsqueeze(ops::to_dtype(ops::real(diagonal), v.dtype()), -2);
  const Tensor turned = vgv - ops::matmul(vh, v * length);
  const Tensor off = turned - ops::diag_embed(diagonal_of(turned));
  const Tensor core = quotient(off, ops::conj(differences(w))) + ops::diag_embed(gw);
  const Tensor ga = ops::linalg_solve(vh, ops::matmul(core, vh));
  return is_complex(a.dtype()) ? ga : ops::real(ga);
}

}  // namespace

void define_spectrum(const Family& define) {
  define(ops::svd_factors, "_svd(Tensor A, bool full_matrices=False) -> (Tensor U, Tensor S, Tensor Vh)")
      .doc("linalg.svd.")
      .node("LinalgSvdBackward0")
      .forward(svd_forward)
      .grad("A", svd_gradient);
  define("linalg.svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)")
      .doc(
          "`A = U @ diag(S) @ Vh`, the singular values in falling order. With full_matrices U is [..., M, M] and Vh "
          "[..., N, "
          "N], else they have K = min(M, N) columns and rows. The derivative needs distinct singular values where U or "
          "Vh "
          "are used, and a loss that does not depend on their signs or phases.")
      .example("torch.linalg.svd(torch.randn(4, 2), false)")
      .compose([](const Tensor& a, bool full, const OptString& driver) {
        check_driver("linalg.svd", driver);
        return ops::svd_factors.all({a, full});
      });
  define(ops::svdvals_only, "_svdvals(Tensor A) -> Tensor")
      .doc("linalg.svdvals without a derivative.")
      .forward(svdvals_forward);
  define(ops::linalg_svdvals, "linalg.svdvals(Tensor A, *, str? driver=None) -> Tensor")
      .doc("The singular values of A [..., M, N] in falling order.")
      .example("torch.linalg.svdvals(torch.tensor{{3, 0}, {0, -4}})")
      .compose([](const Tensor& a, const OptString& driver) {
        check_driver("linalg.svdvals", driver);
        return wants_gradient({a}) ? ops::svd_factors.all({a}).tensor(1) : ops::svdvals_only(a);
      });
  define("svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)")
      .doc("As linalg.svd, but with V in the place of its adjoint; without `compute_uv` U and V are zeros.")
      .example("torch.svd(torch.randn(4, 2))")
      .compose(older_svd);

  define(ops::linalg_eigh, "linalg.eigh(Tensor A, str UPLO='L') -> (Tensor eigenvalues, Tensor eigenvectors)")
      .doc(
          "Eigenvalues in rising order and orthonormal eigenvectors (columns) of a symmetric or Hermitian A [..., N, "
          "N], of "
          "which only the lower triangle is read, or with UPLO='U' the upper one.")
      .example("torch.linalg.eigh(torch.tensor{{2, 1}, {1, 2}})")
      .forward(eigh_forward)
      .grad("A", eigh_gradient);
  define(ops::eigvalsh_only, "_eigvalsh(Tensor A, str UPLO='L') -> Tensor")
      .doc("linalg.eigvalsh without a derivative.")
      .forward(eigvalsh_forward);
  define(ops::linalg_eigvalsh, "linalg.eigvalsh(Tensor A, str UPLO='L') -> Tensor")
      .doc("The eigenvalues of a symmetric or Hermitian matrix in rising order. See linalg.eigh.")
      .example("torch.linalg.eigvalsh(torch.tensor{{2, 1}, {1, 2}})")
      .compose([](const Tensor& a, const std::string& uplo) {
        return wants_gradient({a}) ? ops::linalg_eigh.all({a, uplo}).tensor(0) : ops::eigvalsh_only(a, uplo);
      });

  define(ops::linalg_eig, "linalg.eig(Tensor A) -> (Tensor eigenvalues, Tensor eigenvectors)")
      .doc("Eigenvalues, in no order, and eigenvectors (columns of length 1) of A [..., N, N]; always complex.")
      .example("torch.linalg.eig(torch.tensor{{0, -1}, {1, 0}})")
      .forward(eig_forward)
      .grad("A", eig_gradient);
  define(ops::eigvals_only, "_eigvals(Tensor A) -> Tensor")
      .doc("linalg.eigvals without a derivative.")
      .forward(eigvals_forward);
  define("linalg.eigvals(Tensor A) -> Tensor")
      .doc("The eigenvalues of A [..., N, N], in no order; always complex.")
      .example("torch.linalg.eigvals(torch.tensor{{0, -1}, {1, 0}})")
      .compose([](const Tensor& a) {
        return wants_gradient({a}) ? ops::linalg_eig.all({a}).tensor(0) : ops::eigvals_only(a);
      });
}

}  // namespace facula
