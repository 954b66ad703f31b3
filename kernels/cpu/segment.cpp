// Folds of segments: runs of a dimension between offsets.
#include <algorithm>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

using slots::Fold;

template <class A>
A folded(Fold fold, A a, A x) {
  switch (fold) {
    case Fold::Prod: return a * x;
    case Fold::Max: return a >= x || a != a ? a : x;
    case Fold::Min: return a <= x || a != a ? a : x;
    default: return a + x;
  }
}

void segment_fold(const Tensor& out, const Tensor& x, const Tensor& offsets, Fold fold, double initial) {
  if (out.numel() == 0) return;
  const int64_t dim = offsets.dim() - 1, segments = offsets.size(dim) - 1, n = x.size(dim);
  const int64_t outer = offsets.numel() / (segments + 1), inner = out.numel() / (outer * segments);
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) {
      using A = std::conditional_t<std::is_same_v<T, double>, double, float>;
      parallel_for(outer * segments, std::max<int64_t>(1, kGrain * segments / std::max<int64_t>(1, n * inner)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t s = begin; s < end; ++s) {
                       const int64_t* at = offsets.data<int64_t>() + s / segments * (segments + 1) + s % segments;
                       for (int64_t c = 0; c < inner; ++c) {
                         A a = static_cast<A>(initial);
                         for (int64_t i = at[0]; i < at[1]; ++i)
                           a = folded<A>(fold, a, static_cast<A>(x.data<T>()[(s / segments * n + i) * inner + c]));
                         if (fold == Fold::Mean && at[1] > at[0]) a /= static_cast<A>(at[1] - at[0]);
                         out.data<T>()[s * inner + c] = T(a);
                       }
                     }
                   });
    }
  });
}

}  // namespace

void fill_segment_slots() { slots::segment_fold.fill(DeviceType::CPU, segment_fold); }

}  // namespace facula::cpu
