#include <memory>

#include "kernels/cpu/reduce.h"

namespace facula::cpu {

/// Elements of a dense row that are folded at once.
static constexpr int64_t kFold = 4096;
/// Rows that are accumulated before they are combined with others.
static constexpr int64_t kRows = 32;
/// Elements of one task.
static constexpr int64_t kChunk = 65536;
/// Rows shorter than this are read as columns where there are many of them.
static constexpr int64_t kShort = 8;

Split::Split(const Tensor& y, const Tensor& a) : out(y.bytes()), x(a.bytes()) {
  const Tensor stretched = y.expanded(a.sizes());
  const LoopNest<2> nest({&stretched, &a});
  for (int d = 0; d < nest.dims; ++d) {
    if (nest.size[d] == 1) continue;
    (nest.stride[d][0] == 0 ? reduced : kept).add(nest.size[d], nest.stride[d]);
  }
}

namespace {

/// Combines partial results of n columns as they come, those of equal weight first: a binary counter whose digits are
/// sums.
class Cascade {
 public:
  Cascade(const Reduction& r, int64_t n) : r_(r), n_(n), bytes_(n * r.state_bytes()) {
    if (bytes_ * kLevels > static_cast<int64_t>(sizeof here_))
      heap_ = std::make_unique_for_overwrite<char[]>(bytes_ * kLevels);
  }
  /// Where the next partial result is to be put.
  char* next() { return level(depth_); }
  /// It is there, and covers `count` elements.
  void push(int64_t count) {
    count_[depth_++] = count;
    for (int64_t digits = ++pushed_; digits % 2 == 0; digits /= 2) merge();
  }
  /// The sum of all; there is at least one.
  char* total() {
    while (depth_ > 1) merge();
    return level(0);
  }
  int64_t count() const { return count_[0]; }

 private:
  static constexpr int kLevels = 48;
  char* level(int i) { return (heap_ ? heap_.get() : here_) + i * bytes_; }
  void merge() {
    --depth_;
    r_.combine(level(depth_ - 1), count_[depth_ - 1], level(depth_), count_[depth_], n_);
    count_[depth_ - 1] += count_[depth_];
  }

  const Reduction& r_;
  int64_t n_, bytes_, pushed_ = 0;
  int depth_ = 0;
  std::array<int64_t, kLevels> count_;
  alignas(64) char here_[kLevels * 32];
  std::unique_ptr<char[]> heap_;
};

/// One reduction of one tensor.
class Job {
 public:
  Job(const Reduction& r, const Tensor& out, const Tensor& x, double param)
      : r_(r), param_(param), split_(out, x), kept_(split_.kept), reduced_(split_.reduced) {
    const bool by_columns = kept_.dims > 0 && (reduced_.dims == 0 || columns_are_better());
    // One row is a dense run of x: of a reduced dimension, or of a kept one.
    load_ = Packing::in(x.dtype(), r.dense, (by_columns ? kept_ : reduced_).step()[1]);
    store_ = Packing::out(out.dtype(), r.result, kept_.step()[0]);
    if (kept_.dims == 0) store_.stride = store_.item;
    if (by_columns)
      columns();
    else if (reduced_.numel <= kChunk)
      rows();
    else
      long_rows();
  }

 private:
  bool columns_are_better() const {
    if (std::abs(kept_.stride[0][1]) < std::abs(reduced_.stride[0][1])) return true;
    return reduced_.numel < kShort && kept_.size[0] >= kBlock;
  }

  void finish(char* y, const char* state, int64_t n, int64_t count) const {
    Block results;
    r_.finish(results.bytes, state, n, count, param_);
    store_.store(y, n, results);
  }

