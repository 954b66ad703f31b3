// Slots: what core asks of an engine room, filled in by kernels/cpu and libfacula_cuda.so.
#pragma once

#include <array>
#include <span>

#include "core/device.h"
#include "core/tensor.h"

namespace facula {

[[noreturn]] void missing_kernel(const char* slot, Device device);

/// One kernel per kind of device. A call goes to the device of its first tensor and does nothing on meta, so that every
/// operator infers shapes without data.
template <class... A>
class Slot {
 public:
  using Fn = void (*)(A...);
  constexpr explicit Slot(const char* name) : name_(name) {}

  void fill(DeviceType device, Fn fn) { fn_[static_cast<int>(device)] = fn; }
  bool filled(DeviceType device) const { return fn_[static_cast<int>(device)] != nullptr; }
  const char* name() const { return name_; }

  void operator()(A... arguments) const {
    const Device device = first_of(arguments...).device();
    if (device.is_meta()) return;
    const Fn fn = fn_[static_cast<int>(device.type)];
    if (!fn) [[unlikely]]
      missing_kernel(name_, device);
    fn(arguments...);
  }

 private:
  template <class... Rest>
  static const Tensor& first_of(const Tensor& first, const Rest&...) {
    return first;
  }

  const char* name_;
  std::array<Fn, kDeviceTypes> fn_{};
};

using TensorSpan = std::span<const Tensor>;
using ScalarSpan = std::span<const Scalar>;
/// out, inputs, further numbers.
using PointwiseSlot = Slot<const Tensor&, TensorSpan, ScalarSpan>;
/// out (reduced dimensions kept with size 1), x, dims to reduce (sorted, without duplicates, at least one unless x is 0-dim).
using ReduceSlot = Slot<const Tensor&, const Tensor&, const IntList&>;

}  // namespace facula
