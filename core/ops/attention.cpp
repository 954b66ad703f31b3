// Attention: what the keys that are like a query have to say (Vaswani et al. 2017).
#include <cmath>

#include "core/ops/dropout.h"
#include "core/ops/families.h"
#include "core/ops/recomputed.h"
#include "core/slots.h"

namespace facula {
namespace {

Op heads;

void check_attention(const Tensor& q, const Tensor& k, const Tensor& v, double p, const Tensor& mask, bool is_causal) {
  constexpr const char* name = "scaled_dot_product_attention";
  check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, name, ": query, key and value must be [..., L, E], got ",
        q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  check(is_floating(q.dtype()) && q.dtype() == k.dtype() && q.dtype() == v.dtype(), name,
        ": query, key and value must have one floating dtype, got ", q.dtype(), ", ", k.dtype(), " and ", v.dtype());
  check(q.size(-1) == k.size(-1), name, ": query ", q.sizes(), " and key ", k.sizes(), " differ in their last size");
  check(k.size(-2) == v.size(-2), name, ": key ", k.sizes(), " and value ", v.sizes(), " differ in length");
  check(p >= 0 && p <= 1, name, ": dropout_p must be within 0..1, got ", p);
  check(!is_causal || !mask.defined(), name, ": give either attn_mask or is_causal, not both");
}

/// Does the mask broadcast to scores of these sizes?
bool fits(const Tensor& mask, const Sizes& scores) {
  return broadcast(mask.sizes(), scores, "scaled_dot_product_attention") == scores;
}

/// What is added to the scores [..., L, S]: 0 or -inf where the mask says so by bools, which are true where a query sees a
/// key.
Tensor penalties(const Tensor& mask, const Sizes& scores, DType dtype) {
  if (mask.dtype() != DType::Bool) return mask;
  check(fits(mask, scores), "scaled_dot_product_attention: attn_mask ", mask.sizes(), " does not fit scores of sizes ",
        scores);
  const Tensor none = ops::to_dtype(ops::zeros_like(mask), dtype);
  return ops::masked_fill(none, ops::logical_not(mask), -HUGE_VAL);
}

/// Query i sees keys 1 to i.
Tensor causal_mask(const Tensor& scores) {
  const Tensor i = ops::arange(scores.size(-2), DType::Int64, scores.device());
  const Tensor j = ops::arange(scores.size(-1), DType::Int64, scores.device());
  return ops::ge(ops::unsqueeze(i, 1), j);
}

struct Attention {
  Tensor output, weights;
};

double scale_of(const Tensor& q, OptDouble scale) {
  return scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
}

Attention composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool is_causal,
                   double scale) {
  Tensor scores = ops::matmul(q * scale, ops::transpose(k, -2, -1));
  if (mask.defined()) scores = scores + penalties(mask, scores.sizes(), scores.dtype());
  if (is_causal) scores = scores + penalties(causal_mask(scores), scores.sizes(), scores.dtype());
  Tensor weights = ops::softmax(scores, scores.dim() - 1);
  if (p > 0) weights = dropout("scaled_dot_product_attention", weights, p);
  return {ops::matmul(weights, v), weights};
}

// ---- by a kernel: q, k and v are [N, H, L, E], [N, H, S, E] and [N, H, S, V] ------------------------------------------------
/// With rows that a kernel can read: without gaps, one behind the other.
Tensor readable(const Tensor& x) {
  return x.stride(3) == 1 && (x.size(2) == 1 || x.stride(2) >= x.size(3)) ? x : ops::contiguous(x);
}

/// [N, L, H, E], for positions and heads to be exchanged: so lie q, k and v where one product makes them all, and so the
/// output is read.
Tensor by_position(const Tensor& x) { return ops::transpose(x, 1, 2); }
Sizes by_position(const Tensor& x, int64_t columns) { return {x.size(0), x.size(2), x.size(1), columns}; }

Sizes scores_of(const Tensor& q, const Tensor& k) { return {q.size(0), q.size(1), q.size(2), k.size(2)}; }

// tensors: q, k, v, and a mask [N, H, L, S] or undefined.
std::tuple<Tensor, Tensor> heads_forward(Out& out, const Tensors& tensors, bool is_causal, double scale) {
  const Tensor q = readable(tensors[0]), k = readable(tensors[1]), v = readable(tensors[2]);
  const Tensor y = out.make(0, by_position(q, v.size(3)), q.dtype());
  const Tensor weights = out.make(1, scores_of(q, k), q.dtype());
  slots::attention(by_position(y), weights, q, k, v, tensors[3], scale, is_causal);
  return {y, weights};
}

Tensors heads_gradients(const Tensor& g, const Tensor& weights, const Tensors& tensors, bool is_causal, double scale) {
  if (GradMode::enabled()) {
    const auto composition = [=](const Tensors& t) {
      return Tensors{by_position(composed(t[0], t[1], t[2], t[3], 0, is_causal, scale).output)};
    };
    return recomputed_gradients(composition, {g}, tensors);
  }
  const Tensor q = readable(tensors[0]), k = readable(tensors[1]), v = readable(tensors[2]);
  const auto made = [](const Tensor& x) {
    return by_position(empty(by_position(x, x.size(3)), x.dtype(), x.device()));
  };
  const Tensor dq = made(q), dk = made(k), dv = made(v);
  slots::attention_backward(dq, dk, dv, readable(by_position(g)), weights, q, k, v, scale);
  return {dq, dk, dv, Tensor()};
}

/// Have batch and heads one size each, are there numbers, and is there a kernel for them?
bool suits_kernel(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  const bool same = q.dim() == 4 && k.dim() == 4 && v.dim() == 4 && q.size(0) == k.size(0) && q.size(1) == k.size(1) &&
                    k.size(0) == v.size(0) && k.size(1) == v.size(1);
  const bool some = q.numel() > 0 && k.numel() > 0 && v.numel() > 0;
  return same && some && (q.dtype() == DType::Float32 || q.dtype() == DType::Float64) &&
         slots::attention.filled(q.device().type) &&
         (!mask.defined() || ((mask.dtype() == DType::Bool || mask.dtype() == q.dtype()) && !requires_grad(mask) &&
                              fits(mask, scores_of(q, k))));
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool is_causal,
                 OptDouble given) {
  check_attention(q, k, v, p, mask, is_causal);
  const double scale = scale_of(q, given);
  if (p > 0 || !suits_kernel(q, k, v, mask)) return composed(q, k, v, mask, p, is_causal, scale).output;
  Tensor added;
  if (mask.defined()) {
    const Sizes scores = scores_of(q, k);
    added = ops::expand(penalties(mask, scores, q.dtype()), scores);
  }
  return by_position(heads.all({Value(Tensors{q, k, v, added}), is_causal, scale}).tensor(0));
}

}  // namespace

