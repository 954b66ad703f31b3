// Activations that other operators use.
#pragma once

#include "core/ops.h"

namespace facula::ops {
inline Op log_sigmoid;
}  // namespace facula::ops
