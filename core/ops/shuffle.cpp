// Channels exchanged with pixels or among themselves.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

// [..., C r^2, H, W] as [..., C, H r, W r] (Shi et al. 2016).
Tensor pixel_shuffle(const Tensor& x, int64_t r) {
  check(x.dim() >= 3, "pixel_shuffle: expected at least 3 dimensions, got ", x.sizes());
  check(r > 0, "pixel_shuffle: upscale_factor must be positive, got ", r);
  const int64_t channels = x.size(-3), block = saturated_product(r, r), d = x.dim();
  check(channels % block == 0, "pixel_shuffle: ", channels, " channels of ", x.sizes(),
        " do not divide into squares of upscale_factor ", r);
  const Sizes lead(x.sizes().begin(), x.sizes().end() - 3);
  Sizes split = lead, joined = lead;
  for (const int64_t n : {channels / block, r, r, x.size(-2), x.size(-1)}) split.push_back(n);
  for (const int64_t n : {channels / block, saturated_product(x.size(-2), r), saturated_product(x.size(-1), r)})
    joined.push_back(n);
  IntList order;
  for (int64_t i = 0; i < d - 3; ++i) order.push_back(i);
  for (const int64_t i : {0, 3, 1, 4, 2}) order.push_back(d - 3 + i);
  return ops::contiguous(ops::reshape(ops::permute(ops::reshape(x, split), order), joined));
}

Tensor pixel_unshuffle(const Tensor& x, int64_t r) {
  check(x.dim() >= 3, "pixel_unshuffle: expected at least 3 dimensions, got ", x.sizes());
  check(r > 0, "pixel_unshuffle: downscale_factor must be positive, got ", r);
  const int64_t height = x.size(-2), width = x.size(-1), d = x.dim();
  check(height % r == 0 && width % r == 0, "pixel_unshuffle: planes of ", x.sizes(),
        " do not divide into squares of downscale_factor ", r);
  const Sizes lead(x.sizes().begin(), x.sizes().end() - 3);
  Sizes split = lead, joined = lead;
  for (const int64_t n : {x.size(-3), height / r, r, width / r, r}) split.push_back(n);
  for (const int64_t n : {saturated_product(saturated_product(x.size(-3), r), r), height / r, width / r})
    joined.push_back(n);
  IntList order;
  for (int64_t i = 0; i < d - 3; ++i) order.push_back(i);
  for (const int64_t i : {0, 2, 4, 1, 3}) order.push_back(d - 3 + i);
  return ops::contiguous(ops::reshape(ops::permute(ops::reshape(x, split), order), joined));
}

// [N, g C, ...]: channels of a group side by side become those of equal place in their groups (Zhang et al. 2018).
Tensor channel_shuffle(const Tensor& x, int64_t groups) {
  check(x.dim() >= 3, "channel_shuffle: expected at least 3 dimensions, got ", x.sizes());
  check(groups > 0 && x.size(1) % groups == 0, "channel_shuffle: ", x.size(1), " channels do not divide into ", groups,
        " groups");
  Sizes split = x.sizes();
  split[1] = x.size(1) / groups;
  split.insert(1, groups);
  return ops::contiguous(ops::reshape(ops::transpose(ops::reshape(x, split), 1, 2), x.sizes()));
}

}  // namespace

void define_shuffle(const Family& define) {
  define("pixel_shuffle(Tensor self, int upscale_factor) -> Tensor")
      .doc("Channels become pixels: [..., C r^2, H, W] to [..., C, H r, W r], with r = `upscale_factor`.")
      .alias("nn.functional.pixel_shuffle")
      .compose(pixel_shuffle);
  define("pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor")
      .doc("Pixels become channels: [..., C, H r, W r] to [..., C r^2, H, W], with r = `downscale_factor`.")
      .alias("nn.functional.pixel_unshuffle")
      .compose(pixel_unshuffle);
  define("channel_shuffle(Tensor input, int groups) -> Tensor")
      .doc("Channels [N, C, ...] in another order: that of `groups` groups of them, one from each in turn.")
      .alias("nn.functional.channel_shuffle")
      .compose(channel_shuffle);
}

}  // namespace facula
