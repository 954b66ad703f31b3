// The kernel under the reductions. An Op says what becomes of a row:
//
//   State                             what is known of some elements; plain bytes
//   kOperands                         results first, then inputs
//   State start()                     of no element
//   void add(State&, p, i)            one more, with number i in its row, at addresses p
//   void merge(State&, const State&)  two parts as one
//   void finish(const State&, p)      stores the results
//
// A row that is too long for one block is split among several; a second kernel merges their states.
#pragma once

#include "kernels/cuda/rows.h"

namespace facula::cuda {

template <class Op, int N>
__global__ void __launch_bounds__(kThreads) reduce_kernel(Rows<N> rows, Op op, typename Op::State* parts) {
  using State = typename Op::State;
  FACULA_SHARED_STATES(State, shared);
  const auto at = rows.place();
  const bool inside = at.row < rows.kept.numel;
  State state = op.start();
  char* row[N];
  if (inside) {
    rows.locate_row(at.row, row);
    const int64_t n = rows.along.numel, piece = (n + rows.splits - 1) / rows.splits;
    const int64_t begin = blockIdx.y * piece, end = begin + piece < n ? begin + piece : n;
#pragma unroll 4
    for (int64_t i = begin + at.lane; i < end; i += rows.lanes) {
      char* p[N];
      rows.locate(row, i, p);
      op.add(state, p, i);
    }
  }
  state = meet(op, state, at, rows.lanes, shared);
  if (!inside || at.lane != 0) return;
  if (parts)
    parts[at.row * rows.splits + blockIdx.y] = state;
  else
    op.finish(state, row);
}

/// One block for each row: merges the states of its pieces.
template <class Op, int N>
__global__ void __launch_bounds__(kThreads) merge_kernel(Rows<N> rows, Op op, const typename Op::State* parts) {
  using State = typename Op::State;
  FACULA_SHARED_STATES(State, shared);
  const int64_t r = blockIdx.x;
  const int lane = static_cast<int>(threadIdx.x);
  State state = op.start();
  for (int64_t i = lane; i < rows.splits; i += kThreads) op.merge(state, parts[r * rows.splits + i]);
  const typename Rows<N>::Place at{r, lane, lane, 1};
  state = meet(op, state, at, kThreads, shared);
  if (lane != 0) return;
  char* row[N];
  rows.locate_row(r, row);
  op.finish(state, row);
}

/// Pieces for rows so few and long that they would leave most of a device idle. Independent of the device's size, so
/// that results are the same on all.
template <int N>
int64_t splits_of(const Rows<N>& rows) {
  constexpr int64_t kBlocks = 1024, kLeast = 16;  // blocks wanted, elements that are worth a lane
  const int64_t blocks = ceil_div(rows.count(), kThreads / rows.lanes);
  return std::max<int64_t>(1, std::min(kBlocks / blocks, rows.length() / (rows.lanes * kLeast)));
}

template <class Op>
void reduce(const Queue& queue, const std::array<const Tensor*, Op::kOperands>& operands, const IntList& dims,
            const Op& op) {
  constexpr int N = Op::kOperands;
  using State = typename Op::State;
  Rows<N> rows = rows_of<N>(operands, dims, queue.slot());
  if (rows.count() == 0) return;
  rows.splits = splits_of(rows);
  if (rows.splits == 1) {
    launch(queue, reduce_kernel<Op, N>, rows.blocks(), kThreads, rows, op, static_cast<State*>(nullptr));
    return;
  }
  const Tensor parts =
      empty({rows.count() * rows.splits * static_cast<int64_t>(sizeof(State))}, DType::UInt8, operands[0]->device());
  auto* states = reinterpret_cast<State*>(parts.bytes());
  launch(queue, reduce_kernel<Op, N>, rows.blocks(), kThreads, rows, op, states);
  launch(queue, merge_kernel<Op, N>, blocks_for(rows.count(), 1), kThreads, rows, op,
         static_cast<const State*>(states));
}

}  // namespace facula::cuda
