// Copies, conversions, and what overwrites a tensor whole.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

// A copy keeps the order of dimensions in memory when the tensor fills its memory without gaps.
bool fills_its_memory(const Tensor& x) {
  return x.numel() > 0 && extent(x.sizes(), x.strides()) == x.numel() && !overlaps_itself(x);
}

Tensor clone_forward(const Tensor& x) {
  const Tensor y = !x.is_contiguous() && fills_its_memory(x)
                       ? empty_strided(x.sizes(), x.strides(), x.dtype(), x.device())
                       : empty(x.sizes(), x.dtype(), x.device());
  slots::copy(y, x);
  return y;
}

Tensor copy_forward(const Tensor& self, const Tensor& src, bool) {
  const Sizes& sizes = self.sizes();
  bool fits = src.dim() <= self.dim();
  for (int64_t d = 1; fits && d <= src.dim(); ++d) fits = src.size(-d) == self.size(-d) || src.size(-d) == 1;
  check(fits, "copy_: ", src.sizes(), " does not fit into ", sizes);
  Tensor from = src.device() == self.device() ? src : moved(src, self.device());
  if (may_share(self, from) && !from.is(self)) from = clone_forward(from);
  slots::copy(self, from.sizes() == sizes ? from : from.expanded(sizes));
  return self;
}

Tensor convert(const Tensor& x, OptDType dtype, OptDevice device, bool copy) {
  Tensor y = x;
  if (device && *device != x.device()) y = ops::to_device(y, *device);
  if (dtype && *dtype != x.dtype()) y = ops::to_dtype(y, *dtype);
  return copy && y.is(x) ? ops::clone(x) : y;
}

}  // namespace

void define_copy(const Family& define) {
  define(ops::clone, "clone(Tensor self, *, any memory_format=None) -> Tensor")
      .doc("A copy with memory of its own. Memory formats are accepted for PyTorch's sake and change nothing.")
      .example("torch.arange(3):clone()")
      .forward(+[](const Tensor& x, const OptString&) { return clone_forward(x); })
      .grad("self", [](Tensor g) { return g; });
  define(ops::contiguous, "contiguous(Tensor self, *, any memory_format=None) -> Tensor")
      .doc("`self` if it is dense and row-major in memory, otherwise a copy that is.")
      .example("torch.randn(2, 3):t():contiguous():is_contiguous()")
      .compose([](const Tensor& x, const OptString&) {
        if (x.is_contiguous()) return x;
        const Tensor y = empty(x.sizes(), x.dtype(), x.device());
        return ops::copy_(y, x);
      });
  define(ops::copy_, "copy_(Tensor self, Tensor src, bool non_blocking=False) -> Tensor")
      .doc("Overwrites `self` with the elements of `src`, converted and broadcast, from any device.")
      .example("torch.zeros(2, 3):copy_(torch.arange(3))")
      .node("CopyBackwards")
      .any_device()
      .forward(copy_forward)
      .grad("self", [](Tensor g) { return ops::zeros_like(g); })
      .grad("src", [](Tensor g) { return g; });
  define(ops::fill_, "fill(Tensor self, Operand value) -> Tensor")
      .doc("`value`, a number or a tensor without dimensions, everywhere.")
      .example("torch.zeros(3):fill_(7)")
      .elementwise([](Out& out, const Tensor& self, const Tensor& value) {
        check(value.dim() == 0, "fill: the value must be a number or a tensor without dimensions, got sizes ",
              value.sizes());
        const Tensor y = out.make(self.sizes(), self.dtype());
        if (value.is_cpu())
          slots::fill(y, item(value));
        else
          slots::copy(y, value.expanded(self.sizes()));
        return y;
      })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); })
      .grad("value", [](Tensor g) { return g; });
  define(ops::zero_, "zero_(Tensor self) -> Tensor")
      .doc("Overwrites `self` with zeros.")
      .example("torch.ones(3):zero_()")
      .forward(+[](const Tensor& self) {
        slots::fill(self, 0);
        return self;
      })
      .grad("self", [](Tensor g) { return ops::zeros_like(g); });

  define(ops::to_dtype, "_to_dtype(Tensor self, DType dtype) -> Tensor")
      .doc("A copy in another dtype.")
      .node("ToCopyBackward0")
      .forward(+[](const Tensor& x, DType dtype) {
        const Tensor y = empty(x.sizes(), dtype, x.device());
        slots::copy(y, x);
        return y;
      })
      .grad("self", [](Tensor g) { return g; });
  define(ops::to_device, "_to_device(Tensor self, Device device) -> Tensor")
      .doc("A copy on another device.")
      .node("ToCopyBackward0")
      .forward(+[](const Tensor& x, Device device) { return moved(x, device); })
      .grad("self", [](Tensor g) { return g; });
  define("to(Tensor self, DType dtype, bool non_blocking=False, bool copy=False) -> Tensor")
      .doc("`self` in another dtype or on another device; `self` itself where nothing changes, unless `copy`.")
      .example("torch.ones(2):to(torch.float64)")
      .compose([](const Tensor& x, DType t, bool, bool copy) { return convert(x, t, {}, copy); });
  define("to:device(Tensor self, Device device, DType? dtype=None, bool non_blocking=False, bool copy=False) -> Tensor")
      .compose([](const Tensor& x, Device d, OptDType t, bool, bool copy) { return convert(x, t, d, copy); });
  define("to:other(Tensor self, Tensor other, bool non_blocking=False, bool copy=False) -> Tensor")
      .any_device()
      .compose(
          [](const Tensor& x, const Tensor& y, bool, bool copy) { return convert(x, y.dtype(), y.device(), copy); });
  define(
      "to:options(Tensor self, *, DType? dtype=None, Device? device=None, bool non_blocking=False, bool copy=False) -> "
      "Tensor")
      .compose([](const Tensor& x, OptDType t, OptDevice d, bool, bool copy) { return convert(x, t, d, copy); });
  define("type_as(Tensor self, Tensor other) -> Tensor")
      .doc("`self` in the dtype and on the device of `other`.")
      .example("torch.arange(3):type_as(torch.ones(1))")
      .any_device()
      .compose([](const Tensor& x, const Tensor& y) { return convert(x, y.dtype(), y.device(), false); });
}

}  // namespace facula
