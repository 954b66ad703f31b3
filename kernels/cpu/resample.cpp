// Linear maps along the last dimensions (core/sampling.h): pooling by averages, interpolation, padding and their adjoints.
// A row of results is a weighted sum of whole rows of x, which vectors do well, mapped along itself afterwards: each row
// of x and of y is touched as often as it has taps in the other dimensions. Rows are independent and run in parallel.
#include "core/sampling.h"

#include <limits>
#include <type_traits>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/frame.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/register.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/resample.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/cpu/row_map.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

// The maps of three dimensions, of which the leading ones may have size 1.
struct Maps {
  const Taps* of[3];
  Space in, out;

  explicit Maps(const std::vector<Taps>& taps) {
    static const Taps single = [] {
      Taps one;
      one.add(0);
      one.end_output();
      return one;
    }();
    for (size_t d = 0; d < 3; ++d) {
      of[d] = d + taps.size() < 3 ? &single : &taps[d + taps.size() - 3];
      in[d] = of[d]->in, out[d] = of[d]->out();
    }
  }
  const Taps& along() const { return *of[2]; }

  // Calls visit(row of the plane, weight) for the rows whose sum output row (z, y) is.
  template <class Visit>
  void for_rows(int64_t z, int64_t y, Visit&& visit) const {
    const Taps &a = *of[0], &b = *of[1];
    for (int64_t i = a.begin[z]; i < a.begin[z + 1]; ++i)
      for (int64_t j = b.begin[y]; j < b.begin[y + 1]; ++j)
        visit(a.at[i] * in[1] + b.at[j], (a.weight.empty() ? 1 : a.weight[i]) * (b.weight.empty() ? 1 : b.weight[j]));
  }
  double divisor(int64_t z, int64_t y) const {
    return (of[0]->divisor.empty() ? 1 : of[0]->divisor[z]) * (of[1]->divisor.empty() ? 1 : of[1]->divisor[y]);
  }
  bool divides() const { return !of[0]->divisor.empty() || !of[1]->divisor.empty() || !of[2]->divisor.empty(); }
};

bool copies(const Taps& t) {
  if (!t.weight.empty() || !t.divisor.empty() || std::ssize(t.at) != t.out()) return false;
  for (int64_t o = 0; o < t.out(); ++o)
    if (t.count(o) != 1) return false;
  return true;
}

// Every output is one element of x, of whatever type.
template <class T>
void copy_elements(const Maps& m, int64_t planes, const T* x, T* y) {
  const std::vector<int32_t> at(m.along().at.begin(), m.along().at.end());
  const Stretch run = longest_run(m.along().at);
  const int64_t rows = m.out[0] * m.out[1], n = m.out[2], in_plane = volume(m.in);
  parallel_for(planes * rows, std::max<int64_t>(1, kGrain / n), [&](int64_t begin, int64_t end) {
    const T* before = nullptr;
    for (int64_t r = begin; r < end; ++r) {
      const T* from = nullptr;
      m.for_rows(r % rows / m.out[1], r % m.out[1],
                 [&](int64_t row, double) { from = x + r / rows * in_plane + row * m.in[2]; });
      T* to = y + r * n;
      if (from == before) {
        std::copy(to - n, to, to);
        continue;
      }
      for (int64_t o = 0; o < run.first; ++o) to[o] = from[at[o]];
      if (run.first < run.last)
        std::copy(from + at[run.first], from + at[run.first] + run.last - run.first, to + run.first);
      for (int64_t o = run.last; o < n; ++o) to[o] = from[at[o]];
      before = from;
    }
  });
}

// to += w * row, or to = w * row.
template <class T, class W>
void add_row(const T* __restrict row, double weight, bool first, int64_t n, W* __restrict to) {
  if (weight == 1) {
    if (first)
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<W>(row[i]);
    else
      for (int64_t i = 0; i < n; ++i) to[i] = wrapping_sum(to[i], static_cast<W>(row[i]));
    return;
  }
  const W w = static_cast<W>(weight);
  if (first)
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<W>(w * static_cast<W>(row[i]));
  else
    for (int64_t i = 0; i < n; ++i) to[i] = wrapping_sum(to[i], static_cast<W>(w * static_cast<W>(row[i])));
}

