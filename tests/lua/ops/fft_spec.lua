local torch = require "torch"
local spec = require "spec"
local cases, describe, it, equal, fails = spec.cases, spec.describe, spec.it, spec.equal, spec.fails

local f64, c128 = { dtype = torch.float64 }, { dtype = torch.complex128 }

local function complex(re, im) return torch.view_as_complex(torch.stack({ re, im }, -1)) end

-- The sum that defines the transform, as a product with the matrix exp(-2 pi i j k / n).
local function by_definition(x)
  local n = x:size(-1)
  local j = torch.arange(n):to(torch.float64)
  local angle = torch.outer(j, j):remainder(n) * (-2 * math.pi / n)
  return x:matmul(complex(angle:cos(), angle:sin()))
end

local function distance(a, b) return ((a - b):abs():max() / b:abs():max()):item() end

-- Every radix alone and with others, one and several lanes, matrices with and without a full last block, and lengths
-- with a large prime factor.
local lengths = { 1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 25, 30, 47, 48, 49, 61, 64, 67, 77, 96, 97, 120, 128, 134, 143,
  169, 210, 243, 256, 343, 360, 499, 512, 625, 720, 1000, 1009, 1024 }

describe("fft", function()
  it("is the sum that defines it, for every length and layout", function()
    for _, n in ipairs(lengths) do
      for _, rows in ipairs { 1, 3, 17 } do
        local x = torch.randn(rows, n, c128)
        local expected = by_definition(x)
        local columns = x:t():contiguous()
        assert(distance(torch.fft.fft(x), expected) < 1e-14, n)
        assert(distance(torch.fft.fft(columns, { dim = 1 }):t(), expected) < 1e-14, n)
        assert(distance(torch.fft.ifft(torch.fft.fft(x)), x) < 1e-14, n)
        assert(distance(torch.fft.fft(x:to(torch.complex64)):to(torch.complex128), expected) < 2e-6, n)
      end
    end
  end)
  it("of real numbers is the first half of it, and comes back", function()
    for _, n in ipairs(lengths) do
      for _, rows in ipairs { 1, 3, 17 } do
        local x = torch.randn(rows, n, f64)
        local expected = by_definition(complex(x, torch.zeros_like(x))):narrow(2, 1, math.floor(n / 2) + 1)
        local columns = x:t():contiguous()
        assert(distance(torch.fft.rfft(x), expected) < 1e-14, n)
        assert(distance(torch.fft.rfft(columns, { dim = 1 }):t(), expected) < 1e-14, n)
        assert(distance(torch.fft.irfft(torch.fft.rfft(x), n), x) < 1e-14, n)
        assert(distance(torch.fft.irfft(torch.fft.rfft(columns, { dim = 1 }), n, 1):t(), x) < 1e-14, n)
      end
    end
  end)
  it("does not depend on the number of threads", function()
    local x = torch.randn(3, 70000, c128)
    local threads, y = torch.get_num_threads(), {}
    for i = 1, 2 do
      torch.set_num_threads(i)
      y[i] = torch.fft.fft(x)
    end
    torch.set_num_threads(threads)
    assert(torch.equal(y[1], y[2]))
  end)
  it("pads, trims and scales", function()
    local function rfft(...) return torch.view_as_real(torch.fft.rfft(...)) end
    local y = torch.tensor { 1, 2, 0, -1 }
    equal(rfft(y), { { 2, 0 }, { 1, -3 }, { 0, 0 } })
    equal(rfft(torch.ones(1), 3), { { 1, 0 }, { 1, 0 } })
    equal(rfft(y, 2, 1, "ortho"), { { 3 / math.sqrt(2), 0 }, { -1 / math.sqrt(2), 0 } })
    equal(rfft(y, { norm = "forward" }), { { 0.5, 0 }, { 0.25, -0.75 }, { 0, 0 } })
  end)
  it("ignores the imaginary parts of a spectrum's ends", function()
    local spectrum = torch.fft.rfft(torch.tensor { 1, 2, 3, 4 })
    local other = spectrum + complex(torch.zeros(3), torch.tensor { 5, 0, -7 })
    equal(torch.fft.irfft(other), torch.tensor { 1, 2, 3, 4 })
  end)
  it("of float16 is refused", function()
    fails(function() torch.fft.fft(torch.zeros(4):to(torch.float16)) end, "fft.fft: float16 is not supported")
  end)
end)

