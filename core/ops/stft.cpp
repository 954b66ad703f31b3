// Transforms of overlapping frames, and back (Griffin and Lim 1984).
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

struct Frames {
  int64_t size, hop;
  Tensor window;  // [size], or undefined for ones
  double scale;   // of the forward transform; its square is 1 / size at most
};

// `win_length` weights in the middle of a frame.
Frames frames_of(const char* name, int64_t n_fft, OptInt hop, OptInt length, const Tensor& window, bool normalized,
                 const Tensor& like) {
  check(n_fft > 0, name, ": n_fft must be positive, got ", n_fft);
  Frames f{n_fft, hop.value_or(n_fft / 4), window, normalized ? 1 / std::sqrt(static_cast<double>(n_fft)) : 1.0};
  const int64_t n = length.value_or(n_fft);
  check(f.hop > 0, name, ": hop_length must be positive, got ", f.hop);
  check(n > 0 && n <= n_fft, name, ": win_length must be within 1..", n_fft, ", got ", n);
  check(!window.defined() || (window.dim() == 1 && window.size(0) == n), name, ": the window must be a vector of ", n,
        " weights, got ", window.defined() ? window.sizes() : Sizes());
  if (n == n_fft) return f;
  const Tensor middle = window.defined() ? window : ops::fill_(empty({n}, real_dtype(like.dtype()), like.device()), 1);
  const int64_t left = (n_fft - n) / 2;
  const auto zeros = [&](int64_t size) { return ops::zero_(empty({size}, middle.dtype(), middle.device())); };
  f.window = ops::cat({zeros(left), middle, zeros(n_fft - n - left)}, 0);
  return f;
}

// ---- padding of rows [b, n] on both sides ----

Tensor padded(const Tensor& x, int64_t pad, const std::string& mode) {
  const int64_t n = x.size(1);
  const auto part = [&](int64_t first, int64_t count) { return ops::narrow(x, 1, first, count); };
  if (mode == "constant") {
    const Tensor zeros = ops::zero_(empty({x.size(0), pad}, x.dtype(), x.device()));
    return ops::cat({zeros, x, zeros}, 1);
  }
  const bool reflect = mode == "reflect", circular = mode == "circular";
  check(reflect || circular || mode == "replicate",
        "stft: pad_mode must be 'reflect', 'replicate', 'circular' or 'constant', got '", mode, "'");
  check(n > 0 && (reflect ? pad < n : !circular || pad <= n), "stft: ", n, " samples are too few to be padded by ", pad,
        " on both sides");
  if (circular) return ops::cat({part(n - pad, pad), x, part(0, pad)}, 1);
  if (reflect)
    return ops::cat({ops::flip(part(1, pad), IntList{1}), x, ops::flip(part(n - 1 - pad, pad), IntList{1})}, 1);
  const IntList sizes{x.size(0), pad};
  return ops::cat({ops::expand(part(0, 1), sizes), x, ops::expand(part(n - 1, 1), sizes)}, 1);
}

Tensor stft_of(const Tensor& input, int64_t n_fft, OptInt hop, OptInt win_length, const Tensor& window, bool center,
               const std::string& pad_mode, bool normalized, std::optional<bool> onesided,
               std::optional<bool> return_complex) {
  check(input.dim() == 1 || input.dim() == 2, "stft: expected samples [n] or [batch, n], got ", input.sizes());
  check(is_differentiable(input.dtype()), "stft: expected a floating or complex dtype, got ", input.dtype());
  const Frames f = frames_of("stft", n_fft, hop, win_length, window, normalized, input);
  Tensor x = input.dim() == 2 ? input : ops::unsqueeze(input, 0);
  if (center) x = padded(x, n_fft / 2, pad_mode);
  const int64_t batch = x.size(0), n = x.size(1);
  check(n_fft <= n, "stft: n_fft must be within 1..", n, ", the number of samples, got ", n_fft);
  const Tensor row = ops::contiguous(x);
  Tensor frames = ops::as_strided(row, IntList{batch, 1 + (n - n_fft) / f.hop, n_fft}, IntList{n, f.hop, 1});
  if (f.window.defined()) frames = frames * f.window;

  const bool is_real = !is_complex(frames.dtype());
  check(is_real || !onesided.value_or(false), "stft: onesided needs a real input and a real window");
  Tensor y;
  if (is_real && onesided.value_or(true))
    y = ops::fft_r2c(frames, 2, f.scale);
  else
    y = ops::fft_c2c(ops::to_dtype(frames, complex_dtype(frames.dtype())), IntList{2}, f.scale, false);
  y = ops::transpose(y, 1, 2);
  if (input.dim() == 1) y = ops::squeeze(y, 0);
  return return_complex.value_or(!is_real) ? y : ops::view_as_real(y);
}

// ---- back: frames are added up where they overlap, and divided by the sum of the squared windows ----

// frames [b, t, size] added up at multiples of `hop`: [b, n].
Tensor overlapped(const Tensor& frames, int64_t hop, int64_t n) {
  const int64_t count = frames.size(1), size = frames.size(2);
  const Tensor places = empty({count * size}, DType::Int64);
  for (int64_t i = 0; i < count * size; ++i) places.data<int64_t>()[i] = i / size * hop + i % size + 1;
  const Tensor zeros = ops::zero_(empty({frames.size(0), n}, frames.dtype(), frames.device()));
  return ops::index_add.in_place(zeros, 1, moved(places, frames.device()),
                                 ops::reshape(frames, {frames.size(0), count * size}));
}

