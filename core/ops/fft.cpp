// Discrete Fourier transforms. Three operators do all the work, each with the adjoint among the three: complex to complex
// over several dimensions, real to half a spectrum and back along one. The public ones promote, trim or pad, and scale.
#include <cmath>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor c2c_forward(Out& out, const Tensor& x, const IntList& dims, double scale, bool inverse) {
  check(is_complex(x.dtype()), "_fft_c2c: expected a complex tensor, got ", x.dtype());
  const Tensor y = out.make(x.sizes(), x.dtype());
  if (dims.empty()) slots::copy(y, x);
  for (size_t i = 0; i < dims.size(); ++i) slots::fft(y, i == 0 ? x : y, dims[i], i == 0 ? scale : 1.0, inverse);
  return y;
}

Tensor r2c_forward(Out& out, const Tensor& x, int64_t dim, double scale) {
  check(x.dim() > 0 && x.size(dim) > 0, "_fft_r2c: no elements to transform in ", x.sizes());
  Sizes sizes = x.sizes();
  sizes[static_cast<size_t>(dim)] = x.size(dim) / 2 + 1;
  const Tensor y = out.make(sizes, complex_dtype(x.dtype()));
  slots::rfft(y, x, dim, scale);
  return y;
}

Tensor c2r_forward(Out& out, const Tensor& x, int64_t dim, int64_t n, double scale) {
  check(is_complex(x.dtype()), "_fft_c2r: expected a complex tensor, got ", x.dtype());
  check(x.dim() > 0 && n > 0 && x.size(dim) == n / 2 + 1, "_fft_c2r: ", x.sizes(), " holds no half spectrum of ", n);
  Sizes sizes = x.sizes();
  sizes[static_cast<size_t>(dim)] = n;
  const Tensor y = out.make(sizes, real_dtype(x.dtype()));
  slots::irfft(y, x, dim, scale);
  return y;
}

// 1 at the ends of half a spectrum of n numbers, `interior` between: each of these stands for two of the whole spectrum.
Tensor halves(const Tensor& like, int64_t dim, int64_t n, double interior) {
  NoGrad guard;
  Sizes sizes(static_cast<size_t>(like.dim()), 1);
  sizes[static_cast<size_t>(dim)] = n / 2 + 1;
  const Tensor weights = ops::fill_(empty(sizes, real_dtype(like.dtype()), like.device()), interior);
  ops::fill_.in_place(ops::narrow(weights, dim, 0, 1), 1);
  if (n % 2 == 0) ops::fill_.in_place(ops::narrow(weights, dim, n / 2, 1), 1);
  return weights;
}

Tensor r2c_gradient(Tensor g, Meta x, int64_t dim, double scale) {
  const int64_t n = x.size(dim);
  return ops::fft_c2r(g * halves(g, dim, n, 0.5), dim, n, scale);
}
Tensor c2r_gradient(Tensor g, Meta, int64_t dim, int64_t n, double scale) {
  return ops::fft_r2c(g, dim, scale) * halves(g, dim, n, 2);
}

// ---- arguments ----

// 1 / N for one of the two directions, or its root for both.
double scale_of(const char* name, const OptString& norm, int64_t n, bool inverse) {
  const std::string way = norm.value_or("backward");
  check(way == "backward" || way == "forward" || way == "ortho", "fft.", name,
        ": norm must be 'backward', 'forward' or 'ortho', got '", way, "'");
  const double count = static_cast<double>(n);
  if (way == "ortho") return 1 / std::sqrt(count);
  return (way == "forward") == inverse ? 1 : 1 / count;
}

Tensor promoted(const char* name, const Tensor& x, bool to_complex) {
  check(x.dtype() != DType::Float16 && x.dtype() != DType::BFloat16, "fft.", name, ": ", x.dtype(),
        " is not supported; use float32");
  const DType t = is_integral(x.dtype(), true) ? default_dtype() : x.dtype();
  const DType wanted = to_complex ? complex_dtype(t) : t;
  return x.dtype() == wanted ? x : ops::to_dtype(x, wanted);
}
Tensor real_input(const char* name, const Tensor& x) {
  check(!is_complex(x.dtype()), "fft.", name, ": expected real numbers, got ", x.dtype());
  return promoted(name, x, false);
}

