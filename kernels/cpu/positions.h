// Checking index tensors.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace facula::cpu {

/// Fails unless all elements of `index` lie in 1..n, n being x's size along dim: "gather: position 7 is outside 1..5 in
/// dimension 1 of (5, 3)".
void check_positions(const char* where, const Tensor& index, const Tensor& x, int64_t dim);

}  // namespace facula::cpu