void define_attention(const Family& define) {
  define(heads, "_attention(Tensor?[] tensors, bool is_causal, float scale) -> (Tensor output, any weights)")
      .doc("Of {q, k, v, mask}: output [N, L, H, V] and weights [N, H, L, S].")
      .node("ScaledDotProductAttentionBackward0")
      .forward(heads_forward)
      .grad("tensors", [](Tensor g, Result, Result weights, Tensors tensors, bool is_causal, double scale) {
        return heads_gradients(g, weights, tensors, is_causal, scale);
      });
  define(
      "nn.functional.scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool is_causal=False, *, float? scale=None) -> Tensor")
      .doc(
          "`softmax(query @ key^T * scale + mask) @ value` of query [..., L, E], key [..., S, E] and value [..., S, "
          "V], "
          "with scale `1 / sqrt(E)`. A bool mask [..., L, S] is true where a query sees a key, another is added; with "
          "`is_causal` query i sees keys up to i.")
      .example(
          "torch.nn.functional.scaled_dot_product_attention(torch.randn(1, 4, 5, 8), torch.randn(1, 4, 6, 8), "
          "torch.randn(1, 4, 6, 8)).shape")
      .compose([](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool is_causal,
                  OptDouble scale) { return attention(q, k, v, mask, p, is_causal, scale); });
  define(
      "nn.functional._scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool need_attn_weights=False, bool is_causal=False) -> (Tensor output, Tensor weights)")
      .doc("scaled_dot_product_attention with its weights, which are empty unless asked for.")
      .compose([](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool need_weights,
                  bool is_causal) -> std::tuple<Tensor, Tensor> {
        if (!need_weights) return {attention(q, k, v, mask, p, is_causal, {}), empty({0}, q.dtype(), q.device())};
        check_attention(q, k, v, p, mask, is_causal);
        const Attention a = composed(q, k, v, mask, p, is_causal, scale_of(q, {}));
        return {a.output, a.weights};
      });
}

}  // namespace facula
