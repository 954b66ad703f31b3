// The families of operators, each declared in the file of its name.
#pragma once

#include "core/define.h"

namespace facula {

// clang-format off
#define FACULA_FAMILIES(_) \
  _(creation) _(copy) _(view) _(join) _(arithmetic) _(math) _(compare) _(reduce) _(softmax) _(linalg) _(index) \
  _(order) _(random) _(conv) _(pool) _(loss) _(axes) _(split) _(stack) _(grid) _(rearrange) _(diagonal) \
  _(view_scatter) _(take) _(scatter_reduce) _(special) _(polynomial) _(number) _(storage) _(scan) _(statistics) \
  _(quantile) _(histogram) _(unique) _(difference) _(segment) _(sampling) _(fft) _(stft) _(window) _(product) \
  _(einsum) _(factor) _(solve) _(solve_factored) _(determinant) _(orthogonal) _(spectrum) _(least_squares) \
  _(matrix_norm) _(matrix_function) _(distance) _(conv_transpose) _(avg_pool) _(adaptive_max_pool) \
  _(max_unpool) _(interpolate) _(grid_sample) _(pad) _(fold) _(shuffle) _(activation) _(layer_norm) \
  _(batch_norm) _(embedding) _(embedding_bag) _(dropout) _(similarity) _(attention) _(recurrent) \
  _(lstm_layer) _(regression_loss) _(margin_loss) _(ctc_loss)
// clang-format on

#define FACULA_DECLARE_FAMILY(name) void define_##name(const Family& define);
FACULA_FAMILIES(FACULA_DECLARE_FAMILY)
#undef FACULA_DECLARE_FAMILY

inline void define_all(const Family& define) {
#define FACULA_DEFINE_FAMILY(name) define_##name(define);
  FACULA_FAMILIES(FACULA_DEFINE_FAMILY)
#undef FACULA_DEFINE_FAMILY
}

}  // namespace facula
