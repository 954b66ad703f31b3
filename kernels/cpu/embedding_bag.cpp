// Sums, means and largest elements of bags of rows: each bag is read once, row by row, and added up in the dtype that is
// computed in. Parallel over bags.
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/embedding_bag.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/positions.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/row_sum.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
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

/// sum += scale * row
template <class T>
void add_row(Wide<T>* sum, const T* row, Wide<T> scale, int64_t D) {
  if constexpr (std::is_same_v<T, Wide<T>>)
    for_vectors<T>(D, [=](auto d, int64_t i) HWY_ATTR {
      hn::StoreU(hn::MulAdd(hn::LoadU(d, row + i), hn::Set(d, scale), hn::LoadU(d, sum + i)), d, sum + i);
    });
  else
    for (int64_t d = 0; d < D; ++d) sum[d] += static_cast<Wide<T>>(row[d]) * scale;
}

/// top = max(top, row), and where it comes from.
template <class T>
void raise(Wide<T>* top, int64_t* places, const T* row, int64_t position, bool first, int64_t D) {
  for (int64_t d = 0; d < D; ++d)
    if (first || static_cast<Wide<T>>(row[d]) > top[d]) top[d] = static_cast<Wide<T>>(row[d]), places[d] = position;
}

template <class T>
void collect(const Bags& bags, int64_t bag, Wide<T>* sum) {
  using W = Wide<T>;
  const int64_t D = bags.weight.size(1), n = bags.index.numel();
  const auto *index = bags.index.data<int64_t>(), *offsets = bags.offsets.data<int64_t>();
  const auto row = [&](int64_t i) { return bags.weight.data<T>() + (index[i] - 1) * D; };
  int64_t* places = bags.mode == kMax ? bags.places.data<int64_t>() + bag * D : nullptr;
  std::fill_n(sum, D, W(0));
  if (places) std::fill_n(places, D, int64_t{0});
  int64_t count = 0;
  for (int64_t i = offsets[bag] - 1; i < offsets[bag + 1] - 1; ++i) {
    if (i + kAhead < n)
      for (int64_t d = 0; d < D; d += 64 / static_cast<int64_t>(sizeof(T))) __builtin_prefetch(row(i + kAhead) + d);
    if (index[i] == bags.padding) continue;
    if (places)
      raise(sum, places, row(i), index[i], count == 0, D);
    else
      add_row(sum, row(i), bags.scales.defined() ? static_cast<W>(bags.scales.data<T>()[i]) : W(1), D);
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
      collect<T>(bags, b, sum.data());
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

void fill_embedding_bag() { slots::embedding_bag.fill(DeviceType::CPU, embedding_bag); }

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_embedding_bag);
void fill_embedding_bag_slots() { HWY_DYNAMIC_DISPATCH(fill_embedding_bag)(); }
}  // namespace facula::cpu
#endif
