// Sums of functions of dense rows, included once per instruction set.
#if defined(FACULA_KERNELS_CPU_ROW_SUM_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_ROW_SUM_H
#undef FACULA_KERNELS_CPU_ROW_SUM_H
#else
#define FACULA_KERNELS_CPU_ROW_SUM_H
#endif

#include "kernels/cpu/rows.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

/// Elements that are added up in T before the sum goes on in double: long rows keep their digits.
inline constexpr int64_t kSumBlock = 4096;

/// Calls f(d, i) for i from 0 in steps of a vector, then in steps of one element, with d of a vector or of one lane.
template <class T, class F>
HWY_INLINE void for_vectors(int64_t n, const F& f) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(d, i);
  for (; i < n; ++i) f(one, i);
}

/// The sum of term(d, i) over [0, n).
template <class T, class F>
HWY_INLINE double sum_over(int64_t n, const F& term) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  double sum = 0;
  for (int64_t first = 0; first < n; first += kSumBlock) {
    const int64_t end = std::min(n, first + kSumBlock);
    auto a = hn::Zero(d), b = a, c = a, e = a;
    int64_t i = first;
    for (; i + 4 * lanes <= end; i += 4 * lanes) {
      a = hn::Add(a, term(d, i));
      b = hn::Add(b, term(d, i + lanes));
      c = hn::Add(c, term(d, i + 2 * lanes));
      e = hn::Add(e, term(d, i + 3 * lanes));
    }
    for (; i + lanes <= end; i += lanes) a = hn::Add(a, term(d, i));
    T rest = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
    for (; i < end; ++i) rest += hn::GetLane(term(one, i));
    sum += static_cast<double>(rest);
  }
  return sum;
}

/// Two sums over [0, n) at once: add(d, i, a, b) adds its terms to the vectors a and b.
template <class T, class F>
HWY_INLINE std::array<double, 2> two_sums_over(int64_t n, const F& add) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  std::array<double, 2> sums{};
  for (int64_t first = 0; first < n; first += kSumBlock) {
    const int64_t end = std::min(n, first + kSumBlock);
    auto a = hn::Zero(d), b = a, c = a, e = a;
    auto rest_a = hn::Zero(one), rest_b = rest_a;
    int64_t i = first;
    for (; i + 2 * lanes <= end; i += 2 * lanes) {
      add(d, i, a, b);
      add(d, i + lanes, c, e);
    }
    for (; i + lanes <= end; i += lanes) add(d, i, a, b);
    for (; i < end; ++i) add(one, i, rest_a, rest_b);
    sums[0] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(a, c))) + hn::GetLane(rest_a));
    sums[1] += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(b, e))) + hn::GetLane(rest_b));
  }
  return sums;
}

/// Mean of x and the sum of its squared deviations from it.
template <class T>
HWY_INLINE std::array<double, 2> deviations(const T* x, int64_t n) {
  const double mean = sum_over<T>(n, [x](auto d, int64_t i) { return hn::LoadU(d, x + i); }) / static_cast<double>(n);
  const double squares = sum_over<T>(n, [x, mean](auto d, int64_t i) {
    const auto v = hn::Sub(hn::LoadU(d, x + i), hn::Set(d, static_cast<T>(mean)));
    return hn::Mul(v, v);
  });
  return {mean, squares};
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
