// What the files of activations have in common, and what other operators use of them.
#pragma once

#include "core/define.h"
#include "core/ops.h"

namespace facula {

namespace ops {
inline Op leaky_relu, log_sigmoid;
}  // namespace ops

/// Of activations on floating numbers only.
inline constexpr Promotion kFloating{Promotion::Compute::Common, Promotion::Result::Same, Category::Floating,
                                     Category::Floating};

void define_weighted_activation(const Family& define);

}  // namespace facula
