// Rows of a table, chosen by positions; one-hot rows.
#include "core/ops/embedding.h"

#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"

namespace facula {
static Op rows_at, rows_added;

int64_t padding_position(const char* name, OptInt padding, int64_t rows) {
  if (!padding) return 0;
  const int64_t p = *padding < 0 ? *padding + rows : *padding;
  check(p >= 0 && p < rows, name, ": padding_idx ", Counting::shown(*padding), " is out of range for ", rows, " rows");
  return p + 1;
}

void check_table(const char* name, const Tensor& weight) {
  check(weight.dim() == 2, name, ": the weight must be [rows, size], got ", weight.sizes());
}

Tensor occurrences(const Tensor& index, int64_t rows) {
  const Tensor flat = ops::reshape(index, {index.numel()});
  const Tensor ones = ops::ones_like(flat);
  const Tensor counts = ops::index_add.in_place(ops::zero_(empty({rows}, DType::Int64, index.device())), 0, flat, ones);
  return ops::index_select(counts, 0, flat);
}

void renormalise(const char* name, const Tensor& weight, const Tensor& index, double max_norm, double norm_type) {
  check_table(name, weight);
  NoGrad guard;
  const Tensor flat = ops::reshape(positions_of(name, index), {index.numel()});
  const Tensor rows = ops::index_select(weight, 0, flat);
  const Tensor norms = ops::norm(rows, norm_type, {1}, true);
  const Tensor scaled = ops::where(ops::gt(norms, max_norm), rows * (ops::reciprocal(norms + 1e-7) * max_norm), rows);
  const Sizes sizes{flat.numel(), weight.size(1)};
  ops::scatter.in_place(weight, 0, ops::expand(ops::unsqueeze(flat, 1), sizes), scaled);
}

namespace {

// `padding` is a position from 1, or 0 for none.
Tensor embedding_forward(const Tensor& weight, const Tensor& index, int64_t, bool) {
  const Tensor positions = positions_of("embedding", index);
  Sizes sizes = positions.sizes();
  sizes.push_back(weight.size(1));
  return ops::reshape(ops::index_select(weight, 0, ops::reshape(positions, {positions.numel()})), sizes);
}

// The adjoint: rows of g are added up at their positions, without those at `padding`; `by_frequency` divides them by how
// often their position occurs.
Tensor embedding_backward(const Tensor& g, const Tensor& index, int64_t rows, int64_t padding, bool by_frequency) {
  const Tensor positions = positions_of("embedding", index);
  const Tensor flat = ops::reshape(positions, {positions.numel()});
  Tensor terms = ops::reshape(g, {flat.numel(), g.size(-1)});
  if (padding > 0) terms = ops::masked_fill(terms, ops::unsqueeze(ops::eq(flat, padding), 1), 0);
  if (by_frequency) terms = terms / ops::unsqueeze(ops::to_dtype(occurrences(flat, rows), terms.dtype()), 1);
  return ops::index_add.in_place(ops::zero_(empty({rows, g.size(-1)}, g.dtype(), g.device())), 0, flat, terms);
}

Tensor embedding_of(const Tensor& index, const Tensor& weight, OptInt padding, OptDouble max_norm, double norm_type,
                    bool by_frequency, bool) {
  check_table("embedding", weight);
  const int64_t position = padding_position("embedding", padding, weight.size(0));
  if (max_norm) renormalise("embedding", weight, index, *max_norm, norm_type);
  return rows_at(weight, index, position, by_frequency);
}

Tensor one_hot(const Tensor& index, int64_t num_classes) {
  check(index.dtype() == DType::Int64, "one_hot: expected positions (int64), got ", index.dtype());
  check(num_classes >= -1, "one_hot: num_classes must be -1 or a number of classes, got ", num_classes);
  check(num_classes > 0 || index.numel() > 0, "one_hot: an empty tensor does not tell the number of classes");
  if (index.numel() > 0) {
    check(num_classes > 0 || !index.is_meta(), "one_hot: num_classes must be given for a meta tensor");
    if (!index.is_meta()) {
      const int64_t low = item(ops::amin(index)).to<int64_t>(), high = item(ops::amax(index)).to<int64_t>();
      check(low >= 1, "one_hot: class ", low, " is not positive: classes count from 1");
      if (num_classes == -1) num_classes = high;
      check(high <= num_classes, "one_hot: class ", high, " is outside 1..", num_classes);
    }
  }
  Sizes sizes = index.sizes();
  sizes.push_back(num_classes);
  const Tensor zeros = ops::zero_(empty(sizes, DType::Int64, index.device()));
  return ops::scatter.in_place(zeros, static_cast<int64_t>(sizes.size()) - 1, ops::unsqueeze(index, -1),
                               ops::ones_like(ops::unsqueeze(index, -1)));
}

}  // namespace

void define_embedding(const Family& define) {
  define(
      "nn.functional.embedding(IndexTensor input, Tensor weight, Index? padding_idx=None, float? max_norm=None, "
      "float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor")
      .doc(
          "The rows of `weight` [rows, size] at the positions in `input`. The row `padding_idx` gets no gradient; rows "
          "whose "
          "norm exceeds `max_norm` are scaled down to it first, in place; `scale_grad_by_freq` divides gradients by "
          "how "
          "often a position occurs. Gradients are dense.")
      .example("torch.nn.functional.embedding({1, 10, 1}, torch.randn(10, 3))")
      .compose(embedding_of);
  define(
      "embedding(Tensor weight, IndexTensor indices, Index? padding_idx=None, bool scale_grad_by_freq=False, "
      "bool sparse=False) -> Tensor")
      .doc("nn.functional.embedding with another order of parameters.")
      .example("torch.embedding(torch.randn(10, 3), {1, 10, 1})")
      .compose([](const Tensor& weight, const Tensor& index, OptInt padding, bool by_frequency, bool sparse) {
        return embedding_of(index, weight, padding, {}, 2, by_frequency, sparse);
      });
  define("embedding_renorm_(Tensor self, IndexTensor indices, float max_norm, float norm_type) -> Tensor")
      .doc("Scales the rows of `self` at `indices` whose norm exceeds `max_norm` down to it.")
      .example("torch.ones(3, 4):embedding_renorm_({2}, 1, 2)")
      .forward(+[](const Tensor& self, const Tensor& index, double max_norm, double norm_type) {
        renormalise("embedding_renorm_", self, index, max_norm, norm_type);
        return self;
      });
  define(rows_at, "_embedding(Tensor weight, IndexTensor indices, int padding, bool by_frequency) -> Tensor")
      .doc("Rows of a table; rows at `padding` get no gradient.")
      .node("EmbeddingBackward0")
      .forward(embedding_forward)
      .grad("weight", [](Tensor g, Meta weight, Tensor index, int64_t padding, bool by_frequency) {
        return rows_added(g, index, weight.size(0), padding, by_frequency);
      });
  define(rows_added,
         "_embedding_backward(Tensor grad_output, IndexTensor indices, int rows, int padding, bool by_frequency) -> "
         "Tensor")
      .doc("The derivative of embedding.")
      .compose(embedding_backward);
  define("nn.functional.one_hot(IndexTensor self, int num_classes=-1) -> Tensor")
      .doc("1 at the position that each class (1..num_classes) names along a new last dimension, 0 elsewhere; int64.")
      .example("torch.nn.functional.one_hot({2, 1, 3})")
      .compose(one_hot);
}

}  // namespace facula
