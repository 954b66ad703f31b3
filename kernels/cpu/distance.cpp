// Distances between all pairs of rows: a pair is folded in lanes, which the compiler keeps in one vector register each.
#include <array>
#include <cmath>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

constexpr int64_t kLanes = 16;

// The fold of `step(sum, |x - y|)` over two rows, the lanes joined by `join`.
template <class T, class Step, class Join>
T folded(const T* x, const T* y, int64_t n, Step&& step, Join&& join) {
  std::array<T, kLanes> lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] = step(lanes[k], std::abs(x[i + k] - y[i + k]));
  for (int64_t k = 0; i < n; ++i, ++k) lanes[k] = step(lanes[k], std::abs(x[i] - y[i]));
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t k = 0; k < half; ++k) lanes[k] = join(lanes[k], lanes[k + half]);
  return lanes[0];
}

template <class T>
T distance(const T* x, const T* y, int64_t n, double p) {
  const auto plus = [](T a, T b) { return a + b; };
  const auto larger = [](T a, T b) { return a > b || a != a ? a : b; };  // NaN wins
  if (p == 0)
    return folded(
        x, y, n, [](T sum, T d) { return sum + (d != 0 ? T(1) : T(0)); }, plus);
  if (p == 1) return folded(x, y, n, plus, plus);
  if (p == 2)
    return std::sqrt(folded(
        x, y, n, [](T sum, T d) { return sum + d * d; }, plus));
  if (std::isinf(p)) return folded(x, y, n, larger, larger);
  const T power = static_cast<T>(p);
  return std::pow(folded(
                      x, y, n, [&](T sum, T d) { return sum + std::pow(d, power); }, plus),
                  1 / power);
}

template <class T>
void distances(const Tensor& out, const Tensor& x1, const Tensor& x2, double p) {
  const Tensor a = dense(x1), b = dense(x2), y = dense_or_new(out);
  const int64_t rows = a.size(1), columns = b.size(1), n = a.size(2);
  const int64_t cost = std::max<int64_t>(1, n * columns * (p == 0 || p == 1 || p == 2 || std::isinf(p) ? 1 : 20));
  parallel_for(a.size(0) * rows, std::max<int64_t>(1, kGrain / cost), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T *x = a.data<T>() + i * n, *others = b.data<T>() + i / rows * columns * n;
      for (int64_t j = 0; j < columns; ++j) y.data<T>()[i * columns + j] = distance(x, others + j * n, n, p);
    }
  });
  if (!y.is(out)) slots::copy(out, y);
}

void cdist(const Tensor& out, const Tensor& x1, const Tensor& x2, double p) {
  if (out.numel() == 0) return;
  if (out.dtype() == DType::Float64)
    distances<double>(out, x1, x2, p);
  else
    distances<float>(out, x1, x2, p);
}

}  // namespace

void fill_distance_slots() { slots::cdist.fill(DeviceType::CPU, cdist); }

}  // namespace facula::cpu
