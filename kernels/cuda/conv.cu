// Convolution as products of matrices. With L = out_plane, the columns of some images are a matrix [C * taps, images * L]
// that holds for every output pixel the inputs that its window reads. Then, for each of G groups,
//
//   y  [O/G, images * L] = w [O/G, C/G * taps] @ columns
//   dw [O/G, C/G * taps] = g [O/G, images * L] @ columns^T, summed over the images
//   dx                   = w^T @ g, folded: an input pixel is the sum over the windows that read it
//
// Images are taken together as far as their columns fit in some memory.
#include "kernels/cuda/launch.h"
#include "kernels/cuda/register.h"
#include "kernels/cuda/window.h"

namespace facula::cuda {
namespace {

constexpr int64_t kColumnBytes = int64_t{512} << 20;

/// A thread writes the column entries of one channel at one output pixel.
template <class W>
__global__ void __launch_bounds__(kThreads) unfold_kernel(Window s, const W* x, W* columns, int64_t C, int64_t images) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, pixels = images * s.out_plane;
  const int64_t c = i / pixels, pixel = i % pixels, image = pixel / s.out_plane;
  if (c >= C) return;
  int64_t o[3];
  s.coordinates(pixel % s.out_plane, s.out, o);
  const W* plane = x + (image * C + c) * s.in_plane;
  W* to = columns + c * s.taps * pixels + pixel;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx, to += pixels) {
        const int64_t z = s.source(0, o[0], kz), y = s.source(1, o[1], ky), xx = s.source(2, o[2], kx);
        const bool inside = s.is_inside(0, z) && s.is_inside(1, y) && s.is_inside(2, xx);
        *to = inside ? plane[(z * s.in[1] + y) * s.in[2] + xx] : W{};
      }
}

/// The output whose tap k reads input i along dimension d; -1 where there is none.
__device__ int64_t reader(const Window& s, int d, int64_t i, int64_t k) {
  const int64_t at = i + s.padding[d] - k * s.dilation[d];
  return at >= 0 && at % s.stride[d] == 0 && at / s.stride[d] < s.out[d] ? at / s.stride[d] : -1;
}

/// A thread sums up one input pixel.
template <class T>
__global__ void __launch_bounds__(kThreads)
    fold_kernel(Window s, char* x, const char* columns, DType type, int64_t C, int64_t images) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, pixels = images * s.out_plane;
  const int64_t plane = i / s.in_plane, image = plane / C, c = plane % C, item = item_size(type);
  if (image >= images) return;
  int64_t at[3];
  s.coordinates(i % s.in_plane, s.in, at);
  T sum(0);
  int64_t row = c * s.taps;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx, ++row) {
        const int64_t z = reader(s, 0, at[0], kz), y = reader(s, 1, at[1], ky), xx = reader(s, 2, at[2], kx);
        if (z < 0 || y < 0 || xx < 0) continue;
        const int64_t pixel = image * s.out_plane + (z * s.out[1] + y) * s.out[2] + xx;
        sum += load<T>(columns + (row * pixels + pixel) * item, type);
      }
  store<T>(x + i * item, type, sum);
}

struct Conv {
  Queue queue;
  Window window;
  DType type;
  Device device;
  int64_t N, C, O, G;

  Conv(const char* slot, const Tensor& x, const Tensor& w, const Tensor& y, const IntList& stride,
       const IntList& padding, const IntList& dilation, int64_t groups)
      : queue(slot, x),
        window(x, y, IntList(w.sizes().begin() + 2, w.sizes().end()), stride, padding, dilation),
        type(x.dtype()),
        device(x.device()),
        N(x.size(0)),
        C(x.size(1)),
        O(y.size(1)),
        G(groups) {}

  int64_t rows() const { return C / G * window.taps; }
  // Images whose columns are held at a time.
  int64_t images() const {
    const int64_t bytes = C * window.taps * window.out_plane * item_size(type);
    return std::clamp<int64_t>(kColumnBytes / std::max<int64_t>(1, bytes), 1, N);
  }
  Tensor columns(int64_t n) const { return empty({G, rows(), n * window.out_plane}, type, device); }
  Tensor weight(const Tensor& w) const { return w.alias({G, O / G, rows()}, {O / G * rows(), rows(), 1}, w.offset()); }

