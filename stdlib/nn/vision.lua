--- Layers that move elements between channels and places, and that enlarge images.

local class = require "torch.class"
local F, Module = require "torch.nn.functional", require "torch.nn.module"
local options, repr = require "torch.nn.options", require "torch.nn.repr"

local vision = {}

for name, entry in pairs {
  --- [*, C r^2, H, W] to [*, C, H r, W r] (Shi et al. 2016).
  PixelShuffle = { "upscale_factor", F.pixel_shuffle },
  --- The inverse.
  PixelUnshuffle = { "downscale_factor", F.pixel_unshuffle },
  --- Channels of each group side by side with those of the others (Zhang et al. 2018).
  ChannelShuffle = { "groups", F.channel_shuffle },
} do
  local argument, operator = entry[1], entry[2]
  local Shuffle = class(("%s(int %s)"):format(name, argument), Module)
  Shuffle.format = ("%s={%s}"):format(argument, argument)
  Shuffle.allows = { [argument] = options.least(1) }
  Shuffle.expects = argument == "groups" and "input (N, C, *)" or "input (*, C, H, W)"

  function Shuffle:forward(x)
    return operator(x, self[argument])
  end

  vision[name] = Shuffle
end

--- Windows of an image as columns: [N, C, H, W] to [N, C kernel elements, windows].
--
--     torch.nn.Unfold(2)(torch.ones(1, 1, 3, 3)).shape
---@class nn.Unfold: nn.Module
local Unfold = class("Unfold(any kernel_size, any dilation=1, any padding=0, any stride=1)", Module)
Unfold.format = "kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}"
Unfold.allows = { kernel_size = options.sizes(2, 1), dilation = options.sizes(2, 1), padding = options.sizes(2, 0),
  stride = options.sizes(2, 1), output_size = options.sizes(2, 1) }
Unfold.expects = "input (N, C, H, W) or (C, H, W)"

function Unfold:forward(x)
  return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
end

--- The transpose: sums the columns back into an image of `output_size`.
--
--     torch.nn.Fold({3, 3}, 2)(torch.ones(1, 4, 4))
---@class nn.Fold: nn.Module
local Fold = class("Fold(any output_size, any kernel_size, any dilation=1, any padding=0, any stride=1)", Module)
Fold.format = "output_size={output_size}, " .. Unfold.format
Fold.allows = Unfold.allows
Fold.expects = "input (N, K, L) or (K, L)"

function Fold:forward(x)
  return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
end

--- The image in another size, given as such or by a factor. mode: nearest, linear, bilinear, bicubic, trilinear.
--
--     torch.nn.Upsample{scale_factor=2}(torch.ones(1, 1, 2, 2)).shape
---@class nn.Upsample: nn.Module
local Upsample = class("Upsample(any size=None, any scale_factor=None, str mode='nearest', any align_corners=None, "
  .. "any recompute_scale_factor=None)", Module)
Upsample.expects = "input (N, C, *)"
Upsample.allows = { mode = options.words("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear",
  "area") }

function Upsample:extra_repr()
  local what = self.scale_factor and "scale_factor=" .. repr(self.scale_factor, true) or "size=" .. repr(self.size)
  return ("%s, mode=%s"):format(what, self.mode)
end

function Upsample:forward(x)
  return F.interpolate(x, { size = self.size, scale_factor = self.scale_factor, mode = self.mode,
    align_corners = self.align_corners, recompute_scale_factor = self.recompute_scale_factor })
end

local UpsamplingNearest2d = class("UpsamplingNearest2d(any size=None, any scale_factor=None)", Upsample)
UpsamplingNearest2d.mode, UpsamplingNearest2d.expects = "nearest", "input (N, C, H, W)"
local UpsamplingBilinear2d = class("UpsamplingBilinear2d(any size=None, any scale_factor=None)", Upsample)
UpsamplingBilinear2d.mode, UpsamplingBilinear2d.align_corners = "bilinear", true
UpsamplingBilinear2d.expects = "input (N, C, H, W)"

vision.Unfold, vision.Fold, vision.Upsample = Unfold, Fold, Upsample
vision.UpsamplingNearest2d, vision.UpsamplingBilinear2d = UpsamplingNearest2d, UpsamplingBilinear2d
return vision