local x = torch.tensor { 1, 2, 0, -1 }
cases("fft.rfft", {
  { "of complex numbers", complex(x, x), fails = "fft.rfft: expected real numbers, got complex64" },
  { "of no elements", torch.zeros(0), fails = "fft.rfft: expected at least one element along dimension 1, got 0" },
  { "of a negative length", x, -3, fails = "fft.rfft: expected at least one element along dimension 1, got -3" },
  { "of a number", torch.tensor(1), fails = "fft.rfft:" },
  { "by an unknown norm", x, { norm = "root" },
    fails = "fft.rfft: norm must be 'backward', 'forward' or 'ortho', got 'root'" },
})
cases("fft.irfft", {
  { "of an odd length", torch.fft.rfft(torch.tensor { 1, 2, 3 }), 3, gives = { 1, 2, 3 } },
  { "of one element", torch.ones(1, c128),
    fails = "fft.irfft: expected at least one element along dimension 1, got 0" },
})
cases("fft.rfftn", {
  { "over no dimension", torch.tensor(1), fails = "fft.rfftn: expected at least one dimension to transform" },
  { "more sizes than dimensions", x, { 2, 2 },
    fails = "fft.rfftn: s has 2 sizes for a tensor with 1 dimensions" },
  { "sizes for other dimensions", torch.zeros(2, 2), { 2 }, { 1, 2 },
    fails = "fft.rfftn: s (2) and dim name 2 dimensions differently" },
})
cases("fft.fftfreq", {
  { "of an even number", 4, gives = { 0, 0.25, -0.5, -0.25 } },
  { "of an odd number", 3, 0.5, gives = { 0, 2 / 3, -2 / 3 } },
  { "of none", 0, fails = "fft.fftfreq: expected at least one sample, got 0" },
})
cases("fft.rfftfreq", { { "of an odd number", 5, gives = { 0, 0.2, 0.4 } } })
cases("fft.fftshift", {
  { "of an odd number", torch.arange(5), gives = torch.tensor({ 3, 4, 0, 1, 2 }, { dtype = torch.int64 }) },
})
cases("fft.ifftshift", {
  { "of an odd number", torch.arange(5), gives = torch.tensor({ 2, 3, 4, 0, 1 }, { dtype = torch.int64 }) },
})

describe("derivatives of transforms", function()
  local function both(fn, input)
    assert(torch.autograd.gradcheck(fn, { input }))
    assert(torch.autograd.gradgradcheck(fn, { input }))
  end
  it("agree with differences", function()
    for _, n in ipairs { 1, 2, 5, 6 } do
      local pairs_of = torch.randn(2, n, 2, f64):requires_grad_()
      local real = torch.randn(2, n, f64):requires_grad_()
      local half = torch.randn(2, math.floor(n / 2) + 1, 2, f64):requires_grad_()
      both(function(z) return torch.view_as_real(torch.fft.fft(torch.view_as_complex(z))) end, pairs_of)
      both(function(z) return torch.view_as_real(torch.fft.ifft2(torch.view_as_complex(z))) end, pairs_of)
      both(function(z) return torch.view_as_real(torch.fft.rfft(z)) end, real)
      both(function(z) return torch.fft.irfft(torch.view_as_complex(z), n) end, half)
      both(function(z) return torch.fft.hfft(torch.view_as_complex(z), n) end, half)
    end
  end)
end)

describe("stft", function()
  local window = torch.hann_window(8) + 0.1
  it("comes back through istft", function()
    local samples = torch.randn(2, 40)
    for _, onesided in ipairs { true, false } do
      local spectra = torch.stft(samples, 8,
        { hop_length = 3, window = window, onesided = onesided, return_complex = true })
      local back = torch.istft(spectra, 8, { hop_length = 3, window = window, onesided = onesided, length = 40 })
      equal(back, samples, 1e-4)
    end
  end)
  it("pads in four ways", function()
    local samples = torch.randn(10)
    for _, mode in ipairs { "reflect", "replicate", "circular", "constant" } do
      assert(torch.stft(samples, 6, { pad_mode = mode }):size(2) == 11)
    end
    fails(function() torch.stft(samples, 6, { pad_mode = "zeros" }) end, "pad_mode must be 'reflect', 'replicate'")
    fails(function() torch.stft(torch.zeros(2), 6) end, "stft: 2 samples are too few to be padded by 3 on both sides")
  end)
  it("checks its sizes", function()
    local samples = torch.zeros(10)
    fails(function() torch.stft(samples, 0) end, "stft: n_fft must be positive, got 0")
    fails(function() torch.stft(samples, 4, { hop_length = 0 }) end, "stft: hop_length must be positive, got 0")
    fails(function() torch.stft(samples, 4, { win_length = 5 }) end, "stft: win_length must be within 1..4, got 5")
    fails(function() torch.stft(samples, 4, { window = window }) end,
      "stft: the window must be a vector of 4 weights, got (8)")
    fails(function() torch.stft(samples, 12, { center = false }) end,
      "stft: n_fft must be within 1..10, the number of samples, got 12")
    fails(function() torch.istft(torch.zeros(3, 4, c128), 8) end, "istft: expected 5 frequencies for n_fft = 8, got 3")
    fails(function() torch.istft(torch.zeros(5, 4, c128), 8, { window = torch.zeros(8, f64) }) end,
      "istft: the windows leave samples out, so there is no inverse")
  end)
end)

cases("hann_window", {
  { "periodic", 4, gives = { 0, 0.5, 1, 0.5 } },
  { "symmetric", 3, false, gives = { 0, 1, 0 } },
  { "of one weight", 1, gives = { 1 } },
  { "of none", 0, gives = torch.zeros(0) },
  { "of a negative length", -1, fails = "hann_window: window_length must not be negative, got -1" },
  { "of integers", 3, { dtype = torch.int64 }, fails = "hann_window: expected a floating dtype, got int64" },
})
cases("kaiser_window", {
  { "is flat for beta 0", 3, true, 0, gives = { 1, 1, 1 } },
  { "of a huge beta", 3, true, 1e9, fails = "kaiser_window: beta must be within -700..700, got 1e+09" },
})
