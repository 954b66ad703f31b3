// What all elementwise operators have in common: promotion, broadcasting, and the call of their slot.
#pragma once

#include "core/operator.h"

namespace facula {

/// Brings the inputs to one dtype, device and size and lets the slot write the result.
Tensor pointwise(Out& out, const char* name, const PointwiseSlot& slot, Promotion promotion, std::span<Tensor> inputs,
                 ScalarSpan numbers = {});
/// The same for a chosen compute dtype and result dtype.
Tensor pointwise_as(Out& out, const char* name, const PointwiseSlot& slot, DType compute, DType result,
                    std::span<Tensor> inputs, ScalarSpan numbers = {});

/// `x` itself or a converted copy, without history.
Tensor converted(const Tensor& x, DType dtype);
/// `x` itself or a copy on the device, without history.
Tensor moved(const Tensor& x, Device device);
/// `x` itself or a dense copy, without history.
Tensor dense(const Tensor& x);

}  // namespace facula
