// Places in ascending numbers.
#pragma once

#include <cstdint>

#include "core/half.h"

namespace facula::cpu {

/// How many of the n elements value(i) come before x; NaN comes last. Without branches, which nobody could foresee.
template <class T, class Value>
int64_t rank_of(T x, int64_t n, bool right, Value value) {
  const auto before = [&](int64_t i) {
    const Computed<T> v = value(i);
    return !(right ? v > x : v >= x);
  };
  int64_t rank = 0;
  for (; n > 1; n -= n / 2) rank += before(rank + n / 2 - 1) ? n / 2 : 0;
  return n == 1 && before(rank) ? rank + 1 : rank;
}

}  // namespace facula::cpu
