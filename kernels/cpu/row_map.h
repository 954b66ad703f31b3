// The map of a row of elements onto another (core/sampling.h), in the form that suits it: a copy, a table with equally many
// taps for all outputs, windows at even steps, or a list of taps. Included once per instruction set (see targets.h).
#if defined(FACULA_KERNELS_CPU_ROW_MAP_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FACULA_KERNELS_CPU_ROW_MAP_H
#undef FACULA_KERNELS_CPU_ROW_MAP_H
#else
#define FACULA_KERNELS_CPU_ROW_MAP_H
#endif

#include <algorithm>
#include <type_traits>
#include <vector>

#include "core/sampling.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

/// Integers wrap.
template <class T>
T wrapping_sum(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}

/// Outputs first .. last.
struct Stretch {
  int64_t first = 0, last = 0;
};
/// The longest run of outputs that lie side by side in x.
inline Stretch longest_run(const std::vector<int64_t>& at) {
  Stretch best, run;
  const int64_t n = std::ssize(at);
  for (int64_t o = 0; o < n; ++o) {
    if (o == 0 || at[o] != at[o - 1] + 1) run.first = o;
    run.last = o + 1;
    if (run.last - run.first > best.last - best.first) best = run;
  }
  return best;
}

/// The map with elements and weights of type W.
template <class W>
class RowMap {
 public:
  explicit RowMap(const Taps& taps) : taps_(taps), weight_(taps.weight.begin(), taps.weight.end()) {
    const int64_t total = std::ssize(taps.at);
    bool same = weight_.empty() && taps.out() == taps.in && total == taps.in;
    for (int64_t o = 0; o < taps.out(); ++o) {
      most_ = std::max(most_, taps.count(o));
      same = same && taps.count(o) == 1 && taps.at[o] == o;
    }
    if (same) {
      form_ = Form::Same;
    } else if (weight_.empty() && find_even_windows()) {
      form_ = Form::Even;
    } else if (0 < most_ && most_ <= kMostColumns && most_ * taps.out() <= 2 * total + 64) {
      form_ = Form::Table;
      fill_table();
    }
  }
  /// Does `apply` read one element beyond the row, which must be zero?
  bool reads_beyond() const { return reads_beyond_; }
  bool is_same() const { return form_ == Form::Same; }

  void apply(const W* __restrict x, W* __restrict y) const {
    switch (form_) {
      case Form::Same: std::copy(x, x + taps_.in, y); break;
      case Form::Even: apply_even(x, y); break;
      case Form::Table: apply_table(x, y); break;
      case Form::List: apply_list(x, 0, taps_.out(), y); break;
    }
  }

 private:
  enum class Form : uint8_t { Same, Even, Table, List };
  static constexpr int64_t kMostColumns = 8;

  // Outputs in the middle whose windows are equally long and equally far apart.
  bool find_even_windows() {
    const int64_t n = taps_.out(), middle = n / 2;
    window_ = taps_.count(middle);
    if (window_ == 0 || n < 8) return false;
    stride_ = taps_.count(middle - 1) > 0 ? taps_.at[taps_.begin[middle]] - taps_.at[taps_.begin[middle - 1]] : 0;
    auto fits = [&](int64_t o) {
      const int64_t first = taps_.at[taps_.begin[middle]] + (o - middle) * stride_;
      if (taps_.count(o) != window_) return false;
      for (int64_t k = 0; k < window_; ++k)
        if (taps_.at[taps_.begin[o] + k] != first + k) return false;
      return true;
    };
    for (even_.first = middle; even_.first > 0 && fits(even_.first - 1);) --even_.first;
    for (even_.last = middle; even_.last < n && fits(even_.last);) ++even_.last;
    return even_.last - even_.first >= n / 2 && window_ <= even_.last - even_.first;
  }

  void fill_table() {
    const int64_t n = taps_.out();
    table_at_.assign(most_ * n, static_cast<int32_t>(taps_.in));
    if (!weight_.empty()) table_weight_.assign(most_ * n, W(0));
    for (int64_t o = 0; o < n; ++o) {
      reads_beyond_ = reads_beyond_ || taps_.count(o) < most_;
      for (int64_t k = 0; k < taps_.count(o); ++k) {
        table_at_[k * n + o] = static_cast<int32_t>(taps_.at[taps_.begin[o] + k]);
        if (!weight_.empty()) table_weight_[k * n + o] = weight_[taps_.begin[o] + k];
      }
    }
  }

  template <class Stride>
  static void add_even(const W* __restrict x, int64_t n, int64_t window, Stride stride, W* __restrict y) {
    for (int64_t o = 0; o < n; ++o) y[o] = x[o * stride];
    for (int64_t k = 1; k < window; ++k)
      for (int64_t o = 0; o < n; ++o) y[o] = wrapping_sum(y[o], x[o * stride + k]);
  }
  void apply_even(const W* x, W* y) const {
    const W* from = x + taps_.at[taps_.begin[even_.first]];
    const int64_t n = even_.last - even_.first;
    if (stride_ == 1)
      add_even(from, n, window_, std::integral_constant<int64_t, 1>(), y + even_.first);
    else if (stride_ == 2)
      add_even(from, n, window_, std::integral_constant<int64_t, 2>(), y + even_.first);
    else
      add_even(from, n, window_, stride_, y + even_.first);
    apply_list(x, 0, even_.first, y);
    apply_list(x, even_.last, taps_.out(), y);
  }

  void apply_table(const W* __restrict x, W* __restrict y) const {
    const int64_t n = taps_.out();
    const int32_t* at = table_at_.data();
    if (weight_.empty()) {
      for (int64_t o = 0; o < n; ++o) y[o] = x[at[o]];
      for (int64_t k = 1; k < most_; ++k)
        for (int64_t o = 0; o < n; ++o) y[o] = wrapping_sum(y[o], x[at[k * n + o]]);
      return;
    }
    const W* w = table_weight_.data();
    int64_t k = 1;
    if (most_ == 1) {
      for (int64_t o = 0; o < n; ++o) y[o] = w[o] * x[at[o]];
    } else {
      for (int64_t o = 0; o < n; ++o) y[o] = w[o] * x[at[o]] + w[n + o] * x[at[n + o]];
      k = 2;
    }
    for (; k < most_; ++k)
      for (int64_t o = 0; o < n; ++o) y[o] = y[o] + w[k * n + o] * x[at[k * n + o]];
  }

  void apply_list(const W* x, int64_t first, int64_t last, W* y) const {
    const int64_t* at = taps_.at.data();
    for (int64_t o = first; o < last; ++o) {
      W sum(0);
      for (int64_t t = taps_.begin[o]; t < taps_.begin[o + 1]; ++t)
        sum = wrapping_sum(sum, weight_.empty() ? x[at[t]] : static_cast<W>(weight_[t] * x[at[t]]));
      y[o] = sum;
    }
  }

  const Taps& taps_;
  Form form_ = Form::List;
  std::vector<W> weight_;
  int64_t most_ = 0;  // taps of an output
  Stretch even_;
  int64_t window_ = 0, stride_ = 0;
  std::vector<int32_t> table_at_;  // [most][out]
  std::vector<W> table_weight_;
  bool reads_beyond_ = false;
};

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target guard
