// Reading at positions. All three operators are one loop over (out, index, x), in which x stands still along the
// dimensions that the positions choose from. Where the position is the same along a dense row, the row is one memcpy.
#include <cstring>

#include "core/iterator.h"
#include "kernels/cpu/index.h"

namespace facula::cpu {
namespace {

template <class Item>
void take_items(const Tensor& out, const Tensor& x, const Tensor& index, Step step) {
  LoopNest<3> nest({&out, &index, &x});
  nest.parallel_rows(kHeavyGrain, [&](const std::array<char*, 3>& p, int64_t count) {
    const int64_t to = nest.stride[0][0], next = nest.stride[0][1], from = nest.stride[0][2];
    constexpr int64_t kItem = sizeof(Item);
    auto address = [&](int64_t i) {
      return p[2] + i * from + (*reinterpret_cast<const int64_t*>(p[1] + i * next) - step.first) * step.bytes;
    };
    if (next == 0 && to == kItem && from == kItem) {
      std::memcpy(p[0], address(0), count * kItem);
      return;
    }
    for (int64_t i = 0; i < count; ++i)
      *reinterpret_cast<Item*>(p[0] + i * to) = *reinterpret_cast<const Item*>(address(i));
  });
}

// out[...] = the element of x that `index` leads to from the one at [...]. All have equal sizes.
void take(const Tensor& out, const Tensor& x, const Tensor& index, Step step) {
  if (out.numel() > 0) with_item(out.item_size(), [&]<class Item>() { take_items<Item>(out, x, index, step); });
}

}  // namespace

void gather(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index) {
  const Tensor from = at_least_1d(x);
  check_positions("gather", index, from, dim);
  const Tensor to = at_least_1d(out), positions = at_least_1d(index);
  take(to, standing(from, to.sizes(), dim, dim + 1), positions, step_along(from, dim));
}

void index_select(const Tensor& out, const Tensor& x, int64_t dim, const Tensor& index) {
  const Tensor from = at_least_1d(x);
  check_positions("index_select", index, from, dim);
  const Tensor to = at_least_1d(out), positions = along(at_least_1d(index), to.sizes(), dim);
  take(to, standing(from, to.sizes(), dim, dim + 1), positions, step_along(from, dim));
}

void index(const Tensor& out, const Tensor& x, std::span<const Tensor> indices) {
  const Tensor distance = offsets("index", x, indices);
  const int64_t chosen = static_cast<int64_t>(indices.size());
  IntList distance_strides(out.dim()), x_strides(out.dim());
  std::copy(distance.strides().begin(), distance.strides().end(), distance_strides.begin());
  std::copy(x.strides().begin() + chosen, x.strides().end(), x_strides.begin() + distance.dim());
  take(out, x.alias(out.sizes(), x_strides, x.offset()), distance.alias(out.sizes(), distance_strides, 0), kOffsets);
}

}  // namespace facula::cpu
