// Elements that are only moved: triangles, joined tensors, and what a mask or a list of counts says.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/index.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// ---- triangles ----

template <class T>
void triangle_row(char* to, int64_t to_step, const char* from, int64_t from_step, int64_t first, int64_t last,
                  int64_t n) {
  auto clear = [&](int64_t begin, int64_t end) {
    if (to_step == sizeof(T))
      std::fill(reinterpret_cast<T*>(to) + begin, reinterpret_cast<T*>(to) + end, T());
    else
      for (int64_t j = begin; j < end; ++j) *reinterpret_cast<T*>(to + j * to_step) = T();
  };
  clear(0, first);
  if (to != from || to_step != from_step) {
    if (to_step == sizeof(T) && from_step == sizeof(T))
      std::copy_n(reinterpret_cast<const T*>(from) + first, last - first, reinterpret_cast<T*>(to) + first);
    else
      for (int64_t j = first; j < last; ++j)
        *reinterpret_cast<T*>(to + j * to_step) = *reinterpret_cast<const T*>(from + j * from_step);
  }
  clear(last, n);
}

// Row by row: the part that stays is [first, last).
void triangle(const Tensor& out, const Tensor& x, int64_t diagonal, bool upper) {
  if (out.numel() == 0) return;
  const int64_t rows = out.size(-2), columns = out.size(-1), item = out.item_size();
  const int64_t to_step = out.stride(-1) * item, from_step = x.stride(-1) * item;
  const int64_t shift = std::clamp(diagonal, -rows, columns);  // far diagonals would overflow
  parallel_for(out.numel() / columns, std::max<int64_t>(1, kGrain / columns), [&](int64_t begin, int64_t end) {
    with_item(item, [&]<class T>() {
      for (int64_t r = begin; r < end; ++r) {
        int64_t rest = r, to = 0, from = 0;
        for (int64_t d = out.dim() - 2; d >= 0; --d) {
          const int64_t at = rest % out.size(d);
          rest /= out.size(d);
          to += at * out.stride(d), from += at * x.stride(d);
        }
        const int64_t middle = r % rows + shift;
        const int64_t first = upper ? std::clamp<int64_t>(middle, 0, columns) : 0;
        const int64_t last = upper ? columns : std::clamp<int64_t>(middle + 1, 0, columns);
        triangle_row<T>(out.bytes() + to * item, to_step, x.bytes() + from * item, from_step, first, last, columns);
      }
    });
  });
}

// ---- joining ----

// A row of the result holds a run of each tensor; threads share the result's bytes, whatever run they lie in.
void join(const Tensor& out, std::span<const Tensor> tensors, int64_t dim) {
  if (out.numel() == 0) return;
  int64_t rows = 1;
  for (int64_t d = 0; d < dim; ++d) rows *= out.size(d);
  std::vector<int64_t> start{0};  // of each run within a row
  for (const Tensor& t : tensors) start.push_back(start.back() + t.numel() / rows * out.item_size());
  const int64_t row = start.back(), total = out.numel() * out.item_size();
  parallel_for(total, kGrain * 4, [&](int64_t begin, int64_t end) {
    int64_t r = begin / row, at = begin % row;
    auto i = static_cast<size_t>(std::upper_bound(start.begin(), start.end(), at) - start.begin() - 1);
    while (begin < end) {
      const int64_t run = start[i + 1] - start[i], skip = at - start[i], count = std::min(run - skip, end - begin);
      if (count > 0) std::memcpy(out.bytes() + begin, tensors[i].bytes() + r * run + skip, static_cast<size_t>(count));
      begin += count, at += count;
      if (++i == tensors.size()) i = 0, at = 0, ++r;
    }
  });
}

// ---- masks and counts ----

Tensor dense_copy(const Tensor& x) {
  if (x.is_contiguous()) return x;
  const Tensor y = empty(x.sizes(), x.dtype());
  slots::copy(y, x);
  return y;
}