int64_t length(const char* name, const Tensor& x, int64_t dim, OptInt n) {
  check(x.dim() > 0, "fft.", name, ": the tensor has no dimension to transform");
  const int64_t length = n.value_or(x.size(dim));
  check(length >= 1, "fft.", name, ": expected at least one element along dimension ", Counting::shown(dim), ", got ",
        length);
  return length;
}

Tensor resized(const Tensor& x, int64_t dim, int64_t n) {
  if (n <= x.size(dim)) return n == x.size(dim) ? x : ops::narrow(x, dim, 0, n);
  Sizes more = x.sizes();
  more[static_cast<size_t>(dim)] = n - x.size(dim);
  return ops::cat({x, ops::zero_(empty(more, x.dtype(), x.device()))}, dim);
}

// ---- along one dimension ----

template <bool inverse>
Tensor fft_of(const Tensor& input, OptInt n, int64_t dim, const OptString& norm) {
  const char* name = inverse ? "ifft" : "fft";
  const int64_t size = length(name, input, dim, n);
  const Tensor x = resized(promoted(name, input, true), dim, size);
  return ops::fft_c2c(x, IntList{dim}, scale_of(name, norm, size, inverse), inverse);
}
template <bool inverse>  // rfft and ihfft
Tensor real_fft_of(const Tensor& input, OptInt n, int64_t dim, const OptString& norm) {
  const char* name = inverse ? "ihfft" : "rfft";
  const int64_t size = length(name, input, dim, n);
  const Tensor y = ops::fft_r2c(resized(real_input(name, input), dim, size), dim, scale_of(name, norm, size, inverse));
  return inverse ? ops::conj(y) : y;
}
template <bool inverse>  // irfft and hfft
Tensor half_fft_of(const Tensor& input, OptInt n, int64_t dim, const OptString& norm) {
  const char* name = inverse ? "irfft" : "hfft";
  check(input.dim() > 0, "fft.", name, ": the tensor has no dimension to transform");
  const int64_t size = length(name, input, dim, n ? *n : 2 * (input.size(dim) - 1));
  const Tensor x = resized(promoted(name, input, true), dim, size / 2 + 1);
  return ops::fft_c2r(inverse ? x : ops::conj(x), dim, size, scale_of(name, norm, size, inverse));
}

// ---- along several ----

struct Shape {
  IntList dims, sizes;  // to transform, in the order they were named
  int64_t count = 1;    // the product of sizes
};

// With `half` the last dimension holds half a spectrum, of 2 (m - 1) numbers unless `s` says otherwise.
Shape shape_of(const char* name, const Tensor& x, const OptInts& s, const IntList& given, bool half = false) {
  Shape shape;
  shape.dims = given;
  if (given.empty()) {
    const auto wanted = s ? static_cast<int64_t>(s->size()) : x.dim();
    check(wanted <= x.dim(), "fft.", name, ": s has ", wanted, " sizes for a tensor with ", x.dim(), " dimensions");
    for (int64_t d = x.dim() - wanted; d < x.dim(); ++d) shape.dims.push_back(d);
  }
  check(!s || s->size() == shape.dims.size(), "fft.", name, ": s ", s.value_or(IntList{}), " and dim name ",
        shape.dims.size(), " dimensions differently");
  for (size_t i = 0; i < shape.dims.size(); ++i) {
    const int64_t d = shape.dims[i], size = x.size(d);
    const int64_t whole = half && i + 1 == shape.dims.size() ? 2 * (size - 1) : size;
    const int64_t wanted = s && (*s)[i] != -1 ? (*s)[i] : whole;
    shape.sizes.push_back(length(name, x, d, wanted));
  }
  shape.count = numel_of(shape.sizes);
  return shape;
}

Tensor resized(Tensor x, const Shape& shape, size_t count) {
  for (size_t i = 0; i < count; ++i) x = resized(x, shape.dims[i], shape.sizes[i]);
  return x;
}
IntList but_last(const IntList& dims) { return IntList(dims.begin(), dims.end() - 1); }