  /// The partial result of elements [begin, end) of the reduced dimensions at x.
  void fold(char* state, const char* x, int64_t begin, int64_t end) const {
    const bool direct = load_.direct() && (reduced_.dims == 1 || reduced_.size[0] >= kBlock);
    const int64_t step = direct ? kFold : kBlock;
    if (direct && end - begin <= step && reduced_.dims == 1)
      return r_.fold(state, x + begin * load_.item, end - begin, param_);
    Cascade cascade(r_, 1);
    Block block, piece;
    int64_t filled = 0;  // short rows are gathered to blocks
    const int64_t dense_item = item_size(r_.dense);
    const auto flush = [&](const char* p, int64_t n) {
      r_.fold(cascade.next(), p, n, param_);
      cascade.push(n);
    };
    reduced_.rows(begin, end, [&](const std::array<int64_t, 2>& at, int64_t n) {
      for (int64_t i = 0; i < n;) {
        const char* p = x + at[1] + i * load_.stride;
        const int64_t count = std::min(n - i, direct ? step : step - filled);
        if (direct) {
          flush(p, count);
        } else {
          const char* loaded = load_.load(p, count, piece);
          copy_row(block.bytes + filled * dense_item, dense_item, loaded, dense_item, count, dense_item);
          filled += count;
          if (filled == kBlock) flush(block.bytes, kBlock), filled = 0;
        }
        i += count;
      }
    });
    if (filled) flush(block.bytes, filled);
    std::copy_n(cascade.total(), r_.state_bytes(), state);
  }

  /// Results by the row, each from few elements.
  void rows() const {
    const int64_t grain = std::max<int64_t>(1, kGrain / reduced_.numel);
    parallel_for(kept_.numel, grain, [&](int64_t begin, int64_t end) {
      kept_.rows(begin, end, [&](const std::array<int64_t, 2>& at, int64_t n) {
        const auto step = kept_.step();
        for (int64_t i = 0; i < n; i += kBlock) {
          const int64_t count = std::min(kBlock, n - i);
          alignas(64) char states[kBlock * 32];
          for (int64_t j = 0; j < count; ++j) {
            const char* row = split_.x + at[1] + (i + j) * step[1];
            if (r_.components == 1) {
              fold(states + j * r_.item, row, 0, reduced_.numel);
              continue;
            }
            alignas(64) char state[32];
            fold(state, row, 0, reduced_.numel);
            for (int c = 0; c < r_.components; ++c)
              copy_row(states + (c * count + j) * r_.item, r_.item, state + c * r_.item, r_.item, 1, r_.item);
          }
          finish(split_.out + at[0] + i * step[0], states, count, reduced_.numel);
        }
      });
    });
  }

  /// Few results, each from many elements: tasks are chunks of them.
  void long_rows() const {
    const int64_t chunks = (reduced_.numel + kChunk - 1) / kChunk, bytes = r_.state_bytes();
    const auto partial = std::make_unique_for_overwrite<char[]>(kept_.numel * chunks * bytes);
    parallel_for(kept_.numel * chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % chunks * kChunk;
        fold(partial.get() + task * bytes, split_.x + kept_.offset(task / chunks)[1], first,
             std::min(first + kChunk, reduced_.numel));
      }
    });
    for (int64_t i = 0; i < kept_.numel; ++i) {
      Cascade cascade(r_, 1);
      for (int64_t c = 0; c < chunks; ++c) {
        std::copy_n(partial.get() + (i * chunks + c) * bytes, bytes, cascade.next());
        cascade.push(std::min(kChunk, reduced_.numel - c * kChunk));
      }
      finish(split_.out + kept_.offset(i)[0], cascade.total(), 1, reduced_.numel);
    }
  }

  /// How many rows of n columns lie side by side in memory and may be taken as one: short rows would be all overhead.
  int64_t rows_at_once(int64_t n) const {
    const bool adjacent = reduced_.dims > 0 && reduced_.stride[0][1] == n * load_.stride && load_.stride == load_.item;
    int64_t rows = 1;
    if (adjacent && n == kept_.size[0] && r_.components == 1)
      while (2 * rows * n <= kBlock && 2 * rows <= reduced_.size[0]) rows *= 2;
    return rows;
  }

