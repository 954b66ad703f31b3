// Convolution as products of matrices: the pixels that an output pixel sees are a column, and y = w @ columns, of which the
// adjoints are dx = columns^T (w^T @ g), where columns^T adds what lies on the same pixel, and dw = g @ columns^T.
// Columns are made in pieces of a few lines that stay in the second-level cache, one scratch per task. Tasks are cut by the
// sizes alone, so that results do not depend on the number of threads.
#include "kernels/cpu/conv.h"

#include <cstring>
#include <memory>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {

ConvShape::ConvShape(const Sizes& x, const Sizes& w, const Sizes& y, const IntList& strides, const IntList& paddings,
                     const IntList& dilations, int64_t groups)
    : N(x[0]), G(groups), C(w[1]), O(w[0] / groups) {
  const size_t space = strides.size(), lead = 3 - space;
  in = kernel = out = stride = dilation = {1, 1, 1};
  padding = {0, 0, 0};
  for (size_t d = 0; d < space; ++d) {
    in[lead + d] = x[2 + d];
    kernel[lead + d] = w[2 + d];
    out[lead + d] = y[2 + d];
    stride[lead + d] = strides[d];
    padding[lead + d] = paddings[d];
    dilation[lead + d] = dilations[d];
  }
  in_plane = in[0] * in[1] * in[2];
  taps = kernel[0] * kernel[1] * kernel[2];
  lines = out[0] * out[1];
  width = out[2];
  out_plane = lines * width;
}

namespace {

constexpr int64_t kColumns = 128 * 1024;  // elements of a piece of columns: half a second-level cache
constexpr int64_t kTasks = 16;            // wanted where the batch does not give as many
constexpr int64_t kPartial = 1 << 21;     // elements of partial sums of dw that may be held

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
void fill_columns(const ConvShape& s, const T* x, int64_t channels, int64_t first, int64_t last, T* columns) {
  const int64_t lines = last - first, step = s.stride[2];
  s.for_lines(channels, first, last, [&](int64_t row, int64_t line, int64_t offset, int64_t low, int64_t high) {
    T* to = columns + (row * lines + line - first) * s.width;
    const T* from = x + offset;
    for (int64_t i = 0; i < low; ++i) to[i] = T(0);
    if (step == 1)
      for (int64_t i = low; i < high; ++i) to[i] = from[i];
    else
      for (int64_t i = low; i < high; ++i) to[i] = from[i * step];
    for (int64_t i = high; i < s.width; ++i) to[i] = T(0);
  });
}

// The adjoint: adds columns to the pixels that they were read from.
template <class T>
void add_columns(const ConvShape& s, T* x, int64_t channels, int64_t first, int64_t last, const T* columns) {
  const int64_t lines = last - first, step = s.stride[2];
  s.for_lines(channels, first, last, [&](int64_t row, int64_t line, int64_t offset, int64_t low, int64_t high) {
    const T* from = columns + (row * lines + line - first) * s.width;
    T* to = x + offset;
    if (step == 1)
      for (int64_t i = low; i < high; ++i) to[i] = static_cast<T>(to[i] + from[i]);
    else
      for (int64_t i = low; i < high; ++i) to[i * step] = static_cast<T>(to[i * step] + from[i]);
  });
}

// Lines in a piece whose columns have `rows` rows.
int64_t piece_lines(const ConvShape& s, int64_t rows) {
  return std::clamp<int64_t>(kColumns / std::max<int64_t>(1, rows * s.width), 1, std::max<int64_t>(1, s.lines));
}

// Memory for one piece of columns; none where x serves as it lies.
template <class T>
std::unique_ptr<T[]> column_scratch(const ConvShape& s, int64_t rows, int64_t lines) {
  return std::unique_ptr<T[]>(s.is_pointwise() ? nullptr : new T[rows * lines * s.width]);
}

template <class T>
void forward(const ConvShape& s, T* y, const T* x, const T* w) {
  const int64_t rows = s.C * s.taps, images = s.N * s.G;
  const int64_t lines = std::min(piece_lines(s, rows), std::max<int64_t>(1, ceil_div(s.lines * images, kTasks)));
  const int64_t pieces = ceil_div(s.lines, lines);
  parallel_for(images * pieces, 1, [&](int64_t begin, int64_t end) {
    const auto scratch = column_scratch<T>(s, rows, lines);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / pieces, group = image % s.G;
      const int64_t first = task % pieces * lines, last = std::min(s.lines, first + lines);
      const int64_t pixels = (last - first) * s.width, pixel = first * s.width;
      const T* from = x + image * s.C * s.in_plane;
      Matrix<const T> columns{from + pixel, rows, pixels, s.in_plane, 1};
      if (scratch) {
        fill_columns(s, from, s.C, first, last, scratch.get());
        columns = row_major<const T>(scratch.get(), rows, pixels);
      }
      gemm<T>({y + image * s.O * s.out_plane + pixel, s.O, pixels, s.out_plane, 1},
              row_major(w + group * s.O * rows, s.O, rows), columns, T(1), T(0));
    }
  });
}

