#include "core/sampling.h"

namespace facula {

Taps transposed(const Taps& taps) {
  Taps result;
  result.in = taps.out();
  result.begin.assign(taps.in + 1, 0);
  for (const int64_t position : taps.at) ++result.begin[position + 1];
  for (int64_t i = 0; i < taps.in; ++i) result.begin[i + 1] += result.begin[i];
  result.at.resize(taps.at.size());
  const bool weighted = !taps.weight.empty() || !taps.divisor.empty();
  if (weighted) result.weight.resize(taps.at.size());
  std::vector<int64_t> next(result.begin.begin(), result.begin.end() - 1);
  for (int64_t o = 0; o < taps.out(); ++o) {
    const double share = taps.divisor.empty() ? 1 : 1 / taps.divisor[o];
    for (int64_t t = taps.begin[o]; t < taps.begin[o + 1]; ++t) {
      const int64_t place = next[taps.at[t]]++;
      result.at[place] = o;
      if (weighted) result.weight[place] = taps.weight.empty() ? share : taps.weight[t] * share;
    }
  }
  return result;
}

}  // namespace facula