  /// f(partial results of n columns at x over reduced elements [begin, end)).
  template <class F>
  void accumulate(const char* x, int64_t n, int64_t begin, int64_t end, F&& f) const {
    const int64_t together = rows_at_once(n), step = reduced_.step()[1];
    Cascade cascade(r_, n * together);
    Block piece;
    int64_t count = 0;
    reduced_.rows(begin, end, [&](const std::array<int64_t, 2>& at, int64_t rows) {
      for (int64_t i = 0; i < rows; i += together) {
        if (count == 0) r_.clear(cascade.next(), n * together);
        const int64_t elements = n * std::min(together, rows - i);
        r_.accumulate(cascade.next(), load_.load(x + at[1] + i * step, elements, piece), elements, ++count, param_);
        if (count == kRows) cascade.push(count), count = 0;
      }
    });
    if (count) cascade.push(count);
    char* total = cascade.total();
    for (int64_t half = together / 2; half > 0; half /= 2)
      r_.combine(total, 1, total + half * n * r_.item, 1, half * n);
    f(total);
  }

  /// Strips of at most kBlock columns, cut into chunks of rows.
  void columns() const {
    const int64_t width = std::min(kept_.size[0], kBlock), strips = (kept_.size[0] + width - 1) / width;
    const int64_t outer = kept_.numel / kept_.size[0], height = std::max(kRows, kChunk / width);
    const int64_t chunks = (reduced_.numel + height - 1) / height, bytes = width * r_.state_bytes();
    const auto partial = chunks > 1 ? std::make_unique_for_overwrite<char[]>(outer * strips * chunks * bytes) : nullptr;
    const auto strip_of = [&](int64_t i, auto&& f) {  // f(out and x offsets, columns)
      const int64_t first = i % strips * width;
      f(kept_.offset(i / strips * kept_.size[0] + first), std::min(width, kept_.size[0] - first));
    };
    const int64_t work = width * std::min(height, reduced_.numel);
    parallel_for(outer * strips * chunks, std::max<int64_t>(1, kGrain / work), [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        strip_of(task / chunks, [&](const std::array<int64_t, 2>& at, int64_t n) {
          const int64_t first = task % chunks * height;
          accumulate(split_.x + at[1], n, first, std::min(first + height, reduced_.numel), [&](const char* state) {
            if (chunks == 1)
              finish(split_.out + at[0], state, n, reduced_.numel);
            else
              std::copy_n(state, n * r_.state_bytes(), partial.get() + task * bytes);
          });
        });
      }
    });
    if (chunks == 1) return;
    for (int64_t i = 0; i < outer * strips; ++i) {
      strip_of(i, [&](const std::array<int64_t, 2>& at, int64_t n) {
        Cascade cascade(r_, n);
        for (int64_t c = 0; c < chunks; ++c) {
          std::copy_n(partial.get() + (i * chunks + c) * bytes, n * r_.state_bytes(), cascade.next());
          cascade.push(std::min(height, reduced_.numel - c * height));
        }
        finish(split_.out + at[0], cascade.total(), n, reduced_.numel);
      });
    }
  }

  const Reduction& r_;
  double param_;
  Split split_;
  const Walk &kept_, &reduced_;
  Packing load_, store_;
};

}  // namespace

/// Results of nothing at all.
static void reduce_nothing(const Reduction& r, const Tensor& out, double param) {
  alignas(64) char state[32];
  Block result, converted;
  r.clear(state, 1);
  r.finish(result.bytes, state, 1, 0, param);
  Packing::out(out.dtype(), r.result, item_size(out.dtype())).store(converted.bytes, 1, result);
  const LoopNest<1> nest({&out});
  nest.rows(0, nest.numel, [&](const std::array<char*, 1>& y, int64_t n) {
    copy_row(y[0], nest.stride[0][0], converted.bytes, 0, n, out.item_size());
  });
}

void reduce(const Reduction& r, const Tensor& out, const Tensor& x, double param) {
  if (out.numel() == 0) return;
  if (x.numel() == 0) return reduce_nothing(r, out, param);
  if (out.numel() == 1 && x.is_contiguous() && x.numel() <= kFold && x.dtype() == r.dense) {
    alignas(64) char state[32];
    r.fold(state, x.bytes(), x.numel(), param);
    Block result;
    r.finish(result.bytes, state, 1, x.numel(), param);
    return Packing::out(out.dtype(), r.result, out.item_size()).store(out.bytes(), 1, result);
  }
  Job(r, out, x, param);
}

}  // namespace facula::cpu
