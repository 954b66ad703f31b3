// What all losses have in common: the parameters that say how they are reduced.
#pragma once

#include <optional>
#include <string>

#include "core/ops.h"

namespace facula {

/// The end of a loss's schema, in PyTorch's order.
#define FACULA_REDUCTION "bool? size_average=None, bool? reduce=None, str reduction='mean') -> Tensor"

/// The old arguments size_average and reduce say the same as reduction.
std::string reduction_of(const std::string& reduction, std::optional<bool> size_average, std::optional<bool> reduce);

/// The loss's elements, their sum or their mean.
Tensor reduced(const char* name, const Tensor& loss, const std::string& reduction);

/// Fails where a class lies outside 1..classes, and is not `ignore_index`, with its place: before any kernel meets it.
void check_classes(const char* name, const Tensor& target, int64_t classes, int64_t ignore_index);

}  // namespace facula
