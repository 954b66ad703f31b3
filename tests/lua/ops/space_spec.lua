local torch = require "torch"
local spec = require "spec"
local cases, several, describe = spec.cases, spec.several, spec.describe
local it, equal, fails = spec.it, spec.equal, spec.fails
local F, huge = torch.nn.functional, 2 ^ 52

local function ints(list)
  return torch.tensor(list, { dtype = torch.int64 })
end

-- 1 2 3
-- 4 5 6
local image = torch.tensor { { { { 1, 2, 3 }, { 4, 5, 6 } } } }
local row = torch.tensor { { { 1, 2, 3, 4 } } }

cases("nn.functional.conv_transpose1d", {
  -- y[i] = sum over k of x[i - k] w[k]
  { "adds shifted kernels", torch.tensor { { { 1, 2 } } }, torch.tensor { { { 1, 10, 100 } } },
    gives = { { { 1, 12, 120, 200 } } } },
  { "a stride and a bias", torch.tensor { { { 1, 2 } } }, torch.tensor { { { 1, 10 } } }, torch.tensor { 5 }, 2,
    gives = { { { 6, 15, 7, 25 } } } },
  { "without a batch", torch.tensor { { 1, 2 } }, torch.tensor { { { 1, 10 } } }, gives = { { 1, 12, 20 } } },
  { "padding takes away", torch.tensor { { { 1, 2 } } }, torch.tensor { { { 1, 10, 100 } } }, { padding = 1 },
    gives = { { { 12, 120 } } } },
  -- output_padding adds a position that no element reaches; it may be as large as the stride if the dilation is larger
  { "output padding within the dilation", torch.tensor { { { 1, 2 } } }, torch.tensor { { { 1, 10 } } },
    { output_padding = 1, dilation = 2 }, gives = { { { 1, 2, 10, 20, 0 } } } },
  { "output padding beyond", torch.ones(1, 1, 2), torch.ones(1, 1, 2), { output_padding = 1 },
    fails = "conv_transpose1d: output_padding must be smaller than stride or dilation, got (1), (1) and (1)" },
  { "channels that differ", torch.ones(1, 2, 2), torch.ones(3, 1, 2),
    fails = "conv_transpose1d: input (1, 2, 2) has 2 channels, weight (3, 1, 2) expects 3" },
  { "a huge stride", torch.ones(1, 1, 2), torch.ones(1, 1, 2), nil, huge, fails = "conv_transpose1d: stride" },
  { "a huge stride of one position", torch.ones(1, 1, 1), torch.ones(1, 1, 2), nil, 2 ^ 30, gives = { { { 1, 1 } } } },
  { "no groups", torch.ones(1, 1, 2), torch.ones(1, 1, 2), { groups = 0 }, fails = "groups must be positive, got 0" },
})

cases("convolution", {
  { "straight", row, torch.tensor { { { 1, 10 } } }, nil, { 1 }, { 0 }, { 1 }, false, { 0 }, 1,
    gives = { { { 21, 32, 43 } } } },

  { "transposed", torch.tensor { { { 1, 2 } } }, torch.tensor { { { 1, 10 } } }, { transposed = true },
    gives = { { { 1, 12, 20 } } } },
})

-- Each channel by its own kernel: outputs are x[i] + 10 x[i + 1] and 2 x[i].
cases("nn.functional.conv1d", {
  { "depthwise", torch.tensor { { { 1, 2, 3 }, { 1, 1, 5 } } }, torch.tensor { { { 1, 10 } }, { { 2, 0 } } },
    { groups = 2 }, gives = { { { 21, 32 }, { 2, 2 } } } },
  { "a huge stride", row, torch.tensor { { { 1, 10 } } }, nil, 2 ^ 30, gives = { { { 21 } } } },
  { "a huge dilation", row, torch.ones(1, 1, 3), nil, 1, "same", huge, fails = "conv1d: stride and dilation" },
  { "a dilation far beyond the input", row, torch.ones(1, 1, 2), nil, 1, 1e9, 2e9, fails = "convolution: windows" },
  { "'same' puts the odd one to the right", row, torch.tensor { { { 1, 10 } } }, nil, 1, "same",
    gives = { { { 21, 32, 43, 4 } } } },
})

