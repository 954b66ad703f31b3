// Positions are checked as a whole before anything is written; the loops that read and write at them trust them.
#include "kernels/cpu/index.h"

#include <atomic>
#include <cstring>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

int64_t position_at(const char* p) { return *reinterpret_cast<const int64_t*>(p); }

// Names the first position that is outside.
[[noreturn]] void position_outside(const char* where, const Tensor& index, const Tensor& x, int64_t dim,
                                   bool from_end) {
  const int64_t n = x.size(dim);
  const Tensor dense = empty(index.sizes(), DType::Int64);
  slots::copy(dense, index);
  const int64_t* at = dense.data<int64_t>();
  while ((1 <= *at && *at <= n) || (from_end && -n <= *at && *at < 0)) ++at;
  fail(where, ": position ", *at, " is outside 1..", n, " in dimension ", Counting::shown(dim), " of ", x.sizes());
}

}  // namespace

// x with one element along the dimensions in which it stands still.
static Tensor without_repeats(const Tensor& x) {
  Sizes sizes = x.sizes();
  for (int64_t d = 0; d < x.dim(); ++d)
    if (x.stride(d) == 0) sizes[static_cast<size_t>(d)] = std::min<int64_t>(sizes[static_cast<size_t>(d)], 1);
  return x.alias(sizes, x.strides(), x.offset());
}

void check_positions(const char* where, const Tensor& given, const Tensor& x, int64_t dim) {
  const Tensor index = without_repeats(given);
  const uint64_t n = static_cast<uint64_t>(x.size(dim));
  std::atomic<bool> bad{false};
  LoopNest<1> nest({&index});
  nest.parallel_rows(kGrain, [&](const std::array<char*, 1>& p, int64_t count) {
    const int64_t stride = nest.stride[0][0];
    bool outside = false;
    if (stride == sizeof(int64_t)) {
      const auto* at = reinterpret_cast<const int64_t*>(p[0]);
      for (int64_t i = 0; i < count; ++i) outside |= static_cast<uint64_t>(at[i]) - 1 >= n;
    } else {
      for (int64_t i = 0; i < count; ++i) outside |= static_cast<uint64_t>(position_at(p[0] + i * stride)) - 1 >= n;
    }
    if (outside) bad = true;
  });
  if (bad) position_outside(where, index, x, dim, false);
}

Tensor offsets(const char* where, const Tensor& x, std::span<const Tensor> indices) {
  const Tensor sum = empty(indices[0].sizes(), DType::Int64);
  if (sum.numel() == 0) return sum;
  std::memset(sum.bytes(), 0, sum.numel() * sum.item_size());
  for (size_t d = 0; d < indices.size(); ++d) {
    const int64_t n = x.size(d), step = x.stride(d) * x.item_size();
    std::atomic<bool> bad{false};
    LoopNest<2> nest({&sum, &indices[d]});
    nest.parallel_rows(kGrain, [&](const std::array<char*, 2>& p, int64_t count) {
      const auto [to, from] = nest.stride[0];
      bool outside = false;
      for (int64_t i = 0; i < count; ++i) {
        const int64_t position = position_at(p[1] + i * from), at = position > 0 ? position - 1 : position + n;
        outside |= static_cast<uint64_t>(at) >= static_cast<uint64_t>(n);
        *reinterpret_cast<int64_t*>(p[0] + i * to) += at * step;
      }
      if (outside) bad = true;
    });
    if (bad) position_outside(where, indices[d], x, d, true);
  }
  return sum;
}

void fill_index_slots() {
  slots::gather.fill(DeviceType::CPU, gather);
  slots::index_select.fill(DeviceType::CPU, index_select);
  slots::index.fill(DeviceType::CPU, index);
  slots::scatter.fill(DeviceType::CPU, scatter);
  slots::scatter_add.fill(DeviceType::CPU, scatter_add);
  slots::scatter_multiply.fill(DeviceType::CPU, scatter_multiply);
  slots::scatter_reduce.fill(DeviceType::CPU, scatter_reduce);
  slots::index_copy.fill(DeviceType::CPU, index_copy);
  slots::index_add.fill(DeviceType::CPU, index_add);
  slots::index_put.fill(DeviceType::CPU, index_put);
  slots::nonzero.fill(DeviceType::CPU, nonzero);
}

}  // namespace facula::cpu
