// fill and copy. Dense rows run at the memory's speed; transposed ones are copied in square tiles, so that a cache line
// that was fetched for one element serves its neighbours too.
#include <cstring>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {

/// Elements along one side of a tile.
static constexpr int64_t kTile = 32;

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
    for (int64_t i = 0; i < n; i += kBlock) stream(p[0] + i * item, block.bytes, std::min(kBlock, n - i) * item);
    end_stream();
  });
}

/// The dimension along which x is dense while the innermost one is not: 0 if there is none.
static int transposed_dim(const LoopNest<2>& nest, int64_t item) {
  if (nest.stride[0][0] != item || nest.stride[0][1] == item || nest.size[0] < kTile) return 0;
  for (int d = 1; d < nest.dims; ++d)
    if (nest.stride[d][1] == item && nest.size[d] >= 4) return d;
  return 0;
}

/// A tile of `rows` rows along the transposed dimension: reads run along x's rows, writes along y's.
template <class T>
static void copy_tile(char* y, int64_t y_row, const char* x, int64_t x_step, int64_t rows, int64_t columns) {
  T tile[kTile][kTile];
  for (int64_t c = 0; c < columns; ++c) {
    const auto* from = reinterpret_cast<const T*>(x + c * x_step);
    for (int64_t r = 0; r < rows; ++r) tile[r][c] = from[r];
  }
  for (int64_t r = 0; r < rows; ++r) std::memcpy(y + r * y_row, tile[r], static_cast<size_t>(columns) * sizeof(T));
}

/// Copies in tiles over dimensions 0 and d: tasks are bands of kTile rows of dimension d.
template <class T>
static void copy_transposed(const LoopNest<2>& nest, int d) {
  LoopNest<2> outer = nest;  // all dimensions but 0; d counts bands
  const int64_t rows = nest.size[d], bands = (rows + kTile - 1) / kTile;
  outer.dims = nest.dims - 1;
  for (int k = 0; k < outer.dims; ++k) outer.size[k] = nest.size[k + 1], outer.stride[k] = nest.stride[k + 1];
  outer.size[d - 1] = bands;
  for (auto& s : outer.stride[d - 1]) s *= kTile;
  outer.numel = nest.numel / nest.size[0] / rows * bands;
  parallel_for(outer.numel, std::max<int64_t>(1, kGrain / (kTile * nest.size[0])), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      std::array<char*, 2> p = nest.base;
      int64_t rest = task, band = 0;
      for (int k = 0; k < outer.dims; ++k) {
        const int64_t at = rest % outer.size[k];
        rest /= outer.size[k];
        if (k == d - 1) band = at;
        p[0] += at * outer.stride[k][0], p[1] += at * outer.stride[k][1];
      }
      const int64_t height = std::min(kTile, rows - band * kTile);
      for (int64_t c = 0; c < nest.size[0]; c += kTile)
        copy_tile<T>(p[0] + c * nest.stride[0][0], nest.stride[d][0], p[1] + c * nest.stride[0][1], nest.stride[0][1],
                     height, std::min(kTile, nest.size[0] - c));
    }
  });
}

static void copy_converted(const LoopNest<2>& nest, DType to, DType from) {
  const Packing x = Packing::in(from, to, nest.stride[0][1]), y = Packing::out(to, to, nest.stride[0][0]);
  const bool streams = y.direct() && nest.numel * y.item >= kStreamBytes;
  nest.parallel_rows(kGrain, [&](const std::array<char*, 2>& p, int64_t n) {
    if (y.direct() && x.stride == x.item && !streams) return x.convert(p[0], p[1], n);
    Block block;
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t count = std::min(kBlock, n - i);
      x.load(p[1] + i * x.stride, count, block);
      if (streams)
        stream(p[0] + i * y.item, block.bytes, count * y.item);
      else
        y.store(p[0] + i * y.stride, count, block);
    }
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
