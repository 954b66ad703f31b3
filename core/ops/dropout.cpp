// Dropout: elements, or whole channels, are left out at random in training.
#include "core/ops/dropout.h"

#include <cmath>

#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

void check_probability(const char* name, double p) {
  check(p >= 0 && p <= 1, name, ": p must be within 0..1, got ", p);
}

/// 1 where an element stays, with probability 1 - p, else 0.
Tensor kept(const Sizes& sizes, DType t, Device device, double p) {
  const Tensor mask = empty(sizes, t, device);
  const Tensor stays = moved(scalar_tensor(1 - p, DType::Float64), device);
  slots::bernoulli(mask, stays.expanded(sizes), default_generator()->take(static_cast<uint64_t>(mask.numel() / 2 + 1)));
  return mask;
}

// One number for each channel of each sample.
Sizes channels_of(const char* name, const Tensor& x) {
  check(x.dim() >= 2, name, ": the input must have at least 2 dimensions, [N, C, ...], got ", x.sizes());
  Sizes sizes(x.sizes().size(), 1);
  sizes[0] = x.size(0), sizes[1] = x.size(1);
  return sizes;
}

Tensor scaled_by_mask(const char* name, const Tensor& x, const Sizes& sizes, double p) {
  check(is_differentiable(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
  if (p == 1) return x * 0.0;
  const Tensor mask = kept(sizes, x.dtype(), x.device(), p);
  return x * ops::mul.in_place(mask, 1 / (1 - p));
}

// What is dropped becomes -alpha, the limit of selu; then x is scaled and shifted to keep its mean of 0 and variance of 1
// (Klambauer et al. 2017).
Tensor alpha_masked(const char* name, const Tensor& x, const Sizes& sizes, double p) {
  check(is_differentiable(x.dtype()), name, ": expected floating numbers, got ", x.dtype());
  if (p == 1) return x * 0.0;
  constexpr double alpha = 1.7580993408473766;
  const double scale = 1 / std::sqrt((alpha * alpha * p + 1) * (1 - p));
  const Tensor mask = kept(sizes, x.dtype(), x.device(), p);
  const Tensor shift = (mask - 1) * (alpha * scale) + alpha * scale * p;
  return x * (mask * scale) + shift;
}

enum class What { Elements, Channels };

template <What kWhat>
Sizes mask_sizes(const char* name, const Tensor& x) {
  return kWhat == What::Elements ? x.sizes() : channels_of(name, x);
}

template <What kWhat>
Tensor dropout(const char* name, const Tensor& x, double p, bool training) {
  check_probability(name, p);
  const Sizes sizes = training ? mask_sizes<kWhat>(name, x) : Sizes();
  return training && p > 0 && x.numel() > 0 ? scaled_by_mask(name, x, sizes, p) : x;
}

template <What kWhat>
Tensor alpha_dropout(const char* name, const Tensor& x, double p, bool training) {
  check_probability(name, p);
  const Sizes sizes = training ? mask_sizes<kWhat>(name, x) : Sizes();
  return training && p > 0 && x.numel() > 0 ? alpha_masked(name, x, sizes, p) : x;
}

/// Channels of [N, C, ...] with the given number of dimensions, or of one sample.
Tensor spatial_dropout(const char* name, const Tensor& x, double p, bool training, int64_t rank) {
  check(x.dim() == rank || x.dim() == rank - 1, name, ": the input must have ", rank - 1, " or ", rank,
        " dimensions, got ", x.sizes());
  if (x.dim() == rank) return dropout<What::Channels>(name, x, p, training);
  check_probability(name, p);
  if (!training || p == 0) return x;
  return ops::squeeze(dropout<What::Channels>(name, ops::unsqueeze(x, 0), p, true), 0);
}

std::tuple<Tensor, Tensor> native_dropout(const Tensor& x, double p, std::optional<bool> train) {
  check_probability("native_dropout", p);
  if (!train.value_or(true) || x.numel() == 0) return {x, ops::to_dtype(ops::ones_like(x), DType::Bool)};
  if (p == 1) return {x * 0.0, ops::to_dtype(ops::zeros_like(x), DType::Bool)};
  const Tensor mask = kept(x.sizes(), x.dtype(), x.device(), p);
  return {x * mask * (1 / (1 - p)), ops::to_dtype(mask, DType::Bool)};
}

}  // namespace

Tensor dropout(const char* name, const Tensor& x, double p) { return dropout<What::Elements>(name, x, p, true); }

#define OPTIONS(training_by_default) \
  "(Tensor input, float p=0.5, bool training=" training_by_default ", bool inplace=False) -> Tensor"

static void define_functional(const Family& define) {
  define("nn.functional.dropout" OPTIONS("True"))
      .doc("In training, zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.")
      .example("torch.nn.functional.dropout(torch.ones(5), 0.2)")
      .compose(
          [](const Tensor& x, double p, bool training) { return dropout<What::Elements>("dropout", x, p, training); });
  define("nn.functional.dropout1d" OPTIONS("True"))
      .doc("dropout of whole channels of [N, C, L] or [C, L].")
      .example("torch.nn.functional.dropout1d(torch.ones(1, 4, 2))")
      .compose(
          [](const Tensor& x, double p, bool training) { return spatial_dropout("dropout1d", x, p, training, 3); });
  define("nn.functional.dropout2d" OPTIONS("True"))
      .doc("dropout of whole channels of [N, C, ...].")
      .example("torch.nn.functional.dropout2d(torch.ones(1, 4, 2, 2))")
      .compose([](const Tensor& x, double p, bool training) {
        return dropout<What::Channels>("dropout2d", x, p, training);
      });
  define("nn.functional.dropout3d" OPTIONS("True"))
      .doc("dropout of whole channels of [N, C, D, H, W] or [C, D, H, W].")
      .example("torch.nn.functional.dropout3d(torch.ones(1, 4, 1, 2, 2))")
      .compose(
          [](const Tensor& x, double p, bool training) { return spatial_dropout("dropout3d", x, p, training, 5); });
  define("nn.functional.alpha_dropout" OPTIONS("False"))
      .doc("dropout that keeps the mean of 0 and variance of 1 of what selu gives (Klambauer et al. 2017).")
      .example("torch.nn.functional.alpha_dropout(torch.randn(5), 0.5, true)")
      .compose([](const Tensor& x, double p, bool training) {
        return alpha_dropout<What::Elements>("alpha_dropout", x, p, training);
      });
  define("nn.functional.feature_alpha_dropout" OPTIONS("False"))
      .doc("alpha_dropout of whole channels of [N, C, ...].")
      .example("torch.nn.functional.feature_alpha_dropout(torch.randn(1, 4, 2), 0.5, true)")
      .compose([](const Tensor& x, double p, bool training) {
        return alpha_dropout<What::Channels>("feature_alpha_dropout", x, p, training);
      });
}

void define_dropout(const Family& define) {
  define_functional(define);
  define("dropout(Tensor self, float p, bool train) -> Tensor")
      .doc("With `train`, zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.")
      .example("torch.dropout(torch.ones(5), 0.5, true)")
      .compose([](const Tensor& x, double p, bool train) { return dropout<What::Elements>("dropout", x, p, train); });
  define("feature_dropout(Tensor self, float p, bool train) -> Tensor")
      .doc("dropout of whole channels of [N, C, ...].")
      .example("torch.feature_dropout(torch.ones(1, 4, 2), 0.5, true)")
      .compose([](const Tensor& x, double p, bool train) {
        return dropout<What::Channels>("feature_dropout", x, p, train);
      });
  define("alpha_dropout(Tensor self, float p, bool train) -> Tensor")
      .doc("nn.functional.alpha_dropout.")
      .example("torch.alpha_dropout(torch.randn(5), 0.5, true)")
      .compose([](const Tensor& x, double p, bool train) {
        return alpha_dropout<What::Elements>("alpha_dropout", x, p, train);
      });
  define("feature_alpha_dropout(Tensor self, float p, bool train) -> Tensor")
      .doc("nn.functional.feature_alpha_dropout.")
      .example("torch.feature_alpha_dropout(torch.randn(1, 4, 2), 0.5, true)")
      .compose([](const Tensor& x, double p, bool train) {
        return alpha_dropout<What::Channels>("feature_alpha_dropout", x, p, train);
      });
  define("native_dropout(Tensor input, float p, bool? train=None) -> (Tensor output, Tensor mask)")
      .doc("dropout with the mask of the elements that stay.")
      .example("torch.native_dropout(torch.ones(5), 0.5, true)")
      .compose(native_dropout);
}

}  // namespace facula
