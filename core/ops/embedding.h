// What embeddings and bags of them have in common.
#pragma once

#include "core/ops.h"

namespace facula {

/// Positions as int64.
Tensor as_positions(const char* name, const Tensor& index);
/// padding_idx as a position from 1, or 0 for none; negative ones count from the end.
int64_t padding_position(const char* name, OptInt padding, int64_t rows);
/// Fails unless the weight is [rows, size].
void check_table(const char* name, const Tensor& weight);
/// How often each element of `index` occurs in it, flattened.
Tensor occurrences(const Tensor& index, int64_t rows);
/// Scales rows at `index` whose norm exceeds max_norm down to it, in place.
void renormalise(const char* name, const Tensor& weight, const Tensor& index, double max_norm, double norm_type);

}  // namespace facula
