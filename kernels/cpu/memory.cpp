// fill and copy. Dense rows run at the memory's speed; transposed ones are copied in tiles whose rows are cache lines
// of the result and whose columns are long runs of x, so that no line is fetched twice.
#include <cstring>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/walk.h"

namespace facula::cpu {

/// Rows of a tile, and its columns: a cache line of elements.
static constexpr int64_t kTileRows = 256;
template <class T>
static constexpr int64_t kTileColumns = 64 / sizeof(T);

static void fill(const Tensor& out, const Scalar& value) {
  alignas(16) char v[16];  // one element of any dtype
  with_type(out.dtype(), [&]<class T>() { *reinterpret_cast<T*>(v) = value.to<T>(); });
  const int64_t item = out.item_size();
  const LoopNest<1> nest({&out});
  const int64_t stride = nest.stride[0][0];
  const bool streams = stride == item && nest.numel * item >= kStreamBytes;
  nest.parallel_rows(kGrain, [&](const std::array<char*, 1>& p, int64_t n) {
    if (!streams) return copy_row(p[0], stride, v, 0, n, item);
    Block block;
    copy_row(block.bytes, item, v, 0, kBlock, item);
    for_blocks(n, p[0], item,
               [&](int64_t first, int64_t count) { stream(p[0] + first * item, block.bytes, count * item); });
    end_stream();
  });
}

/// The dimension along which x is dense while the innermost one is not: 0 if there is none.
static int transposed_dim(const LoopNest<2>& nest, int64_t item) {
  if (nest.stride[0][0] != item || nest.stride[0][1] == item || nest.size[0] < 4) return 0;
  for (int d = 1; d < nest.dims; ++d)
    if (nest.stride[d][1] == item && nest.size[d] >= 4) return d;
  return 0;
}

/// A tile of y: `rows` rows `y_row` bytes apart, `columns` of them, which are runs of x `x_run` bytes apart.
template <class T>
static void copy_tile(char* y, int64_t y_row, const char* x, int64_t x_run, int64_t rows, int64_t columns) {
  T tile[kTileRows][kTileColumns<T>];
  for (int64_t c = 0; c < columns; ++c) {
    const auto* run = reinterpret_cast<const T*>(x + c * x_run);
    for (int64_t r = 0; r < rows; ++r) tile[r][c] = run[r];
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (columns == kTileColumns<T>)
      std::memcpy(y + r * y_row, tile[r], sizeof tile[r]);
    else
      std::memcpy(y + r * y_row, tile[r], static_cast<size_t>(columns) * sizeof(T));
  }
}

/// Copies in tiles over dimensions 0 and d. Tasks are bands of rows of dimension d, for all other dimensions.
template <class T>
static void copy_transposed(const LoopNest<2>& nest, int d) {
  const int64_t rows = nest.size[d], columns = nest.size[0], height = std::min(rows, kTileRows);
  const int64_t bands = (rows + height - 1) / height;
  const int64_t y_row = nest.stride[d][0], x_row = nest.stride[d][1];
  const int64_t y_step = nest.stride[0][0], x_run = nest.stride[0][1];
  Walk tasks;
  tasks.add(bands, {height * y_row, height * x_row});
  for (int k = 1; k < nest.dims; ++k)
    if (k != d) tasks.add(nest.size[k], nest.stride[k]);
  parallel_for(tasks.numel, std::max<int64_t>(1, kGrain / (height * columns)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const auto at = tasks.offset(task);
      const int64_t count = std::min(height, rows - task % bands * height);
      for (int64_t c = 0; c < columns; c += kTileColumns<T>)
        copy_tile<T>(nest.base[0] + at[0] + c * y_step, y_row, nest.base[1] + at[1] + c * x_run, x_run, count,
                     std::min(kTileColumns<T>, columns - c));
    }
  });
}

static void copy_converted(const LoopNest<2>& nest, DType to, DType from) {
  const Packing x = Packing::in(from, to, nest.stride[0][1]), y = Packing::out(to, to, nest.stride[0][0]);
  const bool streams = y.direct() && nest.numel * y.item >= kStreamBytes;
  nest.parallel_rows(kGrain, [&](const std::array<char*, 2>& p, int64_t n) {
    if (y.direct() && x.stride == x.item && !streams) return x.convert(p[0], p[1], n);
    Block block;
    for_blocks(n, streams ? p[0] : nullptr, y.item, [&](int64_t first, int64_t count) {
      x.load(p[1] + first * x.stride, count, block);
      if (streams)
        stream(p[0] + first * y.item, block.bytes, count * y.item);
      else
        y.store(p[0] + first * y.stride, count, block);
    });
    if (streams) end_stream();
  });
}

static void copy(const Tensor& out, const Tensor& x) {
  if (out.numel() == 0) return;
  const LoopNest<2> nest({&out, &x});
  if (out.dtype() != x.dtype()) return copy_converted(nest, out.dtype(), x.dtype());
  const int64_t item = out.item_size(), y_stride = nest.stride[0][0], x_stride = nest.stride[0][1];
  if (const int d = transposed_dim(nest, item))
    return with_item(item, [&]<class T>(T) { copy_transposed<T>(nest, d); });
  const bool streams = y_stride == item && x_stride == item && nest.numel * item >= kStreamBytes;
  nest.parallel_rows(kGrain, [&](const std::array<char*, 2>& p, int64_t n) {
    if (!streams) return copy_row(p[0], y_stride, p[1], x_stride, n, item);
    stream(p[0], p[1], n * item);
    end_stream();
  });
}

void fill_memory_slots() {
  slots::fill.fill(DeviceType::CPU, fill);
  slots::copy.fill(DeviceType::CPU, copy);
}

}  // namespace facula::cpu