cases("nn.functional.avg_pool2d", {
  { "windows of 2", image, 2, 1, gives = { { { { 3, 4 } } } } },
  { "zeros of the padding count", image, 2, 2, 1, gives = { { { { 0.25, 1.25 }, { 1, 2.75 } } } } },
  { "or do not", image, 2, 2, 1, false, false, gives = { { { { 1, 2.5 }, { 4, 5.5 } } } } },
  { "a divisor", image, { 2, 3 }, { divisor_override = 2 }, gives = { { { { 10.5 } } } } },
  { "integers are cut", torch.tensor({ { { { 1, 2 }, { 4, 4 } } } }, { dtype = torch.int64 }), 2,
    gives = ints { { { { 2 } } } } },
  { "a window that begins inside", image, { 2, 2 }, { 1, 2 }, 0, true, gives = { { { { 3, 4.5 } } } } },
  { "the least integer", torch.tensor({ { { { -0x8000000000000000LL } } } }, { dtype = torch.int64 }), 1,
    { divisor_override = -1 }, gives = torch.tensor({ { { { -0x8000000000000000LL } } } }, { dtype = torch.int64 }) },
  { "narrow integers", torch.ones({ 1, 1, 20, 20 }, { dtype = torch.int8 }), 16,
    fails = "avg_pool2d: expected floating numbers or int64, got int8" },
  { "no divisor", image, 2, { divisor_override = 0 }, fails = "avg_pool2d: divisor_override must not be 0" },
  { "a kernel that does not fit", image, 3, fails = "avg_pool2d: the kernel (3, 3) does not fit into (1, 1, 2, 3)" },
  { "too much padding", image, 2, 2, 2,
    fails = "padding must be within 0 and half of the kernel, got (2, 2) for (2, 2)" },
  { "one number for all dimensions", torch.ones(2, 3), 2, fails = "expected 4 dimensions, or 3 without a batch" },
})
cases("nn.functional.avg_pool1d", {
  { "of a stride", row, 2, gives = { { { 1.5, 3.5 } } } },
  { "a huge kernel", row, huge, fails = "avg_pool1d: the kernel" },
  { "a huge stride", row, 2, huge, 0, true, gives = { { { 1.5 } } } },
  { "a huge kernel within its padding", row, 2 ^ 40, 4, 2 ^ 39, gives = { { { 10 / 2 ^ 40, 10 / 2 ^ 40 } } } },
})
cases("nn.functional.avg_pool3d", {
  { "without a batch", torch.arange(8):float():reshape(1, 2, 2, 2), 2, gives = { { { { 3.5 } } } } },
})

cases("nn.functional.adaptive_avg_pool1d", {
  { "shares that overlap", row, 3, gives = { { { 1.5, 2.5, 3.5 } } } },
  { "more than there are", torch.tensor { { { 1, 3 } } }, 3, gives = { { { 1, 2, 3 } } } },
  { "one", row, 1, gives = { { { 2.5 } } } },
  { "a negative size", row, -1, fails = "adaptive_avg_pool1d: sizes must not be negative, got (-1)" },
  { "integers", ints { { { 1, 2 } } }, 1, fails = "adaptive_avg_pool1d: expected floating numbers, got int64" },
})
cases("nn.functional.adaptive_avg_pool2d", {
  { "both dimensions", image, { 2, 2 }, gives = { { { { 1.5, 2.5 }, { 4.5, 5.5 } } } } },
})
cases("nn.functional.adaptive_max_pool2d", {
  { "with positions", image, { 1, 2 }, { return_indices = true },
    gives = several(torch.tensor { { { { 5, 6 } } } }, ints { { { { 5, 6 } } } }) },
  { "NaN wins", torch.tensor { { { { 1, 0 / 0, 3 } } } }, { 1, 1 }, gives = { { { { 0 / 0 } } } }, grad = false },
})
cases("adaptive_max_pool1d", {
  { "returns both", row, 2, gives = several(torch.tensor { { { 2, 4 } } }, ints { { { 2, 4 } } }) },
})

cases("nn.functional.max_pool1d", {
  { "a huge stride", row, 2, huge, gives = { { { 2 } } } },
  { "a huge stride, rounded up", row, 2, huge, { ceil_mode = true }, gives = { { { 2 } } } },
  { "a huge kernel within its padding", row, 2 ^ 40, 4, 2 ^ 39, gives = { { { 4, 4 } } } },
  { "a huge dilation", row, 2, 1, 0, huge, fails = "max_pool1d: the kernel (2) does not fit" },
})

