// Sums, means and largest elements of bags of rows: each bag is read once, row by row, and added up in the dtype that is
// computed in. Parallel over bags.
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/index.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

enum Mode : int64_t { kSum, kMean, kMax };

/// Rows that are asked for before they are added: they lie anywhere in memory.
constexpr int64_t kAhead = 8;

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

struct Bags {
  const Tensor &out, &places, &weight, &index, &offsets, &scales;
  int64_t padding, mode;
};

template <class T>
void add_bag(const Bags& bags, int64_t bag, Wide<T>* sum) {
  using W = Wide<T>;
  const int64_t D = bags.weight.size(1);
  const auto *index = bags.index.data<int64_t>(), *offsets = bags.offsets.data<int64_t>();
  int64_t* places = bags.mode == kMax ? bags.places.data<int64_t>() + bag * D : nullptr;
  std::fill_n(sum, D, W(0));
  if (places) std::fill_n(places, D, int64_t{0});
  int64_t count = 0;
  const int64_t n = bags.index.numel();
  for (int64_t i = offsets[bag] - 1; i < offsets[bag + 1] - 1; ++i) {
    if (i + kAhead < n) __builtin_prefetch(bags.weight.data<T>() + (index[i + kAhead] - 1) * D);
    if (index[i] == bags.padding) continue;
    const T* row = bags.weight.data<T>() + (index[i] - 1) * D;
    const W scale = bags.scales.defined() ? static_cast<W>(bags.scales.data<T>()[i]) : W(1);
    if (!places)
      for (int64_t d = 0; d < D; ++d) sum[d] += static_cast<W>(row[d]) * scale;
    else
      for (int64_t d = 0; d < D; ++d)
        if (count == 0 || static_cast<W>(row[d]) > sum[d]) sum[d] = static_cast<W>(row[d]), places[d] = index[i];
    ++count;
  }
  if (bags.mode == kMean && count > 0)
    for (int64_t d = 0; d < D; ++d) sum[d] /= static_cast<W>(count);
}

template <class T>
void run(const Bags& bags) {
  const int64_t B = bags.out.size(0), D = bags.out.size(1);
  const int64_t work = std::max<int64_t>(1, bags.index.numel() * D / std::max<int64_t>(1, B));
  parallel_for(B, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    std::vector<Wide<T>> sum(static_cast<size_t>(D));
    for (int64_t b = begin; b < end; ++b) {
      add_bag<T>(bags, b, sum.data());
      for (int64_t d = 0; d < D; ++d) bags.out.data<T>()[b * D + d] = static_cast<T>(sum[static_cast<size_t>(d)]);
    }
  });
}

void embedding_bag(const Tensor& out, const Tensor& places, const Tensor& weight, const Tensor& index,
                   const Tensor& offsets, const Tensor& scales, int64_t padding, int64_t mode) {
  check_positions("embedding_bag", index, weight, 0);
  const Bags bags{out, places, weight, index, offsets, scales, padding, mode};
  switch (out.dtype()) {
    case DType::Float16: return run<Half>(bags);
    case DType::BFloat16: return run<BFloat16>(bags);
    case DType::Float64: return run<double>(bags);
    default: return run<float>(bags);
  }
}

}  // namespace

void fill_embedding_bag_slots() { slots::embedding_bag.fill(DeviceType::CPU, embedding_bag); }

}  // namespace facula::cpu
