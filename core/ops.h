// The operators that C++ calls by name, in derivatives above all. Each is bound by its declaration in core/ops/.
#pragma once

#include "core/operator.h"

namespace facula {

namespace ops {
// creation and copies
inline Op clone, contiguous, to_dtype, to_device, ones_like, zeros_like, full_like, copy_, fill_, zero_, arange;
// views
inline Op as_strided, expand, reshape, view, transpose, permute, squeeze, unsqueeze, select, slice, narrow, flatten,
    diagonal, unbind, diag_embed, tril, triu;
inline Op view_as_real, view_as_complex, real, imag;
// joining
inline Op cat, stack, split_with_sizes;
// pointwise
inline Op add, sub, mul, div, fmod, neg, abs, sgn, exp, log, sqrt, square, reciprocal, sin, cos, tan, sinh, cosh, tanh,
    sigmoid, pow, conj, conj_physical;
inline Op eq, ne, lt, le, gt, ge, logical_and, logical_or, logical_not, isnan, where, clamp, maximum, minimum, relu,
    lerp, rsqrt;
inline Op gelu, gelu_backward, sigmoid_backward, tanh_backward, threshold_backward, masked_fill, complex, angle, atan2;
inline Op isfinite, erf, erfc, erfinv, lgamma, digamma, polygamma, log1p, xlogy;
// reductions
inline Op sum, mean, prod, amax, amin, any, all, var, norm, nuclear_norm, logsumexp, cumsum, cumprod, softmax,
    log_softmax, sum_to_size;
inline Op softmax_backward, log_softmax_backward, argmax, argmin;
// linear algebra
inline Op mm, mv, bmm, matmul, dot, addmm, linear, t, outer;
// positions
inline Op gather, scatter, scatter_add, index_select, index_add, index, index_put, index_put_, nonzero, masked_select,
    flip;
inline Op sort, topk;
// order, spread and spectra
inline Op searchsorted, deviation, fft_c2c, fft_r2c, fft_c2r;
// neural networks
inline Op conv, conv_input, conv_weight, max_pool_backward, nll_loss, bernoulli;
inline Op constant_pad_nd, avg_pool, adaptive_avg_pool, resample_pad;
}  // namespace ops

/// ops::select, without a call where nobody would notice it: loops over data take row after row.
Tensor select_row(const Tensor& x, int64_t dim, int64_t index);

inline Tensor operator+(const Tensor& a, const Value& b) { return ops::add(a, b); }
inline Tensor operator-(const Tensor& a, const Value& b) { return ops::sub(a, b); }
inline Tensor operator*(const Tensor& a, const Value& b) { return ops::mul(a, b); }
inline Tensor operator/(const Tensor& a, const Value& b) { return ops::div(a, b); }
inline Tensor operator-(const Tensor& a) { return ops::neg(a); }

}  // namespace facula
