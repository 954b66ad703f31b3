// Max pooling: a thread finds the largest number of one window and its place in the plane. The derivative adds at these
// places by atomic additions: where windows overlap, the order of the terms, and with it the rounding, may differ from
// run to run.
#include "kernels/cuda/index.h"
#include "kernels/cuda/register.h"
#include "kernels/cuda/window.h"

namespace facula::cuda {
namespace {

// Of equal numbers the first stays; NaN is larger than all, and a later NaN than an earlier one, as in PyTorch.
template <class T>
__global__ void __launch_bounds__(kThreads)
    pool_kernel(Window s, DType type, char* y, int64_t* positions, const char* x, int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, item = item_size(type);
  if (i >= n) return;
  const char* plane = x + i / s.out_plane * s.in_plane * item;
  int64_t o[3];
  s.coordinates(i % s.out_plane, s.out, o);
  T best(0);
  int64_t place = -1;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx) {
        const int64_t z = s.source(0, o[0], kz), yy = s.source(1, o[1], ky), xx = s.source(2, o[2], kx);
        if (!s.is_inside(0, z) || !s.is_inside(1, yy) || !s.is_inside(2, xx)) continue;
        const int64_t at = (z * s.in[1] + yy) * s.in[2] + xx;
        const T value = load<T>(plane + at * item, type);
        if (place < 0 || value > best || is_nan(value)) {
          best = value;
          place = at;
        }
      }
  store<T>(y + i * item, type, best);
  positions[i] = place + 1;
}

void max_pool(const Tensor& y, const Tensor& positions, const Tensor& x, const IntList& kernel, const IntList& stride,
              const IntList& padding, const IntList& dilation) {
  if (y.numel() == 0) return;
  const Queue queue("max_pool", y);
  const Window window(x, y, kernel, stride, padding, dilation);
  with_compute_type<kOrdered>(x.dtype(), "max_pool", [&]<class T>() {
    launch(queue, pool_kernel<T>, blocks_for(y.numel()), kThreads, window, x.dtype(), y.bytes(),
           positions.data<int64_t>(), static_cast<const char*>(x.bytes()), y.numel());
  });
}

// The planes as rows, and positions as an index along them: dx[plane][position] += g.
void max_pool_backward(const Tensor& dx, const Tensor& g, const Tensor& positions) {
  if (dx.numel() == 0) return;
  slots::fill(dx, Scalar(0));
  if (g.numel() == 0) return;
  const int64_t planes = g.size(0) * g.size(1);
  const auto as_rows = [planes](const Tensor& t) {
    Tensor dense = t;
    if (!t.is_contiguous()) {
      dense = empty(t.sizes(), t.dtype(), t.device());
      slots::copy(dense, t);
    }
    const int64_t width = t.numel() / planes;
    return dense.alias({planes, width}, {width, 1}, dense.offset());
  };
  slots::scatter_add(as_rows(dx), int64_t{1}, as_rows(positions), as_rows(g));
}

}  // namespace

void fill_pool_slots() {
  slots::max_pool.fill(DeviceType::CUDA, max_pool);
  slots::max_pool_backward.fill(DeviceType::CUDA, max_pool_backward);
}

}  // namespace facula::cuda