  // Images first .. first + n of a contiguous y as [O, n, L].
  Tensor pixels(const Tensor& y, int64_t first, int64_t n) const {
    const int64_t L = window.out_plane;
    return y.alias({O, n, L}, {L, O * L, 1}, y.offset() + first * O * L);
  }
  // The memory of a contiguous [O, n, L] as a matrix per group.
  Tensor by_group(const Tensor& pixels_of, int64_t n) const {
    const int64_t width = n * window.out_plane;
    return pixels_of.alias({G, O / G, width}, {O / G * width, width, 1}, pixels_of.offset());
  }
  Tensor room_for_pixels(int64_t n) const { return empty({O, n, window.out_plane}, type, device); }
  Tensor gathered(const Tensor& y, int64_t first, int64_t n) const {
    const Tensor room = room_for_pixels(n);
    slots::copy(room, pixels(y, first, n));
    return by_group(room, n);
  }

  void unfold(const Tensor& to, const Tensor& x, int64_t first, int64_t n) const {
    const char* from = x.bytes() + first * C * window.in_plane * x.item_size();
    with_word(x.item_size(), [&]<class W>() {
      launch(queue, unfold_kernel<W>, blocks_for(C * n * window.out_plane), kThreads, window,
             reinterpret_cast<const W*>(from), reinterpret_cast<W*>(to.bytes()), C, n);
    });
  }
  void fold(const Tensor& dx, const Tensor& from, int64_t first, int64_t n) const {
    with_compute_type<kAll>(type, queue.slot(), [&]<class T>() {
      launch(queue, fold_kernel<T>, blocks_for(n * C * window.in_plane), kThreads, window,
             dx.bytes() + first * C * window.in_plane * dx.item_size(), static_cast<const char*>(from.bytes()), type, C,
             n);
    });
  }

  // Calls body(first, n) for runs of images.
  template <class Body>
  void for_images(Body body) const {
    const int64_t step = images();
    for (int64_t first = 0; first < N; first += step) body(first, std::min(step, N - first));
  }
};

void conv(const Tensor& y, const Tensor& x, const Tensor& w, const IntList& stride, const IntList& padding,
          const IntList& dilation, int64_t groups) {
  if (y.numel() == 0) return;
  const Conv s("conv", x, w, y, stride, padding, dilation, groups);
  s.for_images([&](int64_t first, int64_t n) {
    const Tensor columns = s.columns(n), room = s.room_for_pixels(n);
    if (columns.numel() > 0) s.unfold(columns, x, first, n);
    slots::bmm(s.by_group(room, n), s.weight(w), columns, Scalar(1), Scalar(0));
    slots::copy(s.pixels(y, first, n), room);
  });
}

void conv_input(const Tensor& dx, const Tensor& g, const Tensor& w, const IntList& stride, const IntList& padding,
                const IntList& dilation, int64_t groups) {
  if (dx.numel() == 0) return;
  const Conv s("conv_input", dx, w, g, stride, padding, dilation, groups);
  const Tensor weight = s.weight(w),
               transposed = weight.alias({s.G, s.rows(), s.O / s.G}, {weight.stride(0), 1, s.rows()}, weight.offset());
  s.for_images([&](int64_t first, int64_t n) {
    const Tensor columns = s.columns(n);
    slots::bmm(columns, transposed, s.gathered(g, first, n), Scalar(1), Scalar(0));
    s.fold(dx, columns, first, n);
  });
}

void conv_weight(const Tensor& dw, const Tensor& g, const Tensor& x, const IntList& stride, const IntList& padding,
                 const IntList& dilation, int64_t groups) {
  if (dw.numel() == 0) return;
  const Conv s("conv_weight", x, dw, g, stride, padding, dilation, groups);
  if (s.N == 0) slots::fill(dw, Scalar(0));
  s.for_images([&](int64_t first, int64_t n) {
    const Tensor columns = s.columns(n);
    s.unfold(columns, x, first, n);
    const int64_t width = columns.size(2);
    const Tensor transposed = columns.alias({s.G, width, s.rows()}, {columns.stride(0), 1, width}, columns.offset());
    slots::bmm(s.weight(dw), s.gathered(g, first, n), transposed, Scalar(1), Scalar(first == 0 ? 0 : 1));
  });
}

}  // namespace

void fill_conv_slots() {
  slots::conv.fill(DeviceType::CUDA, conv);
  slots::conv_input.fill(DeviceType::CUDA, conv_input);
  slots::conv_weight.fill(DeviceType::CUDA, conv_weight);
}

}  // namespace facula::cuda
