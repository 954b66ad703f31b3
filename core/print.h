// Tensors as text, byte for byte as PyTorch prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/tensor.h"

namespace facula {

/// What `torch.set_printoptions` sets; one set per interpreter.
struct PrintOptions {
  int precision = 4;             ///< digits behind the point
  int64_t threshold = 1000;      ///< tensors of more elements show their edges only
  int64_t edgeitems = 3;         ///< elements shown at either end of a dimension then
  int linewidth = 80;            ///< characters
  std::optional<bool> sci_mode;  ///< 1.0000e+00 always or never; none: where the numbers differ much
};

PrintOptions print_options();
/// Errors: a precision outside 0..100, a negative edgeitems or threshold, a linewidth below 1.
void set_print_options(const PrintOptions& options);

/// `tensor([1., 2.], requires_grad=True)`. Only the elements that are shown are read, from whatever device.
std::string to_text(const Tensor& x);

}  // namespace facula