cases("nn.functional.lp_pool1d", {
  { "lengths", torch.tensor { { { 3, 4, 6, 8 } } }, 2, 2, gives = { { { 5, 10 } } } },
})
-- 2 / (1 + 0.5 * (4 + 16) / 2), 4 / (1 + 0.5 * (16 + 0) / 2)
cases("nn.functional.local_response_norm", {
  { "over two channels", torch.tensor { { { 2 }, { 4 } } }, 2, 1, 1, 1, gives = { { { 2 / 3 }, { 4 / 11 } } } },
  { "no channels to sum over", torch.ones(1, 2, 2), 0, fails = "local_response_norm: size must be positive, got 0" },
})

describe("fractional_max_pool2d", function()
  local x = torch.arange(36):float():reshape(1, 1, 6, 6)
  it("takes windows that increase and end at the border", function()
    local y, at = F.fractional_max_pool2d(x, 2, { output_size = 3, return_indices = true })
    equal(y[{ 1, 1, 3, 3 }]:item(), 35)
    equal(at:double(), (y + 1):double())
  end)
  it("is repeatable with samples", function()
    local samples = torch.tensor { { { 0.1, 0.9 } } }
    equal(F.fractional_max_pool2d(x, 2, 3, nil, false, samples), F.fractional_max_pool2d(x, 2, 3, nil, false, samples))
  end)
  it("survives samples outside 0..1", function()
    local samples = torch.tensor { { { 0 / 0, 1e30 } } }
    equal(F.fractional_max_pool2d(x, 2, 3, nil, false, samples)[{ 1, 1, 3, 3 }]:item(), 35)
  end)
  it("refuses windows that do not fit, and ratios beyond 1", function()
    fails(function() F.fractional_max_pool2d(x, 4, 4) end, "4 windows of 4 do not fit into dimension 3")
    fails(function() F.fractional_max_pool2d(x, 2, { output_ratio = 1.5 }) end, "output_ratio must be within 0 and 1")
    fails(function() F.fractional_max_pool2d(x, 2) end, "expected either output_size or output_ratio")
  end)
end)

cases("nn.functional.max_unpool1d", {
  { "numbers at their positions", torch.tensor { { { 5, 6 } } }, ints { { { 2, 3 } } }, 2,
    gives = { { { 0, 5, 6, 0 } } } },
  { "a size of choice", torch.tensor { { { 5, 6 } } }, ints { { { 2, 5 } } }, 2, { output_size = { 5 } },
    gives = { { { 0, 5, 0, 0, 6 } } } },
  { "a size too far away", torch.tensor { { { 5, 6 } } }, ints { { { 2, 3 } } }, 2, { output_size = { 6 } },
    fails = "max_unpool1d: output_size must be within 4 and a stride of 2 around it, got (6)" },
  { "position 0", torch.tensor { { { 5, 6 } } }, ints { { { 0, 3 } } }, 2, fails = "position 0 is outside 1..4" },
  { "a position beyond", torch.tensor { { { 5, 6 } } }, ints { { { 2, 5 } } }, 2,
    fails = "position 5 is outside 1..4" },
})

