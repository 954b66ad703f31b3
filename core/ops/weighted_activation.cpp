// Activations that weigh their input: by parameters, at random, by its other half, or by its sum.
#include "core/ops/activation.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

Op prelu_kernel, gated_kernel;

// One weight for all, or one for each channel, which is dimension 1.
Tensor prelu_of(const Tensor& x, const Tensor& w) {
  check(w.dim() <= 1, "prelu: the weight must have at most 1 dimension, got ", w.sizes());
  check(x.dtype() == w.dtype(), "prelu: input ", x.dtype(), " and weight ", w.dtype(), " differ in dtype");
  if (w.numel() == 1) return prelu_kernel(x, ops::reshape(w, Sizes(static_cast<size_t>(x.dim()), 1)));
  check(x.dim() > 0, "prelu: an input without dimensions takes one weight, got ", w.numel());
  const int64_t channels = x.dim() > 1 ? x.size(1) : 1;
  check(w.numel() == channels, "prelu: input ", x.sizes(), " has ", channels, " channels, the weight has ", w.numel(),
        " elements");
  Sizes sizes(static_cast<size_t>(x.dim()), 1);
  sizes[1] = channels;
  return prelu_kernel(x, ops::reshape(w, sizes));
}

Philox numbers_for(const Tensor& x, const Ref<Generator>& generator) {
  return generator->take(static_cast<uint64_t>(x.numel() / 2 + 1));
}

Tensor rrelu_of(const Tensor& x, double lower, double upper, bool training, const Ref<Generator>& generator) {
  check(lower <= upper, "rrelu: lower = ", lower, " is larger than upper = ", upper);
  check(is_floating(x.dtype()), "rrelu: expected floating numbers, got ", x.dtype());
  if (!training) return ops::leaky_relu(x, (lower + upper) / 2);
  const Tensor slope = empty(x.sizes(), x.dtype(), x.device());
  slots::uniform(slope, lower, upper, numbers_for(slope, generator));
  return prelu_kernel(x, slope);
}

Tensor glu_of(const Tensor& x, int64_t dim) {
  check(x.dim() > 0, "glu: the input needs a dimension to halve");
  const int64_t n = x.size(dim);
  check(n % 2 == 0, "glu: the size of dimension ", Counting::shown(dim), " must be even, got ", n);
  return gated_kernel(ops::narrow(x, dim, 0, n / 2), ops::narrow(x, dim, n / 2, n / 2));
}

Tensor gumbel_softmax(const Tensor& logits, double tau, bool hard, double, int64_t dim) {
  check(is_floating(logits.dtype()), "gumbel_softmax: expected floating numbers, got ", logits.dtype());
  const Tensor noise = empty(logits.sizes(), logits.dtype(), logits.device());
  slots::exponential(noise, 1.0, numbers_for(noise, default_generator()));
  const Tensor soft = ops::softmax((logits - ops::log(noise)) / tau, dim);
  if (!hard || logits.dim() == 0) return soft;
  const Tensor best = ops::argmax(soft, dim, true);
  const Tensor one = ops::scatter(ops::zeros_like(soft), dim, best, ops::to_dtype(ops::ones_like(best), soft.dtype()));
  return one - detach(soft) + soft;
}

// What PyTorch does without a dim.
Tensor softmin(const Tensor& x, OptInt dim, int64_t, OptDType dtype) {
  const int64_t implicit = x.dim() == 0 || x.dim() == 1 || x.dim() == 3 ? 0 : 1;
  return ops::softmax(-x, dim.value_or(implicit), dtype);
}

}  // namespace

void define_weighted_activation(const Family& define) {
  define("nn.functional.prelu(Tensor self, Tensor weight) -> Tensor")
      .doc("`self` above 0, `weight * self` below, with one weight or one for each channel (dimension 2).")
      .example("torch.nn.functional.prelu(torch.tensor{-4, 0, 2}, torch.tensor{0.25})")
      .alias("prelu")
      .compose(prelu_of);
  define(prelu_kernel, "_prelu_kernel(Tensor self, Tensor weight) -> Tensor")
      .doc("prelu with a weight that broadcasts.")
      .pointwise(slots::prelu, kFloating)
      .grad("self", [](Tensor g, Tensor x, Tensor w) { return ops::where(ops::gt(x, 0), g, g * w); })
      .grad("weight", [](Tensor g, Tensor x) { return ops::where(ops::gt(x, 0), 0, g * x); });
  define(
      "rrelu(Tensor self, float lower=0.125, float upper=0.3333333333333333, bool training=False, "
      "Generator? generator=None) -> Tensor")
      .doc(
          "leaky_relu whose slope is drawn from [lower, upper) for each element in training, and their mean otherwise.")
      .example("torch.rrelu(torch.tensor{-1, 0, 2})")
      .compose(rrelu_of);
  define(
      "nn.functional.rrelu(Tensor input, float lower=0.125, float upper=0.3333333333333333, bool training=False, "
      "bool inplace=False) -> Tensor")
      .doc(
          "leaky_relu whose slope is drawn from [lower, upper) for each element in training, and their mean otherwise.")
      .example("torch.nn.functional.rrelu(torch.tensor{-1, 0, 2})")
      .compose([](const Tensor& x, double lower, double upper, bool training) {
        return rrelu_of(x, lower, upper, training, default_generator());
      });
  define("nn.functional.glu(Tensor input, Dim dim=-1) -> Tensor")
      .doc("`a * sigmoid(b)` with the halves a and b of `input` along `dim` (Dauphin et al. 2017).")
      .example("torch.nn.functional.glu(torch.tensor{1, 2, 0, 10})")
      .compose(glu_of);
  define(gated_kernel, "_gated(Tensor self, Tensor gate) -> Tensor")
      .doc("`self * sigmoid(gate)`.")
      .pointwise(slots::gated, kFloating)
      .grad("self", [](Tensor g, Meta, Tensor b) { return gated_kernel(g, b); })
      .grad("gate", [](Tensor g, Tensor a, Tensor b) { return ops::sigmoid_backward(g * a, ops::sigmoid(b)); });
  define("nn.functional.softmin(Tensor input, Dim? dim=None, int _stacklevel=3, DType? dtype=None) -> Tensor")
      .doc("`softmax(-input, dim)`.")
      .example("torch.nn.functional.softmin(torch.tensor{1, 2, 3}, 1)")
      .compose(softmin);
  define(
      "nn.functional.gumbel_softmax(Tensor logits, float tau=1, bool hard=False, float eps=1e-10, Dim dim=-1) "
      "-> Tensor")
      .doc(
          "A sample from the Gumbel-softmax distribution (Jang et al. 2017): softmax of the logits with Gumbel noise, "
          "divided by `tau`. With `hard` a one-hot tensor that has the soft one's gradient.")
      .example("torch.nn.functional.gumbel_softmax(torch.randn(2, 4), {hard=true})")
      .compose(gumbel_softmax);
}

}  // namespace facula
