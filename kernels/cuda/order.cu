// Sorting by 64-bit keys: every dtype is mapped to unsigned integers of the same order (NaN highest, -0 equal to 0),
// descending order complements them, and the place in the row decides between equals. So entries (key, place) are all
// different, and any correct method gives the one stable result.
//
// Tiles of up to 1024 entries are sorted in shared memory (bitonic: Batcher 1968), several short rows per block; then
// sorted runs are merged in pairs, each entry finding its place by counting the smaller entries of the other run. The
// best k are the first k of all.
#include "kernels/cuda/index.h"
#include "kernels/cuda/register.h"
#include "kernels/cuda/rows.h"

namespace facula::cuda {
namespace {

constexpr int kTile = 1024;

struct Entry {
  uint64_t key;
  int64_t place;
  __device__ friend bool operator<(const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key < b.key : a.place < b.place;
  }
};

__device__ uint64_t key_of(int64_t x) { return static_cast<uint64_t>(x) ^ (uint64_t{1} << 63); }
__device__ uint64_t key_of(double x) {
  if (is_nan(x)) return ~uint64_t{0};
  if (x == 0) x = 0;  // -0
  const auto bits = static_cast<uint64_t>(__double_as_longlong(x));
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

__device__ uint64_t load_key(const char* p, DType type) {
  switch (type) {
    case DType::Float16:
    case DType::BFloat16:
    case DType::Float32: return key_of(static_cast<double>(load<float>(p, type)));
    case DType::Float64: return key_of(load<double>(p, type));
    default: return key_of(load<int64_t>(p, type));
  }
}

/// Sorts each tile of each row. A tile's size is a power of 2, and a block takes kTile entries of one or more tiles.
__global__ void __launch_bounds__(kThreads)
    tile_kernel(Rows<3> rows, DType type, uint64_t flip, int tile, int64_t tiles_per_row, Entry* entries) {
  __shared__ Entry shared[kTile];
  const int64_t n = rows.along.numel, first_tile = int64_t{blockIdx.x} * (kTile / tile);
  const auto place_of = [&](int s, int64_t& row, int64_t& at) {  // of the block's entry s; false where there is none
    const int64_t t = first_tile + s / tile;
    row = t / tiles_per_row;
    at = t % tiles_per_row * tile + s % tile;
    return row < rows.kept.numel && at < n;
  };
  int64_t row, at;
  for (int s = static_cast<int>(threadIdx.x); s < kTile; s += kThreads) {
    Entry entry{~uint64_t{0}, INT64_MAX};  // stays behind all others
    if (place_of(s, row, at)) {
      char *base[3], *p[3];
      rows.locate_row(row, base);
      rows.locate(base, at, p);
      entry = {load_key(p[2], type) ^ flip, at};
    }
    shared[s] = entry;
  }
  __syncthreads();
  for (int run = 2; run <= tile; run *= 2) {
    for (int step = run / 2; step > 0; step /= 2) {
      for (int pair = static_cast<int>(threadIdx.x); pair < kTile / 2; pair += kThreads) {
        const int a = 2 * pair - (pair & (step - 1)), b = a + step;
        const bool ascending = (a & (tile - 1) & run) == 0;
        const Entry x = shared[a], y = shared[b];
        if ((y < x) == ascending) {
          shared[a] = y;
          shared[b] = x;
        }
      }
      __syncthreads();
    }
  }
  for (int s = static_cast<int>(threadIdx.x); s < kTile; s += kThreads)
    if (place_of(s, row, at)) entries[row * n + at] = shared[s];
}

/// Merges neighbouring runs of `width` entries in each row of n.
__global__ void __launch_bounds__(kThreads)
    merge_kernel(const Entry* from, Entry* to, int64_t total, int64_t n, int64_t width) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= total) return;
  const int64_t row_begin = i / n * n, at = i - row_begin, run = at / width;
  const int64_t other_begin = (run ^ 1) * width;
  const int64_t other_size = other_begin >= n ? 0 : other_begin + width < n ? width : n - other_begin;
  const Entry mine = from[i];
  const Entry* other = from + row_begin + other_begin;
  int64_t low = 0, high = other_size;  // entries of the other run below `low` are smaller, those from `high` on larger
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (other[middle] < mine)
      low = middle + 1;
    else
      high = middle;
  }
  to[row_begin + run / 2 * 2 * width + (at - run * width) + low] = mine;
}

struct Strides {
  int64_t values, positions, x;  // bytes along the sorted dimension
};

/// The first k entries of each row as values and positions.
template <class W>
__global__ void __launch_bounds__(kThreads)
    emit_kernel(Rows<3> rows, const Entry* entries, int64_t n, int64_t k, Strides strides) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, row = i / k, at = i % k;
  if (row >= rows.kept.numel) return;
  char* p[3];
  rows.locate_row(row, p);
  const int64_t place = entries[row * n + at].place;
  *reinterpret_cast<W*>(p[0] + at * strides.values) = *reinterpret_cast<const W*>(p[2] + place * strides.x);
  *reinterpret_cast<int64_t*>(p[1] + at * strides.positions) = place + 1;
}

Tensor entries_for(int64_t count, Device device) {
  return empty({count * static_cast<int64_t>(sizeof(Entry))}, DType::UInt8, device);
}

void order(const char* slot, const Tensor& values_given, const Tensor& positions_given, const Tensor& x_given,
           int64_t dim, bool descending) {
  if (values_given.numel() == 0) return;
  const Tensor values = at_least_1d(values_given), positions = at_least_1d(positions_given), x = at_least_1d(x_given);
  check(!is_complex(x.dtype()), slot, ": ", x.dtype(), " numbers have no order");
  const Queue queue(slot, values);
  const int64_t n = x.size(dim), k = values.size(dim), total = x.numel();

  const Tensor memory = entries_for(total, x.device()),
               other_memory = n > kTile ? entries_for(total, x.device()) : Tensor();
  auto* entries = reinterpret_cast<Entry*>(memory.bytes());
  auto* others = n > kTile ? reinterpret_cast<Entry*>(other_memory.bytes()) : nullptr;

  int tile = 1;
  while (tile < kTile && tile < n) tile *= 2;
  const int64_t tiles_per_row = ceil_div(n, tile);
  const auto rows = rows_of<3>({&values, &positions, &x}, IntList{dim}, slot);
  launch(queue, tile_kernel, blocks_for(rows.count() * tiles_per_row, kTile / tile), kThreads, rows, x.dtype(),
         descending ? ~uint64_t{0} : uint64_t{0}, tile, tiles_per_row, entries);
  for (int64_t width = tile; width < n; width *= 2, std::swap(entries, others))
    launch(queue, merge_kernel, blocks_for(total), kThreads, static_cast<const Entry*>(entries), others, total, n,
           width);

  const auto bytes = [dim](const Tensor& t) { return t.stride(dim) * t.item_size(); };
  with_word(x.item_size(), [&]<class W>() {
    launch(queue, emit_kernel<W>, blocks_for(rows.count() * k), kThreads, rows, static_cast<const Entry*>(entries), n,
           k, Strides{bytes(values), bytes(positions), bytes(x)});
  });
}

void sort(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool descending) {
  order("sort", values, positions, x, dim, descending);
}

void topk(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool largest, bool) {
  order("topk", values, positions, x, dim, largest);
}

}  // namespace

void fill_order_slots() {
  slots::sort.fill(DeviceType::CUDA, sort);
  slots::topk.fill(DeviceType::CUDA, topk);
}

}  // namespace facula::cuda