cases("nn.functional.interpolate", {
  { "nearest by a factor", torch.tensor { { { 1, 2 } } }, { scale_factor = 2 }, gives = { { { 1, 1, 2, 2 } } } },
  { "linear between edges", torch.tensor { { { 1, 3 } } }, 4, { mode = "linear" }, gives = { { { 1, 1.5, 2.5, 3 } } } },
  { "linear between centres", torch.tensor { { { 1, 3 } } }, 3, { mode = "linear", align_corners = true },
    gives = { { { 1, 2, 3 } } } },
  { "area", row, 2, { mode = "area" }, gives = { { { 1.5, 3.5 } } } },
  { "bilinear", image, { 2, 2 }, { mode = "bilinear", align_corners = true }, gives = { { { { 1, 3 }, { 4, 6 } } } } },
  { "bilinear to more", image, { 3, 5 }, { mode = "bilinear", align_corners = true },
    gives = { { { { 1, 1.5, 2, 2.5, 3 }, { 2.5, 3, 3.5, 4, 4.5 }, { 4, 4.5, 5, 5.5, 6 } } } } },
  -- bilinear antialiased halving: weights 1/8, 3/8, 3/8, 1/8 cut at the border and normalised
  { "antialiased", torch.tensor { { { { 1, 2, 3, 4 } } } }, { 1, 2 }, { mode = "bilinear", antialias = true },
    gives = { { { { (3 * 1 + 3 * 2 + 3) / 7, (2 + 3 * 3 + 3 * 4) / 7 } } } } },
  { "bicubic hits the pixels", image, { 2, 3 }, { mode = "bicubic" }, gives = image:tolist() },
  { "both size and factor", row, 2, 2, fails = "interpolate: expected either size or scale_factor" },
  { "no size", row, 0, fails = "interpolate: sizes must be positive, got (1, 1, 4) and size (0)" },
  { "a factor that is no number", row, { scale_factor = 0 / 0 }, fails = "interpolate: sizes must be positive" },
  { "a factor beyond all memory", row, { scale_factor = 1e300 }, fails = "" },
  { "a mode of other dimensions", row, 2, { mode = "bilinear" },
    fails = "interpolate: mode 'bilinear' takes 4 dimensions, got (1, 1, 4)" },
  { "an unknown mode", row, 2, { mode = "cubic" }, fails = "interpolate: mode must be 'nearest'" },
  { "antialias without a filter", row, 2, { antialias = true }, fails = "antialias goes with modes" },
})

cases("nn.functional.grid_sample", {
  { "the centre of four pixels", torch.tensor { { { { 1, 2 }, { 3, 4 } } } }, torch.tensor { { { { 0, 0 } } } },
    gives = { { { { 2.5 } } } } },
  { "zeros outside", torch.tensor { { { { 4 } } } }, torch.tensor { { { { -1, 0.1 }, { -3, 0 } } } },
    gives = { { { { 1.9, 0 } } } } },
  { "the border outside", image, torch.tensor { { { { 9, 9 }, { -9, 0.1 } } } }, "bilinear", "border",
    gives = { { { { 6, 2.8 } } } } },
  { "places that are no numbers", image, torch.tensor { { { { 0 / 0, 1 / 0 } } } },
    gives = { { { { 0 } } } }, grad = false },
  { "bicubic", image, torch.tensor { { { { 0.13, -0.31 }, { -0.7, 0.4 } } } }, "bicubic", "zeros", true,
    gives = F.grid_sample(image, torch.tensor { { { { 0.13, -0.31 }, { -0.7, 0.4 } } } }, "bicubic", "zeros", true) },
  { "three dimensions", torch.arange(8):float():reshape(1, 1, 2, 2, 2), torch.tensor { { { { { 0.1, 0.2, -0.3 } } } } },
    { align_corners = true }, gives = { { { { { 0.55 + 2 * 0.6 + 4 * 0.35 } } } } } },
  { "a grid of another batch", image, torch.zeros(2, 1, 1, 2),
    fails = "expects a grid of sizes (1, ..., 2), got (2, 1, 1, 2)" },
  { "dtypes that differ", image, torch.zeros({ 1, 1, 1, 2 }, { dtype = torch.float64 }),
    fails = "of one floating dtype" },
})

cases("nn.functional.affine_grid", {
  { "the centres of the pixels", torch.tensor { { { 1, 0, 0 }, { 0, 1, 0 } } }, { 1, 1, 1, 2 },
    gives = { { { { -0.5, 0 }, { 0.5, 0 } } } } },
  { "to the corners", torch.tensor { { { 1, 0, 0 }, { 0, 1, 0.25 } } }, { 1, 1, 1, 2 }, true,
    gives = { { { { -1, 0.25 }, { 1, 0.25 } } } } },
  { "a size of another batch", torch.zeros(1, 2, 3), { 2, 1, 1, 1 },
    fails = "expects theta of sizes (2, 2, 3), got (1, 2, 3)" },
})

local columns = torch.tensor { { { 1, 2 }, { 2, 3 }, { 4, 5 }, { 5, 6 } } }
cases("nn.functional.unfold", {
  { "windows as columns", image, 2, gives = columns },
  { "a kernel that does not fit", image, 3, fails = "unfold: the kernel (3, 3)" },
  { "a huge dilation", image, 2, huge, fails = "unfold: stride and dilation" },
})
cases("nn.functional.fold", {
  { "adds them up", columns, { 2, 3 }, 2, gives = { { { { 1, 4, 3 }, { 4, 10, 6 } } } } },
  { "too few windows", columns, { 2, 4 }, 2,
    fails = "fold: an image of (2, 4) has 3 windows, the columns (1, 4, 2) have 2" },
  { "rows that do not divide", columns, { 3, 4 }, 3,
    fails = "fold: 4 rows of columns (1, 4, 2) do not divide into kernels of 9" },
})

