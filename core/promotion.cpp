#include "core/promotion.h"

namespace facula {
namespace {

OptDType joined(OptDType a, OptDType b) {
  if (!a || !b) return a ? a : b;
  return promote(*a, *b);
}

// `strong` decides unless `weak` is of a higher category.
OptDType combine(OptDType strong, OptDType weak) {
  if (!strong || !weak) return strong ? strong : weak;
  if (is_complex(*strong)) return strong;
  if (is_floating(*strong)) return is_complex(*weak) ? complex_dtype(*strong) : *strong;
  if (*strong == DType::Bool || category(*weak) > Category::Integral) return promote(*strong, *weak);
  return strong;
}

DType number_type(const Tensor& x) {
  if (is_complex(x.dtype())) return complex_dtype(default_dtype());
  return is_floating(x.dtype()) ? default_dtype() : x.dtype();
}

}  // namespace

DType result_type(std::span<const Tensor> operands) {
  OptDType with_dims, without_dims, numbers;
  for (const Tensor& x : operands) {
    if (x.impl()->is_number)
      numbers = joined(numbers, number_type(x));
    else
      (x.dim() > 0 ? with_dims : without_dims) = joined(x.dim() > 0 ? with_dims : without_dims, x.dtype());
  }
  return *combine(combine(with_dims, without_dims), numbers);
}

}  // namespace facula
