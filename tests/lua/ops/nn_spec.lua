local torch = require "torch"
local spec = require "spec"
local cases, several = spec.cases, spec.several

-- Convolution by its definition, over nested tables:
-- y[o][i][j] = b[o] + sum over c, p, q of w[o][c][p][q] x[c][i + p][j + q].
local function convolved(x, w, b, stride, padding)
  local C, H, W = #x, #x[1], #x[1][1]
  local kH, kW = #w[1][1], #w[1][1][1]
  local y = {}
  for o = 1, #w do
    y[o] = {}
    for i = 1, math.floor((H + 2 * padding - kH) / stride) + 1 do
      y[o][i] = {}
      for j = 1, math.floor((W + 2 * padding - kW) / stride) + 1 do
        local sum = b and b[o] or 0
        for c = 1, C do
          for p = 1, kH do
            for q = 1, kW do
              local row = x[c][(i - 1) * stride + p - padding]
              sum = sum + w[o][c][p][q] * (row and row[(j - 1) * stride + q - padding] or 0)
            end
          end
        end
        y[o][i][j] = sum
      end
    end
  end
  return y
end

torch.manual_seed(1)
local x, w, b = torch.randn(1, 2, 5, 4), torch.randn(3, 2, 3, 2), torch.randn(3)
local function expected(bias, stride, padding)
  return { convolved(x[1]:tolist(), w:tolist(), bias and bias:tolist(), stride, padding) }
end

cases("nn.functional.conv2d", {
  { "without bias", x, w, gives = expected(nil, 1, 0) },
  { "with bias", x, w, b, gives = expected(b, 1, 0) },
  { "stride and padding", x, w, b, 2, 1, gives = expected(b, 2, 1) },
  { "channels that differ", torch.ones(1, 3, 5, 4), w, fails = "conv2d: " },
})

spec.describe("depthwise convolution", function()
  -- Its channels are summed line by line, those of a full convolution in tiles.
  spec.it("is convolution with weights of zero between different channels", function()
    for _, dtype in ipairs { torch.float32, torch.float64, torch.int32 } do
      for _, width in ipairs { 3, 17, 40, 150 } do
        for _, stride in ipairs { 1, 2 } do
          local image, weight = torch.randn(2, 3, 6, width):mul(9):to(dtype), torch.randn(3, 1, 3, 3):mul(9):to(dtype)
          local whole = torch.zeros(3, 3, 3, 3):to(dtype)
          for c = 1, 3 do whole[{ c, c }]:copy_(weight[{ c, 1 }]) end
          local y = torch.nn.functional.conv2d(image, weight, nil, stride, 1, 1, 3)
          spec.equal(y, torch.nn.functional.conv2d(image, whole, nil, stride, 1))
          if dtype.is_floating_point then
            local by_channel = torch.nn.grad.conv2d_input(image:size(), weight, y, stride, 1, { groups = 3 })
            spec.equal(by_channel, torch.nn.grad.conv2d_input(image:size(), whole, y, stride, 1))
          end
        end
      end
    end
  end)
end)

spec.describe("convolution", function()
  -- Small images share tiles, and what is too little for the threads is cut by places or channels.
  local function passes(image, weight, stride, padding, groups)
    local y = torch.nn.functional.conv2d(image, weight, nil, stride, padding, 1, groups)
    return y, torch.nn.grad.conv2d_input(image:size(), weight, y, stride, padding, { groups = groups })
  end

  spec.it("has the same bits for a batch as for its images, with any number of threads", function()
    local threads = torch.get_num_threads()
    for _, case in ipairs {
      -- images, groups, channels in and out of a group, side, kernel, stride, padding
      { 11, 1, 40, 70, 7, 3, 1, 1 }, { 5, 1, 40, 70, 14, 3, 2, 1 }, { 9, 1, 64, 96, 7, 1, 1, 0 },
      { 7, 3, 33, 20, 6, 3, 1, 1 },
      { 3, 1, 8, 5, 30, 5, 1, 2 }, { 600, 1, 16, 32, 1, 1, 1, 0 }, { 2, 1, 80, 64, 20, 2, 3, 0 },
    } do
      local N, groups, C, O, side, kernel, stride, padding = unpack(case)
      local image, weight = torch.randn(N, groups * C, side, side), torch.randn(groups * O, C, kernel, kernel)
      local y, dx = passes(image, weight, stride, padding, groups)
      for count = 1, 5 do
        torch.set_num_threads(count)
        local shared_y, shared_dx = passes(image, weight, stride, padding, groups)
        assert(torch.equal(shared_y, y) and torch.equal(shared_dx, dx), "on " .. count .. " threads")
        for n = 1, N, math.ceil(N / 3) do
          local own_y, own_dx = passes(image:narrow(1, n, 1), weight, stride, padding, groups)
          assert(torch.equal(own_y[1], y[n]) and torch.equal(own_dx[1], dx[n]), "image " .. n)
        end
      end
      torch.set_num_threads(threads)
    end
  end)

  spec.it("of small images is the product of its columns", function()
    local image, weight = torch.randn(11, 40, 7, 7), torch.randn(70, 40, 3, 3)
    local columns = torch.nn.functional.unfold(image, 3, { padding = 1 })
    local y = torch.nn.functional.conv2d(image, weight, nil, 1, 1)
    spec.equal(y, weight:view(70, -1):matmul(columns):view(11, 70, 7, 7), 1e-4)
  end)
end)

cases("nn.functional.max_pool2d", {
  { "windows of 2", torch.tensor { { { { 1, 2, 5, 0 }, { 4, 3, 1, 6 } } } }, 2, gives = { { { { 4, 6 } } } } },
})

cases("nn.functional.linear", {
  { "with bias", torch.tensor { { 1, 2 } }, torch.tensor { { 3, 4 }, { 5, 6 } }, torch.tensor { 10, 20 },
    gives = { { 21, 37 } } },
})

local scores, classes = torch.tensor { { 1, 2, 3 }, { 1, 1, 1 } }, torch.tensor({ 3, 1 }, { dtype = torch.int64 })
local first, second = math.log(math.exp(1) + math.exp(2) + math.exp(3)) - 3, math.log(3)
cases("nn.functional.cross_entropy", {
  { "the mean", scores, classes, gives = (first + second) / 2 },
  { "each", scores, classes, { reduction = "none" }, gives = { first, second } },
  { "an ignored class", scores, classes, { ignore_index = 1 }, gives = first },
  { "class 0", scores, torch.tensor({ 0, 1 }, { dtype = torch.int64 }), fails = "1..3" },
  { "class C + 1", scores, torch.tensor({ 4, 1 }, { dtype = torch.int64 }), fails = "1..3" },
})

cases("nn.functional.mse_loss", {
  { "the mean", torch.tensor { 1, 2 }, torch.tensor { 0, 4 }, gives = 2.5 },
  { "the sum", torch.tensor { 1, 2 }, torch.tensor { 0, 4 }, { reduction = "sum" }, gives = 5 },
})

cases("nn.functional.max_pool2d", {
  { "with positions from 1 in the plane", torch.tensor { { { { 1, 2 }, { 4, 3 } } } }, 2, { return_indices = true },
    gives = several(torch.tensor { { { { 4 } } } }, torch.tensor({ { { { 3 } } } }, { dtype = torch.int64 })) },
})
