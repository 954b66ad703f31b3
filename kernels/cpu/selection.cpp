// One element of each row along a dimension, by the keys of order.h: the k-th smallest, the middle, the most frequent.
// Equal elements are told apart by their places, so the choice is the same for any method.
#include <algorithm>
#include <memory>
#include <numeric>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/dense3.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

template <class T, class Entry>
struct Row {
  const T* x;
  int64_t stride, size;
  Entry* entries;  // room for `size`

  /// Entries of all elements, or of those that are numbers; how many there are.
  int64_t fill(bool skip_nan) const {
    int64_t n = 0;
    for (int64_t i = 0; i < size; ++i) {
      const T value = x[i * stride];
      if (!skip_nan || value == value) entries[n++] = Entry(key_of(value), i);
    }
    return n;
  }
  int64_t first_nan() const {
    if constexpr (is_floating(dtype_of<T>))
      for (int64_t i = 0; i < size; ++i)
        if (x[i * stride] != x[i * stride]) return i;
    return -1;
  }
  int64_t kth(int64_t k, int64_t n) const {
    std::nth_element(entries, entries + k, entries + n);
    return entries[k].place();
  }
};

struct Kth {
  int64_t k;
  template <class R>
  int64_t operator()(const R& row) const {
    return row.kth(k, row.fill(false));
  }
};
struct Middle {
  bool skip_nan;
  template <class R>
  int64_t operator()(const R& row) const {
    const int64_t nan = row.first_nan();
    if (nan >= 0 && !skip_nan) return nan;
    const int64_t n = row.fill(skip_nan);
    return n == 0 ? 0 : row.kth((n - 1) / 2, n);
  }
};
struct MostFrequent {
  template <class R>
  int64_t operator()(const R& row) const {
    const int64_t n = row.fill(false);
    std::sort(row.entries, row.entries + n);
    int64_t best = 0, most = 0;
    for (int64_t i = 0, run = 0; i < n; ++i) {
      run = i > 0 && row.entries[i].key() == row.entries[i - 1].key() ? run + 1 : 1;
      if (run > most || (run == most && row.entries[i].key() == row.entries[best].key())) best = i, most = run;
    }
    return row.entries[best].place();
  }
};

/// choose(row) gives the place of the element to take from a row.
template <class Choose>
void choose_along(const char* where, const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim,
                  Choose choose) {
  if (values.numel() == 0) return;
  const Tensor from = dense(x), v = dense_or_new(values), p = dense_or_new(positions);
  const Around at(x.sizes(), dim);
  with_real_type(where, x.dtype(), [&]<class T>() {
    with_entry<T>(at.n, [&]<class Entry>() {
      const int64_t grain = std::max<int64_t>(1, 4096 / at.n);
      parallel_for(at.outer * at.inner, grain, [&](int64_t begin, int64_t end) {
        const auto entries = std::make_unique_for_overwrite<Entry[]>(static_cast<size_t>(at.n));
        for (int64_t r = begin; r < end; ++r) {
          const T* row = from.data<T>() + r / at.inner * at.n * at.inner + r % at.inner;
          const int64_t place = choose(Row<T, Entry>{row, at.inner, at.n, entries.get()});
          v.data<T>()[r] = row[place * at.inner];
          p.data<int64_t>()[r] = place + 1;
        }
      });
    });
  });
  if (!v.is(values)) slots::copy(values, v);
  if (!p.is(positions)) slots::copy(positions, p);
}

void kthvalue(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, int64_t k) {
  choose_along("kthvalue", values, positions, x, dim, Kth{k});
}
void median(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool skip_nan) {
  choose_along("median", values, positions, x, dim, Middle{skip_nan});
}
void mode(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim) {
  choose_along("mode", values, positions, x, dim, MostFrequent());
}

void sort_rows(const Tensor& order, const Tensor& x) {
  const int64_t n = x.size(0), m = n ? x.numel() / n : 0;
  int64_t* places = order.data<int64_t>();
  std::iota(places, places + n, int64_t{0});
  with_real_type("unique", x.dtype(), [&]<class T>() {
    const T* rows = x.data<T>();
    std::stable_sort(places, places + n, [&](int64_t a, int64_t b) {
      return std::lexicographical_compare(rows + a * m, rows + (a + 1) * m, rows + b * m, rows + (b + 1) * m,
                                          [](T u, T v) { return key_of(u) < key_of(v); });
    });
  });
}

}  // namespace

void fill_selection_slots() {
  slots::kthvalue.fill(DeviceType::CPU, kthvalue);
  slots::median.fill(DeviceType::CPU, median);
  slots::mode.fill(DeviceType::CPU, mode);
  slots::sort_rows.fill(DeviceType::CPU, sort_rows);
}

}  // namespace facula::cpu
