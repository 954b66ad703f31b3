// Positions of the elements that are not zero: counted tile by tile, the counts summed up, then written where the sums
// say.
#include "kernels/cuda/index.h"

namespace facula::cuda {
namespace {

constexpr int kRounds = 8, kTile = kThreads * kRounds;  // elements of a block

struct Shape {
  int dims;
  int64_t size[kWalkDims];
};

/// How many of the threads before this one, and of all, say yes.
struct Rank {
  int before, all;
};
__device__ Rank rank_of(bool yes, int* shared) {
  const int t = static_cast<int>(threadIdx.x);
  int sum = yes;
  for (int n = 1; n < kThreads; n *= 2) {
    shared[t] = sum;
    __syncthreads();
    if (t >= n) sum += shared[t - n];
    __syncthreads();
  }
  shared[t] = sum;
  __syncthreads();
  const Rank rank{sum - yes, shared[kThreads - 1]};
  __syncthreads();
  return rank;
}

__global__ void __launch_bounds__(kThreads)
    count_kernel(const char* x, DType type, int64_t item, int64_t n, int64_t* counts) {
  __shared__ int shared[kThreads];
  int64_t count = 0;
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = int64_t{blockIdx.x} * kTile + round * kThreads + threadIdx.x;
    count += rank_of(i < n && load_truth(x + i * item, type), shared).all;
  }
  if (threadIdx.x == 0) counts[blockIdx.x] = count;
}

__global__ void __launch_bounds__(kThreads)
    write_kernel(const char* x, DType type, int64_t item, int64_t n, const int64_t* counts, const int64_t* ends,
                 Shape shape, char* out, int64_t row_bytes, int64_t column_bytes) {
  __shared__ int shared[kThreads];
  int64_t row = ends[blockIdx.x] - counts[blockIdx.x];
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = int64_t{blockIdx.x} * kTile + round * kThreads + threadIdx.x;
    const bool yes = i < n && load_truth(x + i * item, type);
    const Rank rank = rank_of(yes, shared);
    if (yes) {
      int64_t place = i;
      for (int d = shape.dims - 1; d >= 0; --d) {
        *reinterpret_cast<int64_t*>(out + (row + rank.before) * row_bytes + d * column_bytes) =
            place % shape.size[d] + 1;
        place /= shape.size[d];
      }
    }
    row += rank.all;
  }
}

}  // namespace

void nonzero(const Tensor& out, const Tensor& x) {
  if (out.numel() == 0) return;
  const Queue queue("nonzero", out);
  check(x.dim() <= kWalkDims, "nonzero: the tensor has ", x.dim(), " dimensions, cuda kernels walk ", kWalkDims);
  Shape shape{static_cast<int>(x.dim()), {}};
  std::copy(x.sizes().begin(), x.sizes().end(), shape.size);
  Tensor dense = x;
  if (!x.is_contiguous()) {
    dense = empty(x.sizes(), x.dtype(), x.device());
    slots::copy(dense, x);
  }
  const int64_t n = x.numel(), tiles = ceil_div(n, kTile);
  const Tensor counts = empty({tiles}, DType::Int64, x.device()), ends = empty({tiles}, DType::Int64, x.device());
  const char* from = dense.bytes();
  launch(queue, count_kernel, dim3(static_cast<unsigned>(tiles)), kThreads, from, x.dtype(), x.item_size(), n,
         counts.data<int64_t>());
  slots::cumsum(ends, counts, int64_t{0});
  launch(queue, write_kernel, dim3(static_cast<unsigned>(tiles)), kThreads, from, x.dtype(), x.item_size(), n,
         static_cast<const int64_t*>(counts.data<int64_t>()), static_cast<const int64_t*>(ends.data<int64_t>()), shape,
         out.bytes(), out.stride(0) * out.item_size(), out.stride(1) * out.item_size());
}

}  // namespace facula::cuda
