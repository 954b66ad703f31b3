// Attention: what the keys that are like a query have to say (Vaswani et al. 2017).
#include <cmath>

#include "core/ops/dropout.h"
#include "core/ops/families.h"

namespace facula {
namespace {

void check_attention(const Tensor& q, const Tensor& k, const Tensor& v, double p) {
  constexpr const char* name = "scaled_dot_product_attention";
  check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, name, ": query, key and value must be [..., L, E], got ",
        q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  check(is_floating(q.dtype()) && q.dtype() == k.dtype() && q.dtype() == v.dtype(), name,
        ": query, key and value must have one floating dtype, got ", q.dtype(), ", ", k.dtype(), " and ", v.dtype());
  check(q.size(-1) == k.size(-1), name, ": query ", q.sizes(), " and key ", k.sizes(), " differ in their last size");
  check(k.size(-2) == v.size(-2), name, ": key ", k.sizes(), " and value ", v.sizes(), " differ in length");
  check(p >= 0 && p <= 1, name, ": dropout_p must be within 0..1, got ", p);
}

/// What is added to the scores [..., L, S]: 0 or -inf where the mask says so by bools, which are true where a query sees a
/// key.
Tensor penalties(const Tensor& mask, const Tensor& scores) {
  if (mask.dtype() != DType::Bool) return mask;
  check(broadcast(mask.sizes(), scores.sizes(), "scaled_dot_product_attention") == scores.sizes(),
        "scaled_dot_product_attention: attn_mask ", mask.sizes(), " does not fit scores of sizes ", scores.sizes());
  const Tensor none = ops::to_dtype(ops::zeros_like(mask), scores.dtype());
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

Attention attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool is_causal,
                    OptDouble scale) {
  check_attention(q, k, v, p);
  check(!is_causal || !mask.defined(), "scaled_dot_product_attention: give either attn_mask or is_causal, not both");
  const double by = scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
  Tensor scores = ops::matmul(q * by, ops::transpose(k, -2, -1));
  if (mask.defined()) scores = scores + penalties(mask, scores);
  if (is_causal) scores = scores + penalties(causal_mask(scores), scores);
  Tensor weights = ops::softmax(scores, scores.dim() - 1);
  if (p > 0) weights = dropout("scaled_dot_product_attention", weights, p);
  return {ops::matmul(weights, v), weights};
}

}  // namespace

void define_attention(const Family& define) {
  define(
      "nn.functional.scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool is_causal=False, *, float? scale=None) -> Tensor")
      .doc(
          "`softmax(query @ key^T * scale + mask) @ value` of query [..., L, E], key [..., S, E] and value [..., S, "
          "V], "
          "with scale `1 / sqrt(E)`. A bool mask [..., L, S] is true where a query sees a key, another is added; with "
          "`is_causal` query i sees keys up to i.")
      .compose([](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool is_causal,
                  OptDouble scale) { return attention(q, k, v, mask, p, is_causal, scale).output; });
  define(
      "nn.functional._scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool need_attn_weights=False, bool is_causal=False) -> (Tensor output, Tensor weights)")
      .doc("scaled_dot_product_attention with its weights, which are empty unless asked for.")
      .compose([](const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double p, bool need_weights,
                  bool is_causal) -> std::tuple<Tensor, Tensor> {
        const Attention a = attention(q, k, v, mask, p, is_causal, {});
        return {a.output, need_weights ? a.weights : empty({0}, q.dtype(), q.device())};
      });
}

}  // namespace facula