template <bool inverse>
Tensor fftn_of(const Tensor& input, const OptInts& s, const IntList& dim, const OptString& norm) {
  const char* name = inverse ? "ifftn" : "fftn";
  const Shape shape = shape_of(name, input, s, dim);
  const Tensor x = resized(promoted(name, input, true), shape, shape.dims.size());
  return ops::fft_c2c(x, shape.dims, scale_of(name, norm, shape.count, inverse), inverse);
}
template <bool inverse>
Tensor real_fftn_of(const Tensor& input, const OptInts& s, const IntList& dim, const OptString& norm) {
  const char* name = inverse ? "ihfftn" : "rfftn";
  const Shape shape = shape_of(name, input, s, dim);
  check(!shape.dims.empty(), "fft.", name, ": expected at least one dimension to transform");
  const Tensor x = resized(real_input(name, input), shape, shape.dims.size());
  const Tensor y = ops::fft_r2c(x, shape.dims.back(), scale_of(name, norm, shape.count, inverse));
  const IntList others = but_last(shape.dims);
  const Tensor first = inverse ? ops::conj(y) : y;
  return others.empty() ? first : ops::fft_c2c(first, others, 1.0, inverse);
}
template <bool inverse>
Tensor half_fftn_of(const Tensor& input, const OptInts& s, const IntList& dim, const OptString& norm) {
  const char* name = inverse ? "irfftn" : "hfftn";
  const Shape shape = shape_of(name, input, s, dim, true);
  check(!shape.dims.empty(), "fft.", name, ": expected at least one dimension to transform");
  const int64_t last = shape.dims.back(), n = shape.sizes.back();
  Tensor x = resized(resized(promoted(name, input, true), shape, shape.dims.size() - 1), last, n / 2 + 1);
  const IntList others = but_last(shape.dims);
  if (!others.empty()) x = ops::fft_c2c(x, others, 1.0, inverse);
  return ops::fft_c2r(inverse ? x : ops::conj(x), last, n, scale_of(name, norm, shape.count, inverse));
}

// ---- frequencies and shifts ----

// 0, 1 .. and, in a whole spectrum, -n/2 .. -1 cycles over n samples `d` apart.
Tensor frequencies(Out& out, const char* name, int64_t n, double d, OptDType dtype, OptDevice device, bool half) {
  const DType t = dtype.value_or(default_dtype());
  check(n >= 1, "fft.", name, ": expected at least one sample, got ", n);
  check(is_differentiable(t), "fft.", name, ": expected a floating or complex dtype, got ", t);
  const Tensor y = out.make({half ? n / 2 + 1 : n}, t, device.value_or(Device{}));
  slots::arange(y, 0, 1);
  if (!half && n > 1) {
    const int64_t first = (n + 1) / 2;
    slots::arange(y.alias({n - first}, y.strides(), y.offset() + first * y.stride(0)), -(n / 2), 1);
  }
  return ops::mul.in_place(y, 1 / (static_cast<double>(n) * d));
}

Tensor rolled(const Tensor& x, int64_t dim, int64_t shift) {
  const int64_t n = x.size(dim);
  if (shift == 0) return x;
  return ops::cat({ops::narrow(x, dim, n - shift, shift), ops::narrow(x, dim, 0, n - shift)}, dim);
}
template <bool inverse>
Tensor shifted(const Tensor& input, const IntList& dims) {
  Tensor x = input;
  for (const int64_t d : dims) x = rolled(x, d, (x.size(d) + inverse) / 2);
  return x.is(input) ? ops::clone(x) : x;
}

// ---- declarations ----

struct Row {
  const char* name;
  Tensor (*one)(const Tensor&, OptInt, int64_t, const OptString&);
  Tensor (*several)(const Tensor&, const OptInts&, const IntList&, const OptString&);
  const char* doc;
};
constexpr Row kTransforms[] = {
    {"fft", fft_of<false>, fftn_of<false>, "The Fourier transform `y[k] = sum(x[j] exp(-2 pi i j k / n))`"},
    {"ifft", fft_of<true>, fftn_of<true>, "The inverse of `fft`: `y[j] = sum(x[k] exp(2 pi i j k / n)) / n`"},
    {"rfft", real_fft_of<false>, real_fftn_of<false>,
     "The first `n / 2 + 1` elements of the Fourier transform of real numbers; the others mirror them"},
    {"irfft", half_fft_of<true>, half_fftn_of<true>,
     "The inverse of `rfft`: `n` real numbers, 2 (m - 1) by default, from the first half of their spectrum"},
    {"hfft", half_fft_of<false>, half_fftn_of<false>,
     "The real Fourier transform, of `n` numbers, 2 (m - 1) by default, of a sequence that mirrors its first half"},
    {"ihfft", real_fft_of<true>, real_fftn_of<true>,
     "The inverse of `hfft`: the first `n / 2 + 1` elements of the inverse transform of real numbers"},
};

