#include "kernels/cpu/pack.h"

#include <algorithm>
#include <cstring>

namespace facula::cpu {

// One element n times: by doubling what is there, up to a piece that stays in the cache.
static void repeat(char* to, const char* from, int64_t n, int64_t item) {
  constexpr int64_t kPiece = 4096;
  const int64_t bytes = n * item;
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(item));
  for (int64_t filled = item, count; filled < bytes; filled += count) {
    count = std::min({filled, bytes - filled, kPiece});
    std::memmove(to + filled, to, static_cast<size_t>(count));  // memcpy of at most 4 KB would be inlined, by words
  }
}

void copy_row(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t n, int64_t item) {
  if (to_stride == item && from_stride == item) {
    std::memmove(to, from, static_cast<size_t>(n * item));
    return;
  }
  if (to_stride == item && from_stride == 0) return repeat(to, from, n, item);
  with_item(item, [&]<class T>(T) {
    auto* y = reinterpret_cast<T*>(to);
    if (to_stride == item)
      for (int64_t i = 0; i < n; ++i) y[i] = *reinterpret_cast<const T*>(from + i * from_stride);
    else
      for (int64_t i = 0; i < n; ++i)
        *reinterpret_cast<T*>(to + i * to_stride) = *reinterpret_cast<const T*>(from + i * from_stride);
  });
}

Packing Packing::in(DType type, DType dense_type, int64_t stride) {
  Packing p;
  p.stride = stride;
  p.item = item_size(type);
  if (type != dense_type) p.convert = converter(dense_type, type);
  return p;
}

Packing Packing::out(DType type, DType dense_type, int64_t stride) {
  Packing p = in(type, type, stride);
  if (type != dense_type) p.convert = converter(type, dense_type);
  return p;
}

const char* Packing::load(const char* from, int64_t n, Block& block) const {
  if (direct()) return from;
  if (!convert) {
    copy_row(block.bytes, item, from, stride, n, item);
  } else if (stride == item) {
    convert(block.bytes, from, n);
  } else {
    Block dense;
    copy_row(dense.bytes, item, from, stride, n, item);
    convert(block.bytes, dense.bytes, n);
  }
  return block.bytes;
}

void Packing::store(char* to, int64_t n, const Block& block) const {
  if (!convert) {
    copy_row(to, stride, block.bytes, item, n, item);
  } else if (stride == item) {
    convert(to, block.bytes, n);
  } else {
    Block dense;
    convert(dense.bytes, block.bytes, n);
    copy_row(to, stride, dense.bytes, item, n, item);
  }
}

}  // namespace facula::cpu