// Integers are cut towards zero; the least one wraps.
template <class W>
W quotient(W a, W b) {
  if constexpr (std::is_integral_v<W>)
    if (b == static_cast<W>(-1)) return static_cast<W>(-static_cast<uint64_t>(a));
  return static_cast<W>(a / b);
}

template <class W>
void divide_row(double of_row, const std::vector<double>& along, int64_t n, W* y) {
  if (along.empty()) {
    const W by = static_cast<W>(of_row);
    for (int64_t i = 0; i < n; ++i) y[i] = quotient(y[i], by);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = quotient(y[i], static_cast<W>(of_row * along[i]));
  }
}

// Sums of elements of type W of x's elements.
template <class T, class W>
void add_up(const Maps& m, int64_t planes, const T* x, T* y) {
  const RowMap<W> map(m.along());
  const int64_t rows = m.out[0] * m.out[1], n_in = m.in[2], n = m.out[2], in_plane = volume(m.in);
  const int64_t work = n_in * (1 + in_plane / n_in / rows) + n;
  parallel_for(planes * rows, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
    std::vector<W> sums(n_in + 1, W(0)), mapped(n);
    for (int64_t r = begin; r < end; ++r) {
      const int64_t z = r % rows / m.out[1], line = r % m.out[1];
      const T* plane = x + r / rows * in_plane;
      int64_t count = 0;
      const W* only = nullptr;  // a row that can be read where it lies
      m.for_rows(z, line, [&](int64_t row, double weight) {
        const T* from = plane + row * n_in;
        if constexpr (std::is_same_v<T, W>) {
          if (count++ == 0 && weight == 1) {
            only = from;
            return;
          }
          if (only) add_row(only, 1, true, n_in, sums.data());
          only = nullptr;
          add_row(from, weight, count == 1, n_in, sums.data());
        } else {
          add_row(from, weight, count++ == 0, n_in, sums.data());
        }
      });
      if (count == 0) std::fill(sums.begin(), sums.end(), W(0));
      if (only && map.reads_beyond()) {
        std::copy(only, only + n_in, sums.data());
        only = nullptr;
      }
      W* to = mapped.data();
      if constexpr (std::is_same_v<T, W>) to = y + r * n;
      map.apply(only ? only : sums.data(), to);
      if (m.divides()) divide_row(m.divisor(z, line), m.along().divisor, n, to);
      if constexpr (!std::is_same_v<T, W>)
        for (int64_t i = 0; i < n; ++i) y[r * n + i] = static_cast<T>(to[i]);
    }
  });
}

void resample(const Tensor& y, const Tensor& x, const std::vector<Taps>& taps) {
  if (y.numel() == 0) return;
  const Maps m(taps);
  const int64_t planes = y.numel() / volume(m.out);
  for (const int64_t n : m.in)
    check(n < std::numeric_limits<int32_t>::max(), "resample: rows of more than 2^31 - 2 elements, got ", x.sizes());
  if (copies(*m.of[0]) && copies(*m.of[1]) && copies(*m.of[2])) {
    with_item(y.item_size(), [&]<class T>(T) {
      copy_elements(m, planes, reinterpret_cast<const T*>(x.bytes()), reinterpret_cast<T*>(y.bytes()));
    });
    return;
  }
  with_type(y.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>)
      fail("resample: bool tensors have no sums");
    else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
      add_up<T, float>(m, planes, x.data<T>(), y.data<T>());
    else
      add_up<T, T>(m, planes, x.data<T>(), y.data<T>());
  });
}

}  // namespace

void fill_resample() { slots::resample.fill(DeviceType::CPU, resample); }

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(fill_resample);
void fill_resample_slots() { HWY_DYNAMIC_DISPATCH(fill_resample)(); }

}  // namespace facula::cpu
#endif