void define_transforms(const Family& define, const Row& row) {
  const std::string name = text("fft.", row.name), norm = "str? norm=None) -> Tensor";
  define(text(name, "(Tensor self, int? n=None, Dim dim=-1, ", norm))
      .doc(text(row.doc,
                ", along a dimension that is first trimmed or padded with zeros to `n`. `norm`, 'backward', 'ortho' or "
                "'forward', says which direction divides by n, or both by its root."))
      .example(text("torch.", name, "(torch.tensor{1, 2, 3, 4})"))
      .compose(row.one);
  const std::string doc = text(row.doc,
                               ", over several dimensions, one after another; the last one named is the halved one of "
                               "real transforms. `s` trims or pads to sizes, -1 keeps one.");
  define(text(name, "2(Tensor self, int[2]? s=None, Dim[] dim=[-2, -1], ", norm))
      .doc(doc)
      .example(text("torch.", name, "2(torch.tensor{{1, 2}, {3, 4}})"))
      .compose(row.several);
  define(text(name, "n(Tensor self, int[]? s=None, Dim[] dim=[], ", norm))
      .doc(doc + " Without `dim` they are the last ones, as many as `s` has, or all.")
      .example(text("torch.", name, "n(torch.tensor{{1, 2}, {3, 4}})"))
      .compose(row.several);
}

#define OPTIONS "*, DType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"

}  // namespace

void define_fft(const Family& define) {
  define(ops::fft_c2c, "_fft_c2c(Tensor self, Dim[] dim, float scale, bool inverse) -> Tensor")
      .doc("Complex Fourier transforms over the dimensions in `dim`, times `scale`.")
      .node("FftC2CBackward0")
      .forward(c2c_forward)
      .grad("self", [](Tensor g, Meta, IntList dim, double scale, bool inverse) {
        return ops::fft_c2c(g, dim, scale, !inverse);
      });
  define(ops::fft_r2c, "_fft_r2c(Tensor self, Dim dim, float scale) -> Tensor")
      .doc("The first half of the Fourier transform of real numbers along a dimension, times `scale`.")
      .node("FftR2CBackward0")
      .forward(r2c_forward)
      .grad("self", r2c_gradient);
  define(ops::fft_c2r, "_fft_c2r(Tensor self, Dim dim, int n, float scale) -> Tensor")
      .doc("`n` real numbers from the first half of their spectrum, not divided by n but times `scale`.")
      .node("FftC2RBackward0")
      .forward(c2r_forward)
      .grad("self", c2r_gradient);
  for (const Row& row : kTransforms) define_transforms(define, row);

  define("fft.fftfreq(int n, float d=1, " OPTIONS)
      .doc("The frequencies of `fft`'s elements, in cycles per unit, of `n` samples that lie `d` apart.")
      .example("torch.fft.fftfreq(5)")
      .forward(+[](Out& out, int64_t n, double d, OptDType t, OptDevice device) {
        return frequencies(out, "fftfreq", n, d, t, device, false);
      });
  define("fft.rfftfreq(int n, float d=1, " OPTIONS)
      .doc("The frequencies of `rfft`'s elements, in cycles per unit, of `n` samples that lie `d` apart.")
      .example("torch.fft.rfftfreq(5)")
      .forward(+[](Out& out, int64_t n, double d, OptDType t, OptDevice device) {
        return frequencies(out, "rfftfreq", n, d, t, device, true);
      });
  define("fft.fftshift(Tensor self, Dim[]? dim=None) -> Tensor")
      .doc("Moves frequency 0 to the middle of the dimensions in `dim`, all by default.")
      .example("torch.fft.fftshift(torch.fft.fftfreq(5))")
      .compose(shifted<false>);
  define("fft.ifftshift(Tensor self, Dim[]? dim=None) -> Tensor")
      .doc("Undoes `fftshift`.")
      .example("torch.fft.ifftshift(torch.arange(5))")
      .compose(shifted<true>);
}

}  // namespace facula
