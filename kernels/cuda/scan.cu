// Running sums and products: a row is taken in tiles of one element per lane, scanned in shared memory (Hillis and
// Steele 1986) on top of what came before. Many rows have one lane each, few rows a whole block.
#include "kernels/cuda/register.h"
#include "kernels/cuda/rows.h"

namespace facula::cuda {
namespace {

template <class T, bool product>
__global__ void __launch_bounds__(kThreads) scan_kernel(Rows<2> rows, DType type) {
  FACULA_SHARED_STATES(T, shared);
  const auto at = rows.place();
  const bool inside = at.row < rows.kept.numel;
  char *row[2], *p[2];
  if (inside) rows.locate_row(at.row, row);
  T before = product ? T(1) : T(0);
  for (int64_t begin = 0; begin < rows.along.numel; begin += rows.lanes) {
    const int64_t i = begin + at.lane;
    const bool here = inside && i < rows.along.numel;
    T sum = product ? T(1) : T(0);
    if (here) {
      rows.locate(row, i, p);
      sum = load<T>(p[1], type);
    }
    for (int n = 1; n < rows.lanes; n *= 2) {
      shared[at.slot] = sum;
      __syncthreads();
      if (at.lane >= n) {
        const T other = shared[at.slot - n * at.slots];
        sum = product ? other * sum : other + sum;
      }
      __syncthreads();
    }
    sum = product ? before * sum : before + sum;
    if (here) store<T>(p[0], type, sum);
    shared[at.slot] = sum;
    __syncthreads();
    before = shared[at.slot + (rows.lanes - 1 - at.lane) * at.slots];
    __syncthreads();
  }
}

template <bool product>
void scan(const Tensor& out, const Tensor& x, int64_t dim) {
  if (out.numel() == 0) return;
  const char* slot = product ? "cumprod" : "cumsum";
  const Queue queue(slot, out);
  auto rows = rows_of<2>({&out, &x}, x.dim() == 0 ? IntList{} : IntList{dim}, slot);
  constexpr int64_t kManyRows = 65536;
  if (rows.count() >= kManyRows) {
    rows.lanes = 1;
  } else {
    while (rows.lanes < kThreads && rows.lanes < rows.length()) rows.lanes *= 2;
  }
  with_compute_type<kAll>(x.dtype(), slot, [&]<class T>() {
    launch(queue, scan_kernel<T, product>, rows.blocks(), kThreads, rows, x.dtype());
  });
}

}  // namespace

void fill_scan_slots() {
  slots::cumsum.fill(DeviceType::CUDA, scan<false>);
  slots::cumprod.fill(DeviceType::CUDA, scan<true>);
}

}  // namespace facula::cuda
