// Places in ascending rows, and counts of what falls between edges.
//
// Elements are counted in at most kPieces pieces, each into counts of its own that are added up in order, so that
// weighted sums do not depend on the number of threads.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/rank.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

void searchsorted(const Tensor& out, const Tensor& sorted, const Tensor& x, const Tensor& sorter, bool right) {
  if (out.numel() == 0) return;
  const int64_t n = sorted.size(-1), k = sorted.dim() > 1 ? x.size(-1) : x.numel();
  const int64_t* order = sorter.defined() ? sorter.data<int64_t>() : nullptr;
  if (order) {
    const int64_t* bad = std::find_if(order, order + sorter.numel(), [n](int64_t p) { return p < 1 || p > n; });
    check(bad == order + sorter.numel(), "searchsorted: position ", *bad, " in the sorter is outside 1..", n);
  }
  with_real_type("searchsorted", x.dtype(), [&]<class T>() {
    parallel_for(x.numel(), kHeavyGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / k * n;
        const T *values = sorted.data<T>() + row, value = x.data<T>()[i];
        const int64_t rank = order ? rank_of(value, n, right, [&](int64_t j) { return values[order[row + j] - 1]; })
                                   : rank_of(value, n, right, [&](int64_t j) { return values[j]; });
        out.data<int64_t>()[i] = rank + 1;
      }
    });
  });
}

constexpr int64_t kPieces = 16;

/// counts[bin(i)] += weight(i) for n elements, where bin(i) >= 0.
template <class T, class Bin, class Weight>
void count(const Tensor& counts, int64_t n, Bin bin, Weight weight) {
  const int64_t bins = counts.numel(), pieces = bins < 65536 ? std::clamp<int64_t>(n / kGrain, 1, kPieces) : 1;
  std::vector<double> sums(static_cast<size_t>(bins * pieces));
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      double* sum = sums.data() + piece * bins;
      for (int64_t i = n * piece / pieces; i < n * (piece + 1) / pieces; ++i)
        if (const int64_t b = bin(i); b >= 0) sum[b] += weight(i);
    }
  });
  for (int64_t b = 0; b < bins; ++b) {
    double total = 0;
    for (int64_t piece = 0; piece < pieces; ++piece) total += sums[static_cast<size_t>(piece * bins + b)];
    counts.data<T>()[b] = T(static_cast<Computed<T>>(total));
  }
}

/// Calls f.operator()<T>() for floating dtypes.
template <class F>
void with_floating(const char* where, DType t, F&& f) {
  check(is_floating(t), where, ": expected a floating tensor, got ", t);
  with_real_type(where, t, [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) f.template operator()<T>();
  });
}

void histc(const Tensor& counts, const Tensor& x, double low, double high) {
  with_floating("histc", x.dtype(), [&]<class T>() {
    using R = Computed<T>;
    const R first = static_cast<R>(low), last = static_cast<R>(high), bins = static_cast<R>(counts.numel());
    const T* values = x.data<T>();
    count<T>(
        counts, x.numel(),
        [&](int64_t i) -> int64_t {
          const R v = values[i];
          if (!(v >= first && v <= last)) return -1;
          return std::clamp<int64_t>(static_cast<int64_t>((v - first) * bins / (last - first)), 0, counts.numel() - 1);
        },
        [](int64_t) { return 1.0; });
  });
}

void histogram(const Tensor& counts, const Tensor& x, TensorSpan edges, const Tensor& weights) {
  const int64_t n = x.size(0), dims = x.size(1);
  with_floating("histogram", x.dtype(), [&]<class T>() {
    using R = Computed<T>;
    count<T>(
        counts, n,
        [&](int64_t i) -> int64_t {
          int64_t bin = 0;
          for (int64_t d = 0; d < dims; ++d) {
            const T* edge = edges[static_cast<size_t>(d)].template data<T>();
            const int64_t bins = edges[static_cast<size_t>(d)].numel() - 1;
            const R v = x.data<T>()[i * dims + d];
            if (!(v >= static_cast<R>(edge[0]) && v <= static_cast<R>(edge[bins]))) return -1;
            const int64_t rank = rank_of(v, bins + 1, true, [&](int64_t j) { return static_cast<R>(edge[j]); });
            bin = bin * bins + std::clamp<int64_t>(rank - 1, 0, bins - 1);
          }
          return bin;
        },
        [&](int64_t i) { return weights.defined() ? static_cast<double>(weights.data<T>()[i]) : 1.0; });
  });
}

}  // namespace

void fill_histogram_slots() {
  slots::searchsorted.fill(DeviceType::CPU, searchsorted);
  slots::histc.fill(DeviceType::CPU, histc);
  slots::histogram.fill(DeviceType::CPU, histogram);
}

}  // namespace facula::cpu
