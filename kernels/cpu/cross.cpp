// Cross products: one pass over the vectors, whose three components lie a stride apart.
#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// The tensor of first components, and the distance of the components in elements.
Tensor first_components(const Tensor& x, int64_t dim) {
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  sizes.erase(static_cast<size_t>(dim));
  strides.erase(static_cast<size_t>(dim));
  return x.alias(sizes, strides, x.offset());
}

template <class T>
T difference(const T& a, const T& b, const T& c, const T& d) {  // a b - c d
  using W = Computed<T>;
  return static_cast<T>(static_cast<W>(a) * static_cast<W>(b) - static_cast<W>(c) * static_cast<W>(d));
}

template <class T>
void cross_of(const Tensor& out, const Tensor& x, const Tensor& y, int64_t dim) {
  const Tensor first_out = first_components(out, dim), first_x = first_components(x, dim),
               first_y = first_components(y, dim);
  const int64_t so = out.stride(dim), sx = x.stride(dim), sy = y.stride(dim);
  const LoopNest<3> nest({&first_out, &first_x, &first_y});
  nest.parallel_rows(kGrain / 6, [&](const std::array<char*, 3>& p, int64_t count) {
    const auto& step = nest.stride[0];
    for (int64_t i = 0; i < count; ++i) {
      T* o = reinterpret_cast<T*>(p[0] + i * step[0]);
      const T* a = reinterpret_cast<const T*>(p[1] + i * step[1]);
      const T* b = reinterpret_cast<const T*>(p[2] + i * step[2]);
      const T a0 = a[0], a1 = a[sx], a2 = a[2 * sx], b0 = b[0], b1 = b[sy], b2 = b[2 * sy];
      o[0] = difference(a1, b2, a2, b1);
      o[so] = difference(a2, b0, a0, b2);
      o[2 * so] = difference(a0, b1, a1, b0);
    }
  });
}

void cross(const Tensor& out, const Tensor& x, const Tensor& y, int64_t dim) {
  if (out.numel() == 0) return;
  with_type(out.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      fail("cross: bool vectors have no cross product");
    else
      cross_of<T>(out, x, y, dim);
  });
}

}  // namespace

void fill_cross_slots() { slots::cross.fill(DeviceType::CPU, cross); }

}  // namespace facula::cpu
