// The rules of optimizers: one pass over a parameter, its gradient and its state, for many parameters in one call.
#pragma once

#include <span>
#include <string_view>

#include "core/tensor.h"

namespace facula {

/// How one optimizer changes its parameters. Rows are a parameter, its gradient and `states` further tensors, all of one
/// dtype and, within a row, of one length; parameter and states are changed.
struct UpdateRule {
  std::string_view name;
  int states;   ///< tensors in a row beside the parameter and its gradient
  int numbers;  ///< the gradient's factor, the weight decay, and what the rule needs
  void (*run)(std::span<const Tensor> rows, std::span<const double> numbers);
};

/// For CPU tensors; null without one of that name.
const UpdateRule* find_update_rule(std::string_view name);
void add_update_rule(const UpdateRule& rule);

/// Can a rule change this parameter by this gradient? Both on the CPU, dense, of one dtype, float32 or float64.
bool can_update(const Tensor& parameter, const Tensor& gradient);

/// Applies the rule of that name to rows that lie behind each other. Errors: an unknown rule, numbers or tensors that it
/// cannot take.
void update(std::string_view rule, std::span<const Tensor> rows, std::span<const double> numbers);

}  // namespace facula
