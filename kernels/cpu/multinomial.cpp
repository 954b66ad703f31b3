// Positions drawn in proportion to weights, by inverting their running sums. Only the sums of short blocks are kept: a draw
// finds its block among them by halving, and its place by adding up what the block holds. So all weights are read once, by
// vectors, whatever their dtype. Sums are float64's, in an order that depends on sizes alone.
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/multinomial.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "kernels/cpu/rank.h"
#include "kernels/cpu/register.h"
#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

constexpr int64_t kWeights = 16;  // of a block

template <class D, class T>
HWY_INLINE hn::Vec<D> load_double(D d, const T* x) {
  if constexpr (std::is_same_v<T, double>)
    return hn::LoadU(d, x);
  else
    return hn::PromoteTo(d, load(hn::Rebind<float, D>(), x));
}

/// The sum of n weights; NaN if one of them is negative or NaN.
template <class T>
double sum_block(const T* w, int64_t n) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const hn::ScalableTag<double> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sums = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = load_double(d, w + i);
    sums = hn::Add(sums, hn::IfThenElse(hn::Ge(v, hn::Zero(d)), v, hn::Set(d, nan)));
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; i < n; ++i) sum += w[i] >= T(0) ? static_cast<double>(w[i]) : nan;
  return sum;
}

/// The first of n weights with which a sum that begins at `sum` exceeds `target`.
template <class T>
int64_t place_in(const T* w, int64_t n, double sum, double target) {
  int64_t place = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum += static_cast<double>(w[i]);
    place += sum <= target;
  }
  if (place == n)  // rounded otherwise than the block's sum: the last one that weighs anything
    do --place;
    while (place > 0 && !(w[place] > T(0)));
  return place;
}

template <class T>
void draw(const Tensor& out, const Tensor& totals, const Tensor& weights, const Tensor& shares) {
  const int64_t n = weights.size(-1), rows = totals.numel(), k = shares.size(-1),
                blocks = (n + kWeights - 1) / kWeights;
  const T* w = weights.data<T>();
  const Tensor memory = empty({rows, blocks}, DType::Float64);
  double* sums = memory.data<double>();  // of a row up to the end of each block
  parallel_for(rows * blocks, kGrain / kWeights, [&](int64_t begin, int64_t end) {
    int64_t row = begin / blocks, block = begin % blocks;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = block * kWeights;
      sums[i] = sum_block(w + row * n + first, std::min(kWeights, n - first));
      if (++block == blocks) ++row, block = 0;
    }
  });
  parallel_for(rows, kGrain / blocks + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double sum = 0;
      for (int64_t i = row * blocks; i < (row + 1) * blocks; ++i) sums[i] = sum += sums[i];
      totals.data<double>()[row] = sum;
    }
  });
  parallel_for(rows * k, kHeavyGrain / kWeights, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / k;
      const double total = totals.data<double>()[row], *sum = sums + row * blocks;
      if (!(total > 0 && total < std::numeric_limits<double>::infinity())) continue;
      // A share of a subnormal total can round up to all of it.
      const double target = std::min(shares.data<double>()[i] * total, std::nextafter(total, 0.0));
      const int64_t block = rank_of(target, blocks, true, [=](int64_t b) { return sum[b]; }), first = block * kWeights;
      const double before = block == 0 ? 0 : sum[block - 1];
      out.data<int64_t>()[i] = first + place_in(w + row * n + first, std::min(kWeights, n - first), before, target) + 1;
    }
  });
}

void multinomial(const Tensor& out, const Tensor& totals, const Tensor& weights, const Tensor& shares) {
  with_type(weights.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) draw<T>(out, totals, weights, shares);
  });
}

void fill_multinomial() { slots::multinomial.fill(DeviceType::CPU, multinomial); }

}  // namespace
}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {
HWY_EXPORT(fill_multinomial);
void fill_multinomial_slots() { HWY_DYNAMIC_DISPATCH(fill_multinomial)(); }
}  // namespace facula::cpu
#endif