// Calls body(block, begin, end) for fixed blocks of n elements, in parallel.
template <class Body>
void each_block(int64_t n, const Body& body) {
  parallel_for((n + kGrain - 1) / kGrain, 1, [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) body(static_cast<size_t>(b), b * kGrain, std::min(n, (b + 1) * kGrain));
  });
}
// At how many of n places a mask holds before each of these blocks, and in all.
std::vector<int64_t> held_before(const uint8_t* mask, int64_t n) {
  std::vector<int64_t> start(static_cast<size_t>((n + kGrain - 1) / kGrain) + 1);
  each_block(n, [&](size_t b, int64_t begin, int64_t end) {
    uint32_t count = 0;  // the compiler makes four times as many of these at a time
    for (int64_t i = begin; i < end; ++i) count += mask[i] != 0;
    start[b + 1] = count;
  });
  for (size_t b = 1; b < start.size(); ++b) start[b] += start[b - 1];
  return start;
}

void masked_scatter(const Tensor& out, const Tensor& mask, const Tensor& src) {
  const int64_t n = out.numel();
  if (n == 0) return;
  const Tensor to = dense_copy(out), holds = dense_copy(mask), from = dense_copy(src);
  const auto* m = reinterpret_cast<const uint8_t*>(holds.bytes());
  const std::vector<int64_t> start = held_before(m, n);
  check(start.back() <= from.numel(), "masked_scatter: the mask holds at ", start.back(), " places, source has ",
        from.numel(), " elements");
  with_item(out.item_size(), [&]<class T>() {
    each_block(n, [&](size_t b, int64_t begin, int64_t end) {
      const T* next = reinterpret_cast<const T*>(from.bytes()) + start[b];
      T* y = reinterpret_cast<T*>(to.bytes());
      for (int64_t i = begin; i < end; ++i)
        if (m[i]) y[i] = *next++;
    });
  });
  if (!to.is(out)) slots::copy(out, to);
}

// Elements are collected without a branch, which nobody could predict, and so in a buffer: what is not held is written,
// too.
template <class T>
void select_held(T* to, const T* x, const uint8_t* mask, int64_t n) {
  T held[256];
  for (int64_t i = 0; i < n;) {
    int64_t count = 0;
    for (const int64_t end = std::min<int64_t>(n, i + std::ssize(held)); i < end; ++i) {
      held[count] = x[i];
      count += mask[i] != 0;
    }
    to = std::copy_n(held, count, to);
  }
}
void masked_select(const Tensor& out, const Tensor& x, const Tensor& mask) {
  const int64_t n = x.numel();
  const Tensor to = dense_copy(out), from = dense_copy(x), holds = dense_copy(mask);
  const auto* m = reinterpret_cast<const uint8_t*>(holds.bytes());
  const std::vector<int64_t> start = held_before(m, n);
  check(start.back() == to.numel(), "masked_select: the mask has other bytes than 0 and 1");
  with_item(out.item_size(), [&]<class T>() {
    each_block(n, [&](size_t b, int64_t begin, int64_t end) {
      select_held(reinterpret_cast<T*>(to.bytes()) + start[b], reinterpret_cast<const T*>(from.bytes()) + begin,
                  m + begin, end - begin);
    });
  });
  if (!to.is(out)) slots::copy(out, to);
}

void repeat_positions(const Tensor& out, const Tensor& counts) {
  int64_t* to = out.data<int64_t>();
  const int64_t* count = counts.data<int64_t>();
  for (int64_t i = 0; i < counts.numel(); ++i) to = std::fill_n(to, count[i * counts.stride(0)], i + 1);
}

}  // namespace

void fill_arrange_slots() {
  slots::triangle.fill(DeviceType::CPU, triangle);
  slots::join.fill(DeviceType::CPU, join);
  slots::masked_scatter.fill(DeviceType::CPU, masked_scatter);
  slots::masked_select.fill(DeviceType::CPU, masked_select);
  slots::repeat_positions.fill(DeviceType::CPU, repeat_positions);
}

}  // namespace facula::cpu
