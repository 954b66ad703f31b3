// Running extremes and their positions, and running logarithms of sums. A row is one chain; rows that lie side by side
// are walked together, in strips that stay in the cache.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

/// Calls strip(first element, columns) for strips of at most kBlock columns.
template <class Strip>
void for_strips(const Around& at, int64_t grain, const Strip& strip) {
  const int64_t strips = (at.inner + kBlock - 1) / kBlock, width = std::min(at.inner, kBlock);
  parallel_for(at.outer * strips, std::max<int64_t>(1, grain / (at.n * width)), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % strips * kBlock;
      strip(task / strips * at.n * at.inner + first, std::min(kBlock, at.inner - first));
    }
  });
}

// `better(v, best)`: does v replace the best so far? Of equals the last one does, and NaN whatever there was.
template <class T, class Better>
void run_extremes(T* values, int64_t* positions, const T* x, const Around& at, Better better) {
  for_strips(at, kGrain, [&](int64_t start, int64_t count) {
    std::copy_n(x + start, count, values + start);
    std::fill_n(positions + start, count, 1);
    for (int64_t k = 1; k < at.n; ++k) {
      const int64_t i = start + k * at.inner;
      for (int64_t c = i; c < i + count; ++c) {
        const T best = values[c - at.inner];
        const bool taken = x[c] != x[c] || better(x[c], best);
        values[c] = taken ? x[c] : best;
        positions[c] = taken ? k + 1 : positions[c - at.inner];
      }
    }
  });
}

template <class Better>
void extremes(const char* where, const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim,
              Better better) {
  if (x.numel() == 0) return;
  const Tensor from = dense(x), v = dense_or_new(values), p = dense_or_new(positions);
  with_real_type(where, x.dtype(), [&]<class T>() {
    run_extremes(v.data<T>(), p.data<int64_t>(), from.data<T>(), Around(x.sizes(), dim), better);
  });
  if (!v.is(values)) slots::copy(values, v);
  if (!p.is(positions)) slots::copy(positions, p);
}

void cummax(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim) {
  extremes("cummax", values, positions, x, dim, [](auto v, auto best) { return v >= best; });
}
void cummin(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim) {
  extremes("cummin", values, positions, x, dim, [](auto v, auto best) { return v <= best; });
}

/// A sum of exponentials as exp(top) * sum, where top is the largest exponent so far.
struct LogSum {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;

  double add(double x) {
    if (x == top)
      sum += !(std::isinf(x) && x < 0);
    else if (x < top)
      sum += std::exp(x - top);
    else
      sum = sum * std::exp(top - x) + 1, top = x;
    return top + std::log(sum);
  }
};

void logcumsumexp(const Tensor& out, const Tensor& x, int64_t dim) {
  if (x.numel() == 0) return;
  const Tensor from = dense(x), to = dense_or_new(out);
  const Around at(x.sizes(), dim);
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) {
      for_strips(at, kHeavyGrain, [&](int64_t start, int64_t count) {
        LogSum sums[kBlock];
        for (int64_t i = start; i < start + at.n * at.inner; i += at.inner)
          for (int64_t c = 0; c < count; ++c)
            to.data<T>()[i + c] = T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(
                sums[c].add(static_cast<double>(from.data<T>()[i + c]))));
      });
    }
  });
  if (!to.is(out)) slots::copy(out, to);
}

}  // namespace

void fill_running_slots() {
  slots::cummax.fill(DeviceType::CPU, cummax);
  slots::cummin.fill(DeviceType::CPU, cummin);
  slots::logcumsumexp.fill(DeviceType::CPU, logcumsumexp);
}

}  // namespace facula::cpu
