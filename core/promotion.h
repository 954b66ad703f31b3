// The dtype of a result from its operands: PyTorch's rules, in which tensors with dimensions outweigh those without, and
// those outweigh numbers, as long as the category of number is the same.
#pragma once

#include <span>

#include "core/tensor.h"

namespace facula {

DType result_type(std::span<const Tensor> operands);

}  // namespace facula
