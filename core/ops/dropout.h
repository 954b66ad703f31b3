// Dropout inside other operators.
#pragma once

#include "core/ops.h"

namespace facula {

/// x with elements zeroed with probability p and the others scaled by 1 / (1 - p).
Tensor dropout(const char* name, const Tensor& x, double p);

}  // namespace facula