template <class T>
void input_adjoint(const ConvShape& s, T* dx, const T* g, const T* w) {
  const int64_t images = s.N * s.G;
  const int64_t channels = std::min(s.C, std::max<int64_t>(8, ceil_div(s.C * images, kTasks)));
  const int64_t chunks = ceil_div(s.C, channels), lines = piece_lines(s, channels * s.taps);
  parallel_for(images * chunks, 1, [&](int64_t begin, int64_t end) {
    const auto scratch = column_scratch<T>(s, channels * s.taps, lines);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / chunks, group = image % s.G;
      const int64_t c0 = task % chunks * channels, rows = std::min(channels, s.C - c0) * s.taps;
      T* to = dx + (image * s.C + c0) * s.in_plane;
      const Matrix<const T> weight{w + (group * s.O * s.C + c0) * s.taps, s.O, rows, s.C * s.taps, 1};
      if (scratch) std::fill(to, to + rows / s.taps * s.in_plane, T(0));
      for (int64_t first = 0; first < s.lines; first += lines) {
        const int64_t last = std::min(s.lines, first + lines), pixels = (last - first) * s.width, pixel = first * s.width;
        const Matrix<const T> gradient{g + image * s.O * s.out_plane + pixel, s.O, pixels, s.out_plane, 1};
        if (scratch) {
          gemm<T>(row_major(scratch.get(), rows, pixels), weight.transposed(), gradient, T(1), T(0));
          add_columns<T>(s, to, rows / s.taps, first, last, scratch.get());
        } else {
          gemm<T>({to + pixel, rows, pixels, s.in_plane, 1}, weight.transposed(), gradient, T(1), T(0));
        }
      }
    }
  });
}

// dw of the channels c0 .. c0 + channels of a group, summed over images n0 .. n1.
template <class T>
void weight_adjoint_of(const ConvShape& s, const Matrix<T>& dw, const T* g, const T* x, int64_t group, int64_t c0,
                       int64_t n0, int64_t n1, int64_t lines, T* scratch) {
  T beta(0);
  for (int64_t n = n0; n < n1; ++n) {
    const T* from = x + ((n * s.G + group) * s.C + c0) * s.in_plane;
    const T* gradient = g + (n * s.G + group) * s.O * s.out_plane;
    for (int64_t first = 0; first < s.lines; first += lines) {
      const int64_t last = std::min(s.lines, first + lines), pixels = (last - first) * s.width, pixel = first * s.width;
      Matrix<const T> columns{from + pixel, dw.cols, pixels, s.in_plane, 1};
      if (scratch) {
        fill_columns(s, from, dw.cols / s.taps, first, last, scratch);
        columns = row_major<const T>(scratch, dw.cols, pixels);
      }
      gemm<T>(dw, {gradient + pixel, s.O, pixels, s.out_plane, 1}, columns.transposed(), T(1), beta);
      beta = T(1);
    }
  }
}

