// Bags: sums, means or largest elements of rows of a table, without the rows in between.
#include "core/ops/embedding.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

enum Mode : int64_t { kSum, kMean, kMax };

Op bags;

int64_t mode_of(const std::string& mode) {
  if (mode == "sum") return kSum;
  if (mode == "mean") return kMean;
  check(mode == "max", "embedding_bag: mode must be 'sum', 'mean' or 'max', got '", mode, "'");
  return kMax;
}

// Results: the bags [B, D], and for each element of a largest one its row. `padding` is a position from 1, or 0.
std::tuple<Tensor, Tensor> bags_forward(const Tensor& weight, const Tensor& index, const Tensor& offsets,
                                        const Tensor& scales, int64_t padding, int64_t mode, bool) {
  const Sizes sizes{offsets.numel() - 1, weight.size(1)};
  const Tensor y = empty(sizes, weight.dtype(), weight.device());
  const Tensor places = empty(mode == kMax ? sizes : Sizes{0}, DType::Int64, weight.device());
  slots::embedding_bag(y, places, dense(weight), dense(index), dense(offsets),
                       scales.defined() ? dense(converted(scales, weight.dtype())) : scales, padding, mode);
  return {y, places};
}

/// The bag (from 1) that each position belongs to: offsets below it, counted.
Tensor bag_of(const Tensor& index, const Tensor& offsets) {
  const int64_t n = index.numel();
  const Tensor starts = ops::narrow(offsets, 0, 0, offsets.numel() - 1);
  const Tensor none = ops::zero_(empty({n + 1}, DType::Int64, index.device()));
  return ops::narrow(ops::cumsum(ops::index_add(none, 0, starts, ops::ones_like(starts)), 0), 0, 0, n);
}

/// Rows of g, one for each position, as they count in their bags.
Tensor spread(const Tensor& g, const Tensor& index, const Tensor& offsets, int64_t padding, int64_t mode) {
  Tensor h = g;
  const Tensor bag = bag_of(index, offsets), counts = ops::to_dtype(ops::ne(index, padding), g.dtype());
  if (mode == kMean) {
    const Tensor none = ops::zero_(empty({g.size(0)}, g.dtype(), g.device()));
    h = h / ops::unsqueeze(ops::clamp(ops::index_add(none, 0, bag, counts), 1), 1);
  }
  return ops::index_select(h, 0, bag) * ops::unsqueeze(counts, 1);
}

Tensor weight_gradient(const Tensor& g, const Tensor& places, const Meta& weight, const Tensor& index,
                       const Tensor& offsets, const Tensor& scales, int64_t padding, int64_t mode, bool by_frequency) {
  const Tensor none = ops::zero_(empty(weight.sizes(), g.dtype(), g.device()));
  if (mode == kMax) {
    const Tensor given = ops::masked_fill(g, ops::eq(places, 0), 0);
    return weight.numel() == 0 ? none : ops::scatter_add(none, 0, ops::clamp(places, 1), given);
  }
  Tensor terms = spread(g, index, offsets, padding, mode);
  if (scales.defined()) terms = terms * ops::unsqueeze(scales, 1);
  if (by_frequency) terms = terms / ops::unsqueeze(ops::to_dtype(occurrences(index, weight.size(0)), terms.dtype()), 1);
  return ops::index_add.in_place(none, 0, index, terms);
}

struct Layout {
  Tensor index, offsets;  // flat, and with the end behind the last bag
};

