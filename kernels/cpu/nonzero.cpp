// Positions of the elements that are not zero, in two passes over fixed blocks: counting, then writing where the counts
// say.
#include <algorithm>
#include <iterator>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/index.h"

namespace facula::cpu {
namespace {

// Coordinates, from 1, of the elements of x that are not zero from place `begin` to `end`, into rows of `out` from
// `row` on. Places are collected without a branch, which nobody could predict.
template <class T>
void write_positions(const Tensor& out, const Tensor& x, int64_t begin, int64_t end, int64_t row) {
  const T* value = x.data<T>();
  int64_t* to = out.data<int64_t>() + row * out.stride(0);
  int64_t places[256];
  for (; begin < end; begin += std::ssize(places)) {
    int64_t count = 0;
    for (int64_t i = begin; i < std::min<int64_t>(end, begin + std::ssize(places)); ++i) {
      places[count] = i;
      count += value[i] != T(0);
    }
    for (int64_t i = 0; i < count; ++i, to += out.stride(0)) {
      int64_t place = places[i];
      for (int64_t d = x.dim() - 1; d > 0; --d) {
        to[d * out.stride(1)] = place % x.size(d) + 1;
        place /= x.size(d);
      }
      to[0] = place + 1;
    }
  }
}

template <class T>
void nonzero_of(const Tensor& out, const Tensor& x) {
  constexpr int64_t kBlock = kGrain;
  const int64_t n = x.numel(), blocks = (n + kBlock - 1) / kBlock;
  std::vector<int64_t> start(blocks + 1);
  const T* value = x.data<T>();
  parallel_for(blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) {
      int64_t count = 0;
      for (int64_t i = b * kBlock; i < std::min(n, (b + 1) * kBlock); ++i) count += value[i] != T(0);
      start[b + 1] = count;
    }
  });
  for (int64_t b = 0; b < blocks; ++b) start[b + 1] += start[b];
  check(start[blocks] == out.size(0), "nonzero: expected ", out.size(0), " elements that are not zero, found ",
        start[blocks]);
  parallel_for(blocks, 1, [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b)
      if (start[b + 1] > start[b]) write_positions<T>(out, x, b * kBlock, std::min(n, (b + 1) * kBlock), start[b]);
  });
}

}  // namespace

void nonzero(const Tensor& out, const Tensor& x) {
  if (out.numel() == 0) return;
  Tensor dense = x;
  if (!x.is_contiguous()) {
    dense = empty(x.sizes(), x.dtype());
    slots::copy(dense, x);
  }
  with_type(x.dtype(), [&]<class T>() { nonzero_of<T>(out, dense); });
}

}  // namespace facula::cpu
