// Work along dimensions: every operand is a set of rows (the kept dimensions), walked along the others; a result has
// stride 0 along the reduced ones. The threads of a block form `rows` rows of `lanes` threads; a row's threads meet in
// shared memory, in an order that depends on the sizes only, so that results are the same in every run.
//
// Where the reduced dimension is the dense one, neighbouring threads are lanes of a row; where it is not, they belong
// to neighbouring rows: both read neighbouring addresses.
#pragma once

#include "kernels/cuda/launch.h"

namespace facula::cuda {

template <int N>
struct Rows {
  Walk<N> kept, along;
  int lanes = 1;             // a power of 2, at most kThreads
  bool interleaved = false;  // neighbouring threads are in neighbouring rows
  int64_t splits = 1;        // pieces of a row, each one block's

  Rows(const std::array<Tensor, N>& kept_views, const std::array<Tensor, N>& along_views, const char* slot)
      : kept(LoopNest<N>(pointers(kept_views)), slot), along(LoopNest<N>(pointers(along_views)), slot) {}

  int64_t count() const { return kept.numel; }
  int64_t length() const { return along.numel; }
  dim3 blocks() const { return {blocks_for(kept.numel, kThreads / lanes).x, static_cast<unsigned>(splits)}; }

#ifdef __CUDACC__
  /// Where this thread stands. Threads beyond the last row must still meet the others in shared memory.
  struct Place {
    int64_t row;
    int lane, slot, slots;  // lane l of this row is at shared[slot + (l - lane) * slots]
  };
  __device__ Place place() const {
    const int rows = kThreads / lanes, t = static_cast<int>(threadIdx.x);
    const int r = interleaved ? t % rows : t / lanes, lane = interleaved ? t / rows : t % lanes;
    return {int64_t{blockIdx.x} * rows + r, lane, lane * rows + r, rows};
  }
  __device__ void locate_row(int64_t row, char* (&p)[N]) const { kept.locate(row, p); }
  __device__ void locate(char* const (&row)[N], int64_t i, char* (&p)[N]) const {
    int64_t offset[N];
    along.offsets(i, offset);
#pragma unroll
    for (int k = 0; k < N; ++k) p[k] = row[k] + offset[k];
  }
#endif

 private:
  static std::array<const Tensor*, N> pointers(const std::array<Tensor, N>& views) {
    std::array<const Tensor*, N> p;
    for (int k = 0; k < N; ++k) p[k] = &views[k];
    return p;
  }
};

/// The operands' rows along `dims`. An operand either has the sizes of the last one, x, or size 1 along dims, or lacks
/// the one dim.
template <int N>
Rows<N> rows_of(const std::array<const Tensor*, N>& operands, const IntList& dims, const char* slot) {
  const Tensor& x = *operands[N - 1];
  std::array<Tensor, N> kept, along;
  for (int k = 0; k < N; ++k) {
    const Tensor& t = *operands[k];
    IntList kept_sizes, kept_strides, along_sizes, along_strides;
    int64_t own = 0;  // t's dimension that belongs to x's dimension d
    for (int64_t d = 0; d < x.dim(); ++d) {
      const bool reduced = dims.contains(d), lacking = reduced && t.dim() < x.dim();
      (reduced ? along_sizes : kept_sizes).push_back(x.size(d));
      (reduced ? along_strides : kept_strides).push_back(lacking || t.size(own) != x.size(d) ? 0 : t.stride(own));
      own += !lacking;
    }
    kept[k] = t.alias(kept_sizes, kept_strides, t.offset());
    along[k] = t.alias(along_sizes, along_strides, t.offset());
  }
  Rows<N> rows(kept, along, slot);
  const int64_t inner = std::abs(rows.along.stride[0][N - 1]), outer = std::abs(rows.kept.stride[0][N - 1]);
  rows.interleaved = rows.count() > 1 && outer < inner;
  const int64_t most = rows.interleaved ? 8 : kThreads;  // at least 32 neighbouring rows where they are the dense ones
  while (rows.lanes < most && rows.lanes * 4 <= rows.length()) rows.lanes *= 2;
  return rows;
}

/// The states of a row's lanes as one, in all of them. `shared` has room for kThreads states.
template <class Op, class State, class Place>
__device__ State meet(const Op& op, State mine, const Place& at, int lanes, State* shared) {
  shared[at.slot] = mine;
  __syncthreads();
  for (int n = lanes / 2; n > 0; n /= 2) {
    if (at.lane < n) op.merge(shared[at.slot], shared[at.slot + n * at.slots]);
    __syncthreads();
  }
  return shared[at.slot - at.lane * at.slots];
}

/// Room for a block's states, which may have constructors that shared memory does not run.
#define FACULA_SHARED_STATES(State, name)                             \
  __shared__ alignas(16) char name##_bytes[kThreads * sizeof(State)]; \
  State* name = reinterpret_cast<State*>(name##_bytes)

}  // namespace facula::cuda
