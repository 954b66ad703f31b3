// Starting kernels, and the kernel that calls a function for every element.
#pragma once

#include "core/slots.h"
#include "kernels/cuda/element.h"
#include "kernels/cuda/queue.h"
#include "kernels/cuda/walk.h"

namespace facula::cuda {

inline constexpr int kThreads = 256;  // per block

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// `n` work items, `per_block` of them in each block. At most 2^31 - 1 blocks can be started.
inline dim3 blocks_for(int64_t n, int64_t per_block = kThreads) {
  return dim3(static_cast<unsigned>(ceil_div(n, per_block)));
}

template <class... P, class... A>
void launch(const Queue& queue, void (*kernel)(P...), dim3 blocks, int threads, const A&... args) {
  kernel<<<blocks, threads, 0, queue.stream()>>>(args...);
  queue.launched();
}

inline constexpr int kEachItems = 4;  // per thread, so that several loads are under way

template <int N, class Body>
__global__ void __launch_bounds__(kThreads) each_kernel(Walk<N> walk, Body body) {
  int64_t i = int64_t{blockIdx.x} * (kThreads * kEachItems) + threadIdx.x;
#pragma unroll
  for (int k = 0; k < kEachItems; ++k, i += kThreads) {
    if (i < walk.numel) {
      char* p[N];
      walk.locate(i, p);
      body(p);
    }
  }
}

/// Calls `body(p)` on the device with the addresses of each element of the operands, which have equal sizes.
template <int N, class Body>
void each(const Queue& queue, const std::array<const Tensor*, N>& operands, const Body& body) {
  const LoopNest<N> nest(operands);
  if (nest.numel == 0) return;
  launch(queue, each_kernel<N, Body>, blocks_for(nest.numel, kThreads * kEachItems), kThreads,
         Walk<N>(nest, queue.slot()), body);
}

}  // namespace facula::cuda
