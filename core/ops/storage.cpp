// Tensors that take other sizes or another storage, in place.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

/// Lets `self` see elements of `storage`; what it was a view of is forgotten.
void adopt(const Tensor& self, const Storage& storage, const Sizes& sizes, const IntList& strides, int64_t offset) {
  TensorImpl& t = *self.impl();
  t.storage = storage;
  t.sizes = sizes;
  t.strides = strides;
  t.offset = offset;
  t.refresh();
  if (t.autograd && t.autograd->base.defined()) t.autograd.reset();
}

/// At least `items` elements of self's dtype: its storage, or a larger one that begins with the same bytes.
Storage grown(const Tensor& self, int64_t items) {
  const Storage& old = self.storage();
  int64_t bytes;
  check(!__builtin_mul_overflow(items, self.item_size(), &bytes), "resize_: ", items, " elements are too many");
  if (static_cast<size_t>(bytes) <= old->bytes()) return old;
  const Tensor memory = empty({bytes}, DType::UInt8, self.device());
  if (self.dtype() == DType::Bool) slots::fill(memory, 0);
  if (!self.is_meta() && old->bytes() > 0)
    runtime(self.device().type).copy(memory.bytes(), self.device(), old->data(), self.device(), old->bytes());
  return memory.storage();
}

Tensor resize(const Tensor& self, const IntList& size) {
  check(!requires_grad(self), "resize_: a tensor that requires grad cannot be resized");
  int64_t items = numel_of(size);
  if (self.sizes() == size) return self;
  check(!__builtin_add_overflow(items, self.offset(), &items), "resize_: ", size, " has too many elements");
  adopt(self, grown(self, items), size, contiguous_strides(size), self.offset());
  return self;
}

Tensor set_to(const Tensor& self, const Tensor& source) {
  check(!requires_grad(self), "set_: a tensor that requires grad cannot take another storage");
  check(self.dtype() == source.dtype(), "set_: 'self' is ", self.dtype(), ", 'source' ", source.dtype());
  adopt(self, source.storage(), source.sizes(), source.strides(), source.offset());
  return self;
}

}  // namespace

void define_storage(const Family& define) {
  define("resize_(Tensor self, int[]... size) -> Tensor")
      .doc(
          "Gives `self` other sizes, row-major from where it begins in memory. Elements keep their order; new ones are "
          "not set. Where the memory is too small it is replaced, and views of it stay behind.")
      .example("torch.zeros(2, 3):resize_(4, 4).shape")
      .forward(resize);
  define("resize_as_(Tensor self, Tensor other) -> Tensor")
      .doc("Gives `self` the sizes of `other`; see resize_.")
      .example("torch.zeros(2, 3):resize_as_(torch.ones(4, 4)).shape")
      .any_device()
      .forward(+[](const Tensor& self, const Tensor& other) { return resize(self, other.sizes()); });
  define("set_(Tensor self, Tensor source) -> Tensor")
      .doc("Makes `self` see what `source` sees; with sizes and strides, a part of its storage; alone, nothing.")
      .example("torch.empty(0):set_(torch.arange(3):float())")
      .any_device()
      .forward(set_to);
  define("set_:part(Tensor self, Tensor source, int storage_offset, int[] size, int[]? stride=None) -> Tensor")
      .any_device()
      .forward(
          +[](const Tensor& self, const Tensor& source, int64_t offset, const IntList& size, const OptInts& stride) {
            numel_of(size);
            return set_to(self, ops::as_strided(source, size, stride ? *stride : contiguous_strides(size), offset));
          });
  define("set_:empty(Tensor self) -> Tensor").forward(+[](const Tensor& self) {
    return set_to(self, empty({0}, self.dtype(), self.device()));
  });
  define("is_set_to(Tensor self, Tensor tensor) -> bool")
      .doc("Do both see the same elements of one storage, in the same geometry?")
      .example("torch.ones(2):is_set_to(torch.ones(2))")
      .any_device()
      .forward(+[](const Tensor& x, const Tensor& y) {
        return x.storage() == y.storage() && x.dtype() == y.dtype() && x.offset() == y.offset() &&
               x.sizes() == y.sizes() && x.strides() == y.strides();
      });
}

}  // namespace facula