// Images are cut into chunks of which the sums are added in order, and channels where these are too few.
template <class T>
void weight_adjoint(const ConvShape& s, T* dw, const T* g, const T* x) {
  const int64_t numel = s.G * s.O * s.C * s.taps;
  if (s.N == 0 || s.out_plane == 0) return std::fill(dw, dw + numel, T(0)), void();
  const int64_t sums = std::clamp<int64_t>(kPartial / numel, 1, std::min(s.N, kTasks));
  const int64_t channels = ceil_div(s.C, std::clamp<int64_t>(kTasks / (s.G * sums), 1, s.C));
  const int64_t chunks = ceil_div(s.C, channels), lines = piece_lines(s, channels * s.taps);
  const std::unique_ptr<T[]> partial(new T[(sums - 1) * numel]);
  parallel_for(sums * s.G * chunks, 1, [&](int64_t begin, int64_t end) {
    const auto scratch = column_scratch<T>(s, channels * s.taps, lines);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t sum = task / (s.G * chunks), group = task / chunks % s.G, c0 = task % chunks * channels;
      T* to = (sum == 0 ? dw : partial.get() + (sum - 1) * numel) + (group * s.O * s.C + c0) * s.taps;
      weight_adjoint_of<T>(s, {to, s.O, std::min(channels, s.C - c0) * s.taps, s.C * s.taps, 1}, g, x, group, c0,
                           s.N * sum / sums, s.N * (sum + 1) / sums, lines, scratch.get());
    }
  });
  parallel_for(numel, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t sum = 0; sum + 1 < sums; ++sum) {
      const T* from = partial.get() + sum * numel;
      for (int64_t i = begin; i < end; ++i) dw[i] = static_cast<T>(dw[i] + from[i]);
    }
  });
}

bool is_depthwise(const ConvShape& s) { return s.C == 1 && s.G > 1; }

// Calls pass.operator()<T>(out, a, b) for contiguous tensors: float16 and bfloat16 through float32 copies.
template <class Pass>
void run(const char* where, const Tensor& out, const Tensor& a, const Tensor& b, Pass pass) {
  if (out.numel() == 0) return;
  with_type(out.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) {
      fail(where, ": bool tensors have no convolution");
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      auto wide = [](const Tensor& x) { return empty(x.sizes(), DType::Float32); };
      const Tensor wide_out = wide(out), wide_a = wide(a), wide_b = wide(b);
      slots::copy(wide_a, a);
      slots::copy(wide_b, b);
      pass(wide_out.data<float>(), wide_a.data<float>(), wide_b.data<float>());
      slots::copy(out, wide_out);
    } else {
      pass(out.data<T>(), a.data<T>(), b.data<T>());
    }
  });
}

void conv(const Tensor& y, const Tensor& x, const Tensor& w, const IntList& stride, const IntList& padding,
          const IntList& dilation, int64_t groups) {
  const ConvShape s(x.sizes(), w.sizes(), y.sizes(), stride, padding, dilation, groups);
  run("conv", y, x, w, [&]<class T>(T* to, const T* from, const T* weight) {
    is_depthwise(s) ? depthwise(s, to, from, weight) : forward(s, to, from, weight);
  });
}

void conv_input(const Tensor& dx, const Tensor& g, const Tensor& w, const IntList& stride, const IntList& padding,
                const IntList& dilation, int64_t groups) {
  const ConvShape s(dx.sizes(), w.sizes(), g.sizes(), stride, padding, dilation, groups);
  run("conv_input", dx, g, w, [&]<class T>(T* to, const T* gradient, const T* weight) {
    is_depthwise(s) ? depthwise_input(s, to, gradient, weight) : input_adjoint(s, to, gradient, weight);
  });
}

void conv_weight(const Tensor& dw, const Tensor& g, const Tensor& x, const IntList& stride, const IntList& padding,
                 const IntList& dilation, int64_t groups) {
  const ConvShape s(x.sizes(), dw.sizes(), g.sizes(), stride, padding, dilation, groups);
  run("conv_weight", dw, g, x, [&]<class T>(T* to, const T* gradient, const T* from) {
    is_depthwise(s) ? depthwise_weight(s, to, gradient, from) : weight_adjoint(s, to, gradient, from);
  });
}

}  // namespace

void fill_conv_slots() {
  slots::conv.fill(DeviceType::CPU, conv);
  slots::conv_input.fill(DeviceType::CPU, conv_input);
  slots::conv_weight.fill(DeviceType::CPU, conv_weight);
}

}  // namespace facula::cpu