// [B, n] are bags of n; a list of positions has offsets from 1 to its length + 1, which do not fall.
Layout layout_of(const Tensor& given, const Tensor& given_offsets, bool include_last) {
  constexpr const char* name = "embedding_bag";
  const Tensor index = positions_of(name, given);
  const int64_t n = index.numel();
  if (given.dim() == 2) {
    check(!given_offsets.defined(), name, ": an input of two dimensions takes no offsets, its rows are the bags");
    const Tensor starts = ops::arange(given.size(0) + 1, DType::Int64, index.device());
    return {ops::reshape(index, {n}), starts * given.size(1) + 1};
  }
  check(given.dim() == 1, name, ": the input must have 1 or 2 dimensions, got ", given.sizes());
  check(given_offsets.defined() && given_offsets.dim() == 1, name, ": an input of one dimension needs offsets of one");
  Tensor offsets = positions_of(name, given_offsets);
  check(!include_last || offsets.numel() > 0, name, ": with include_last_offset, offsets need at least one element");
  if (!include_last) offsets = ops::cat({offsets, ops::full_like(empty({1}, DType::Int64, offsets.device()), n + 1)});
  if (offsets.is_meta()) return {index, offsets};
  const int64_t B = offsets.numel() - 1;
  const int64_t first = item(ops::select(offsets, 0, 0)).to<int64_t>();
  const int64_t last = item(ops::select(offsets, 0, B)).to<int64_t>();
  check(B == 0 || first == 1, name, ": the first of offsets must be 1, got ", first);
  check(last >= 1 && last <= n + 1, name, ": the last of offsets must be within 1..", n + 1, ", got ", last);
  const Tensor falls = ops::lt(ops::narrow(offsets, 0, 1, B), ops::narrow(offsets, 0, 0, B));
  check(!item(ops::any(falls)).to<bool>(), name, ": offsets must not fall");
  return {ops::narrow(index, 0, 0, last - 1), offsets};
}

Tensor embedding_bag_of(const Tensor& input, const Tensor& weight, const Tensor& offsets, OptDouble max_norm,
                        double norm_type, bool by_frequency, const std::string& mode_name, bool, const Tensor& scales,
                        bool include_last, OptInt padding) {
  constexpr const char* name = "embedding_bag";
  check_table(name, weight);
  check(is_floating(weight.dtype()), name, ": the weight must be floating, got ", weight.dtype());
  const int64_t mode = mode_of(mode_name), position = padding_position(name, padding, weight.size(0));
  const Layout bag = layout_of(input, offsets, include_last);
  Tensor flat_scales;
  if (scales.defined()) {
    check(mode == kSum, name, ": per_sample_weights need mode 'sum', got '", mode_name, "'");
    check(scales.sizes() == input.sizes(), name, ": per_sample_weights ", scales.sizes(), " must have input's sizes ",
          input.sizes());
    flat_scales = ops::narrow(ops::reshape(scales, {scales.numel()}), 0, 0, bag.index.numel());
  }
  if (max_norm) renormalise(name, weight, bag.index, *max_norm, norm_type);
  return bags(weight, bag.index, bag.offsets, flat_scales, position, mode, by_frequency);
}

}  // namespace

void define_embedding_bag(const Family& define) {
  define(
      "nn.functional.embedding_bag(IndexTensor input, Tensor weight, IndexTensor? offsets=None, float? max_norm=None, "
      "float norm_type=2, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, "
      "Tensor? per_sample_weights=None, bool include_last_offset=False, Index? padding_idx=None) -> Tensor")
      .doc(
          "Sums, means or largest elements (`mode`) of bags of rows of `weight` [rows, size]: [B, size]. The bags are "
          "the "
          "rows of `input` [B, n], or parts of `input` [n] that begin at the positions `offsets` (from 1; with "
          "`include_last_offset` the last one is where the last bag ends). `per_sample_weights`, of input's sizes, "
          "multiply "
          "the rows of sums; rows at `padding_idx` are left out; empty bags are 0.")
      .example("torch.nn.functional.embedding_bag(torch.tensor{{1, 2}, {3, 3}}:long(), torch.randn(10, 3))")
      .compose(embedding_bag_of);
  define(bags,
         "_embedding_bag(Tensor weight, IndexTensor indices, IndexTensor offsets, Tensor? per_sample_weights, "
         "int padding, int mode, bool by_frequency) -> (Tensor output, IndexTensor places)")
      .doc("Bags of rows, and in mode 2 where their largest elements come from.")
      .node("EmbeddingBagBackward0")
      .forward(bags_forward)
      .grad("weight",
            [](Tensor g, Result, Result places, Meta weight, Tensor index, Tensor offsets, Tensor scales,
               int64_t padding, int64_t mode, bool by_frequency) {
              return weight_gradient(g, places, weight, index, offsets, scales, padding, mode, by_frequency);
            })
      .grad("per_sample_weights",
            [](Tensor g, Tensor weight, Tensor index, Tensor offsets, Meta, int64_t padding, int64_t mode) {
              return ops::sum(spread(g, index, offsets, padding, mode) * ops::index_select(weight, 0, index), {1});
            });
}

}  // namespace facula
