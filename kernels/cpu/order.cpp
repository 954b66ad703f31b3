// Sorting and choosing by the unsigned keys of order.h: descending order complements them, and the place in the row
// decides between equals. So entries (key, place) are all different, any correct method gives the one stable result,
// and values are read again from the places in the end.
//
// Long rows are sorted by their keys' bytes, lowest first (LSD radix sort: 1M floats in a fifth of std::stable_sort's
// time), short ones by comparison. A long row that is alone is sorted in pieces, one for each thread, which are then
// merged. The best k are chosen from a few candidates: 6 k + 32 at most are kept.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/iterator.h"
#include "core/slots.h"
#include "kernels/cpu/order.h"
#include "kernels/cpu/order_keys.h"
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

// Sorts n entries at `from` that lie in order of their places by the lowest `bytes` bytes of their keys. Gives where the
// result lies, there or at `to`.
template <class Entry>
Entry* radix_sort(Entry* from, Entry* to, int64_t n, int bytes) {
  std::array<std::array<int64_t, 256>, 8> counts{};
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
  if (row.size > kShort) return radix_sort(entries, scratch.moved.get(), row.size, sizeof(T));
  std::sort(entries, entries + row.size);
  return entries;
}

// How many of the first k entries of a and b, merged, come from a.
template <class Entry>
int64_t share_of(const Entry* a, int64_t n, const Entry* b, int64_t m, int64_t k) {
  int64_t low = std::max<int64_t>(0, k - m), high = std::min(k, n);
  while (low < high) {
    const int64_t i = (low + high) / 2;
    if (a[i] < b[k - i - 1])
      low = i + 1;
    else
      high = i;
  }
  return low;
}

// Merges neighbouring runs of up to `run` entries; every thread finds its own pieces of the results.
template <class Entry>
void merge_runs(Entry* to, const Entry* from, int64_t size, int64_t run) {
  parallel_for(size, kGrain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t first = begin / (2 * run) * 2 * run, last = std::min(size, first + 2 * run);
      const Entry *a = from + first, *b = from + std::min(first + run, last);
      const int64_t n = b - a, m = last - first - n, stop = std::min(end, last);
      const int64_t i = share_of(a, n, b, m, begin - first), j = share_of(a, n, b, m, stop - first);
      std::merge(a + i, a + j, b + (begin - first - i), b + (stop - first - j), to + begin);
      begin = stop;
    }
  });
}

// A row that is alone, in pieces side by side that are then merged: entries are all different, so the order is the same.
template <class T, class Entry>
const Entry* sorted_alone(const Row<T>& row, Scratch<Entry>& scratch) {
  constexpr int64_t kLong = 65536;
  if (row.size < 2 * kLong || num_threads() == 1) return sorted(row, scratch);
  const int64_t run = std::max(kLong, (row.size + num_threads() - 1) / num_threads());
  Entry *entries = scratch.entries.get(), *moved = scratch.moved.get();
  parallel_for((row.size + run - 1) / run, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * run; first < std::min(row.size, end * run); first += run) {
      const int64_t n = std::min(run, row.size - first);
      for (int64_t i = first; i < first + n; ++i) entries[i] = Entry(row.key(i), i);
      const Entry* done = radix_sort(entries + first, moved + first, n, sizeof(T));
      if (done != entries + first) std::copy_n(done, n, entries + first);
    }
  });
  for (int64_t merged = run; merged < row.size; merged *= 2) {
    merge_runs(moved, entries, row.size, merged);
    std::swap(entries, moved);
  }
  return entries;
}

// Memory for choosing among the elements of a row; one per task.
template <class T, class Entry>
struct Choice {
  Choice(int64_t k, int64_t size)
      : groups(std::max<int64_t>(64, 4 * k)),
        keys(std::min({size, std::max<int64_t>(4096, 4 * groups), int64_t{1} << 30})),
        tops(static_cast<int64_t>(keys.size()) < 2 * groups ? 0 : groups),
        places(keys.size()) {}
  int64_t groups;
  std::vector<Key<T>> keys, tops;  // of a piece of the row, and the lowest of its groups
  std::vector<int32_t> places;
  std::vector<Entry> best;
};

// The k lowest entries of the row, in order if wanted. A row is looked through in pieces. A piece falls into groups, and
// the k-th of their lowest keys is a bar that k elements do not exceed: of random ones, few others. A full list of
// candidates is cut to the k lowest, and only lower keys enter it from then on.
template <class T, class Entry>
const Entry* lowest(const Row<T>& row, int64_t k, bool in_order, const KeyRow& key_row, Choice<T, Entry>& choice) {
  auto &keys = choice.keys, &tops = choice.tops;
  std::vector<int32_t>& places = choice.places;
  std::vector<Entry>& best = choice.best;
  const int64_t groups = choice.groups;
  const size_t most = static_cast<size_t>(6 * k + 32);
  best.clear();
  if (k == 0) return best.data();
  auto cut = [&] {
    std::nth_element(best.begin(), best.begin() + (k - 1), best.end());
    best.resize(k);
  };
  Key<T> bar = static_cast<Key<T>>(~Key<T>{0});
  const int64_t step = static_cast<int64_t>(keys.size());
  for (int64_t first = 0; first < row.size; first += step) {
    const int64_t n = std::min(step, row.size - first);
    key_row.keys(keys.data(), row.x + first * row.stride, row.stride, n, row.flip != 0);
    Key<T> limit = bar;
    if (n >= 2 * groups) {
      key_row.tops(tops.data(), groups, keys.data(), n);
      std::nth_element(tops.begin(), tops.begin() + (k - 1), tops.end());
      limit = std::min(bar, tops[k - 1]);
    }
    const int64_t found = key_row.up_to(places.data(), keys.data(), n, limit);
    for (int64_t i = 0; i < found; ++i) {
      const Key<T> key = keys[places[i]];
      if (key > bar) continue;
      best.push_back(Entry(key, first + places[i]));
      if (best.size() < most) continue;
      cut();
      const Key<T> last = static_cast<Key<T>>(best[k - 1].key());
      if (last == 0) {  // no key is lower
        first = row.size;
        break;
      }
      bar = static_cast<Key<T>>(last - 1);
    }
  }
  if (k < static_cast<int64_t>(best.size())) cut();
  if (in_order) std::sort(best.begin(), best.end());
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
        parallel_for(count, kGrain, [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            v[i * along(values)] = row.value(entries[i].place());
            at[i * along(positions)] = entries[i].place() + 1;
          }
        });
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
          [alone = x.numel() == size](const Row<T>& row, Scratch<Entry>& scratch) {
            return alone ? sorted_alone(row, scratch) : sorted(row, scratch);
          });
    });
  });
}

void topk(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim, bool largest, bool in_order) {
  const int64_t size = x.dim() > 0 ? x.size(dim) : 1, k = values.dim() > 0 ? values.size(dim) : 1;
  with_real_type("topk", x.dtype(), [&]<class T>() {
    with_entry<T>(size, [&]<class Entry>() {
      for_rows<T>(
          values, positions, x, dim, largest, [k, size] { return Choice<T, Entry>(k, size); },
          [&, key_row = key_row_of(x.dtype())](const Row<T>& row, Choice<T, Entry>& choice) {
            return lowest(row, k, in_order, key_row, choice);
          });
    });
  });
}

}  // namespace

void fill_order_slots() {
  slots::sort.fill(DeviceType::CPU, sort);
  slots::topk.fill(DeviceType::CPU, topk);
}

}  // namespace facula::cpu