Tensor cut(const Tensor& y, int64_t start, int64_t end, int64_t wanted) {
  const Tensor part = ops::narrow(y, 1, start, end - start);
  if (wanted <= part.size(1)) return part;
  const Tensor zeros = ops::zero_(empty({part.size(0), wanted - part.size(1)}, part.dtype(), part.device()));
  return ops::cat({part, zeros}, 1);
}

// The spectra as [batch, time, frequency], complex.
Tensor spectra_of(const Tensor& input) {
  Tensor x = is_complex(input.dtype()) ? input : ops::view_as_complex(ops::contiguous(input));
  check(x.dim() == 2 || x.dim() == 3, "istft: expected spectra [frequency, time] or [batch, frequency, time], got ",
        x.sizes());
  if (x.dim() == 2) x = ops::unsqueeze(x, 0);
  check(x.numel() > 0, "istft: no spectra in ", input.sizes());
  return ops::transpose(x, 1, 2);
}

Tensor istft_of(const Tensor& input, int64_t n_fft, OptInt hop, OptInt win_length, const Tensor& window, bool center,
                bool normalized, std::optional<bool> onesided, OptInt length, bool return_complex) {
  check(is_complex(input.dtype()) || (is_floating(input.dtype()) && input.dim() > 2 && input.size(-1) == 2),
        "istft: expected complex spectra or pairs of real numbers, got ", input.dtype(), ' ', input.sizes());
  const Tensor x = spectra_of(input);
  const bool flat = input.dim() == (is_complex(input.dtype()) ? 2 : 3);
  const Frames f = frames_of("istft", n_fft, hop, win_length, window, normalized, input);
  const bool half = onesided.value_or(x.size(2) != n_fft);
  check(x.size(2) == (half ? n_fft / 2 + 1 : n_fft), "istft: expected ", half ? n_fft / 2 + 1 : n_fft,
        " frequencies for n_fft = ", n_fft, ", got ", x.size(2));
  check(!(return_complex && half), "istft: complex samples need spectra that are not onesided");
  check(return_complex || !f.window.defined() || !is_complex(f.window.dtype()),
        "istft: a complex window needs return_complex");
  check(length.value_or(1) > 0, "istft: length must be positive, got ", length.value_or(1));

  const double scale = normalized ? f.scale : 1 / static_cast<double>(n_fft);
  Tensor frames;
  if (return_complex)
    frames = ops::fft_c2c(x, IntList{2}, scale, true);
  else  // of real samples the second half of a whole spectrum mirrors the first
    frames = ops::fft_c2r(half ? x : ops::narrow(x, 2, 0, n_fft / 2 + 1), 2, n_fft, scale);
  const int64_t count = x.size(1);
  check(f.hop <= (INT64_MAX - n_fft) / count, "istft: hop_length = ", f.hop, " is too large");
  const int64_t n = n_fft + f.hop * (count - 1), start = center ? n_fft / 2 : 0;
  const int64_t end = length ? std::min(n, start + std::min(*length, n)) : center ? n - n_fft / 2 : n;
  check(start < end, "istft: the frames have no samples beyond the padding");
  const Tensor ones = ops::fill_(empty({n_fft}, real_dtype(x.dtype()), x.device()), 1);
  const Tensor weights = f.window.defined() ? ops::to_dtype(f.window, frames.dtype()) : ones;
  const Tensor y = cut(overlapped(frames * weights, f.hop, n), start, end, 0);
  const Tensor squares = ops::expand(weights * weights, IntList{1, count, n_fft});
  const Tensor envelope = cut(overlapped(squares, f.hop, n), start, end, 0);
  check(envelope.is_meta() || item(ops::amin(ops::abs(envelope))).to<double>() > 1e-11,
        "istft: the windows leave samples out, so there is no inverse");
  const Tensor samples = cut(y / envelope, 0, end - start, length.value_or(0));
  return flat ? ops::squeeze(samples, 0) : samples;
}

}  // namespace

void define_stft(const Family& define) {
  const std::string frame =
      "int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool center=True, ";
  define(
      text("stft(Tensor self, ", frame,
           "str pad_mode='reflect', bool normalized=False, bool? onesided=None, bool? return_complex=None) -> Tensor"))
      .doc(
          "Fourier transforms [.., frequency, time] of the frames of `n_fft` samples that begin every `hop_length` (a "
          "quarter of it), times `window` of `win_length` weights in their middle. `center` pads by half a frame, so "
          "that frames are centred. Real input gives half spectra unless `onesided` is false, and pairs of real "
          "numbers "
          "unless `return_complex`. `normalized` divides by the root of `n_fft`.")
      .example("torch.stft(torch.randn(64), 16, {return_complex=true}).shape")
      .compose(stft_of);
  define(text("istft(Tensor self, ", frame,
              "bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor"))
      .doc(
          "The inverse of `stft` by least squares: frames are added up and divided by the sum of their squared "
          "windows, "
          "which must not vanish. `length` trims or pads the result.")
      .example("torch.istft(torch.stft(torch.randn(64), 16, {return_complex=true}), 16).shape")
      .compose(istft_of);
}

}  // namespace facula
