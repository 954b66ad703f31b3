// Sorting and choosing by the unsigned keys of order.h: descending order complements them, and the place in the row
// decides between equals. So entries (key, place) are all different, any correct method gives the one stable result,
// and values are read again from the places in the end.
//
// Long rows are sorted by their keys' bytes, lowest first (LSD radix sort: 1M floats in a fifth of std::stable_sort's
// time), short ones by comparison. The best k are chosen in one pass that keeps at most 2 k + 512 candidates.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// One row of x, strides in elements.
template <class T>
struct Row {
  const T* x;
  int64_t stride, size;
  Key<T> flip;  // all bits where the order is descending

  T value(int64_t place) const { return x[place * stride]; }
  Key<T> key(int64_t place) const { return static_cast<Key<T>>(key_of(value(place)) ^ flip); }
};

// Memory for the entries of a row and for moving them; one per task, used for all of its rows.
template <class Entry>
struct Scratch {
  explicit Scratch(int64_t n) : entries(new Entry[n]), moved(new Entry[n]) {}
  std::unique_ptr<Entry[]> entries, moved;
};

// Sorts entries that lie in order of their places by the lowest `bytes` bytes of their keys. Gives where the result
// lies.
template <class Entry>
Entry* radix_sort(Scratch<Entry>& scratch, int64_t n, int bytes) {
  std::array<std::array<int64_t, 256>, 8> counts{};
  Entry *from = scratch.entries.get(), *to = scratch.moved.get();
  for (int64_t i = 0; i < n; ++i)
    for (int b = 0; b < bytes; ++b) ++counts[b][from[i].key() >> (8 * b) & 255];
  for (int b = 0; b < bytes; ++b) {
    auto& count = counts[b];
    if (count[from[0].key() >> (8 * b) & 255] == n) continue;  // all alike
    int64_t sum = 0;
    for (int64_t& c : count) sum += std::exchange(c, sum);
    for (int64_t i = 0; i < n; ++i) to[count[from[i].key() >> (8 * b) & 255]++] = from[i];
    std::swap(from, to);
  }
  return from;
}

template <class T, class Entry>
const Entry* sorted(const Row<T>& row, Scratch<Entry>& scratch) {
  constexpr int64_t kShort = 512;
  Entry* entries = scratch.entries.get();
  for (int64_t i = 0; i < row.size; ++i) entries[i] = Entry(row.key(i), i);
  if (row.size > kShort) return radix_sort(scratch, row.size, sizeof(T));
  std::sort(entries, entries + row.size);
  return entries;
}

// The k lowest entries of the row, in order if wanted. A full list of candidates is cut to the k lowest, and the
// highest of these is from then on the bar for entering it.
template <class T, class Entry>
const Entry* lowest(const Row<T>& row, int64_t k, bool in_order, std::vector<Entry>& best) {
  const size_t most = static_cast<size_t>(std::min(row.size, 2 * k + 512));
  best.clear();
  best.reserve(most);
  auto cut = [&] { std::nth_element(best.begin(), best.begin() + (k - 1), best.end()); };
  int64_t i = 0;
  for (; i < static_cast<int64_t>(most); ++i) best.push_back(Entry(row.key(i), i));
  if (k > 0 && i < row.size) {
    cut();
    best.resize(k);
    Key<T> bar = static_cast<Key<T>>(best[k - 1].key());
    for (; i < row.size; ++i) {
      const Key<T> key = row.key(i);
      if (key >= bar) continue;  // an equal key further right loses
      best.push_back(Entry(key, i));
      if (best.size() == most) {
        cut();
        best.resize(k);
        bar = static_cast<Key<T>>(best[k - 1].key());
      }
    }
  }
  if (k > 0 && k < static_cast<int64_t>(best.size())) cut();
  if (in_order) std::sort(best.begin(), best.begin() + k);
  return best.data();
}

Tensor first_along(const Tensor& x, int64_t dim) {
  Sizes sizes = x.sizes();
  if (x.dim() > 0) sizes[dim] = 1;
  return x.alias(sizes, x.strides(), x.offset());
}

// Fills the first `count` values and positions of every row along dim; order_row(row, scratch) gives the entries to
// write. make_scratch() is called once per task.
template <class T, class MakeScratch, class OrderRow>
void for_rows(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool descending,
              MakeScratch make_scratch, OrderRow order_row) {
  auto along = [&](const Tensor& t) { return t.dim() > 0 ? t.stride(dim) : 1; };
  auto length = [&](const Tensor& t) { return t.dim() > 0 ? t.size(dim) : 1; };
  const int64_t size = length(x), count = length(values);
  if (values.numel() == 0) return;
  const Tensor v0 = first_along(values, dim), p0 = first_along(positions, dim), x0 = first_along(x, dim);
  const LoopNest<3> nest({&v0, &p0, &x0});
  const Key<T> flip = descending ? static_cast<Key<T>>(~Key<T>{0}) : Key<T>{0};
  parallel_for(nest.numel, std::max<int64_t>(1, 4096 / size), [&](int64_t begin, int64_t end) {
    auto scratch = make_scratch();
    nest.rows(begin, end, [&](const std::array<char*, 3>& p, int64_t rows) {
      for (int64_t r = 0; r < rows; ++r) {
        const Row<T> row{reinterpret_cast<const T*>(p[2] + r * nest.stride[0][2]), along(x), size, flip};
        const auto* entries = order_row(row, scratch);
        T* v = reinterpret_cast<T*>(p[0] + r * nest.stride[0][0]);
        auto* at = reinterpret_cast<int64_t*>(p[1] + r * nest.stride[0][1]);
        for (int64_t i = 0; i < count; ++i) {
          v[i * along(values)] = row.value(entries[i].place());
          at[i * along(positions)] = entries[i].place() + 1;
        }
      }
    });
  });
}

void sort(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool descending) {
  const int64_t size = x.dim() > 0 ? x.size(dim) : 1;
  with_real_type("sort", x.dtype(), [&]<class T>() {
    with_entry<T>(size, [&]<class Entry>() {
      for_rows<T>(
          values, positions, x, dim, descending, [&] { return Scratch<Entry>(size); },
          [](const Row<T>& row, Scratch<Entry>& scratch) { return sorted(row, scratch); });
    });
  });
}

void topk(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool largest, bool in_order) {
  const int64_t size = x.dim() > 0 ? x.size(dim) : 1, k = values.dim() > 0 ? values.size(dim) : 1;
  with_real_type("topk", x.dtype(), [&]<class T>() {
    with_entry<T>(size, [&]<class Entry>() {
      for_rows<T>(
          values, positions, x, dim, largest, [] { return std::vector<Entry>(); },
          [&](const Row<T>& row, std::vector<Entry>& best) { return lowest(row, k, in_order, best); });
    });
  });
}

}  // namespace

void fill_order_slots() {
  slots::sort.fill(DeviceType::CPU, sort);
  slots::topk.fill(DeviceType::CPU, topk);
}

}  // namespace facula::cpu
