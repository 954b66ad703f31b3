--- Transforms without chance: functions of torch.vision.transforms.functional with their arguments.

local torch, class = require "torch", require "torch.class"
local Transform = require "torch.vision.transforms.transform"
local F = require "torch.vision.transforms.functional"
local image = require "torch.vision.transforms.image"

local fixed = {}

-- A transform that hands its arguments, in the signature's order, to a function.
local function define(signature, name)
  local _, names = torch.core.signature(signature)
  local Fixed = class(signature, Transform)

  function Fixed:forward(x)
    local arguments = {}
    for i, key in ipairs(names) do arguments[i] = self[key] end
    return F[name](x, unpack(arguments, 1, #names))
  end

  -- without chance a batch is as good as its images
  function Fixed:each(batch) return self(batch) end

  fixed[signature:match "^%w+"] = Fixed
end

--- Integers become floating numbers from 0 to 1, a plane (H, W) an image.
define("ToTensor()", "to_tensor")
--- Another dtype, and its range.
define("ConvertImageDtype(any dtype)", "convert_image_dtype")
--- (x - mean) / std per channel.
define("Normalize(float[] mean, float[] std, bool inplace=False)", "normalize")
--- See functional.resize.
define("Resize(any size, str interpolation='bilinear', int? max_size=None, bool antialias=True)", "resize")
--- The middle.
define("CenterCrop(any size)", "center_crop")
--- A list of the corners and the middle.
define("FiveCrop(any size)", "five_crop")
--- The same with those of the mirrored image.
define("TenCrop(any size, bool vertical_flip=False)", "ten_crop")
--- See functional.pad.
define("Pad(any padding, float fill=0, str padding_mode='constant')", "pad")
--- Grey in 1 or 3 channels.
define("Grayscale(int num_output_channels=1)", "rgb_to_grayscale")

for _, name in ipairs { "CenterCrop", "FiveCrop", "TenCrop" } do
  fixed[name].init = function(_, opt) image.height_and_width(opt.size, name) end
  fixed[name].stepwise = name == "CenterCrop"
end

return fixed
