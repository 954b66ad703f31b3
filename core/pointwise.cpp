#include "core/pointwise.h"

#include "core/promotion.h"
#include "core/slots.h"

namespace facula {

Tensor converted(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (x.impl()->is_number) return number_tensor(item(x), dtype);
  Tensor y = empty(x.sizes(), dtype, x.device());
  slots::copy(y, x);
  return y;
}

Tensor dense(const Tensor& x) {
  if (x.is_contiguous()) return x;
  Tensor y = empty(x.sizes(), x.dtype(), x.device());
  slots::copy(y, x);
  return y;
}

Tensor moved(const Tensor& x, Device device) {
  if (x.device() == device) return x;
  if (device.is_meta() || x.is_meta()) {
    check(device.is_meta(), "copy: a meta tensor has no elements to copy to ", device);
    return empty(x.sizes(), x.dtype(), device);
  }
  const Tensor from = dense(x);
  Tensor y = empty(x.sizes(), x.dtype(), device);
  const DeviceType engine = device.is_cpu() ? x.device().type : device.type;
  if (x.numel() > 0)
    runtime(engine).copy(y.bytes(), device, from.bytes(), x.device(), static_cast<size_t>(x.numel() * x.item_size()));
  return y;
}

static void bring(Tensor& x, Device device, DType dtype) {
  if (x.device() != device) x = moved(x, device);
  if (x.dtype() != dtype) x = converted(x, dtype);
}

static const char* kind_names(Promotion p) {
  if (p.most == Category::Integral) return p.least == Category::Bool ? "integers or bool" : "integers";
  if (p.least == Category::Floating)
    return p.most == Category::Floating ? "floating point numbers" : "floating or complex numbers";
  if (p.most == Category::Floating)
    return p.least == Category::Bool ? "real numbers" : "real numbers that are not bool";
  return "numbers that are not bool";
}

Tensor pointwise(Out& out, const char* name, const PointwiseSlot& slot, Promotion promotion, std::span<Tensor> inputs,
                 ScalarSpan numbers) {
  const Tensor& first = inputs[0];
  DType compute = first.dtype();
  bool plain = !first.impl()->is_number;
  for (size_t i = 1; i < inputs.size() && plain; ++i)
    plain = inputs[i].dtype() == compute && !inputs[i].impl()->is_number;
  if (!plain) compute = result_type(inputs);
  if (promotion.compute == Promotion::Compute::Float && is_integral(compute, true)) compute = default_dtype();
  if (category(compute) < promotion.least || category(compute) > promotion.most)
    fail(name, ": expected ", kind_names(promotion), ", got ", compute);
  DType result = compute;
  if (promotion.result == Promotion::Result::Bool) result = DType::Bool;
  if (promotion.result == Promotion::Result::Real) result = real_dtype(compute);
  return pointwise_as(out, name, slot, compute, result, inputs, numbers);
}

Tensor pointwise_as(Out& out, const char* name, const PointwiseSlot& slot, DType compute, DType result,
                    std::span<Tensor> inputs, ScalarSpan numbers) {
  const Tensor& first = inputs[0];
  bool same_size = true;
  for (size_t i = 1; i < inputs.size() && same_size; ++i) same_size = inputs[i].sizes() == first.sizes();
  if (same_size) {
    const Tensor y = out.make(first.sizes(), result);
    for (Tensor& x : inputs) bring(x, y.device(), compute);
    slot(y, TensorSpan(inputs), numbers);
    return y;
  }
  Sizes sizes = first.sizes();
  for (size_t i = 1; i < inputs.size(); ++i) sizes = broadcast(sizes, inputs[i].sizes(), name);
  const Tensor y = out.make(sizes, result);
  for (Tensor& x : inputs) {
    bring(x, y.device(), compute);
    if (!(x.sizes() == sizes)) x = x.expanded(sizes);
  }
  slot(y, TensorSpan(inputs), numbers);
  return y;
}

}  // namespace facula