cases("nn.functional.pad", {
  { "a constant", torch.tensor { { 1, 2 } }, { 1, 0, 0, 1 }, { value = 7 }, gives = { { 7, 1, 2 }, { 7, 7, 7 } } },
  { "negative cuts off", row, { -1, 1 }, gives = { { { 2, 3, 4, 0 } } } },
  { "reflect", row, { 2, 1 }, "reflect", gives = { { { 3, 2, 1, 2, 3, 4, 3 } } } },
  { "replicate", row, { 2, -1 }, "replicate", gives = { { { 1, 1, 1, 2, 3 } } } },
  { "circular", row, { 1, 2 }, "circular", gives = { { { 4, 1, 2, 3, 4, 1, 2 } } } },
  { "more than there is to reflect", row, { 4, 0 }, "reflect", fails = "pad: mode 'reflect' pads by less than" },
  { "an odd list", row, { 1, 2, 3 }, fails = "pad: expected two numbers for each dimension, got (1, 2, 3)" },
  { "more than there are dimensions", row, { 1, 1, 1, 1, 1, 1, 1, 1 },
    fails = "is for 4 dimensions, the input (1, 1, 4) has 3" },
  { "more than all is cut off", row, { -5, 0 }, fails = "pad: the padding (-5, 0) leaves nothing of (1, 1, 4)" },
  { "a value that is not used", row, { 1, 1 }, "reflect", 1, fails = "pad: mode 'reflect' takes no value" },
  { "beyond all memory", row, { 2 ^ 62, 2 ^ 62 }, fails = "" },
})
cases("constant_pad_nd", {
  { "two dimensions", torch.tensor { { 1 } }, { 0, 1, 1, 0 }, 2, gives = { { 2, 2 }, { 1, 2 } } },
  { "from both sides at once", row, { -3, 2 }, 9, gives = { { { 4, 9, 9 } } } },
})

cases("pixel_shuffle", {
  { "channels become pixels", torch.arange(4):float():reshape(1, 4, 1, 1), 2, gives = { { { { 0, 1 }, { 2, 3 } } } } },
  { "channels that do not divide", torch.ones(1, 3, 2, 2), 2, fails = "pixel_shuffle: 3 channels of (1, 3, 2, 2)" },
  { "a huge factor", torch.ones(1, 4, 2, 2), huge, fails = "pixel_shuffle: 4 channels" },
})
cases("pixel_unshuffle", {
  { "and back", torch.arange(4):float():reshape(1, 1, 2, 2), 2,
    gives = { { { { 0 } }, { { 1 } }, { { 2 } }, { { 3 } } } } },
})
cases("channel_shuffle", {
  { "two groups", torch.arange(4):float():reshape(1, 4, 1), 2, gives = { { { 0 }, { 2 }, { 1 }, { 3 } } } },
})

describe("images of meta tensors", function()
  local x = torch.empty({ 2, 4, 6, 6 }, { device = "meta" })
  local function sizes(y) return { unpack(y.shape, 1, y:dim()) } end
  it("have their sizes, at any size", function()
    equal(sizes(F.interpolate(x, { 9, 2 ^ 40 })), { 2, 4, 9, 2 ^ 40 })
    equal(sizes(F.pad(x, { 2 ^ 40, 0 })), { 2, 4, 6, 2 ^ 40 + 6 })
    equal(sizes(F.adaptive_avg_pool2d(x, { 3, 2 ^ 40 })), { 2, 4, 3, 2 ^ 40 })
    equal(sizes(F.unfold(x, 3)), { 2, 36, 16 })
    equal(sizes(F.conv_transpose2d(x, torch.empty({ 4, 2, 3, 3 }, { device = "meta" }), nil, 2)), { 2, 2, 13, 13 })
    equal(sizes(F.grid_sample(x, torch.empty({ 2, 3, 5, 2 }, { device = "meta" }))), { 2, 4, 3, 5 })
  end)
end)
