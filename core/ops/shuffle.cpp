// Channels exchanged with pixels or among themselves.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

Op shuffle, unshuffle;

// Calls visit(pixels, channels) for all places (i, j) of squares of r pixels: views [..., C, H, W] of planes [..., C,
// H r, W r] at these pixels, and of the channels [..., C r^2, H, W] that hold them. Whole rows can be copied between the two.
template <class Visit>
void for_places(const Tensor& planes, const Tensor& channels, int64_t r, Visit visit) {
  if (channels.is_meta() || channels.numel() == 0) return;
  const int64_t d = channels.dim() - 3;
  Sizes sizes = channels.sizes();
  sizes[d] = planes.size(d);
  IntList pixel_strides = planes.strides(), channel_strides = channels.strides();
  pixel_strides[d + 1] *= r, pixel_strides[d + 2] *= r;
  channel_strides[d] *= r * r;
  for (int64_t i = 0; i < r; ++i)
    for (int64_t j = 0; j < r; ++j)
      visit(planes.alias(sizes, pixel_strides, planes.offset() + i * planes.stride(d + 1) + j * planes.stride(d + 2)),
            channels.alias(sizes, channel_strides, channels.offset() + (i * r + j) * channels.stride(d)));
}

Tensor shuffle_forward(Out& out, const Tensor& x, int64_t r) {
  check(x.dim() >= 3, "pixel_shuffle: expected at least 3 dimensions, got ", x.sizes());
  check(r > 0, "pixel_shuffle: upscale_factor must be positive, got ", r);
  const int64_t channels = x.size(-3), square = saturated_product(r, r);
  check(channels % square == 0, "pixel_shuffle: ", channels, " channels of ", x.sizes(),
        " do not divide into squares of upscale_factor ", r);
  const IntList last{channels / square, saturated_product(x.size(-2), r), saturated_product(x.size(-1), r)};
  const Tensor y = out.make(with_last(x.sizes(), last), x.dtype());
  for_places(y, x, r, [](const Tensor& to, const Tensor& from) { slots::copy(to, from); });
  return y;
}

Tensor unshuffle_forward(Out& out, const Tensor& x, int64_t r) {
  check(x.dim() >= 3, "pixel_unshuffle: expected at least 3 dimensions, got ", x.sizes());
  check(r > 0, "pixel_unshuffle: downscale_factor must be positive, got ", r);
  check(x.size(-2) % r == 0 && x.size(-1) % r == 0, "pixel_unshuffle: planes of ", x.sizes(),
        " do not divide into squares of downscale_factor ", r);
  const IntList last{saturated_product(x.size(-3), saturated_product(r, r)), x.size(-2) / r, x.size(-1) / r};
  const Tensor y = out.make(with_last(x.sizes(), last), x.dtype());
  for_places(x, y, r, [](const Tensor& from, const Tensor& to) { slots::copy(to, from); });
  return y;
}

// [N, g C, ...]: channels of a group side by side become those of equal place in their groups.
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
  define(shuffle, "pixel_shuffle(Tensor self, int upscale_factor) -> Tensor")
      .doc(
          "Channels become pixels (Shi et al. 2016): [..., C r^2, H, W] to [..., C, H r, W r], with r = "
          "`upscale_factor`.")
      .example("torch.pixel_shuffle(torch.arange(4):view(1, 4, 1, 1), 2)")
      .alias("nn.functional.pixel_shuffle")
      .forward(shuffle_forward)
      .grad("self", [](Tensor g, Meta, int64_t r) { return unshuffle(g, r); });
  define(unshuffle, "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor")
      .doc("Pixels become channels: [..., C, H r, W r] to [..., C r^2, H, W], with r = `downscale_factor`.")
      .example("torch.pixel_unshuffle(torch.arange(4):view(1, 1, 2, 2), 2)")
      .alias("nn.functional.pixel_unshuffle")
      .forward(unshuffle_forward)
      .grad("self", [](Tensor g, Meta, int64_t r) { return shuffle(g, r); });
  define("channel_shuffle(Tensor input, int groups) -> Tensor")
      .doc(
          "Channels [N, C, ...] in another order (Zhang et al. 2018): that of `groups` groups of them, one from each "
          "in "
          "turn.")
      .example("torch.channel_shuffle(torch.arange(4):reshape(1, 4, 1), 2)")
      .alias("nn.functional.channel_shuffle")
      .compose(channel_shuffle);
}

}  // namespace facula
