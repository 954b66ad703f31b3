// What the operators of linear algebra share: matrices are the last two dimensions, all before them are a batch.
#pragma once

#include "core/ops.h"

namespace facula {

void check_matrix(const char* name, const Tensor& x);
void check_square(const char* name, const Tensor& x);
/// float32, float64, complex64 or complex128, which is what LAPACK computes in.
void check_lapack(const char* name, const Tensor& x);
void check_same_dtype(const char* name, const Tensor& a, const Tensor& b);
/// A @ X = B, or X @ A = B where not `left`, needs as many rows (columns) of B as A has.
void check_rows(const char* name, const Tensor& a, const Tensor& b, bool left);

/// x [..., M, N] as [B, M, N], copied only where no view will do; without history.
Tensor as_batch(const Tensor& x);
/// A dense result [..., M, N] as [B, M, N], and one [..., N] as [B, N], and one [...] as [B].
Tensor result_batch(const Tensor& y, int64_t matrix_dims = 2);

Sizes batch_sizes(const Sizes& sizes, int64_t matrix_dims = 2);
/// A batch's sizes with those of a matrix or vector behind.
Sizes joined(Sizes batch, std::initializer_list<int64_t> rest);

/// x^H.
Tensor adjoint(const Tensor& x);
/// The identity [M, N] of x's dtype and device.
Tensor identity(const Tensor& x, int64_t m, int64_t n);
/// x / y, and 0 where both are 0, with derivatives that are finite there too.
Tensor quotient(const Tensor& x, const Tensor& y);

/// Both stretched to a common batch.
std::pair<Tensor, Tensor> broadcast_batches(const char* name, const Tensor& a, const Tensor& b);
/// Fails for the first matrix of a batch whose info is positive, with `what` about it; a meta tensor passes.
void check_info(const char* name, const Tensor& info, const char* what, bool is_single);
/// Is a gradient wanted of any of them?
bool wants_gradient(std::initializer_list<Tensor> tensors);
/// The machine epsilon of a dtype (of its real partner).
double epsilon(DType t);

namespace ops {
// what several of these families call
inline Op linalg_solve, linalg_solve_ex, linalg_lu_factor_ex, lu_solve_left, solve_triangular, linalg_inv,
    linalg_inv_ex, linalg_det, svd_factors, linalg_svdvals, linalg_eigh, linalg_eigvalsh, linalg_pinv, row_order;
}  // namespace ops

}  // namespace facula
