// What layer_norm and batch_norm have in common.
#pragma once

#include "core/ops.h"
#include "core/pointwise.h"

namespace facula {

/// The dtype that normalisations compute in.
inline DType wide_dtype(DType t) { return t == DType::Float64 ? t : DType::Float32; }

/// x as a dense tensor of the dtype that is computed in; an undefined one stays so.
inline Tensor prepared(const Tensor& x, DType t) { return x.defined() ? dense(converted(x, t)) : x; }

/// Gradients of `u * w + b` with u = (x - mean) / deviation over `dims`: of x, of w and of b. The latter two are summed
/// over `shared`, the dimensions along which w does not vary; w broadcasts to x and may be undefined. Composed of operators,
/// to be differentiated again.
Tensors normalised_gradients(const Tensor& g, const Tensor& x, const Tensor& w, const IntList& dims,
                             const IntList& shared, double eps);

/// Fails unless `t` is undefined or has `n` elements in one dimension.
void check_channels(const char* name, const char* what, const Tensor& t, int64_t n);

/// F.batch_norm on running statistics or, in training, on the batch's.
Tensor batch_norm_of(const char* name, const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                     const Tensor& weight, const Tensor& bias, bool training, double momentum, double eps);
/// running = (1 - momentum) * running + momentum * value, in place.
void update_running(const Tensor& running, const Tensor& value, double momentum);

}  // namespace facula
